// The clock of the simulation: a ring of buckets, one for each tick. What is due beyond the ring comes round again.

/** Times are rounded to this; round trips and rates are computed exactly, and only then put on the ring. */
export const TICK_MS = 25;
/** 410 s: longer than any wait of the product but the refresh's upper bound, which nobody reaches here. */
export const SLOTS = 16_384;

/** Number of the tick that a moment belongs to. */
export const tickAt = (/** @type {number} */ ms) => Math.ceil(ms / TICK_MS);

export function makeWheel() {
  /** @type {number[][]} */
  const slots = Array.from({ length: SLOTS }, () => []);
  let tick = 0;
  return {
    now: () => tick * TICK_MS,
    tick: () => tick,
    /** @param {number} tickDue @param {number} what */
    put(tickDue, what) {
      slots[(tickDue <= tick ? tick + 1 : tickDue) % SLOTS].push(what, tickDue <= tick ? tick + 1 : tickDue);
    },
    /** @param {(what: number, tickDue: number) => void} run */
    advance(run) {
      tick += 1;
      const due = slots[tick % SLOTS];
      slots[tick % SLOTS] = [];
      for (let i = 0; i < due.length; i += 2) {
        if (due[i + 1] > tick) slots[tick % SLOTS].push(due[i], due[i + 1]);
        else run(due[i], due[i + 1]);
      }
    },
  };
}
