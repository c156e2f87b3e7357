/** One run: a network of its own, a fresh page, 12 s of playback, the fault, and what followed. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BadStart, whileAwake } from './awake.js';
import { faultMedia } from './fault-media.js';
import { figuresOf, isMedia } from './fault-figures.js';
import { FAULTS } from './fault-scenarios.js';
import { network } from './lab.js';

const FAULT_AT_SECONDS = 12;
/** In segments, added to that by turns: the fault comes in the middle of a body, and when nothing is under way. */
const PHASES = [0.25, 0, 0.5];
const LATENCY_MS = 40;
/** For 10 min the stream is played again from its start, as another one. */
const LONG_SECONDS = 120;
/** Keep the page of a browser that is behind all others as quick as one that is looked at. */
export const AWAKE_FLAGS = [
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];

/** @typedef {import('./fault-scenarios.js').Case} Case */

/**
 * @param {import('./fault-window.js').Place} place with a browser that has no other page; a window for a control
 * @param {Case} line
 * @param {{watchSeconds: number, round: number}} settings
 * @param {import('./awake.js').Witness} witness
 */
export function run(place, line, settings, witness) {
  // a control is trouble for the machine
  return whileAwake(FAULTS[line.fault]?.isControl ? null : witness, (watch) => tryRun(place, line, settings, watch));
}

/**
 * @param {import('./fault-window.js').Place} place with a browser that has no other page; a window for a control
 * @param {Case} line
 * @param {{watchSeconds: number, round: number}} settings
 * @param {import('./awake.js').Watch} watch
 */
async function tryRun(place, line, { watchSeconds, round }, watch) {
  const { fault, bufferSeconds, segmentSeconds, container, networkInformation, isPlain } = line;
  const faultAtSeconds = FAULT_AT_SECONDS + (PHASES[round % PHASES.length] ?? 0) * segmentSeconds;
  const media = faultMedia(container, segmentSeconds);
  const far = LATENCY_MS;
  const world = await network({ map: 20, origin: far, edges: { a: far, b: far, c: far }, media });
  const { edges, nameservers } = world.urls;
  const playlist = watchSeconds > LONG_SECONDS ? 'long.m3u8' : 'main.m3u8';
  // plain Video.js has one server and knows of no other
  const src = `${edges[isPlain ? 'a' : 'origin']}/${playlist}`;
  const options = isPlain ? null : { nameserver: nameservers['map'] };
  const over = new AbortController();
  try {
    return await place.onFreshPage(!isPlain, async (page, viewer) => {
      await page.evaluate(() => globalThis.bench.load('/watch.js'));
      await page.evaluate(
        ([url, given, settings]) => globalThis.watch.begin(url, given, settings),
        /** @type {const} */ ([src, options, { bufferSeconds, networkInformation }]),
      );
      await page.evaluate((seconds) => globalThis.watch.untilPlayed(seconds), faultAtSeconds);
      // with Chromium's estimate of the line there is no rendition to count on
      if (!networkInformation && !(await page.evaluate(() => globalThis.watch.isAtTop()))) {
        throw new BadStart('VHS did not play its top rendition before the fault');
      }
      // a busy machine can make an edge slow; a control has to begin with a clean record
      if (FAULTS[fault]?.isControl && (await page.evaluate(() => globalThis.watch.hasMoved()))) {
        throw new BadStart('an edge was left before there was any trouble');
      }
      const bad = world.log.findLast(({ url }) => isMedia(url))?.server.slice('edge:'.length) ?? '';
      const second = await secondOf(page, edges, bad);
      const { begin, hitsTwo, hitsNone, isControl, ...kind } = FAULTS[fault] ?? FAULTS['none'];
      if (isControl && !viewer) throw new Error('a control needs a window');
      const faultAtMs = Date.now();
      /** @type {unknown} */
      let failure = null;
      begin({ world, bad, second, viewer, seed: round + 1, signal: over.signal }).catch((error) => {
        if (!over.signal.aborted) failure = error;
      });
      const lag = monitorEventLoopDelay({ resolution: 10 });
      lag.enable();
      await watch(watchSeconds * 1000);
      lag.disable();
      if (failure) throw failure;
      const endAtMs = Date.now();
      const log = world.log.map((entry) => ({ ...entry }));
      const seen = await page.evaluate(() => globalThis.watch.report());
      if (!seen.visible) throw new Error('the page was hidden: its timers and pictures may have been held back');
      await viewer?.recover();
      const asks = hitsNone && fault !== 'none' && !isPlain;
      const out = asks ? await page.evaluate(() => globalThis.watch.out()) : [];
      const recording = {
        ...{ ...seen, log, faultAtMs, endAtMs, kind, out },
        bad: hitsNone ? [] : hitsTwo ? [bad, second] : [bad],
        origins: edges,
        sizeOf: (/** @type {string} */ path) => statSync(join(media, new URL(path, 'http://any').pathname)).size,
      };
      const { error, state } = seen;
      return { figures: figuresOf(recording), bad, second, error, state, serversLateMs: lag.max / 1e6, recording };
    });
  } finally {
    over.abort();
    await world.close();
  }
}

/**
 * The edge that a player turns to next, as far as anyone can know.
 *
 * @param {import('./lab.js').Page} page
 * @param {Record<string, string>} edges
 * @param {string} bad
 */
async function secondOf(page, edges, bad) {
  const byTime = await page.evaluate(() => globalThis.watch.others());
  const named = byTime.map((origin) => Object.keys(edges).find((name) => edges[name] === origin));
  const rest = ['a', 'b', 'c'].filter((name) => name !== bad);
  return [...named, ...rest].find((name) => name !== undefined && name !== bad) ?? '';
}
