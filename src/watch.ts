/**
 * What was seen of one edge while it served. In: one look at playback after another, and what the page knows of the edge
 * in use. Out: how long it has been stalling, thinning, failing. Pure: a watch goes in, a new one comes out; time is
 * given. What is nobody's fault makes it begin anew.
 */
import type { Acceptable } from './acceptable.js';

/** How often playback is to be looked at: often enough to see a stall, too seldom to cost anything. */
export const LOOK_EVERY_MS = 1000;

/** One look at playback. Times are milliseconds, media times too; rates are bits per second; null is unknown. */
export interface Look {
  readonly at: number;
  /** How much later than it should have. */
  readonly lateMs: number;
  readonly hidden: boolean;
  readonly offline: boolean;
  readonly paused: boolean;
  readonly seeking: boolean;
  readonly position: number;
  readonly bufferAheadMs: number;
  /** All that is left of the media is in the buffer. */
  readonly complete: boolean;
  readonly playbackRate: number;
  /** BANDWIDTH of the rendition at the playhead, of the one being loaded, and of the best for this display. */
  readonly playing: number | null;
  readonly loading: number | null;
  readonly best: number | null;
  /** Of the frames since the last look, those that the browser did not show. */
  readonly droppedShare: number;
  readonly segmentMs: number | null;
}

/** What the page knows of the edge in use and of the others. */
export interface Service {
  readonly edge: string;
  readonly bitsPerSecond: number | null;
  /** The same over a long time. */
  readonly usualBitsPerSecond: number | null;
  readonly firstByteMs: number | null;
  readonly usualFirstByteMs: number | null;
  /** How often it failed, which only grows; what several requests see together counts once. */
  readonly incidents: number;
  /** It asks its clients to move away (CMSD `du`). */
  readonly moveAway: boolean;
  /** When a segment was last waited for, in ms of the looks' clock. */
  readonly askedAt: number;
  /** Nobody delivers at the moment. */
  readonly allSilent: boolean;
  /** Rate of the quickest other edge that is out of cool-down. */
  readonly bestOther: number | null;
  /** Another edge that is out of cool-down was never measured. */
  readonly hasUnmeasured: boolean;
  /** Leaving a slow edge gained too little, a while ago: it is the viewer's own line. */
  readonly lineIsSlow: boolean;
}

/** What was seen of ONE edge over time; begin anew with the next edge. For `verdict.ts` alone. */
export interface Watch {
  readonly last: Look | null;
  readonly hasMoved: boolean;
  /** Of the stall at this moment. */
  readonly stillMs: number;
  readonly stalledAt: readonly number[];
  readonly incidents: number | null;
  readonly failedAt: readonly number[];
  /** The buffer after each of the last segments. */
  readonly arrivals: readonly { readonly at: number; readonly bufferAheadMs: number }[];
  readonly measured: { readonly at: number; readonly bitsPerSecond: number } | null;
  readonly behindMs: number;
  readonly thinnedSince: number | null;
  readonly lateSince: number | null;
  /** The best rendition that the edge was quick enough for. */
  readonly bore: number;
  /** When each charge was last told. */
  readonly told: Readonly<Record<string, number>>;
}

/** What VHS takes to choose a rendition (its BANDWIDTH_VARIANCE). */
const CHOSEN_FROM = 1.2;
/** From this share of lost frames on the machine is too slow; hls.js says the same (fpsDroppedMonitoringThreshold). */
const DROPPED_SHARE = 0.2;
/** A playhead that stands still with more than this before it waits for something else than an edge. */
const STARVED_MS = 1000;
/** Less is the grain of clocks. */
const GRAIN_MS = 200;
/** A position or a buffer that is off by more was set by somebody. */
const JUMP_MS = 1000;

const ANEW: Watch = {
  ...{ last: null, hasMoved: false, stillMs: 0, stalledAt: [], incidents: null, failedAt: [], arrivals: [] },
  ...{ measured: null, behindMs: 0, thinnedSince: null, lateSince: null, bore: 0, told: {} },
};

/** Nothing is seen yet. */
export function watchAnew(): Watch {
  return ANEW;
}

/** What lasts of a watch that begins anew: what the edge was able to do, and what was told of it. */
export function forget({ bore, told }: Watch): Watch {
  return { ...ANEW, bore, told };
}

/**
 * @param watch  as the last call for the same edge returned it
 * @returns `last` is null when what is seen is nobody's fault
 */
export function notice(watch: Watch, look: Look, service: Service, limits: Acceptable): Watch {
  if (isNobodysFault(look, service)) return forget(watch);
  return noticed(isPlayback(watch.last, look) ? watch : forget(watch), look, service, limits);
}

