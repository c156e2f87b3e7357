/** What goes wrong, and what is promised of it (issue: "Numbers"). */
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROLS } from './fault-controls.js';
import { seeded } from './figures.js';
import { EDGE_BITS_PER_SECOND } from './fault-figures.js';

const FLAP_MS = 3000;
const SLIDE = { overMs: 20_000, stepMs: 500, toBitsPerSecond: 300_000 };
const NOISE = { stepMs: 1000, latency: 0.3, rate: 0.4 };
const LATENCY_MS = 40;
const NAMESERVER_LATENCY_MS = 20;

/** @typedef {import('./lab.js').World} World */
/**
 * @typedef {object} Victims
 * @property {World} world
 * @property {string} bad the edge in use
 * @property {string} second the one that came second in the race
 * @property {AbortSignal} signal aborted when the watching ends
 * @property {number} seed
 * @property {import('./fault-window.js').Viewer} viewer whose trouble it is; there for controls
 *
 * @typedef {object} Fault
 * @property {string} title
 * @property {(victims: Victims) => Promise<unknown>} begin fulfilled when it has begun, or rejected by the signal later on
 * @property {boolean} [isFirstSix] has a promise for the 4 s buffer too
 * @property {boolean} [hitsTwo] `second` is bad as well
 * @property {boolean} [hitsNone] no edge is bad
 * @property {boolean} [isControl] there is trouble all the same, and it is the viewer's own
 * @property {boolean} [mayFailOver] of a control: a request may go on elsewhere, if nobody is charged
 * @property {number} [trials] of a control: so many switches are allowed
 * @property {number} [watchSeconds] instead of 45
 * @property {number} [fullSeconds] the same with `--full`
 * @property {boolean} [spares] bodies under way go on
 * @property {boolean} [halfWay] bodies are good up to their middle
 * @property {boolean} [gradual] there is no moment of contact: the edge must be left before a segment's worth of buffer is all
 * @property {number} [firstByteMs] at most this from contact to a healthy edge's first byte
 */

const edge = (/** @type {World} */ world, /** @type {string} */ name, /** @type {object} */ fields) =>
  world.patch({ edges: { [name]: fields } });
const everySingleOne = { firstByteMs: 1000 };

