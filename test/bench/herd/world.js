// Where the players live: 20 edges on a ring, 40 towns, one map. An edge is a capacity that its transfers share; its first
// byte comes later the fuller it is.
import { SLOTS, TICK_MS } from './wheel.js';

export const EDGES = 20;
export const TOWNS = 40;
/** A town's token names so many. */
const NAMED = 6;
export const SEGMENT_MS = 6000;
export const LADDER = [800_000, 1_600_000, 3_000_000, 5_000_000];
/** Of what all players need at the best rendition, on one edge if they were spread evenly. */
const HEADROOM = 1.8;
const SERVICE_MS = 4;
const ORIGIN_MS = 60;
const WEIGHT = 3277;

/** A draw that depends on nothing but its arguments, 0 <= n < 1: where a player lives needs no memory. */
function hashed(/** @type {number} */ a, /** @type {number} */ b) {
  let mixed = Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

/**
 * @param {{players: number, random: () => number, seconds: number}} given
 */
export function makeWorld({ players, random, seconds }) {
  const capacityBps = (players / EDGES) * LADDER[3] * HEADROOM;
  const edges = Array.from({ length: EDGES + 1 }, (_, index) => ({
    index,
    origin: index < EDGES ? `https://edge-${index}.example` : 'https://video.example',
    // the service's own host is as large as it has to be: what it gets is shown
    capacityBps: index < EDGES ? capacityBps : Infinity,
    isDead: false,
    flowBps: 0,
    active: 0,
    bits: 0,
    /** What ends in each tick to come. */
    ends: new Float64Array(SLOTS),
    endCounts: new Int32Array(SLOTS),
    loads: new Float64Array(seconds + 1),
    probes: new Int32Array(seconds + 1),
  }));
  let answers = Array.from({ length: TOWNS }, (_, town) => answerFor(town, 0));
  const mapQueries = new Int32Array(seconds + 1);
  const origins = new Map(edges.map((edge) => [edge.origin, edge.index]));

  return {
    edges,
    capacityBps,
    mapQueries,
    answerOf: (/** @type {number} */ town) => answers[town],
    indexOf: (/** @type {string} */ origin) => origins.get(origin) ?? EDGES,
    /** The map names, or names no more, an edge. */
    name(/** @type {number} */ index, /** @type {boolean} */ isNamed) {
      answers = answers.map((_, town) => {
        const all = answerFor(town, 0);
        return isNamed ? all : all.filter((edge) => edge.index !== index);
      });
    },
    /** For three towns in ten the map names edges two places further on. */
    move(/** @type {boolean} */ isMoved) {
      answers = answers.map((_, town) => answerFor(town, isMoved && town < TOWNS * 0.3 ? 2 : 0));
    },
    roundTripMs,
    firstByteMs(/** @type {number} */ player, /** @type {number} */ town, /** @type {number} */ index) {
      if (index === EDGES) return ORIGIN_MS * lognormal(0.15);
      const edge = edges[index];
      const full = Math.min(0.99, edge.flowBps / edge.capacityBps);
      const tail = random() < 0.01 ? -200 * Math.log(1 - random()) : 0;
      return roundTripMs(player, town, index) * lognormal(0.1) + SERVICE_MS / (1 - full) + tail;
    },
    /** Of a transfer that begins now. */
    rateBps(/** @type {number} */ lineBps, /** @type {number} */ index) {
      const { capacityBps: all, flowBps, active } = edges[index];
      const share = (all / (active + 1)) * Math.min(1, all / Math.max(flowBps, 1));
      return Math.min(lineBps, Math.max(all - flowBps, share));
    },
    begin(/** @type {number} */ index, /** @type {number} */ bps, /** @type {number} */ endTick) {
      const edge = edges[index];
      edge.flowBps += bps;
      edge.active += 1;
      edge.ends[endTick % SLOTS] += bps;
      edge.endCounts[endTick % SLOTS] += 1;
    },
    /** A transfer ends before its time. */
    cut(/** @type {number} */ index, /** @type {number} */ bps, /** @type {number} */ endTick) {
      const edge = edges[index];
      edge.flowBps -= bps;
      edge.active -= 1;
      edge.ends[endTick % SLOTS] -= bps;
      edge.endCounts[endTick % SLOTS] -= 1;
    },
    turn(/** @type {number} */ tick, /** @type {number} */ second) {
      const slot = tick % SLOTS;
      for (const edge of edges) {
        edge.flowBps = Math.max(0, edge.flowBps - edge.ends[slot]);
        edge.active -= edge.endCounts[slot];
        edge.ends[slot] = 0;
        edge.endCounts[slot] = 0;
        if (second >= 0) edge.loads[second] += (edge.flowBps * TICK_MS) / 1000;
      }
    },
  };

  function lognormal(/** @type {number} */ spread) {
    // the sum of four uniform draws is near enough to a bell
    return Math.exp(spread * 1.73 * (random() + random() + random() + random() - 2));
  }
}

/** Towns lie between edges, so that neighbours share edges and a whole ring hangs together. */
function placeOf(/** @type {number} */ town) {
  return ((town + 0.5) * EDGES) / TOWNS;
}

function distance(/** @type {number} */ town, /** @type {number} */ index) {
  const away = Math.abs(placeOf(town) - index);
  return Math.min(away, EDGES - away);
}

/** 8 ms and 5 ms for each place on the ring; each player's way to each edge is its own, by 25 % or so. */
function roundTripMs(/** @type {number} */ player, /** @type {number} */ town, /** @type {number} */ index) {
  const own = 1.73 * (2 * hashed(player, index) - 1 + (2 * hashed(player, index + 100) - 1)) * 0.7;
  return (8 + 5 * distance(town, index)) * Math.exp(0.25 * own);
}

function answerFor(/** @type {number} */ town, /** @type {number} */ shift) {
  const first = Math.ceil(placeOf(town) - NAMED / 2) + shift;
  return Array.from({ length: NAMED }, (_, i) => {
    const index = (first + i + EDGES) % EDGES;
    return { origin: `https://edge-${index}.example`, rank: 0, weight: WEIGHT, index };
  });
}
