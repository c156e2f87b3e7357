/**
 * The clock beside one request. In: what it may take, and each chunk. Out: one word as soon as it is to be left: silent,
 * stalled, slow or late. Never touches the request itself.
 */
import type { FailureKind } from '../events.js';
import type { Platform } from '../platform.js';
import type { Flow } from './pace.js';

/** How patient to be. */
export interface FlowLimits {
  /** Silence, before the headers or between two chunks; 0: none is too long. */
  readonly patienceMs: number;
  /** For all of it, from its own start; 0: not at all. */
  readonly limitMs: number;
  /** Whether it is to be left for its rate; asked some times a second. */
  readonly isTooSlow: (flow: Flow) => boolean;
}

/** The clock. */
export interface FlowWatch {
  /** Why the request is to be left; never settles while it goes well. */
  readonly gaveUp: Promise<FailureKind>;
  /** Somebody else decides. */
  readonly giveUp: (because: FailureKind) => void;
  /** The headers are there. */
  answered(): void;
  /** Some bytes are there. */
  came(bytes: number): void;
  /** How many came. */
  bytes(): number;
  stop(): void;
}

/** Five looks a second: half a second of buffer is what a late look may cost. */
const LOOK_EVERY_MS = 200;
/** The rate is that of the last second: servers send in bursts. */
const LOOKS_BACK = 5;

/** @param received  all that is there of the answer, by whomever it came */
export function watchFlow(
  { patienceMs, limitMs, isTooSlow }: FlowLimits,
  startedAt: number,
  received: { readonly length: number; readonly total: number },
  platform: Platform,
): FlowWatch {
  let isAnswered = false;
  let bytes = 0;
  let lastAt = platform.now();
  /** Since when it was silent when the patience last began anew. */
  let anewFor: number | null = null;
  let resolveGaveUp: (because: FailureKind) => void;
  const gaveUp = new Promise<FailureKind>((resolve) => {
    resolveGaveUp = resolve;
  });
  const giveUp = (because: FailureKind): void => {
    resolveGaveUp(because);
  };
  const none = (): void => undefined;
  let cancelPatience = none;
  let cancelLook = none;
  const cancelLimit =
    limitMs > 0
      ? platform.after(Math.max(0, limitMs - (platform.now() - startedAt)), () => {
          giveUp('late');
        })
      : none;
  const seen: { readonly at: number; readonly bytes: number }[] = [];
  waitFor(patienceMs);
  return {
    gaveUp,
    giveUp,
    answered() {
      isAnswered = true;
      lastAt = platform.now();
      look();
    },
    came(more) {
      bytes += more;
      lastAt = platform.now();
    },
    bytes: () => bytes,
    stop() {
      cancelPatience();
      cancelLimit();
      cancelLook();
    },
  };

  /** One timer for many chunks: when it is due it looks when the last of them came. */
  function waitFor(ms: number): void {
    cancelPatience();
    if (patienceMs === 0) return;
    const dueAt = platform.now() + ms;
    cancelPatience = platform.after(ms, () => {
      const now = platform.now();
      const leftMs = lastAt + patienceMs - now;
      // a page that slept has heard nothing, whoever spoke; one that is hidden hears, though all its timers are late
      if (now - dueAt > patienceMs && anewFor !== lastAt) {
        anewFor = lastAt;
        waitFor(patienceMs);
      } else if (leftMs > 0) waitFor(leftMs);
      else giveUp(isAnswered ? 'stalled' : 'silent');
    });
  }

  function look(): void {
    const now = platform.now();
    const [first] = seen;
    if (first) {
      const leftBytes = received.total > 0 ? Math.max(0, received.total - received.length) : null;
      const bytesPerMs = (bytes - first.bytes) / (now - first.at);
      // what has stopped is not slow: patience has its own end, and another charge
      const isFlowing = now - lastAt < LOOK_EVERY_MS;
      if (isFlowing && isTooSlow({ elapsedMs: now - startedAt, bytes, leftBytes, bytesPerMs })) {
        giveUp('slow');
        return;
      }
    }
    seen.push({ at: now, bytes });
    if (seen.length > LOOKS_BACK) seen.shift();
    cancelLook = platform.after(LOOK_EVERY_MS, look);
  }
}
