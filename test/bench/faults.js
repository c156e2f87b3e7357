// npm run bench:faults: does playback go on when the edge in use goes bad? See README.md beside this file.
//   --only A,B      some faults only           --runs N        of each line (3); the median counts
//   --only controls what is nobody's fault: no edge may be left for it
//   --buffer 12|4   --segments 2|6   --container ts|fmp4       some combinations only
//   --watch N       seconds after the fault (45)
//   --jobs N        players side by side (3)   --quick         one run of some lines, some 7 minutes
//   --plain         plain Video.js on one edge beside ours     --noise, --full   ten minutes with noisy links too
//   --strict        exit 1 when a promise is missed            --dist DIR        another build than dist/
//   --keep          what each run wrote down too, in .results/faults/
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { saidAgain } from './awake.js';
import { casesFor, controlOf, nameOf } from './fault-cases.js';
import { summaryOf } from './fault-figures.js';
import { makeFaultMedia } from './fault-media.js';
import { AWAKE_FLAGS, run } from './fault-run.js';
import { FAULTS, missed } from './fault-scenarios.js';
import { CONTROLS } from './fault-controls.js';
import { HEAD, latenessMs, row } from './fault-table.js';
import { openWindow } from './fault-window.js';
import { ROOT, buildIfStale, openLab } from './lab.js';

const RESULTS = join(ROOT, 'test/bench/.results');
const WATCH_SECONDS = 45;
/** From the start of a run to its fault, and from its end to the next. */
const BESIDE_SECONDS = 17;

const flag = /** @type {const} */ ({ type: 'boolean', default: false });
const text = /** @type {const} */ ({ type: 'string' });
const { values } = parseArgs({
  options: {
    ...{ only: text, runs: text, buffer: text, segments: text, container: text, watch: text, jobs: text, dist: text },
    ...{ quick: flag, plain: flag, noise: flag, full: flag, strict: flag, keep: flag },
  },
});
const only = values.only?.split(',').flatMap((name) => (name === 'controls' ? Object.keys(CONTROLS) : name)) ?? null;
const unknown = only?.find((name) => !FAULTS[name]);
if (unknown !== undefined)
  throw new Error(`no fault '${unknown}'; there are controls, ${Object.keys(FAULTS).join(', ')}`);
const number = (/** @type {'runs' | 'buffer' | 'segments' | 'watch' | 'jobs'} */ name) => {
  const value = values[name];
  if (value !== undefined && !(Number(value) >= 1)) throw new Error(`--${name} ${value}: a number from 1`);
  return value === undefined ? null : Number(value);
};
const cases = casesFor({
  ...{ only, buffer: number('buffer'), segments: number('segments'), container: values.container ?? null },
  ...{ quick: values.quick, plain: values.plain, noise: values.noise || (values.full && only === null) },
});
if (cases.length === 0) throw new Error('there is no such line');
const runs = number('runs') ?? (values.quick ? 1 : 3);
const jobs = number('jobs') ?? 3;
const watchOf = (/** @type {string} */ fault) => {
  const { watchSeconds = WATCH_SECONDS, fullSeconds = watchSeconds } = FAULTS[fault] ?? {};
  return number('watch') ?? (values.full ? fullSeconds : watchSeconds);
};

if (!makeFaultMedia()) {
  console.error(
    'This benchmark makes its media with ffmpeg, and there is none: install it (Debian: apt-get install ffmpeg).',
  );
  process.exit(1);
}
if (!values.dist) buildIfStale();
const dist = values.dist ? resolve(values.dist) : join(ROOT, 'dist');

/** @typedef {import('./fault-scenarios.js').Case} Case */
/** @typedef {Awaited<ReturnType<typeof run>>} Run */
/** @type {Map<Case, Run[]>} */
const results = new Map(cases.map((line) => [line, []]));
/** @type {{line: string, error: string}[]} */
const failures = [];
// the rounds outside: what slows the machine for a while slows one run of each line, not all of one. The long ones first, and
// last the controls, which slow others: one of them burns a whole core
const isControl = (/** @type {Case} */ { fault }) => FAULTS[fault]?.isControl === true;
const queue = Array.from({ length: runs }, (_, round) => cases.map((line) => ({ line, round })))
  .flat()
  .sort((one, other) => watchOf(other.line.fault) - watchOf(one.line.fault))
  .sort((one, other) => Number(isControl(one.line)) - Number(isControl(other.line)));
const seconds = queue.reduce((sum, { line }) => sum + watchOf(line.fault) + BESIDE_SECONDS, 0);
const minutes = Math.ceil(seconds / Math.min(jobs, queue.length) / 60);
console.log(`${queue.length} runs, ${jobs} side by side on ${cpus().length} cores: some ${minutes} min`);

