// How often each player raced or probed each edge but the bad one.
import { VICTIM } from './scenarios.js';
import { EDGES, LADDER } from './world.js';

/** `most[n]`: so many pairs of player and edge had n; lines that hardly bear the best rendition apart: they look around anyway. */
const empty = () => ({ most: /** @type {number[]} */ ([]), ofSlowLines: /** @type {number[]} */ ([]) });

/** @param {number} players */
export function makeTally(players) {
  const times = new Uint8Array(players * EDGES);
  let histograms = empty();
  return { add, close, take };

  function add(player, index) {
    if (index < EDGES) times[player.id * EDGES + index] += 1;
  }

  /** The viewer goes, or the time is over. */
  function close(player) {
    const histogram = player.lineBps < 2 * LADDER[3] ? histograms.ofSlowLines : histograms.most;
    for (let i = player.id * EDGES; i < (player.id + 1) * EDGES; i += 1) {
      if (i % EDGES !== VICTIM) histogram[times[i]] = (histogram[times[i]] ?? 0) + 1;
      times[i] = 0;
    }
  }

  /** What was counted since the last call. */
  function take(all) {
    for (const player of all) close(player);
    const { most, ofSlowLines } = histograms;
    histograms = empty();
    return { most: Array.from(most, (n) => n ?? 0), ofSlowLines: Array.from(ofSlowLines, (n) => n ?? 0) };
  }
}
