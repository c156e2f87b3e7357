/** Runs test files in a browser, by Karma, with the pretend network beside it. */
import karma from 'karma';
import { rmSync, statSync } from 'node:fs';
import { rollup } from 'rollup';
import { bundle } from './rollup.config.js';
import { openControl } from './support/control.js';

/**
 * What became of some tests.
 *
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} leftOut that do not hold in an engine; each says why
 * @property {string[]} failures their titles with what they said
 */

/**
 * Runs them in as many browsers as asked for, side by side, each with files of its own: what plays video waits more than
 * it works.
 *
 * @param {string} title of the run, for the names of files
 * @param {readonly string[]} paths of tests
 * @param {number} browsers
 * @param {{name: string, plugin: string | object, launcher: {base: string}}} engine
 * @returns {Promise<Outcome>}
 */
export async function runInBrowsers(title, paths, browsers, engine) {
  const lanes = deal(paths, Math.min(browsers, paths.length));
  const outcomes = await Promise.all(lanes.map((lane, n) => runLane(`${title}-${n}`, lane, engine)));
  return sum(outcomes);
}

/** The largest file first, each to the lane that has least. */
function deal(paths, count) {
  const lanes = Array.from({ length: count }, () => ({ size: 0, paths: [] }));
  const files = paths.map((path) => ({ path, size: statSync(path).size })).sort((a, b) => b.size - a.size);
  for (const { path, size } of files) {
    const lane = lanes.reduce((least, other) => (other.size < least.size ? other : least));
    lane.paths.push(path);
    lane.size += size;
  }
  return lanes.map((lane) => lane.paths);
}

/** @param {readonly Outcome[]} outcomes */
export function sum(outcomes) {
  return {
    passed: outcomes.reduce((total, { passed }) => total + passed, 0),
    leftOut: outcomes.reduce((total, { leftOut }) => total + leftOut, 0),
    failures: outcomes.flatMap(({ failures }) => failures),
  };
}

async function runLane(name, paths, engine) {
  const options = bundle(name, paths);
  const build = await rollup(options);
  await build.write(options.output);
  await build.close();
  const control = await openControl({ port: 0 });
  try {
    const outcome = await runOnce(options.output.file, control.url, engine);
    if (outcome.ran) return outcome;
    console.log(`The browser ran no test of ${paths.join(', ')}; once more`);
    return await runOnce(options.output.file, control.url, engine);
  } finally {
    await control.close();
    rmSync(options.output.file);
  }
}

/** @returns {Promise<Outcome & {ran: boolean}>} `ran`: whether any test began */
async function runOnce(file, controlUrl, { name, plugin, launcher }) {
  const outcome = { passed: 0, leftOut: 0, failures: [], ran: false };
  const config = {
    basePath: process.cwd(),
    frameworks: ['qunit'],
    files: [
      file,
      ...['dist', 'test/media', 'demo/media', 'node_modules/video.js/dist'].map((served) => ({
        pattern: `${served}/**/*`,
        included: false,
        watched: false,
      })),
    ],
    browsers: ['Quiet'],
    customLaunchers: { Quiet: launcher },
    client: { control: controlUrl, engine: name, qunit: { testTimeout: 30_000 }, captureConsole: false },
    plugins: ['karma-qunit', plugin, { 'reporter:sentences': ['type', sentences(outcome)] }],
    reporters: ['sentences'],
    singleRun: true,
    autoWatch: false,
    hostname: 'localhost',
    listenAddress: '127.0.0.1',
    logLevel: karma.constants.LOG_WARN,
    browserNoActivityTimeout: 60_000,
    // a busy machine is no broken one
    browserDisconnectTimeout: 20_000,
    pingTimeout: 20_000,
  };
  let code = 1;
  try {
    const parsed = await karma.config.parseConfig(null, config, { promiseConfig: true, throwErrors: true });
    code = await new Promise((resolve) => new karma.Server(parsed, resolve).start());
  } catch (error) {
    console.error(error);
  }
  // the run itself broke: no test may hide that
  if (code !== 0 && outcome.failures.length === 0) outcome.failures.push(`the run in ${name} ended with code ${code}`);
  return outcome;
}

/** A Karma reporter: a line for each test, what it printed before it, and what went wrong. */
function sentences(outcome) {
  return function Sentences() {
    this.adapters = [];
    let running = 'none';
    /** Of the test that runs: what is worth a number, printed with `__karma__.log`. */
    let said = [];
    const print = (line) => {
      console.log([...said, line].join('\n'));
      said = [];
    };
    this.onBrowserLog = (_browser, text) => said.push(`     ${text.replace(/^'|'$/g, '')}`);
    this.onBrowserInfo = (_browser, { begun }) => {
      running = begun;
      outcome.ran = true;
    };
    this.onSpecComplete = (_browser, { success, skipped, suite, description, log, time }) => {
      const title = [...suite, description].join(' › ');
      if (skipped) {
        outcome.leftOut += 1;
        print(`  left out ${title}`);
      } else if (success) {
        outcome.passed += 1;
        print(`  ok ${title} (${time} ms)`);
      } else {
        fail(`${title} (${time} ms)\n${log.join('\n')}`);
      }
    };
    this.onBrowserError = (_browser, error) =>
      fail(
        `the page, test that ran: ${running}: ${typeof error === 'string' ? error : (error.message ?? JSON.stringify(error))}`,
      );
    function fail(what) {
      outcome.failures.push(what);
      print(`  NOT OK ${what}`);
    }
  };
}
