/** How late a clock ticks, in Node and in a page: what a machine that stands for a while, or has too much to do, shows. */

const TICK_MS = 50;
// those of before a test takes time into its own hands
const now = performance.now.bind(performance);
const { setInterval, clearInterval } = globalThis;

/** @returns {{take: () => number, stop: () => void}} `take`: how long nothing ran for at most since it was last called, in ms */
export function watchLateness() {
  let tickedAt = now();
  let longest = 0;
  const tick = () => {
    const at = now();
    longest = Math.max(longest, at - tickedAt - TICK_MS);
    tickedAt = at;
  };
  const timer = setInterval(tick, TICK_MS);
  return {
    take() {
      tick();
      const taken = longest;
      longest = 0;
      return taken;
    },
    stop() {
      clearInterval(timer);
    },
  };
}
