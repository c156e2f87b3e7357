/** Runs test files in a browser, by Karma, with the pretend network beside it. */
import karma from 'karma';
import { rmSync, statSync } from 'node:fs';
import { rollup } from 'rollup';
import { bundle } from './rollup.config.js';
import { openControl } from './support/control.js';
import { watchLateness } from './support/lateness.js';

/**
 * What became of some tests.
 *
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {string[]} failures their titles with what they said
 *
 * @typedef {object} Failure
 * @property {{id: string, title: string, lateMs: number}} [test] missing for what is no test; `lateMs`: for how long nothing
 *   ran in the page, or in the network, while it ran
 * @property {string} what its title, with what it said
 */

/** A machine that stood for longer than the plugin's shortest patience proves nothing. */
const STOOD_MS = 250;
/** So often a test is run again that failed on a machine that stood. */
const TIMES_AGAIN = 2;

/**
 * Runs them in as many browsers as asked for, side by side, each with files of its own: what plays video waits more than
 * it works. What fails while the machine stands is run again, alone.
 *
 * @param {string} title of the run, for the names of files
 * @param {readonly string[]} paths of tests
 * @param {number} browsers
 * @param {{name: string, plugin: string | object, launcher: {base: string}}} engine
 * @returns {Promise<Outcome>}
 */
export async function runInBrowsers(title, paths, browsers, engine) {
  const lanes = deal(paths, Math.min(browsers, paths.length));
  // all before the first test: bundling holds up the network
  const files = await Promise.all(lanes.map((lane, n) => write(`${title}-${n}`, lane)));
  const control = await openControl({ port: 0 });
  try {
    const ends = await Promise.all(files.map((file, n) => runLane(file, lanes[n], control.url, engine)));
    const outcomes = [];
    for (const [n, end] of ends.entries()) outcomes.push(await proven(end, files[n], control.url, engine));
    return sum(outcomes);
  } finally {
    await control.close();
    for (const file of files) rmSync(file);
  }
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
    failures: outcomes.flatMap(({ failures }) => failures),
  };
}

async function write(name, paths) {
  const options = bundle(name, paths);
  const build = await rollup(options);
  await build.write(options.output);
  await build.close();
  return options.output.file;
}

async function runLane(file, paths, controlUrl, engine) {
  const end = await runOnce(file, controlUrl, engine);
  if (end.ran) return end;
  console.log(`The browser ran no test of ${paths.join(', ')}; once more`);
  return runOnce(file, controlUrl, engine);
}

/** @returns {Promise<Outcome>} with what failed on a machine that stood run again */
async function proven({ passed, failures }, file, controlUrl, engine) {
  let left = failures;
  for (let times = 0; times < TIMES_AGAIN; times += 1) {
    const unsure = left.filter(({ test }) => test && test.lateMs >= STOOD_MS);
    if (unsure.length === 0) break;
    for (const { test } of unsure)
      console.log(`Again, as nothing ran for ${Math.round(test.lateMs)} ms meanwhile: ${test.title}`);
    const again = await runOnce(file, controlUrl, engine, unsure.map(({ test }) => test.id)); // prettier-ignore
    passed += again.passed;
    const sure = left.filter((failure) => !unsure.includes(failure));
    // none may get lost
    left = [...sure, ...(again.passed + again.failures.length < unsure.length ? unsure : again.failures)];
  }
  return { passed, failures: left.map(({ what }) => what) };
}

/**
 * @param {string[]} testId of the tests to run, none for all
 * @returns {Promise<{passed: number, failures: Failure[], ran: boolean}>} `ran`: whether any test began
 */
async function runOnce(file, controlUrl, { name, plugin, launcher }, testId = []) {
  const end = { passed: 0, failures: [], ran: false };
  const lateness = watchLateness();
  const config = {
    basePath: process.cwd(),
    frameworks: ['qunit'],
    files: [
      file,
      ...[
        'dist',
        'test/media',
        'demo/media',
        'node_modules/video.js/dist',
        'node_modules/@videojs/http-streaming/dist',
      ].map((served) => ({
        pattern: `${served}/**/*`,
        included: false,
        watched: false,
      })),
    ],
    browsers: ['Quiet'],
    customLaunchers: { Quiet: launcher },
    client: { control: controlUrl, engine: name, qunit: { testTimeout: 30_000, testId }, captureConsole: false },
    plugins: ['karma-qunit', plugin, { 'reporter:sentences': ['type', sentences(end, lateness)] }],
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
  lateness.stop();
  // the run itself broke: no test may hide that
  if (code !== 0 && end.failures.length === 0)
    end.failures.push({ what: `the run in ${name} ended with code ${code}` });
  return end;
}

/** A Karma reporter: a line for each test, what it printed before it, and what went wrong. */
function sentences(end, lateness) {
  return function Sentences() {
    this.adapters = [];
    let running = { id: '', title: 'none', lateMs: 0 };
    /** By title. */
    const tests = new Map();
    /** Of the test that runs: what is worth a number, printed with `__karma__.log`. */
    let said = [];
    const print = (line) => {
      console.log([...said, line].join('\n'));
      said = [];
    };
    this.onBrowserLog = (_browser, text) => said.push(`     ${text.replace(/^'|'$/g, '')}`);
    this.onBrowserInfo = (_browser, { begun, lateMs }) => {
      if (begun) {
        running = { ...begun, lateMs: 0 };
        tests.set(begun.title, running);
        end.ran = true;
      }
      if (lateMs !== undefined) running.lateMs = Math.max(lateMs, lateness.take());
    };
    this.onSpecComplete = (_browser, { success, skipped, suite, description, log, time }) => {
      const title = [...suite, description].join(' › ');
      if (success && !skipped) {
        end.passed += 1;
        print(`  ok ${title} (${time} ms)`);
      } else {
        fail(title, `${title} (${time} ms)\n${skipped ? 'it was skipped' : log.join('\n')}`);
      }
    };
    this.onBrowserError = (_browser, error) =>
      fail(
        '',
        `the page, test that ran: ${running.title}: ${typeof error === 'string' ? error : (error.message ?? JSON.stringify(error))}`,
      );
    function fail(title, what) {
      end.failures.push({ test: tests.get(title), what });
      print(`  NOT OK ${what}`);
    }
  };
}
