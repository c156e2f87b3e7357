/** What a picture needs of a run, and no more: seconds after the fault, buffer, stalls, and which edge's bytes came when. */
import { isMedia, stallsIn } from '../fault-figures.js';

const STEP_MS = 200;
/** Bytes of one edge that come within this of each other are one stretch. */
const PAUSE_MS = 400;

/** @typedef {{from: number, to: number, server: string}} Stretch */
/** @typedef {{beginsAt: number, endsAt: number, ahead: [number, number][], stalls: {from: number, to: number}[], edges: Stretch[]}} Trace */

/**
 * @param {import('../fault-figures.js').Recording} recording
 * @param {number} beganMs epoch ms of the load
 * @returns {Trace}
 */
export function traceOf({ samples, log, faultAtMs, endAtMs }, beganMs) {
  const at = (/** @type {number} */ ms) => Math.round((ms - faultAtMs) / 10) / 100;
  const shown = samples.filter(({ atMs }) => atMs <= endAtMs);
  /** @type {[number, number][]} */
  const ahead = [];
  let nextMs = 0;
  for (const { atMs, aheadSeconds } of shown) {
    if (atMs < nextMs) continue;
    nextMs = atMs + STEP_MS;
    ahead.push([at(atMs), Math.round(aheadSeconds * 10) / 10]);
  }
  const playing = shown.filter(({ currentTime }) => currentTime > 0);
  const stalls = stallsIn(playing).map(({ atMs, ms }) => ({ from: at(atMs), to: at(atMs + ms) }));
  return { beginsAt: at(beganMs), endsAt: at(endAtMs), ahead, stalls, edges: stretchesOf(log, endAtMs, at) };
}

/**
 * @param {readonly import('../../support/log.js').LogEntry[]} log
 * @param {number} endAtMs
 * @param {(ms: number) => number} at
 * @returns {Stretch[]}
 */
function stretchesOf(log, endAtMs, at) {
  const bodies = log
    .filter(({ method, url, tFirst }) => method === 'GET' && isMedia(url) && tFirst !== null && tFirst < endAtMs)
    .map(({ server, tFirst, tLast }) => ({
      ...{ fromMs: tFirst ?? 0, toMs: Math.min(tLast ?? 0, endAtMs), server: server.slice('edge:'.length) },
    }))
    .sort((one, other) => one.fromMs - other.fromMs);
  /** @type {typeof bodies} */
  const stretches = [];
  for (const body of bodies) {
    const last = stretches.findLast(({ server }) => server === body.server);
    if (last && body.fromMs <= last.toMs + PAUSE_MS) last.toMs = Math.max(last.toMs, body.toMs);
    else stretches.push(body);
  }
  return stretches.map(({ fromMs, toMs, server }) => ({ from: at(fromMs), to: at(toMs), server }));
}