await Promise.all(Array.from({ length: Math.min(jobs, queue.length) }, work));

console.log(`\n${HEAD}`);
const lines = cases.map(judged);
for (const line of lines) if (line.runs.length > 0) console.log(row(line));
const misses = lines.filter(({ misses }) => misses.length > 0);
console.log(`\n${lines.length - misses.length} lines ok, ${misses.length} MISSED`);
for (const { line, error } of failures) console.log(`FAILED ${line}: ${error}`);
sayIfBusy();
mkdirSync(RESULTS, { recursive: true });
writeFileSync(join(RESULTS, 'faults.json'), JSON.stringify({ at: new Date(), runs, jobs, lines, failures }, null, 1));
if (failures.length > 0 || (values.strict && misses.length > 0)) process.exitCode = 1;

/** One browser, and one run after the other in it. */
async function work() {
  const lab = await openLab(dist, AWAKE_FLAGS);
  const window = await openWindow(dist);
  try {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { line, round } = next;
      try {
        const place = isControl(line) ? window : lab;
        const found = await run(place, line, { watchSeconds: watchOf(line.fault), round }, lab.witness);
        results.get(line)?.push(found);
        keep(line, round, found);
        const { stallSeconds, firstByteMs, failovers, switches, out } = found.figures;
        const moves = `${failovers} failovers, ${switches} switches${out > 0 ? `, ${out} OUT` : ''}`;
        const byte = firstByteMs === null ? '-' : `${firstByteMs.toFixed(0)} ms`;
        console.log(`  ${nameOf(line)}: stall ${stallSeconds.toFixed(1)} s, first byte ${byte}, ${moves}`);
      } catch (error) {
        failures.push({ line: nameOf(line), error: String(error) });
        console.log(`  ${nameOf(line)}: ${error}`);
      }
    }
  } finally {
    await lab.close();
    await window.close();
  }
}

/** @param {Case} line @param {number} round @param {Run} found */
function keep(line, round, { recording, ...found }) {
  if (!values.keep) return;
  mkdirSync(join(RESULTS, 'faults'), { recursive: true });
  const file = join(RESULTS, 'faults', `${nameOf(line).replaceAll(/[^\w]+/g, '-')}-${round + 1}.json`);
  writeFileSync(file, JSON.stringify({ ...found, recording }, null, 1));
}

/** @param {Case} line */
function judged(line) {
  const found = results.get(line) ?? [];
  const control = cases.find(
    (other) => other.fault === 'none' && !other.isPlain && controlOf(other) === controlOf(line),
  );
  const faultFree = summaryOf((control ? (results.get(control) ?? []) : []).map(({ figures }) => figures));
  const summary = summaryOf(found.map(({ figures }) => figures));
  const bitrateShare = summary.bitsPerSecond / faultFree.bitsPerSecond;
  const misses = line.isPlain ? [] : found.length === 0 ? ['run'] : missed(line, summary, bitrateShare);
  const details = found.map(({ recording, ...run }) => ({ ...run, events: eventsOf(recording) }));
  return { ...line, ...summary, bitrateShare, misses, runs: details };
}

/** What was told from just before the fault on, with its time after it. @param {Run['recording']} recording */
function eventsOf({ events, faultAtMs }) {
  return events
    .filter(({ atMs }) => atMs >= faultAtMs - 100)
    .map(({ atMs, ...event }) => ({ afterFaultMs: Math.round(atMs - faultAtMs), ...event }));
}

function sayIfBusy() {
  const controls = lines.filter(({ fault, isPlain, stall }) => fault === 'none' && !isPlain && stall.most > 0);
  const awake = lines.filter((line) => !isControl(line));
  const lateMs = Math.max(0, ...awake.flatMap((line) => line.runs.map(latenessMs)));
  console.log(saidAgain(awake.flatMap((line) => line.runs.map(({ again }) => again))));
  console.log(
    `Load ${loadavg()[0]?.toFixed(1)}; the machine kept servers or pages waiting for up to ${lateMs.toFixed(0)} ms.`,
  );
  for (const line of controls)
    console.log(`${nameOf(line)} stalled by itself: the machine was too busy, do not trust these figures.`);
  for (const line of lines.filter((line) => isControl(line) && line.misses.length > 0)) {
    const late = Math.max(0, ...line.runs.map(({ serversLateMs }) => serversLateMs));
    console.log(`${nameOf(line)}: the servers themselves were up to ${late.toFixed(0)} ms late.`);
  }
}
