/**
 * From what a run wrote down to figures. In: samples of the player, the page's requests, the servers' log, all in epoch ms.
 * Out: numbers. README.md beside this file says the same in words.
 */
import { median } from './figures.js';

/** A standstill shorter than this is no stall. */
const STALL_MS = 100;
/** What one edge can give. */
export const EDGE_BITS_PER_SECOND = 8_000_000;

/** @typedef {{atMs: number, currentTime: number, aheadSeconds: number, bitsPerSecond: number, vhsBitsPerSecond: number, excluded: number}} Sample */
/** @typedef {import('../support/log.js').LogEntry} LogEntry */
/** @typedef {{atMs: number, url: string, method: string}} Send */
/**
 * @typedef {object} Recording one run
 * @property {readonly Sample[]} samples
 * @property {readonly Send[]} sends
 * @property {readonly {atMs: number, url: string}[]} responses those of VHS that came to a good end
 * @property {readonly {type: string, atMs: number}[]} events
 * @property {readonly LogEntry[]} log as it stood when the watching ended
 * @property {readonly string[]} bad names of the edges that have the fault
 * @property {Record<string, string>} origins by edge
 * @property {number} faultAtMs
 * @property {number} endAtMs
 * @property {(path: string) => number} sizeOf a file, in bytes
 * @property {readonly string[]} out origins of the edges that were kept out in the end; of controls only
 * @property {{spares?: boolean, halfWay?: boolean, gradual?: boolean}} kind see FAULTS
 */

/** @param {Recording} run */
export function figuresOf(run) {
  const { samples, events, faultAtMs, endAtMs } = run;
  const window = samples.filter(({ atMs }) => atMs >= faultAtMs && atMs <= endAtMs);
  const stalls = stallsIn(window);
  const { contactMs, firstByteMs, answeredAtMs } = firstHealthyByte(run);
  const isAnswered = contactMs !== null && answeredAtMs !== null;
  const [until, since] = isAnswered ? [answeredAtMs, answeredAtMs] : [endAtMs, faultAtMs];
  const seen = window.filter(({ atMs }) => atMs >= since).map(({ vhsBitsPerSecond }) => vhsBitsPerSecond);
  const told = (/** @type {string} */ name) =>
    events.filter(({ type, atMs }) => type === `edgeselect:${name}` && atMs >= faultAtMs && atMs <= endAtMs).length;
  return {
    stallSeconds: stalls.reduce((sum, { ms }) => sum + ms, 0) / 1000,
    stalls: stalls.map(({ atMs, ms }) => ({ afterFaultMs: Math.round(atMs - faultAtMs), ms: Math.round(ms) })),
    bufferAtFault: samples.findLast(({ atMs }) => atMs <= faultAtMs)?.aheadSeconds ?? 0,
    contactAfterFaultMs: contactMs === null ? null : contactMs - faultAtMs,
    firstByteMs,
    leastAheadSeconds: Math.min(...window.filter(({ atMs }) => atMs <= until).map(({ aheadSeconds }) => aheadSeconds)),
    bitsPerSecond: meanRate(window),
    overhead: overhead(run),
    vhsShare: { least: Math.min(...seen) / EDGE_BITS_PER_SECOND, most: Math.max(...seen) / EDGE_BITS_PER_SECOND },
    excluded: Math.max(...window.map(({ excluded }) => excluded)),
    ...{ failovers: told('failedover'), judged: told('judged'), switches: told('switched') },
    ...{ bypasses: told('bypassed'), warnings: told('warned'), out: run.out.length },
    servers: bytesByServer(run),
    latestSampleMs: Math.max(...window.slice(1).map(({ atMs }, i) => atMs - (window[i]?.atMs ?? atMs))),
  };
}

/**
 * Times in which the picture stood still. Each begins and ends where playback at its normal pace, between the two samples
 * around, must have ended and begun.
 *
 * Nobody pauses or seeks here, so that a seek of VHS's own (it makes one when it waits for data) and a pause after an error
 * are no excuse.
 *
 * @param {readonly Sample[]} samples in order
 * @returns {{atMs: number, ms: number}[]}
 */
export function stallsIn(samples) {
  const stalls = [];
  const shown = positionsShown(samples);
  for (let first = 0; first < samples.length;) {
    let last = first;
    while (shown[last + 1] === shown[first]) last++;
    const [before, start, end, after] = [samples[first - 1], samples[first], samples[last], samples[last + 1]];
    if (start && end && last > first) {
      const movedBefore = ((shown[first] ?? NaN) - (shown[first - 1] ?? NaN)) * 1000;
      const moved = ((shown[last + 1] ?? NaN) - (shown[last] ?? NaN)) * 1000;
      const beganMs = before ? within(before.atMs, before.atMs + movedBefore, start.atMs) : start.atMs;
      const endedMs = after ? within(end.atMs, after.atMs - moved, after.atMs) : end.atMs;
      if (endedMs - beganMs >= STALL_MS) stalls.push({ atMs: beganMs, ms: endedMs - beganMs });
    }
    first = last + 1;
  }
  return stalls;
}

