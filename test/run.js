// npm test: brings what is missing, starts the pretend network, runs every test, and says how many passed.
//   node test/run.js [unit|functional|node] [part of a file's name ...] [--in chromium,firefox,webkit] [--allow-missing]
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
if (!existsSync('node_modules/karma')) {
  console.log('Installing the locked packages (npm ci)');
  execFileSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci'], { stdio: 'inherit' });
}
const { values: flags, positionals } = parseArgs({
  options: { in: { type: 'string', default: 'chromium' }, 'allow-missing': { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [what = '', ...parts] = positionals;
const { rollup } = await import('rollup');
const { bundle } = await import('./rollup.config.js');
const { openControl } = await import('./support/control.js');
const { ENGINES } = await import('./support/engines.js');
const { default: karma } = await import('karma');

if (
  isOlder('dist/videojs-edge-select.min.js', 'src') ||
  isOlder('dist/videojs-edge-select.min.js', 'rollup.config.js')
) {
  console.log('Building');
  execFileSync(process.execPath, ['node_modules/rollup/dist/bin/rollup', '-c', '--silent'], { stdio: 'inherit' });
}

let passed = 0;
let failed = 0;
/** Tests that do not hold in an engine; each says why. */
let leftOut = 0;
const ran = [];
const missing = [];

if (what !== 'node') {
  for (const name of flags.in.split(',')) {
    const engine = ENGINES[name];
    if (!engine) throw new Error(`--in ${name}: there are ${Object.keys(ENGINES).join(', ')}`);
    const found = await engine.find();
    if (found) await runIn(name, engine.title, found);
    else miss(engine);
  }
}
if (what === '' || what === 'node') await runInNode();
console.log([counted(passed, failed, leftOut), ...whereItRan()].join(' '));
// a run of nothing passes only where the engine may be missing
process.exitCode = failed > 0 || (passed === 0 && missing.length === 0) ? 1 : 0;

async function runIn(name, title, { path, plugin, launcher }) {
  console.log(`Browser: ${path}`);
  const before = [passed, failed, leftOut];
  for (const folder of ['unit', 'functional']) {
    if (what === '' || what === folder) await runInBrowser(folder, name, plugin, launcher);
  }
  ran.push(title);
  const [ok, notOk, out] = before;
  if (flags.in.includes(',')) console.log(`${title}: ${counted(passed - ok, failed - notOk, leftOut - out)}`);
}

/** An engine that is not there fails the run, unless that is allowed. */
function miss({ title, command }) {
  console.log(`${title} is missing: ${command}`);
  missing.push(title);
  if (!flags['allow-missing']) failed += 1;
}

function counted(ok, notOk, out) {
  return `${ok} passed, ${notOk} failed${out > 0 ? `, ${out} left out` : ''}`;
}

/** Nothing, where nobody asked for another engine and none is missing. */
function whereItRan() {
  const where = flags.in === 'chromium' ? [] : [`in ${ran.join(', ') || 'no browser'}`];
  return missing.length === 0 ? where : [...where, `(not run: ${missing.join(', ')}, which is missing)`];
}

/** Whether a file is missing, or older than anything in `source`. */
function isOlder(file, source) {
  if (!existsSync(file)) return true;
  const built = statSync(file).mtimeMs;
  const newer = (path) =>
    statSync(path).isDirectory()
      ? readdirSync(path).some((name) => newer(`${path}/${name}`))
      : statSync(path).mtimeMs > built;
  return newer(source);
}

async function runInBrowser(folder, engine, plugin, launcher) {
  const options = bundle(folder, parts);
  const build = await rollup(options);
  await build.write(options.output);
  await build.close();
  const control = await openControl({ port: 0 });
  const config = karma.config.parseConfig(
    null,
    {
      basePath: process.cwd(),
      frameworks: ['qunit'],
      files: [
        options.output.file,
        ...['dist', 'test/media', 'demo/media', 'node_modules/video.js/dist'].map((served) => ({
          pattern: `${served}/**/*`,
          included: false,
          watched: false,
        })),
      ],
      browsers: ['Quiet'],
      customLaunchers: { Quiet: launcher },
      client: { control: control.url, engine, qunit: { testTimeout: 30_000 }, captureConsole: false },
      plugins: ['karma-qunit', plugin, { 'reporter:sentences': ['type', sentences()] }],
      reporters: ['sentences'],
      singleRun: true,
      autoWatch: false,
      hostname: 'localhost',
      listenAddress: '127.0.0.1',
      logLevel: karma.constants.LOG_WARN,
      browserNoActivityTimeout: 60_000,
    },
    { promiseConfig: true, throwErrors: true },
  );
  const code = await new Promise((resolve) => {
    config.then((parsed) => new karma.Server(parsed, resolve).start(), (error) => { console.error(error); resolve(1); }); // prettier-ignore
  });
  await control.close();
  rmSync(options.output.file);
  if (code !== 0 && failed === 0) failed += 1; // the run itself broke: no test may hide that
}

function sentences() {
  return function Sentences() {
    this.adapters = [];
    this.onSpecComplete = (_browser, { success, skipped, suite, description, log, time }) => {
      if (skipped) {
        leftOut += 1;
        console.log(`  left out ${[...suite, description].join(' › ')}`);
        return;
      }
      if (success) passed += 1;
      else failed += 1;
      const line = `${[...suite, description].join(' › ')} (${time} ms)`;
      console.log(success ? `  ok ${line}` : `  NOT OK ${line}\n${log.join('\n')}`);
    };
    // a test prints what is worth a number with `__karma__.log`
    this.onBrowserLog = (_browser, text) => console.log(`     ${text.replace(/^'|'$/g, '')}`);
    this.onBrowserError = (_browser, error) => {
      failed += 1;
      console.log(`  NOT OK the page: ${typeof error === 'string' ? error : (error.message ?? JSON.stringify(error))}`);
    };
  };
}

async function runInNode() {
  const args = ['--test', '--test-reporter=tap', 'test/support/network.check.js', 'test/node/'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  await new Promise((resolve) => child.on('close', resolve));
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  console.log(text.split('\n').filter((line) => /^ *(not ok|ok) /.test(line)).join('\n')); // prettier-ignore
  if (count('fail') > 0) console.log(text);
  passed += count('pass');
  failed += count('fail');
}
