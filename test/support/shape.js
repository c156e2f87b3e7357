/** Time and rate: how the pretend network is slow, or mute. */

/** How long one small write may stand for, so that a slow body trickles instead of arriving in lumps. */
const WRITE_MS = 15;
const SMALLEST_WRITE_BYTES = 64;
const LARGEST_WRITE_BYTES = 4096;
const UNSHAPED_WRITE_BYTES = 64 * 1024;
/** Timers fire late; up to this much lost time is made good, or the mean rate would be too low. */
const CATCH_UP_MS = 20;

/**
 * Waits. An abort ends the wait early and does not throw: whoever waits looks at the signal afterwards.
 *
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    function end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}

/** Shared by all bodies of one edge, or of one viewer's line: they take turns, so together they keep to the rate. */
export class TokenBucket {
  /** When the bytes granted so far will have trickled out, on the clock of `performance.now()`. */
  #emptyAtMs = 0;

  /** @param {number} bitsPerSecond 0 is unlimited; may be changed while bodies are under way */
  constructor(bitsPerSecond) {
    this.bitsPerSecond = bitsPerSecond;
  }

  /** The most that is granted at once. */
  get writeBytes() {
    if (this.bitsPerSecond === 0) return UNSHAPED_WRITE_BYTES;
    const tricklingBytes = Math.round((this.bitsPerSecond / 8000) * WRITE_MS);
    return Math.max(SMALLEST_WRITE_BYTES, Math.min(LARGEST_WRITE_BYTES, tricklingBytes));
  }

  /**
   * Waits for the right to send some of the wanted bytes.
   *
   * @param {number} wantedBytes
   * @param {AbortSignal} signal
   * @returns {Promise<number>} how many may be sent now
   */
  async take(wantedBytes, signal) {
    const grantedBytes = Math.min(wantedBytes, this.writeBytes);
    if (this.bitsPerSecond === 0) return grantedBytes;
    const bytesPerMs = this.bitsPerSecond / 8000;
    const nowMs = performance.now();
    this.#emptyAtMs = Math.max(this.#emptyAtMs, nowMs - CATCH_UP_MS) + grantedBytes / bytesPerMs;
    const waitMs = this.#emptyAtMs - nowMs;
    // a timer cannot wait for less than a millisecond: fast rates send a few writes per tick
    if (waitMs >= 1) await pause(waitMs, signal);
    return grantedBytes;
  }
}

/**
 * The same from two buckets, one behind the other: the lesser rate holds.
 *
 * @param {TokenBucket} first
 * @param {TokenBucket} second
 * @param {number} wantedBytes
 * @param {AbortSignal} signal
 * @returns {Promise<number>}
 */
export async function takeFromBoth(first, second, wantedBytes, signal) {
  const grantedBytes = Math.min(wantedBytes, first.writeBytes, second.writeBytes);
  await first.take(grantedBytes, signal);
  await second.take(grantedBytes, signal);
  return grantedBytes;
}

/**
 * While it lasts nothing is answered. When it ends, what was held goes on, as lost packets would be
 * sent again once a line is back.
 */
export class Silence {
  /** @type {Promise<void> | null} */
  #over = null;
  #resolveOver = () => {};

  begin() {
    this.#over ??= new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
  }

  end() {
    this.#resolveOver();
    this.#over = null;
  }

  /** The end of the silence, or null when there is none. */
  get over() {
    return this.#over;
  }
}
