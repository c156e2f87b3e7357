/**
 * Whether a body comes quickly enough for what the buffer can bear. In: how it flows, what is played meanwhile, what another
 * server could do. Out: whether to leave. Pure.
 */
import { GAIN } from '../edges.js';

/** How a body flows. */
export interface Flow {
  /** Since the request was sent. */
  readonly elapsedMs: number;
  /** By this server. */
  readonly bytes: number;
  /** Still to come; null when nobody told the length. */
  readonly leftBytes: number | null;
  /** Over the last second. */
  readonly bytesPerMs: number;
}

/** What playback can bear. */
export interface Demand {
  /** Until the picture stops, at the rate it is played. */
  readonly bufferMs: number;
  /** How long a segment plays, at that rate. */
  readonly segmentMs: number;
  /** How long a live stream takes for the next segment, however it is played. */
  readonly targetMs: number;
}

/** What another server would need. */
export interface Alternative {
  readonly firstByteMs: number;
  /** null: never measured. */
  readonly bytesPerMs: number | null;
}

/** Less is a burst, or the start of a connection. */
const LOOK_AFTER_MS = 400;
/** A segment may take a quarter longer than it plays: more is no noise, and VHS itself gives up at a half. */
const TIMES_TOO_LONG = 1.25;

/** Whether it takes longer than it plays: else nobody else need be looked for. */
export function isBehind(flow: Flow, { segmentMs }: Pick<Demand, 'segmentMs'>): boolean {
  return flow.elapsedMs >= LOOK_AFTER_MS && flow.elapsedMs + leftOf(flow) / flow.bytesPerMs > segmentMs;
}

/** Whether the rest is to come from the other. */
export function isTooSlow(flow: Flow, { bufferMs, segmentMs }: Omit<Demand, 'targetMs'>, other: Alternative): boolean {
  if (!isBehind(flow, { segmentMs })) return false;
  const leftBytes = leftOf(flow);
  const leftMs = leftBytes / flow.bytesPerMs;
  const wholeMs = flow.elapsedMs + leftMs;
  const otherMs = other.firstByteMs + (other.bytesPerMs === null ? 0 : leftBytes / other.bytesPerMs);
  if (leftMs < otherMs * GAIN) return false;
  // what comes next needs its time too: one segment stays in reserve
  return leftMs > bufferMs - segmentMs || wholeMs > TIMES_TOO_LONG * segmentMs;
}

/** Without a length: as much again as came. */
function leftOf({ leftBytes, bytes }: Flow): number {
  return leftBytes ?? bytes;
}
