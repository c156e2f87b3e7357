// npm run bench:herd: what 100,000 players do to 20 edges and one map, in simulated time.
//   node test/bench/herd/run.js [--only dies,calm] [--players 20000] [--threads 2] [--timings shown] [--strict]
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { judge, table } from './judge.js';
import { bundleModules, HERD } from './modules.js';
import { picture } from './picture.js';
import { SCENARIOS } from './scenarios.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    players: { type: 'string', default: '100000' },
    threads: { type: 'string', default: '2' },
    seconds: { type: 'string' },
    timings: { type: 'string', default: 'hidden' },
    strict: { type: 'boolean', default: false },
  },
});
const results = fileURLToPath(new URL('../.results/herd', import.meta.url));
mkdirSync(results, { recursive: true });
const began = Date.now();
const bundle = await bundleModules(
  HERD.map((name) => `src/${name}`),
  'herd',
);
const only = values.only === '' ? SCENARIOS.map(({ name }) => name) : values.only.split(',');
const left = SCENARIOS.filter(({ name }) => only.includes(name));
// the longest first, so that no thread waits long for another
left.sort((a, b) => b.seconds * (b.share ?? 1) - a.seconds * (a.share ?? 1));
const all = [];
await Promise.all(
  Array.from({ length: Number(values.threads) }, async () => {
    for (let scenario = left.shift(); scenario; scenario = left.shift()) all.push(await simulate(scenario));
  }),
);
bundle.remove();
all.sort((a, b) => only.indexOf(a.name) - only.indexOf(b.name));

const judged = all.map((figures) => ({ figures, ...judge(figures) }));
for (const { figures } of judged) writeFileSync(`${results}/${figures.name}.svg`, picture(figures));
writeFileSync(`${results}/herd.json`, JSON.stringify(judged.map(({ figures, promises }) => ({ ...summary(figures), promises })), null, 2)); // prettier-ignore
console.log(table(judged));
console.log(`${((Date.now() - began) / 1000).toFixed(0)} s; pictures in ${results}`);
const isMissed = judged.some(({ promises }) => promises.some(({ ok }) => !ok));
if (values.strict && isMissed) process.exitCode = 1;

function simulate(/** @type {import('./scenarios.js').Scenario} */ { name, share = 1 }) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./simulate.js', import.meta.url), {
      workerData: {
        name,
        players: Math.round(Number(values.players) * share),
        file: bundle.file,
        seconds: values.seconds && Number(values.seconds),
        hidesTimings: values.timings === 'hidden',
      },
      resourceLimits: {
        maxOldGenerationSizeMb: 3000,
        maxYoungGenerationSizeMb: 300,
      },
    });
    worker.on('message', resolve);
    worker.on('error', reject);
  });
}

/** Without the long series, which are in the pictures. */
function summary({ loads, probes, mapQueries, switches, ...rest }) {
  return {
    ...rest,
    seriesOf: { edges: loads.length, seconds: switches.length, probes: probes.length, map: mapQueries.length },
  };
}
