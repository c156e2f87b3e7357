/** From what the runs with faults found to tables, and to promises kept or missed. */
import { median } from '../figures.js';
import { FAULTS } from '../fault-scenarios.js';
import { megabits, percent, seconds, spreadOf, table } from './table.js';

/** @typedef {import('./players.js').Lane} Lane */
/** @typedef {import('./table.js').Verdict} Verdict */
/**
 * @typedef {object} Watched one run, in short
 * @property {number} stallSeconds
 * @property {number} bitsPerSecond
 * @property {number} requests
 * @property {number} segments
 * @property {number} bytes
 * @property {import('./cpu.js').CpuTime & {hasMoved: boolean}} cpu
 *
 * @typedef {(lane: Lane, fault: string) => readonly Watched[]} RunsOf
 */

/**
 * @param {number} bufferSeconds
 * @param {readonly string[]} faults the control among them
 * @param {readonly Lane[]} lanes
 * @param {RunsOf} runsOf
 */
export function faultTables(bufferSeconds, faults, lanes, runsOf) {
  const sixOnly = faults.filter((fault) => FAULTS[fault]?.isFirstSix);
  const stalls = lanes.map((lane) => [
    lane.title,
    ...faults.map((fault) =>
      spreadOf(
        runsOf(lane, fault).map(({ stallSeconds }) => stallSeconds),
        seconds,
      ),
    ),
    seconds(sumOfStalls(lane, sixOnly, runsOf)),
  ]);
  const rates = lanes.map((lane) => {
    const rateOf = (/** @type {string} */ fault) =>
      median(runsOf(lane, fault).map(({ bitsPerSecond }) => bitsPerSecond));
    return [
      lane.title,
      ...faults.map((fault) => (fault === 'none' ? megabits(rateOf(fault)) : percent(rateOf(fault) / rateOf('none')))),
    ];
  });
  return [
    `Seconds of stall, ${bufferSeconds} s buffer; sum of ${sixOnly.join(', ')}`,
    table(['player', ...faults, 'sum'], stalls),
    `Mean bitrate on screen, stalls as zero: without a fault in Mbit/s, else in percent of that`,
    table(['player', ...faults], rates),
    'A session without a fault, by the logs of all servers',
    sessions(lanes, runsOf),
    "CPU time of the page's main thread in the 10 s after the fault, ms: without a fault, and how much more where the player moved to another edge",
    switches(faults, lanes, runsOf),
  ].join('\n\n');
}

/** @param {readonly Lane[]} lanes @param {RunsOf} runsOf */
function sessions(lanes, runsOf) {
  const rows = lanes.map((lane) => {
    const runs = runsOf(lane, 'none');
    const of = (/** @type {(run: Watched) => number} */ pick, digits = 0) =>
      spreadOf(runs.map(pick), (value) => value.toFixed(digits));
    return [
      lane.title,
      of(({ requests }) => requests),
      of(({ requests, segments }) => requests - segments),
      of(({ bytes }) => bytes / 1e6, 1),
    ];
  });
  return table(['player', 'requests', 'not for segments', 'MB'], rows);
}

/** @param {readonly string[]} faults @param {readonly Lane[]} lanes @param {RunsOf} runsOf */
function switches(faults, lanes, runsOf) {
  const ms = (/** @type {number} */ value) => value.toFixed(0);
  const rows = lanes.map((lane) => {
    const usual = runsOf(lane, 'none').map(({ cpu }) => cpu.taskMs);
    const moved = faults
      .filter((fault) => fault !== 'none')
      .flatMap((fault) => runsOf(lane, fault).filter(({ cpu }) => cpu.hasMoved));
    const more = moved.map(({ cpu }) => cpu.taskMs - median(usual));
    const scripts = runsOf(lane, 'none').map(({ cpu }) => cpu.scriptMs);
    const moreScript = moved.map(({ cpu }) => cpu.scriptMs - median(scripts));
    return [lane.title, spreadOf(usual, ms), spreadOf(more, ms), spreadOf(moreScript, ms), `${more.length}`];
  });
  return table(['player', 'without a fault', 'more with a move', 'of it scripts', 'moves'], rows);
}

/** @param {Lane} lane @param {readonly string[]} faults @param {RunsOf} runsOf */
function sumOfStalls(lane, faults, runsOf) {
  return faults.reduce((sum, fault) => sum + median(runsOf(lane, fault).map(({ stallSeconds }) => stallSeconds)), 0);
}

/**
 * What is promised, and that the machine could bear it: without that no promise counts as kept.
 *
 * @param {number} bufferSeconds
 * @param {readonly string[]} names of faults
 * @param {readonly Lane[]} lanes
 * @param {RunsOf} of
 */
export function verdictsAt(bufferSeconds, names, lanes, of) {
  const own = faultVerdicts(bufferSeconds, names, lanes, of);
  const missing = lanes.filter((lane) => of(lane, 'none').length === 0);
  const told = [
    ...lanes
      .filter((lane) => of(lane, 'none').some(({ stallSeconds }) => stallSeconds > 0))
      .map(({ title }) => `${title} did`),
    ...missing.filter(({ isOurs }) => isOurs).map(({ title }) => `${title} was not run`),
  ];
  const name = `no player stalls without a fault at ${bufferSeconds} s buffer`;
  // dash.js, for one, does not play its best rendition with a buffer of 4 s
  const leftOut = missing.map(({ title }) => title).join('; ');
  const found = `none did${leftOut && `; left out, as it could not be run: ${leftOut}`}`;
  if (told.length === 0) return [{ name, kept: true, found }, ...own];
  const busy = 'the machine was too busy, and this proves nothing';
  return [
    { name, kept: false, found: `${told.join(', ')}: ${busy}` },
    ...own.map((verdict) => ({ ...verdict, kept: false, found: `${verdict.found}; ${busy}` })),
  ];
}

/**
 * @param {number} bufferSeconds
 * @param {readonly string[]} faults
 * @param {readonly Lane[]} lanes
 * @param {RunsOf} runsOf
 * @returns {Verdict[]}
 */
function faultVerdicts(bufferSeconds, faults, lanes, runsOf) {
  const six = faults.filter((fault) => FAULTS[fault]?.isFirstSix);
  if (six.length === 0) return [];
  const sums = lanes
    .map((lane) => ({ lane, sum: sumOfStalls(lane, six, runsOf) }))
    .filter(({ sum }) => !Number.isNaN(sum));
  const bestOf = (/** @type {boolean} */ isTuned) =>
    sums.filter(({ lane }) => !lane.isOurs && lane.isTuned === isTuned).sort((one, other) => one.sum - other.sum)[0];
  return sums
    .filter(({ lane }) => lane.isOurs)
    .flatMap(({ lane, sum }) => {
      const bests = [bestOf(false), bestOf(true)].filter((best) => best !== undefined);
      const beside = bests.map((best) => `${best.lane.title} ${seconds(best.sum)}`).join(', ');
      const what = `${lane.title}: stall over ${six.length} faults at ${bufferSeconds} s`;
      if (bufferSeconds >= 12)
        return [{ name: `${what} is 0`, kept: sum === 0, found: `${seconds(sum)} s; best: ${beside}` }];
      return bests.map((best) => ({
        ...{
          name: `${what} is at most a quarter of the best ${best.lane.isTuned ? 'tuned ' : ''}peer's`,
          kept: sum <= best.sum / 4,
        },
        found: `${seconds(sum)} s; ${best.lane.title} ${seconds(best.sum)} s`,
      }));
    });
}
