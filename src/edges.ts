/**
 * What was seen of each edge so far. In: successes and failures. Out: who is in cool-down, how quick each is.
 * Pure: a record goes in, a new one comes out; time and chance are given.
 */

/** What is known of one edge; times are milliseconds of the page's monotonic clock. */
export interface EdgeRecord {
  /** From the send of a request to its first byte, smoothed; null before the first answer. */
  readonly firstByteMs: number | null;
  /** The same over a long time: the edge's own past, against which it is late or not. */
  readonly usualFirstByteMs: number | null;
  /** Of whole bodies, from the send of their request on, smoothed; null before the first that is large enough. */
  readonly bitsPerSecond: number | null;
  /** The same over a long time. */
  readonly usualBitsPerSecond: number | null;
  /** What was measured last, of a body or of a part of one. */
  readonly latestBitsPerSecond: number | null;
  /** Of the last whole bodies, the last one first. */
  readonly recentBitsPerSecond: readonly number[];
  /** How often in a row it was put in cool-down. */
  readonly failures: number;
  readonly failedAt: number;
  /** No request is sent there before this moment, unless there is nobody else. */
  readonly coolUntil: number;
  /** It has not answered since it failed: requests keep away, even after the cool-down, until a probe of it has. */
  readonly isOut: boolean;
}

/** An edge of which nothing is known. */
export const UNKNOWN: EdgeRecord = {
  firstByteMs: null,
  usualFirstByteMs: null,
  bitsPerSecond: null,
  usualBitsPerSecond: null,
  latestBitsPerSecond: null,
  recentBitsPerSecond: [],
  failures: 0,
  failedAt: -Infinity,
  coolUntil: 0,
  isOut: false,
};

/** 60 s: long enough for a restart or a reroute, short enough that an edge's share comes back while people watch. */
const COOL_DOWN_MS = 60_000;
/** An edge that fails again and again is asked every 5 min: a probe of that kind costs nobody anything. */
const LONGEST_COOL_DOWN_MS = 300_000;
/** Of the cool-down, up or down: players that left an edge together do not come back together. */
const JITTER = 0.2;

/** The last answer counts for 30 %, so that one late answer does not hide what the edge is like. */
const SMOOTHING = 0.3;
const LONG_SMOOTHING = 0.05;
/** A rate may fall within seconds: half of it is the last body. */
const RATE_SMOOTHING = 0.5;
/** Of twenty bodies or so: longer than a dip, shorter than a programme. */
const LONG_RATE_SMOOTHING = 0.05;
/** What none of so many reached is nothing usual: the first bodies of a page may come from the browser's own cache. */
const RECENT_BODIES = 4;
/** A smaller body says more of the latency than of the rate. */
export const MIN_RATE_BYTES = 65_536;
/** An edge is worth going to when it is so many times as quick: less is within what the same edge varies by. */
export const GAIN = 1.25;

/** An answer came: it ends a cool-down. `firstByteMs` is null where the server held it until there was something new. */
export function answered(record: EdgeRecord, firstByteMs: number | null): EdgeRecord {
  return {
    ...record,
    // the rate of an edge that is back was that of other days
    ...(record.isOut && { bitsPerSecond: null, usualBitsPerSecond: null, recentBitsPerSecond: [] }),
    ...(firstByteMs !== null && {
      firstByteMs: smoothed(record.firstByteMs, firstByteMs, SMOOTHING),
      usualFirstByteMs: smoothed(record.usualFirstByteMs, firstByteMs, LONG_SMOOTHING),
    }),
    coolUntil: 0,
    isOut: false,
  };
}

/** A part of a long body came: how quickly. */
export function flowed(record: EdgeRecord, rate: number): EdgeRecord {
  const bitsPerSecond = smoothed(record.bitsPerSecond, rate, RATE_SMOOTHING);
  return { ...record, bitsPerSecond, latestBitsPerSecond: rate };
}

/** A body came whole: how quickly. */
export function delivered(record: EdgeRecord, bytes: number, elapsedMs: number): EdgeRecord {
  if (bytes < MIN_RATE_BYTES || elapsedMs <= 0) return record;
  const rate = (bytes * 8000) / elapsedMs;
  const recentBitsPerSecond = [rate, ...record.recentBitsPerSecond].slice(0, RECENT_BODIES);
  return {
    ...record,
    ...{ latestBitsPerSecond: rate, recentBitsPerSecond },
    bitsPerSecond: Math.min(smoothed(record.bitsPerSecond, rate, RATE_SMOOTHING), Math.max(...recentBitsPerSecond)),
    usualBitsPerSecond: smoothed(record.usualBitsPerSecond, rate, LONG_RATE_SMOOTHING),
  };
}

/** The usual rate, as far as one of the last bodies reached it. */
export function usualRate({ usualBitsPerSecond, recentBitsPerSecond }: EdgeRecord): number | null {
  return usualBitsPerSecond && Math.min(usualBitsPerSecond, Math.max(...recentBitsPerSecond));
}

/**
 * The edge failed, and not the viewer's own line. What several requests see together is one failure.
 *
 * @param random  0 <= n < 1
 */
export function failed(record: EdgeRecord, now: number, random: number): EdgeRecord {
  if (record.coolUntil > now) return record;
  const failures = now - record.failedAt > 2 * LONGEST_COOL_DOWN_MS ? 1 : record.failures + 1;
  const coolMs = Math.min(COOL_DOWN_MS * 2 ** (failures - 1), LONGEST_COOL_DOWN_MS);
  const coolUntil = now + coolMs * (1 - JITTER / 2 + JITTER * random);
  return { ...record, failures, failedAt: now, coolUntil, isOut: true };
}

/** Whether the edge is to be left alone at `now`, by races and probes too. */
export function isCooling(record: EdgeRecord, now: number): boolean {
  return record.coolUntil > now;
}

/** How long an edge may be silent: `stallMs`, or four times what it usually takes to its first byte. */
export function patienceMs({ firstByteMs }: Pick<EdgeRecord, 'firstByteMs'>, stallMs: number): number {
  return Math.max(stallMs, 4 * (firstByteMs ?? 0));
}

function smoothed(before: number | null, next: number, share: number): number {
  return before === null ? next : before + share * (next - before);
}
