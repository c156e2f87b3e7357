// npm test: brings what is missing, starts the pretend network, runs every test, and says how many passed.
//   node test/run.js [unit|functional|node] [part of a file's name ...] [--in chromium,firefox,webkit] [--allow-missing]
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
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
const { testsOf } = await import('./rollup.config.js');
const { ENGINES } = await import('./support/engines.js');
const { runInBrowsers, sum } = await import('./in-browser.js');

/** How many browsers share the tests of a folder. */
const SIDE_BY_SIDE = { unit: 1, functional: 3 };

if (
  isOlder('dist/videojs-edge-select.min.js', 'src') ||
  isOlder('dist/videojs-edge-select.min.js', 'rollup.config.js')
) {
  console.log('Building');
  execFileSync(process.execPath, ['node_modules/rollup/dist/bin/rollup', '-c', '--silent'], { stdio: 'inherit' });
}

const ran = [];
const missing = [];

const inNode = what === '' || what === 'node';
const outcomes = [
  // by itself, as it keeps times: what a machine with three browsers at work cannot
  inNode ? await runInNode('test/support/network.check.js') : [],
  ...(await Promise.all([what === 'node' ? [] : runInEngines(), inNode ? runInNode('test/node/') : []])),
];
const { passed, failures } = sum(outcomes.flat());
// once more where they are not looked for in vain
if (failures.length > 0) console.log(['\nFailed:', ...failures].join('\n  NOT OK '));
console.log([counted({ passed, failures }), ...whereItRan()].join(' '));
// a run of nothing passes only where the engine may be missing
process.exitCode = failures.length > 0 || (passed === 0 && missing.length === 0) ? 1 : 0;

/** One engine after the other. */
async function runInEngines() {
  const outcomes = [];
  for (const name of flags.in.split(',')) {
    const engine = ENGINES[name];
    if (!engine) throw new Error(`--in ${name}: there are ${Object.keys(ENGINES).join(', ')}`);
    const found = await engine.find();
    outcomes.push(found ? await runIn(name, engine.title, found) : miss(engine));
  }
  return outcomes;
}

async function runIn(name, title, { path, plugin, launcher }) {
  console.log(`Browser: ${path}`);
  const folders = Object.keys(SIDE_BY_SIDE).filter((folder) => what === '' || what === folder);
  const ends = [];
  for (const folder of folders) {
    const paths = testsOf(folder, parts);
    ends.push(await runInBrowsers(`${folder}-${name}`, paths, SIDE_BY_SIDE[folder], { name, plugin, launcher }));
  }
  ran.push(title);
  const outcome = sum(ends);
  if (flags.in.includes(',')) console.log(`${title}: ${counted(outcome)}`);
  return outcome;
}

/** An engine that is not there fails the run, unless that is allowed. */
function miss({ title, command }) {
  const told = `${title} is missing: ${command}`;
  console.log(told);
  missing.push(title);
  return { passed: 0, failures: flags['allow-missing'] ? [] : [told] };
}

function counted({ passed, failures }) {
  return `${passed} passed, ${failures.length} failed`;
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

async function runInNode(path) {
  const args = ['--test', '--test-reporter=tap', path];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  console.log(text.split('\n').filter((line) => /^ *(not ok|ok) /.test(line)).join('\n')); // prettier-ignore
  if (count('fail') > 0) console.log(text);
  const titles = [...text.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, title]) => title);
  // of a test within a test both titles are there: the inner one first
  const failures = titles.slice(0, count('fail'));
  // what ended before it could count failed too
  if (code !== 0 && failures.length === 0) failures.push(`the tests in Node ended with code ${code}`);
  return { passed: count('pass'), failures };
}