/**
 * Of what is not buffered there is no picture: where the sound is apart, Chromium plays it on for some 3 s, and
 * `currentTime` with it.
 *
 * @param {readonly Sample[]} samples
 */
function positionsShown(samples) {
  let reached = 0;
  return samples.map(({ currentTime, aheadSeconds }) => {
    if (aheadSeconds > 0) reached = currentTime + aheadSeconds;
    return Math.min(currentTime, reached);
  });
}

function within(/** @type {number} */ least, /** @type {number} */ value, /** @type {number} */ most) {
  return Math.min(most, Math.max(least, value));
}

/**
 * The rate of what was shown, times how much of it, over the whole window: what stands still shows nothing.
 *
 * @param {readonly Sample[]} samples
 */
export function meanRate(samples) {
  let bits = 0;
  const shown = positionsShown(samples);
  samples.forEach((sample, i) => {
    const before = samples[i - 1];
    if (!before) return;
    const elapsed = (sample.atMs - before.atMs) / 1000;
    const moved = (shown[i] ?? 0) - (shown[i - 1] ?? 0);
    bits += sample.bitsPerSecond * Math.min(Math.max(moved, 0), elapsed);
  });
  const seconds = ((samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0)) / 1000;
  return bits / seconds;
}

/**
 * Contact: the last good byte of each request that was under way and is hurt by the fault; if there is none, the sending
 * of the first request to a bad edge after it. Where every body is good up to its middle, it is the last good byte of each
 * that ends there. Then the first byte of a body that a good server gives for that path, or
 * for any medium if the player wants that path no more. The slowest of those under way counts.
 *
 * @param {Recording} run
 * @returns {{contactMs: number | null, firstByteMs: number | null, answeredAtMs: number | null}} `contactMs` null: the
 *   fault was never met; `firstByteMs` null with a contact: never answered
 */
export function firstHealthyByte(run) {
  const { log, endAtMs, bad, kind } = run;
  const given = log.filter(
    ({ server, status, tFirst }) => !isOneOf(bad, server) && status !== null && status < 300 && (tFirst ?? 0) < endAtMs,
  );
  const answers = given.filter(({ method, url }) => method === 'GET' && isContent(url));
  const found = contactsOf(run).map(({ path, atMs }) => {
    const later = answers.filter(({ tFirst }) => (tFirst ?? 0) > atMs);
    const same = kind.gradual ? [] : later.filter(({ url }) => url === path);
    const first = same.length > 0 ? same : later.filter(({ url }) => isMedia(url));
    const answeredAtMs = Math.min(...first.map(({ tFirst }) => tFirst ?? Infinity));
    return { contactMs: atMs, firstByteMs: answeredAtMs - atMs, answeredAtMs };
  });
  const slowest = found.sort((one, other) => other.firstByteMs - one.firstByteMs)[0];
  if (!slowest) return { contactMs: null, firstByteMs: null, answeredAtMs: null };
  if (slowest.firstByteMs === Infinity) return { ...slowest, firstByteMs: null, answeredAtMs: null };
  return slowest;
}

/** @param {Recording} run @returns {{path: string, atMs: number}[]} */
function contactsOf(run) {
  const { log, sends, bad, origins, faultAtMs, endAtMs, kind } = run;
  if (bad.length === 0) return [];
  if (kind.gradual) return [{ path: '', atMs: faultAtMs }];
  const hurt = log.filter(
    (entry) =>
      isOneOf(bad, entry.server) &&
      entry.method === 'GET' &&
      isContent(entry.url) &&
      entry.t <= (kind.halfWay ? endAtMs : faultAtMs) &&
      (entry.tEnd ?? Infinity) > faultAtMs &&
      ((entry.status ?? 0) >= 400 || (!kind.spares && entry.bytes < wantedBytes(entry, run.sizeOf))),
  );
  if (hurt.length > 0) {
    const lastGood = (/** @type {LogEntry} */ { tLast }) => Math.max(faultAtMs, (kind.halfWay && tLast) || 0);
    return hurt.map((entry) => ({ path: entry.url, atMs: lastGood(entry) }));
  }
  const badOrigins = bad.map((name) => origins[name]);
  const first = sends.find(
    ({ atMs, url, method }) =>
      atMs > faultAtMs &&
      atMs < endAtMs &&
      method === 'GET' &&
      badOrigins.includes(new URL(url).origin) &&
      isContent(pathOf(url)),
  );
  return first ? [{ path: pathOf(first.url), atMs: first.atMs }] : [];
}

