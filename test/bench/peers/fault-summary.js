/** From what the runs with faults found to tables, and to promises kept or missed. */
import { median } from '../figures.js';
import { FAULTS } from '../fault-scenarios.js';
import { megabits, percent, seconds, spreadOf, table } from './table.js';

/** @typedef {import('./players.js').Lane} Lane */
/** @typedef {import('./table.js').Verdict} Verdict */
/** @typedef {{stallSeconds: number, bitsPerSecond: number, requests: number, bytes: number}} Watched one run, in short */

/**
 * @param {number} bufferSeconds
 * @param {readonly string[]} faults the control among them
 * @param {readonly Lane[]} lanes
 * @param {(lane: Lane, fault: string) => readonly Watched[]} runsOf
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
    const control = runsOf(lane, 'none');
    return [
      lane.title,
      ...faults.map((fault) => (fault === 'none' ? megabits(rateOf(fault)) : percent(rateOf(fault) / rateOf('none')))),
      spreadOf(
        control.map(({ requests }) => requests),
        (value) => value.toFixed(0),
      ),
      spreadOf(
        control.map(({ bytes }) => bytes / 1e6),
        (value) => value.toFixed(1),
      ),
    ];
  });
  return [
    `Seconds of stall, ${bufferSeconds} s buffer; sum of ${sixOnly.join(', ')}`,
    table(['player', ...faults, 'sum'], stalls),
    `Mean bitrate on screen, stalls as zero: without a fault in Mbit/s, else in percent of that; requests and MB of a session without a fault`,
    table(['player', ...faults, 'requests', 'MB'], rates),
  ].join('\n\n');
}

/** @param {Lane} lane @param {readonly string[]} faults @param {(lane: Lane, fault: string) => readonly Watched[]} runsOf */
function sumOfStalls(lane, faults, runsOf) {
  return faults.reduce((sum, fault) => sum + median(runsOf(lane, fault).map(({ stallSeconds }) => stallSeconds)), 0);
}

/**
 * @param {number} bufferSeconds
 * @param {readonly string[]} faults
 * @param {readonly Lane[]} lanes
 * @param {(lane: Lane, fault: string) => readonly Watched[]} runsOf
 * @returns {Verdict[]}
 */
export function faultVerdicts(bufferSeconds, faults, lanes, runsOf) {
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