function isNobodysFault(look: Look, { allSilent }: Service): boolean {
  const isAway = look.hidden || look.offline || allSilent || look.paused || look.seeking || look.playbackRate <= 0;
  // a timer more than twice late: the machine slept, or has too much to do
  return isAway || look.lateMs > LOOK_EVERY_MS || look.droppedShare >= DROPPED_SHARE;
}

/** Whether nothing but playback lies between two looks. */
function isPlayback(last: Look | null, look: Look): boolean {
  if (!last) return true;
  const moved = look.position - last.position;
  const gained = look.bufferAheadMs - last.bufferAheadMs + moved;
  return moved >= 0 && moved <= (look.at - last.at) * look.playbackRate + JUMP_MS && gained >= -JUMP_MS;
}

function noticed(watch: Watch, look: Look, service: Service, { thinning, throughput, ...limits }: Acceptable): Watch {
  const { at, bufferAheadMs, best, loading } = look;
  const { bitsPerSecond, firstByteMs, usualFirstByteMs, incidents, askedAt } = service;
  const last = watch.last ?? look;
  const moved = look.position - last.position;
  const recent = (times: readonly number[], ms: number): number[] => times.filter((time) => at - time < ms);

  const lostMs = at - last.at - moved / look.playbackRate;
  // what nobody asks for is not there yet: an encoder that pauses does so at every edge
  const isAsked = at - askedAt <= (look.segmentMs ?? LOOK_EVERY_MS);
  const isEmpty = isAsked && !look.complete && bufferAheadMs < STARVED_MS;
  const isStill = watch.hasMoved && isEmpty && lostMs >= GRAIN_MS;
  const isNewStall = isStill && watch.stillMs === 0;
  const failed = Math.max(0, incidents - (watch.incidents ?? incidents));
  const arrivals = isAsked ? watch.arrivals : [];
  const came = !watch.last || bufferAheadMs - last.bufferAheadMs + moved >= GRAIN_MS * 2;

  const isMeasured = bitsPerSecond !== null && bitsPerSecond !== watch.measured?.bitsPerSecond;
  const share = best === null || bitsPerSecond === null ? 1 : bitsPerSecond / (best * throughput.headroom);
  // a measure stands for the time since the one before; what came too quickly makes good again
  const behindMs = isMeasured ? (at - (watch.measured?.at ?? at)) * (1 - share) : 0;
  const isBorne = (bitsPerSecond ?? 0) >= (loading ?? Infinity) * throughput.headroom;
  const isThin = thinnedBy(look) >= thinning.amount && (bitsPerSecond ?? 0) < (best ?? 0) * CHOSEN_FROM;
  const isLate = (firstByteMs ?? 0) >= lateFrom(usualFirstByteMs, limits.latency);
  return {
    last: look,
    hasMoved: watch.hasMoved || moved > 0,
    stillMs: isStill ? watch.stillMs + lostMs : 0,
    stalledAt: recent(isNewStall ? [...watch.stalledAt, at] : watch.stalledAt, limits.stalls.withinMs),
    incidents,
    failedAt: recent([...watch.failedAt, ...Array<number>(failed).fill(at)], limits.failures.withinMs),
    arrivals: came ? [...arrivals, { at, bufferAheadMs }].slice(-3) : arrivals,
    measured: isMeasured ? { at, bitsPerSecond } : watch.measured,
    behindMs: Math.max(0, watch.behindMs + behindMs),
    thinnedSince: isThin ? (watch.thinnedSince ?? at) : null,
    lateSince: isLate ? (watch.lateSince ?? at) : null,
    bore: isBorne ? Math.max(watch.bore, loading ?? 0) : watch.bore,
    told: watch.told,
  };
}

/** Of the rendition at the playhead and the one being loaded the worse counts. */
export function thinnedBy({ playing, loading, best }: Look): number {
  const worse = Math.min(playing ?? Infinity, loading ?? Infinity);
  return best === null || worse === Infinity ? 0 : 1 - worse / best;
}

/** What a first byte has to take to be late for this edge. */
export function lateFrom(usualFirstByteMs: number | null, { times, minMs }: Acceptable['latency']): number {
  return usualFirstByteMs === null ? Infinity : Math.max(minMs, times * usualFirstByteMs);
}

/**
 * When the buffer will be empty. It always falls between two segments: so what counts is where it would be if one came
 * now, against where it was after one that came at least two segments ago.
 */
export function emptyInMs({ arrivals }: Watch, { at, bufferAheadMs, complete, segmentMs, playbackRate }: Look): number {
  const [first] = arrivals;
  if (!first || segmentMs === null || complete || at - first.at < (2 * segmentMs) / playbackRate) return Infinity;
  const fallen = first.bufferAheadMs - (bufferAheadMs + segmentMs);
  return fallen > 0 ? bufferAheadMs / (fallen / (at - first.at)) : Infinity;
}
