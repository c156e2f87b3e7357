/** Traces of looks at playback for the verdict's tests, and the verdicts on them. */
import QUnit from 'qunit';
import { ACCEPTABLE, type Acceptable } from '../../src/acceptable.js';
import { observe, type Verdict } from '../../src/verdict.js';
import { LOOK_EVERY_MS, watchAnew, type Look, type Service } from '../../src/watch.js';

export const EDGE = 'https://a.example';
export const MBIT = 1_000_000;

/** Playback as it should be: 12 s ahead, the best rendition, every second a second of stream. */
const LOOK: Look = {
  ...{ at: 0, lateMs: 0, hidden: false, offline: false, paused: false, seeking: false, complete: false },
  ...{ position: 0, bufferAheadMs: 12_000, playbackRate: 1, droppedShare: 0, segmentMs: 2000 },
  ...{ playing: 4.5 * MBIT, loading: 4.5 * MBIT, best: 4.5 * MBIT },
};
/** An edge that is quick enough, and another that is no quicker; nothing is known of better days. */
const SERVICE: Service = {
  ...{ edge: EDGE, bitsPerSecond: 8 * MBIT, usualBitsPerSecond: null, firstByteMs: 40, usualFirstByteMs: 40 },
  ...{
    incidents: 0,
    askedAt: Infinity,
    moveAway: false,
    allSilent: false,
    bestOther: 8 * MBIT,
    hasUnmeasured: false,
    lineIsSlow: false,
  },
};

/** What is not as it should be in one second. `movedMs`: how far the playhead came since the last look. */
export type Moment = Partial<Look & Service> & { readonly movedMs?: number };

export type Told = Exclude<Verdict, { kind: 'stay' }> & { readonly second: number };

/** What was told in so many seconds, a look each. The watch begins anew when `edge` changes. */
export function told(seconds: number, moment: (second: number) => Moment, limits: Partial<Acceptable> = {}): Told[] {
  const verdicts: Told[] = [];
  let watch = watchAnew();
  let edge = EDGE;
  let { at, position } = LOOK;
  for (let second = 0; second <= seconds; second += 1) {
    const { movedMs, ...more } = moment(second);
    const lateMs = more.lateMs ?? 0;
    at += LOOK_EVERY_MS + lateMs;
    position += movedMs ?? (LOOK_EVERY_MS + lateMs) * (more.playbackRate ?? 1);
    const service = { ...SERVICE, ...more };
    if (service.edge !== edge) watch = watchAnew();
    edge = service.edge;
    const observed = observe(watch, { ...LOOK, at, position, ...more }, service, { ...ACCEPTABLE, ...limits });
    watch = Object.freeze(observed.watch);
    if (observed.verdict.kind !== 'stay') verdicts.push({ second, ...observed.verdict });
  }
  return verdicts;
}

/** `leave thinned` and the like, in order. */
export const words = (verdicts: readonly Told[]): string[] => verdicts.map(({ kind, because }) => `${kind} ${because}`);

/** Half of the best, from an edge that is half as quick as another. */
export const HALF = { loading: 2 * MBIT, playing: 2 * MBIT, best: 4 * MBIT, bitsPerSecond: 4 * MBIT } as const;

/** One limit: what is seen, for how many seconds, and what is told. */
interface Case {
  readonly title: string;
  readonly seconds: number;
  readonly moment: (second: number) => Moment;
  readonly limits?: Partial<Acceptable>;
  /** Such as `10 leave thinned`: the second, and the words. */
  readonly says: readonly string[];
}

/** A test for each. */
export function table(cases: readonly Case[]): void {
  for (const { title, seconds, moment, limits, says } of cases) {
    QUnit.test(title, (assert) => {
      const verdicts = told(seconds, moment, limits);
      assert.deepEqual(
        verdicts.map(({ second, kind, because }) => `${second} ${kind} ${because}`),
        says,
      );
    });
  }
}

/** 0 <= n < 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One edge, one player. `inParts`: a body is measured while it comes, once a second. */
export interface Line {
  readonly segmentMs: number;
  readonly bufferMs: number;
  readonly inParts: boolean;
  /** Rate of the edge, or of the line. */
  readonly bitsPerSecond: (ms: number) => number;
  readonly latencyMs: (ms: number) => number;
}

const LADDER = [0.4, 1.2, 2.5, 4.5].map((mbit) => mbit * MBIT);
const STEP_MS = 10;
/** Smaller bodies are not measured. */
const MIN_BITS = 65_536 * 8;

/**
 * Plays a stream over a line as VHS does: one segment after the other until the buffer is full, and after each the
 * highest rendition whose BANDWIDTH times 1.2 came. Rates are measured as `edges.ts` does: half of it is the last body, of the usual one a twentieth.
 */
export function played(seconds: number, { segmentMs, bufferMs, inParts, bitsPerSecond, latencyMs }: Line): Moment[] {
  const moments: Moment[] = [];
  let measured: number | null = null;
  let usual: number | null = null;
  let loading = LADDER.at(-1) ?? 0;
  let ahead: { readonly endMs: number; readonly bandwidth: number }[] = [];
  for (let endMs = segmentMs; endMs <= bufferMs; endMs += segmentMs) ahead.push({ endMs, bandwidth: loading });
  let position = 0;
  let lookedAt = 0;
  let loadedMs = bufferMs;
  let request: {
    readonly startMs: number;
    readonly bits: number;
    cameBits: number;
    part: { ms: number; bits: number };
  } | null = null;
  const measure = (bits: number, ms: number): void => {
    if (bits < MIN_BITS) return;
    const rate = (bits * 1000) / ms;
    measured = measured === null ? rate : (measured + rate) / 2;
    usual = usual === null ? rate : usual + (rate - usual) / 20;
  };
  for (let now = 0; now <= seconds * 1000; now += STEP_MS) {
    if (now % LOOK_EVERY_MS === 0) {
      const shown = { segmentMs, loading, playing: ahead[0]?.bandwidth ?? null };
      const rates = { bitsPerSecond: measured, usualBitsPerSecond: usual };
      moments.push({ movedMs: position - lookedAt, bufferAheadMs: loadedMs - position, ...shown, ...rates });
      lookedAt = position;
    }
    position = Math.min(position + STEP_MS, loadedMs);
    ahead = ahead.filter(({ endMs }) => endMs > position);
    if (!request && loadedMs - position < bufferMs) {
      request = { startMs: now, bits: (loading * segmentMs) / 1000, cameBits: 0, part: { ms: now, bits: 0 } };
    }
    if (!request || now < request.startMs + latencyMs(request.startMs)) continue;
    request.cameBits += (bitsPerSecond(now) * STEP_MS) / 1000;
    const { startMs, bits, cameBits, part } = request;
    const isOver = cameBits >= bits;
    if (isOver || (inParts && now - part.ms >= 1000)) {
      measure(cameBits - part.bits, now - part.ms);
      request.part = { ms: now, bits: cameBits };
    }
    if (!isOver) continue;
    loadedMs += segmentMs;
    ahead.push({ endMs: loadedMs, bandwidth: loading });
    loading = LADDER.filter((bandwidth) => bandwidth * 1.2 < (bits * 1000) / (now - startMs)).at(-1) ?? LADDER[0] ?? 0;
    request = null;
  }
  return moments;
}