/**
 * How much more of the media the servers gave than the player had use for, in the requests under way at the fault or made
 * after it. Needed: each segment that VHS got, once; of those still under way at the end, each byte once.
 *
 * @param {Recording} run
 * @returns {number} 0.05 is 5 % more
 */
export function overhead({ log, responses, faultAtMs, sizeOf }) {
  const media = log.filter(({ method, url }) => method === 'GET' && isMedia(url));
  const isLate = (/** @type {LogEntry} */ { tEnd }) => tEnd === null || tEnd >= faultAtMs;
  const got = new Set(responses.map(({ url }) => pathOf(url)));
  let [fetched, needed] = [0, 0];
  for (const path of new Set(media.filter(isLate).map(({ url }) => url))) {
    const entries = media.filter(({ url }) => url === path);
    fetched += entries.reduce((sum, { bytes }) => sum + bytes, 0);
    if (got.has(path)) needed += sizeOf(path);
    else if (entries.some(({ tEnd }) => tEnd === null)) needed += distinctBytes(entries);
  }
  return needed === 0 ? 0 : fetched / needed - 1;
}

/** @param {readonly LogEntry[]} entries of one path */
function distinctBytes(entries) {
  const ranges = entries
    .map((entry) => ({ from: rangeOf(entry).from, to: rangeOf(entry).from + entry.bytes }))
    .sort((one, other) => one.from - other.from);
  let [bytes, reached] = [0, 0];
  for (const { from, to } of ranges) {
    bytes += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return bytes;
}

/** @param {Recording} run */
function bytesByServer({ log, faultAtMs }) {
  /** @type {Record<string, number>} */
  const bytes = {};
  for (const { server, method, url, t, bytes: given } of log) {
    if (method === 'GET' && isMedia(url) && t >= faultAtMs) bytes[server] = (bytes[server] ?? 0) + given;
  }
  return bytes;
}

/** @param {LogEntry} entry @param {Recording['sizeOf']} sizeOf */
function wantedBytes(entry, sizeOf) {
  const { from, to } = rangeOf(entry);
  return Math.min(to + 1, sizeOf(entry.url)) - from;
}

/** @param {LogEntry} entry */
function rangeOf({ headers }) {
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers['range'] ?? '') ?? [];
  return { from: Number(from), to: to === '' ? Infinity : Number(to) };
}

/** @param {readonly string[]} names @param {string} server as the log names it */
function isOneOf(names, server) {
  return names.some((name) => server === `edge:${name}`);
}

export function isMedia(/** @type {string} */ path) {
  return /\.(ts|m4s|mp4)(\?|$)/.test(path);
}

function isContent(/** @type {string} */ path) {
  return isMedia(path) || /\.m3u8(\?|$)/.test(path);
}

function pathOf(/** @type {string} */ url) {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/**
 * The medians over the runs of one line; what never came is later than all that did.
 *
 * @param {readonly ReturnType<typeof figuresOf>[]} runs
 */
export function summaryOf(runs) {
  const of = (/** @type {(run: ReturnType<typeof figuresOf>) => number} */ pick) => runs.map(pick);
  const met = runs.filter(({ contactAfterFaultMs }) => contactAfterFaultMs !== null);
  const stalls = of(({ stallSeconds }) => stallSeconds);
  return {
    stall: { median: median(stalls), least: Math.min(...stalls), most: Math.max(...stalls) },
    firstByteMs: met.length === 0 ? null : median(met.map(({ firstByteMs }) => firstByteMs ?? Infinity)),
    leastAheadSeconds: median(of(({ leastAheadSeconds }) => leastAheadSeconds)),
    bufferAtFault: median(of(({ bufferAtFault }) => bufferAtFault)),
    bitsPerSecond: median(of(({ bitsPerSecond }) => bitsPerSecond)),
    overhead: median(of(({ overhead }) => overhead)),
    vhsShare: {
      least: median(of(({ vhsShare }) => vhsShare.least)),
      most: median(of(({ vhsShare }) => vhsShare.most)),
    },
    excluded: Math.max(...of(({ excluded }) => excluded)),
    failovers: median(of(({ failovers }) => failovers)),
    switches: median(of(({ switches }) => switches)),
    mostMoves: Math.max(...of(({ failovers, switches }) => failovers + switches)),
    mostSwitches: Math.max(...of(({ switches }) => switches)),
    mostOut: Math.max(...of(({ out }) => out)),
  };
}
