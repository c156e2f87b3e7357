/** What is run: which players, faults and buffers, in which order. */
import { FAULTS } from '../fault-scenarios.js';
import { PLAYERS, laneOf } from './players.js';

/** The hardest for a player that waits for an error. */
const QUICK_FAULTS = ['dies-silent', 'mid-body', 'slow'];
const QUICK_OURS = ['ours-get'];

/** @typedef {import('./players.js').Lane} Lane */
/** @typedef {{fault: string, bufferSeconds: number, segmentSeconds: number, tls: boolean}} Scenario `tls`: and HTTP/2 */
/** @typedef {{full: boolean, tuned: boolean, tls: boolean, players: readonly string[] | null, only: readonly string[] | null, buffer: number | null, segments: number}} Wanted null: all that the run is for */

/** @param {Wanted} wanted @returns {Lane[]} the control of all comparisons, plain Video.js, first */
export function lanesFor({ full, tuned, players }) {
  const names = Object.keys(PLAYERS).filter((name) => {
    if (players) return players.includes(name);
    return full || !PLAYERS[name]?.preflight || QUICK_OURS.includes(name);
  });
  const unknown = players?.find((name) => !PLAYERS[name]);
  if (unknown !== undefined) laneOf(unknown);
  const lanes = names.map((name) => laneOf(name));
  const peers = lanes.filter(({ isOurs, name }) => !isOurs && name !== 'plain');
  return full || tuned ? [...lanes, ...peers.map(({ name }) => laneOf(name, true))] : lanes;
}

/** @param {Wanted} wanted @returns {Scenario[]} each buffer with its fault-free control first */
export function scenariosFor({ full, tls, only, buffer, segments }) {
  const unknown = only?.find((name) => !FAULTS[name]);
  if (unknown !== undefined) throw new Error(`no fault '${unknown}'; there are ${Object.keys(FAULTS).join(', ')}`);
  const buffers = buffer !== null ? [buffer] : full ? [12, 4] : [12];
  const own = buffers.flatMap((bufferSeconds) => {
    const faults = Object.keys(FAULTS).filter((name) => {
      // what is the viewer's own trouble is for bench:faults
      if (name === 'none' || name === 'noise' || FAULTS[name]?.isControl) return false;
      if (only) return only.includes(name);
      return full ? bufferSeconds >= 12 || FAULTS[name]?.isFirstSix : QUICK_FAULTS.includes(name);
    });
    return ['none', ...faults].map((fault) => ({ fault, bufferSeconds, segmentSeconds: segments, tls }));
  });
  if (tls || !full || only) return own;
  // over TLS the way to leave an edge is the same: its hardest faults stand for all
  const secured = ['none', ...QUICK_FAULTS].map((fault) => {
    return { fault, bufferSeconds: buffers[0] ?? 12, segmentSeconds: segments, tls: true };
  });
  return [...own, ...secured];
}

/**
 * The rounds outside, then the scenarios, then the players, who begin one further each time: what slows the machine for a
 * while slows one run of each, not all of one.
 *
 * @param {number} rounds
 * @param {readonly Scenario[]} scenarios
 * @param {readonly Lane[]} lanes
 */
export function interleaved(rounds, scenarios, lanes) {
  return Array.from({ length: rounds }, (_, round) =>
    scenarios.flatMap((scenario, i) => turned(lanes, round + i).map((lane) => ({ round, scenario, lane }))),
  ).flat();
}

/** @template T @param {readonly T[]} list @param {number} by @returns {T[]} */
export function turned(list, by) {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** @param {import('../lab.js').Line} line @param {boolean} tls */
export function nameOfLine({ slowStart, lastMileBitsPerSecond }, tls) {
  const start = slowStart ? 'slow start' : 'no slow start';
  const mile = lastMileBitsPerSecond > 0 ? `, one last mile of ${lastMileBitsPerSecond / 1e6} Mbit/s` : '';
  return `${tls ? 'TLS and HTTP/2' : 'HTTP/1.1'}, ${start}${mile}`;
}

/** @param {Scenario} scenario */
export function nameOfScenario({ fault, bufferSeconds, segmentSeconds, tls }) {
  return `${fault}-${bufferSeconds}s-of-${segmentSeconds}s${tls ? '-tls' : ''}`;
}
