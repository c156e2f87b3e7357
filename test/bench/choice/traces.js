// What some edges are like for one viewer at a moment: seeded, so that every way of racing meets the same moments.
import { seeded } from '../figures.js';

const DAY_MS = 86_400_000;
/** The first segment: 2 s at 4 Mbit/s. */
const SEGMENT_BITS = 8_000_000;
/** Ten packets (RFC 6928), doubled each round trip. */
const FIRST_WINDOW_BITS = 10 * 1460 * 8;

/** @typedef {ReturnType<typeof makeTrace>} Trace */

/** @param {number} seed @param {number} edgeCount */
export function makeTrace(seed, edgeCount) {
  const random = seeded(seed);
  const bell = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const lineBps = 25e6 * Math.exp(0.6 * bell());
  const lastMileMs = 4 + 12 * random();
  const startMs = random() * DAY_MS;
  const edges = Array.from({ length: edgeCount }, (_, i) => ({
    name: `edge-${i}`,
    /** Edges of one provider are congested together. */
    provider: i % 3,
    baseMs: 18 * Math.exp(0.6 * bell()),
    spareBps: 90e6 * Math.exp(0.4 * bell()),
    busiest: random(),
    weight: 1 + Math.floor(random() * 20),
  }));
  // an episode every half an hour or so, minutes long, of any strength
  const episodes = Array.from({ length: 3 }, () => {
    const found = [];
    for (let at = -DAY_MS / 24; at < DAY_MS / 12; at += -1_800_000 * Math.log(1 - random())) {
      found.push({ at, forMs: -300_000 * Math.log(1 - random()), strength: Math.exp(0.7 * bell()) });
    }
    return found;
  });

  return { seed, edges, lineBps, roundTripMs, requestMs, segmentMs, timeMs };

  function congestion(/** @type {number} */ provider, /** @type {number} */ at) {
    return (episodes[provider] ?? []).reduce(
      (sum, one) => sum + (at >= one.at && at < one.at + one.forMs ? one.strength : 0),
      0,
    );
  }

  /** 0 to 1 over the day; each edge has a busiest hour of its own, near the others'. */
  function drift(/** @type {number} */ busiest, /** @type {number} */ at) {
    return 0.5 + 0.5 * Math.sin(2 * Math.PI * ((startMs + at) / DAY_MS + 0.2 * busiest));
  }

  function roundTripMs(/** @type {number} */ i, /** @type {number} */ at) {
    const { baseMs, provider, busiest } = edges[i];
    return lastMileMs + baseMs * (1 + 0.3 * drift(busiest, at)) + 12 * congestion(provider, at);
  }

  /** Of one request: what no one can know before. One in fifty is far too late (a Pareto tail). */
  function requestMs(/** @type {number} */ i, /** @type {number} */ at, /** @type {() => number} */ luck) {
    const tail = luck() < 0.02 ? Math.min(1000, 30 * (1 - luck()) ** (-1 / 1.2)) : 0;
    return roundTripMs(i, at) * Math.exp(0.06 * (2 * luck() - 1)) + 2 + 3 * luck() + tail;
  }

  function rateBps(/** @type {number} */ i, /** @type {number} */ at) {
    const { spareBps, provider, busiest } = edges[i];
    return Math.min(lineBps, (spareBps * (1 - 0.4 * drift(busiest, at))) / (1 + 0.8 * congestion(provider, at)));
  }

  /** A segment on a connection that is open: slow start, then the rate. */
  function segmentMs(/** @type {number} */ i, /** @type {number} */ at) {
    const rttMs = roundTripMs(i, at);
    const bps = rateBps(i, at);
    let left = SEGMENT_BITS;
    let takenMs = rttMs;
    for (let window = FIRST_WINDOW_BITS; left > 0; window *= 2) {
      if ((window * 1000) / rttMs >= bps || window >= left) return takenMs + (left * 1000) / bps;
      left -= window;
      takenMs += rttMs;
    }
    return takenMs;
  }

  /** From the request of the playlist to the end of the first segment, as far as the edge decides it. */
  function timeMs(/** @type {number} */ i, /** @type {number} */ at) {
    return roundTripMs(i, at) + segmentMs(i, at);
  }
}
