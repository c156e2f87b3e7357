/** How a new connection finds its rate: what TCP may send before it has heard of what it sent. */
import { pause } from './shape.js';

/** Ten packets (RFC 6928) of 1460 bytes, as Ethernet leaves them. */
const INITIAL_WINDOW_BYTES = 10 * 1460;

/**
 * The congestion window of one connection, in slow start (RFC 5681, section 3.1): each byte is acknowledged one round trip after it
 * was sent, and makes room for itself and one more. So the window doubles each round trip, for as long as it is what holds the
 * sender back (RFC 7661): behind a slower rate it comes to rest at about twice of what is under way. Nothing is ever lost, and no
 * pause makes it smaller.
 */
export class SlowStart {
  #windowBytes = INITIAL_WINDOW_BYTES;
  #underWayBytes = 0;
  /** What is not acknowledged yet, in the order of sending. @type {{sentAtMs: number, bytes: number}[]} */
  #underWay = [];
  /** The streams of a connection take turns. @type {Promise<unknown>} */
  #lastTurn = Promise.resolve();

  /**
   * Waits until the window has room, and for the right to send into it.
   *
   * @param {number} wantedBytes
   * @param {number} roundTripMs
   * @param {AbortSignal} signal
   * @param {(bytes: number) => Promise<number>} take how many of at most so many bytes may be sent now
   * @returns {Promise<number>} how many may be sent now
   */
  through(wantedBytes, roundTripMs, signal, take) {
    const turn = this.#lastTurn.then(async () => {
      const roomBytes = await this.#room(roundTripMs, signal);
      if (signal.aborted) return 0;
      const bytes = await take(Math.min(wantedBytes, roomBytes));
      this.#underWay.push({ sentAtMs: performance.now(), bytes });
      this.#underWayBytes += bytes;
      return bytes;
    });
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }

  /**
   * @param {number} roundTripMs
   * @param {AbortSignal} signal
   * @returns {Promise<number>} more than nothing, unless the signal is aborted
   */
  async #room(roundTripMs, signal) {
    for (;;) {
      this.#acknowledge(performance.now() - roundTripMs);
      const roomBytes = this.#windowBytes - this.#underWayBytes;
      const [oldest] = this.#underWay;
      if (roomBytes > 0 || !oldest || signal.aborted) return roomBytes;
      await pause(Math.max(1, oldest.sentAtMs + roundTripMs - performance.now()), signal);
    }
  }

  /** @param {number} sentBeforeMs what was sent until then has arrived, and its sender knows */
  #acknowledge(sentBeforeMs) {
    for (let [oldest] = this.#underWay; oldest && oldest.sentAtMs <= sentBeforeMs; [oldest] = this.#underWay) {
      this.#underWay.shift();
      if (this.#underWayBytes * 2 > this.#windowBytes) this.#windowBytes += oldest.bytes;
      this.#underWayBytes -= oldest.bytes;
    }
  }
}