/** @type {Record<string, Fault>} */
export const FAULTS = {
  none: { title: 'no fault', hitsNone: true, begin: async () => {} },
  dies: {
    ...{ title: 'dies: resets all, then refuses', isFirstSix: true, ...everySingleOne },
    begin: async ({ world, bad }) => {
      await edge(world, bad, { fault: 'reset' });
      await edge(world, bad, { fault: 'refuse' });
    },
  },
  'dies-silent': {
    ...{ title: 'dies: silent', isFirstSix: true, ...everySingleOne },
    begin: ({ world, bad }) => edge(world, bad, { fault: 'silent' }),
  },
  'mid-body': {
    ...{ title: 'silent in mid-body', isFirstSix: true, halfWay: true, ...everySingleOne },
    begin: ({ world, bad }) => edge(world, bad, { fault: 'stall' }),
  },
  slow: {
    ...{ title: 'drops to 200 kbit/s', isFirstSix: true, gradual: true },
    begin: ({ world, bad }) => edge(world, bad, { bitsPerSecond: 200_000 }),
  },
  http503: {
    ...{ title: 'answers 503', isFirstSix: true, spares: true, ...everySingleOne },
    begin: ({ world, bad }) => edge(world, bad, { fault: 'status:503' }),
  },
  swallows: {
    ...{ title: 'swallows requests', isFirstSix: true, spares: true, ...everySingleOne },
    begin: ({ world, bad }) => edge(world, bad, { rules: [{ silent: true }] }),
  },
  cuts: {
    ...{ title: 'cuts bodies half-way', isFirstSix: true, halfWay: true, ...everySingleOne },
    begin: ({ world, bad }) => edge(world, bad, { fault: 'cut' }),
  },
  'two-dead': {
    ...{ title: 'two of three die at once, silent', hitsTwo: true, firstByteMs: 1500 },
    begin: ({ world, bad, second }) =>
      world.patch({ edges: { [bad]: { fault: 'silent' }, [second]: { fault: 'silent' } } }),
  },
  flaps: {
    ...{ title: 'flaps: 3 s silent, 3 s good', ...everySingleOne },
    begin: async ({ world, bad, signal }) => {
      for (let isDead = true; ; isDead = !isDead) {
        await edge(world, bad, { fault: isDead ? 'silent' : null });
        await sleep(FLAP_MS, null, { signal });
      }
    },
  },
  nameserver: {
    ...{ title: 'nameserver dies with the edge', ...everySingleOne },
    begin: ({ world, bad }) =>
      world.patch({ edges: { [bad]: { fault: 'silent' } }, nameservers: { map: { fault: 'swallow' } } }),
  },
  slide: {
    ...{ title: 'slides from 8 Mbit/s to 300 kbit/s', gradual: true },
    begin: async ({ world, bad, signal }) => {
      const beganMs = performance.now();
      for (let share = 0; share < 1;) {
        share = Math.min(1, (performance.now() - beganMs) / SLIDE.overMs);
        const bitsPerSecond = Math.round(EDGE_BITS_PER_SECOND + (SLIDE.toBitsPerSecond - EDGE_BITS_PER_SECOND) * share);
        await edge(world, bad, { bitsPerSecond });
        await sleep(SLIDE.stepMs, null, { signal });
      }
    },
  },
  ...CONTROLS,
  noise: {
    ...{ title: 'latency +-30 %, rate +-40 %', hitsNone: true, watchSeconds: 600 },
    begin: async ({ world, signal, seed }) => {
      const random = seeded(seed);
      const around = (/** @type {number} */ middle, /** @type {number} */ share) =>
        Math.round(middle * (1 + share * (2 * random() - 1)));
      for (;;) {
        const edges = Object.keys(world.urls.edges).map((name) => [
          name,
          {
            latencyMs: around(LATENCY_MS, NOISE.latency),
            bitsPerSecond: around(EDGE_BITS_PER_SECOND, NOISE.rate),
          },
        ]);
        const map = { latencyMs: around(NAMESERVER_LATENCY_MS, NOISE.latency) };
        await world.patch({ edges: Object.fromEntries(edges), nameservers: { map } });
        await sleep(NOISE.stepMs, null, { signal });
      }
    },
  },
};

/** A line of the table. `networkInformation`: VHS believes Chromium's estimate of the line, as it does by default. */
/** @typedef {{fault: string, bufferSeconds: number, segmentSeconds: number, container: import('./fault-media.js').Container, networkInformation: boolean, isPlain: boolean}} Case */

/**
 * What a line misses of what is promised.
 *
 * @param {Case} line
 * @param {ReturnType<typeof import('./fault-figures.js').summaryOf>} found
 * @param {number} bitrateShare of the fault-free run
 * @returns {string[]} empty when all is kept
 */
export function missed({ fault, bufferSeconds, segmentSeconds }, found, bitrateShare) {
  const { firstByteMs: limitMs, gradual, hitsNone, isControl, mayFailOver, trials = 0 } = FAULTS[fault] ?? {};
  const { stall, firstByteMs, leastAheadSeconds, overhead, mostMoves, mostSwitches, mostOut } = found;
  const hasFullBuffer = bufferSeconds >= 12;
  if (isControl || fault === 'noise') {
    return [
      ...((mayFailOver ? mostSwitches : mostMoves) > trials ? ['moves'] : []),
      ...(mostOut > trials ? ['cool-down'] : []),
    ];
  }
  if (hitsNone) return stall.most > 0 ? ['stall'] : [];
  const isAnsweredLate = gradual
    ? firstByteMs === null || leastAheadSeconds < segmentSeconds
    : firstByteMs !== null && firstByteMs > (limitMs ?? 0);
  return [
    ...(stall.median > (hasFullBuffer ? 0 : 0.5) ? ['stall'] : []),
    ...(hasFullBuffer && isAnsweredLate ? ['first byte'] : []),
    ...(bitrateShare < 0.95 ? ['bitrate'] : []),
    ...(overhead > 0.05 ? ['bytes'] : []),
  ];
}
