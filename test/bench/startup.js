// npm run bench:startup: how long until the first frame, with the plugin and without. See README.md beside this file.
//   --pairs N   interleaved rounds (15)      --quick      3 rounds
//   --only A,B  some scenarios only          --strict     exit 1 when a promise is missed
//   --dist DIR  another build than dist/
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, buildIfStale, openLab } from './lab.js';
import { SCENARIOS } from './scenarios.js';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '15' },
    only: { type: 'string', default: Object.keys(SCENARIOS).join(',') },
    dist: { type: 'string' },
    quick: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
  },
});
const pairs = values.quick ? 3 : Number(values.pairs);
const wanted = values.only.split(',');
const unknown = wanted.find((name) => !SCENARIOS[name]);
if (unknown !== undefined) throw new Error(`no scenario '${unknown}'; there are ${Object.keys(SCENARIOS).join(', ')}`);
if (!(pairs >= 1)) throw new Error(`--pairs ${values.pairs}: a number from 1`);

if (!values.dist) buildIfStale();
const dist = values.dist ? resolve(values.dist) : join(ROOT, 'dist');
const lab = await openLab(dist);
console.log(
  `Chromium ${lab.browserVersion}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, ${pairs} rounds`,
);
console.log('First frame in ms after player.src(), medians (least .. most).');

/** @type {{name: string, value: number, target: number, kept: boolean}[]} */
const promises = [];
/** @type {Record<string, object>} */
const results = {};
try {
  for (const name of wanted) results[name] = (await SCENARIOS[name]?.({ lab, pairs, dist, promise: note })) ?? {};
} finally {
  await lab.close();
}

const busy = loadavg()[0] ?? 0;
if (busy > cpus().length) console.log(`\nThe machine was busy (load ${busy.toFixed(1)}): do not trust these figures.`);
console.log('\nPromises');
for (const { name, value, target, kept } of promises) {
  console.log(`  ${kept ? 'ok    ' : 'MISSED'} ${name}: ${round(value)} (at most ${target})`);
}
const folder = join(ROOT, 'test/bench/.results');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'startup.json'), JSON.stringify({ at: new Date(), pairs, promises, results }, null, 1));
if (values.strict && promises.some(({ kept }) => !kept)) process.exitCode = 1;

/** @param {string} name @param {number} value @param {number} target it may reach @param {string} [text] */
function note(name, value, target, text) {
  const kept = value <= target;
  promises.push({ name, value, target, kept });
  console.log(`  ${kept ? 'ok' : 'MISSED'} ${name}: ${round(value)}, at most ${target}${text ? ` (${text})` : ''}`);
}

function round(/** @type {number} */ value) {
  return value < 10 ? Math.round(value * 1000) / 1000 : Math.round(value);
}
