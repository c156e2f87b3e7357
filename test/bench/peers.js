// npm run bench: ours beside what players have already. See README.md beside this file.
//   --full            every player, tuned too, every fault, both buffers, TLS too, three rounds of each: some 8 hours
//   --parts A,B       start, cost, faults           --players A,B  some only     --tuned      the tuned ones too
//   --tls             starts and faults over TLS and HTTP/2
//   --last-mile BITS  a second, shared by all servers              --no-slow-start   connections begin at full rate
//   --only A,B        some faults only              --rounds N     of each (1)   --watch N    seconds after the fault (45; quick 18)
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
import { costs, costRunsOf } from './peers/costs.js';
import { faults } from './peers/faults.js';
import { lanesFor, scenariosFor } from './peers/plan.js';
import { publish } from './peers/publish.js';
import { ORDERS } from './peers/start-run.js';
import { startersOf, starts } from './peers/starts.js';

const RESULTS = join(ROOT, 'test/bench/.results');
/** @type {Record<string, (bench: Bench) => Promise<Part>>} */
const PARTS = { start: starts, cost: costs, faults };
/** From the start of a run to its fault, and from its end to the next. */
const BESIDE_SECONDS = 17;
const START_SECONDS = 2;
const COST_SECONDS = 12;

const flag = /** @type {const} */ ({ type: 'boolean', default: false });
const text = /** @type {const} */ ({ type: 'string' });
const { values } = parseArgs({
  options: {
    ...{ parts: text, players: text, only: text, rounds: text, watch: text, buffer: text, segments: text },
    ...{ jobs: text, dist: text, full: flag, tuned: flag, publish: flag, strict: flag, tls: flag },
    ...{ 'last-mile': text, 'no-slow-start': flag },
  },
});
const listOf = (/** @type {'parts' | 'players' | 'only'} */ name) => values[name]?.split(',') ?? null;
const numberOf = (/** @type {'rounds' | 'watch' | 'buffer' | 'segments' | 'jobs' | 'last-mile'} */ name) => {
  const value = values[name];
  if (value !== undefined && !(Number(value) >= 1)) throw new Error(`--${name} ${value}: a number from 1`);
  return value === undefined ? null : Number(value);
};
const parts = listOf('parts') ?? Object.keys(PARTS);
const strange = parts.find((part) => !PARTS[part]);
if (strange !== undefined) throw new Error(`no part '${strange}'; there are ${Object.keys(PARTS).join(', ')}`);
const wanted = {
  ...{ full: values.full, tuned: values.tuned, players: listOf('players'), only: listOf('only') },
  ...{ buffer: numberOf('buffer'), segments: numberOf('segments') ?? 2, tls: values.tls },
};
const line = { slowStart: !values['no-slow-start'], lastMileBitsPerSecond: numberOf('last-mile') ?? 0 };
const [lanes, scenarios] = [lanesFor(wanted), scenariosFor(wanted)];
const rounds = numberOf('rounds') ?? (values.full ? 3 : 1);
const watchSeconds = numberOf('watch') ?? (values.full ? 45 : 18);
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
 * @property {readonly boolean[]} startsOver TLS and HTTP/2, or HTTP/1.1
 * @property {import('./lab.js').Line} line
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

// Playwright closes its browsers then, and the bench would open others
process.once('SIGTERM', () => process.exit(143));
/** @type {{what: string, error: string}[]} */
const failures = [];
/** @type {Bench} */
const bench = {
  ...{ dist, media, folder, lanes, isWhole: wanted.players === null, scenarios, rounds, jobs, watchSeconds, tried },
  ...{ segmentSeconds: wanted.segments, line, startsOver: values.full && !values.tls ? [false, true] : [values.tls] },
};
const where = await aboutBrowser();
console.log(`${where}\n${estimate()}`);
/** @type {Section[]} */
const sections = [];
const found = {};
/** @type {string[]} */
const took = [];
for (const part of Object.keys(PARTS).filter((name) => parts.includes(name))) {
  const beganMs = performance.now();
  const { figures, sections: own } = (await PARTS[part]?.(bench)) ?? { figures: {}, sections: [] };
  took.push(`${part} ${((performance.now() - beganMs) / 60_000).toFixed(1)}`);
  Object.assign(found, figures);
  sections.push(...own);
  for (const section of own) console.log(`\n${section.heading}\n\n${bodyOf(section)}`);
}

for (const { what, error } of failures) console.log(`FAILED ${what}: ${error}`);
const verdicts = sections.flatMap((section) => section.verdicts);
const missed = verdicts.filter(({ kept }) => !kept).length;
const load = loadavg()[0]?.toFixed(1);
const at = new Date();
const settings = { rounds, jobs, watchSeconds, line, load };
writeFileSync(
  join(RESULTS, 'peers.json'),
  JSON.stringify({ at, where, ...settings, verdicts, failures, ...found }, null, 1),
);
console.log(
  `\n${verdicts.length - missed} promises ok, ${missed} MISSED, ${failures.length} runs failed. Load ${load}. It took, in min: ${took.join(', ')}.`,
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

/** By the seconds that a run takes on two cores with nothing else to do. */
function estimate() {
  const seconds = {
    start: rounds * ORDERS.length * startersOf(bench).length * bench.startsOver.length * START_SECONDS,
    cost: costRunsOf(bench).length * COST_SECONDS,
    faults: (rounds * scenarios.length * lanes.length * (watchSeconds + BESIDE_SECONDS)) / jobs,
  };
  const each = parts.map((part) => ({ part, minutes: seconds[/** @type {keyof typeof seconds} */ (part)] / 60 }));
  const all = each.reduce((sum, { minutes }) => sum + minutes, 0);
  const told = each.map(({ part, minutes }) => `${part} ${minutes.toFixed(0)}`).join(', ');
  return `some ${Math.round(all) || 1} min (${all < 90 ? '' : `${(all / 60).toFixed(1)} h; `}${told})`;
}
