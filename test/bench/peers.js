// npm run bench: ours beside what players have already. See README.md beside this file.
//   --full            every player, tuned too, every fault, both buffers, three rounds of each: some 7 hours
//   --parts A,B       start, cost, faults           --players A,B  some only     --tuned      the tuned ones too
//   --only A,B        some faults only              --rounds N     of each (1)   --watch N    seconds after the fault (45; quick 20)
//   --buffer 12|4     --segments 2|6                --jobs N       players side by side while faults are watched (3)
//   --publish         what was found into RESULTS.md, pictures and all
//   --strict          exit 1 when a promise is missed             --dist DIR     another build than dist/
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeFaultMedia } from './fault-media.js';
import { ROOT, buildIfStale, openLab } from './lab.js';
import { benchMedia } from './media.js';
import { costs } from './peers/costs.js';
import { faults } from './peers/faults.js';
import { lanesFor, scenariosFor } from './peers/plan.js';
import { publish } from './peers/publish.js';
import { ORDERS } from './peers/start-run.js';
import { starts } from './peers/starts.js';

const RESULTS = join(ROOT, 'test/bench/.results');
/** @type {Record<string, (bench: Bench) => Promise<Part>>} */
const PARTS = { start: starts, cost: costs, faults };
/** From the start of a run to its fault, and from its end to the next. */
const BESIDE_SECONDS = 17;
const START_SECONDS = 2;
const COST_SECONDS = 16;

const flag = /** @type {const} */ ({ type: 'boolean', default: false });
const text = /** @type {const} */ ({ type: 'string' });
const { values } = parseArgs({
  options: {
    ...{ parts: text, players: text, only: text, rounds: text, watch: text, buffer: text, segments: text },
    ...{ jobs: text, dist: text, full: flag, tuned: flag, publish: flag, strict: flag },
  },
});
const listOf = (/** @type {'parts' | 'players' | 'only'} */ name) => values[name]?.split(',') ?? null;
const numberOf = (/** @type {'rounds' | 'watch' | 'buffer' | 'segments' | 'jobs'} */ name) => {
  const value = values[name];
  if (value !== undefined && !(Number(value) >= 1)) throw new Error(`--${name} ${value}: a number from 1`);
  return value === undefined ? null : Number(value);
};
const parts = listOf('parts') ?? Object.keys(PARTS);
const strange = parts.find((part) => !PARTS[part]);
if (strange !== undefined) throw new Error(`no part '${strange}'; there are ${Object.keys(PARTS).join(', ')}`);
const wanted = {
  ...{ full: values.full, tuned: values.tuned, players: listOf('players'), only: listOf('only') },
  ...{ buffer: numberOf('buffer'), segments: numberOf('segments') ?? 2 },
};
const [lanes, scenarios] = [lanesFor(wanted), scenariosFor(wanted)];
const rounds = numberOf('rounds') ?? (values.full ? 3 : 1);
const watchSeconds = numberOf('watch') ?? (values.full ? 45 : 20);
const jobs = numberOf('jobs') ?? 3;

const media = benchMedia();
if (!makeFaultMedia() || media === null) {
  console.error(
    'This benchmark makes its media with ffmpeg, and there is none: install it (Debian: apt-get install ffmpeg).',
  );
  process.exit(1);
}
if (!values.dist) buildIfStale();
const dist = values.dist ? resolve(values.dist) : join(ROOT, 'dist');
const folder = join(RESULTS, 'peers');
mkdirSync(folder, { recursive: true });

/**
 * @typedef {object} Bench
 * @property {string} dist folder of the built package
 * @property {string} media folder of the start-up's
 * @property {string} folder for pictures
 * @property {readonly import('./peers/players.js').Lane[]} lanes
 * @property {boolean} isWhole no player was left out by name
 * @property {readonly import('./peers/plan.js').Scenario[]} scenarios
 * @property {number} rounds
 * @property {number} jobs
 * @property {number} watchSeconds
 * @property {number} segmentSeconds
 * @property {(what: string, run: () => Promise<void>) => Promise<void>} tried notes a run that fails, and goes on
 *
 * @typedef {object} Section
 * @property {string} part
 * @property {string} heading
 * @property {string} text
 * @property {readonly import('./peers/table.js').Verdict[]} verdicts
 * @property {readonly {name: string, svg: string}[]} [pictures]
 *
 * @typedef {{sections: Section[], figures: object}} Part
 */

/** @type {{what: string, error: string}[]} */
const failures = [];
/** @type {Bench} */
const bench = {
  ...{ dist, media, folder, lanes, isWhole: wanted.players === null, scenarios, rounds, jobs, watchSeconds, tried },
  segmentSeconds: wanted.segments,
};
const where = await aboutBrowser();
console.log(`${where}; some ${Math.ceil(secondsInAll() / 60)} min`);
/** @type {Section[]} */
const sections = [];
const found = {};
for (const part of Object.keys(PARTS).filter((name) => parts.includes(name))) {
  const { figures, sections: own } = (await PARTS[part]?.(bench)) ?? { figures: {}, sections: [] };
  Object.assign(found, figures);
  sections.push(...own);
  for (const section of own) console.log(`\n${section.heading}\n\n${bodyOf(section)}`);
}

for (const { what, error } of failures) console.log(`FAILED ${what}: ${error}`);
const verdicts = sections.flatMap((section) => section.verdicts);
const missed = verdicts.filter(({ kept }) => !kept).length;
const load = loadavg()[0]?.toFixed(1);
const at = new Date();
const settings = { rounds, jobs, watchSeconds, load };
writeFileSync(
  join(RESULTS, 'peers.json'),
  JSON.stringify({ at, where, ...settings, verdicts, failures, ...found }, null, 1),
);
console.log(
  `\n${verdicts.length - missed} promises ok, ${missed} MISSED, ${failures.length} runs failed. Load ${load}.`,
);
console.log('Figures and pictures: test/bench/.results/peers.json and peers/');
if (values.publish) {
  const head = `${at.toISOString().slice(0, 10)}, ${where}, load ${load} at the end.`;
  publish(
    head,
    sections.map((section) => ({ pictures: [], ...section, body: bodyOf(section) })),
  );
}
if (failures.length > 0 || (values.strict && missed > 0)) process.exitCode = 1;

/** @param {Section} section */
function bodyOf({ text, verdicts }) {
  const said = verdicts.map(({ name, kept, found }) => `- ${kept ? 'ok' : 'MISSED'}: ${name}: ${found}`);
  return `${text}\n\n${said.join('\n')}`;
}

/** @param {string} what @param {() => Promise<void>} run */
async function tried(what, run) {
  try {
    await run();
  } catch (error) {
    failures.push({ what, error: String(error).split('\n')[0] ?? '' });
    console.log(`  FAILED ${what}: ${error}`);
  }
}

async function aboutBrowser() {
  const lab = await openLab(dist);
  await lab.close();
  return `Chromium ${lab.browserVersion}, ${cpus().length} cores, ${lanes.length} players`;
}

function secondsInAll() {
  const all = { start: 0, cost: 0, faults: 0 };
  all.start = rounds * ORDERS.length * (lanes.filter(({ isTuned }) => !isTuned).length + 9) * START_SECONDS;
  all.cost = (rounds * lanes.length + 4) * COST_SECONDS;
  all.faults = (rounds * scenarios.length * lanes.length * (watchSeconds + BESIDE_SECONDS)) / jobs;
  return parts.reduce((sum, part) => sum + all[/** @type {keyof typeof all} */ (part)], 0);
}
