/**
 * What was seen of each edge so far. In: successes and failures. Out: who is in cool-down, how quick each is.
 * Pure: a record goes in, a new one comes out; time is given.
 */

/** What is known of one edge; times are milliseconds of the page's monotonic clock. */
export interface EdgeRecord {
  /** From the send of a request to its first byte, smoothed; null before the first answer. */
  readonly firstByteMs: number | null;
  /** No request is sent there before this moment, unless there is nobody else. */
  readonly coolUntil: number;
}

/** An edge of which nothing is known. */
export const UNKNOWN: EdgeRecord = { firstByteMs: null, coolUntil: 0 };

/** 60 s: long enough for a restart or a reroute, short enough that an edge's share comes back while people watch. */
const COOL_DOWN_MS = 60_000;

/** The last answer counts for 30 %, so that one late answer does not hide what the edge is like. */
const SMOOTHING = 0.3;

/** An answer came: it ends a cool-down. */
export function answered(record: EdgeRecord, firstByteMs: number): EdgeRecord {
  const before = record.firstByteMs ?? firstByteMs;
  return { firstByteMs: before + SMOOTHING * (firstByteMs - before), coolUntil: 0 };
}

/** The edge failed, and not the viewer's own line. */
export function failed(record: EdgeRecord, now: number): EdgeRecord {
  return { ...record, coolUntil: now + COOL_DOWN_MS };
}

/** Whether the edge is to be left alone at `now`. */
export function isCooling(record: EdgeRecord, now: number): boolean {
  return record.coolUntil > now;
}

/**
 * How long an edge may be silent: `stallMs`, or four times what it usually takes to its first byte.
 */
export function patienceMs(record: EdgeRecord, stallMs: number): number {
  return Math.max(stallMs, 4 * (record.firstByteMs ?? 0));
}
