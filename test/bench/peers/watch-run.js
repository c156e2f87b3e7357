/** One run of one player: a network of its own, a fresh page, 12 s of playback, the fault, and what followed. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BadStart, whileAwake } from '../awake.js';
import { figuresOf, isMedia } from '../fault-figures.js';
import { faultMedia } from '../fault-media.js';
import { FAULTS } from '../fault-scenarios.js';
import { network } from '../lab.js';
import { cpuMeter } from './cpu.js';
import { dashManifest, hlsMain, readMain, steeringManifest } from './manifests.js';
import { LIBRARIES } from './players.js';
import { traceOf } from './trace.js';

const FAULT_AT_SECONDS = 12;
/** In segments, added to that by turns: the fault comes in the middle of a body, and when nothing is under way. */
const PHASES = [0.25, 0, 0.5];
const LATENCY_MS = 40;
const NAMESERVER_LATENCY_MS = 20;
/** The true rate, so that each player begins with the top rendition and the window holds nothing of the start. */
const LINE_BITS_PER_SECOND = 8_000_000;
const SIZE = [480, 270];
/** After the fault; a move to another edge within it is charged with what it took more than the same time without a fault. */
const CPU_WINDOW_SECONDS = 10;
/** `stallMs` of src/options.ts: what ours allows a silent request. */
const FIRST_BYTE_MS = 600;

/** @typedef {import('./players.js').Lane} Lane */
/** @typedef {import('../lab.js').World} World */
/** @typedef {import('./plan.js').Scenario & {line: import('../lab.js').Line, watchSeconds: number, round: number}} Settings */
/** @typedef {Awaited<ReturnType<typeof watchRun>>} WatchRun */

/**
 * @param {import('../lab.js').Lab} lab with a browser that has no other page
 * @param {Lane} lane
 * @param {Settings} settings
 */
export function watchRun(lab, lane, settings) {
  return whileAwake(lab.witness, (watch) => tryRun(lab, lane, settings, watch));
}

/**
 * @param {import('../lab.js').Lab} lab
 * @param {Lane} lane
 * @param {Settings} settings
 * @param {import('../awake.js').Watch} watch
 */
async function tryRun(lab, lane, { fault, bufferSeconds, segmentSeconds, tls, line, watchSeconds, round }, watch) {
  const media = faultMedia('fmp4', segmentSeconds);
  const far = LATENCY_MS;
  const edges = { a: far, b: far, c: far };
  const world = await network({ map: NAMESERVER_LATENCY_MS, origin: far, edges, media, tls, ...line });
  const over = new AbortController();
  try {
    const src = await publish(world, lane, media);
    return await lab.onFreshPage(lane.isOurs, async (page) => {
      await prepare(page, lane, media, {
        ...{ bufferSeconds, bitsPerSecond: rateOf(line), isAnySize: true, plays: false, size: SIZE },
        limits: lane.isTuned ? { firstByteMs: FIRST_BYTE_MS, wholeMs: segmentSeconds * 1000 } : null,
        edgeSelect: optionsOf(world, lane),
      });
      const beganMs = Date.now();
      await page.evaluate((url) => globalThis.peers.watch(url), src);
      const faultAt = FAULT_AT_SECONDS + (PHASES[round % PHASES.length] ?? 0) * segmentSeconds;
      await page.evaluate((seconds) => globalThis.peers.untilPlayed(seconds), faultAt);
      if (!(await page.evaluate(() => globalThis.peers.isAtTop()))) {
        throw new BadStart('the player did not show its top rendition before the fault');
      }
      const { edges } = world.urls;
      const bad = world.log.findLast(({ url }) => isMedia(url))?.server.slice('edge:'.length) ?? '';
      const second = await secondOf(page, edges, bad);
      const { begin, hitsTwo, hitsNone, ...kind } = FAULTS[fault] ?? FAULTS['none'];
      const spent = await cpuMeter(page);
      const faultAtMs = Date.now();
      /** @type {unknown} */
      let failure = null;
      // what a nameserver is to ours, the steering server is to others
      if (fault === 'nameserver') await world.patch({ edges: { origin: { rules: [{ silent: true }] } } });
      begin({ world, bad, second, seed: round + 1, signal: over.signal }).catch((error) => {
        if (!over.signal.aborted) failure = error;
      });
      const lag = monitorEventLoopDelay({ resolution: 10 });
      lag.enable();
      const cpuSeconds = Math.min(CPU_WINDOW_SECONDS, watchSeconds);
      await watch(cpuSeconds * 1000);
      const cpu = { ...(await spent()), toMs: Date.now() };
      await watch(faultAtMs + watchSeconds * 1000 - Date.now());
      lag.disable();
      if (failure) throw failure;
      const endAtMs = Date.now();
      const log = world.log.map((entry) => ({ ...entry }));
      const seen = await page.evaluate(() => globalThis.peers.report());
      if (!seen.visible) throw new Error('the page was hidden: its timers and pictures may have been held back');
      const recording = {
        ...{ ...seen, out: [], log, faultAtMs, endAtMs, kind, origins: edges },
        bad: hitsNone ? [] : hitsTwo ? [bad, second] : [bad],
        sizeOf: (/** @type {string} */ path) => statSync(join(media, new URL(path, 'http://any').pathname)).size,
      };
      return {
        ...{ figures: figuresOf(recording), error: seen.error, frames: seen.frames, bad, second },
        ...{ traffic: trafficOf(log, endAtMs), trace: traceOf(recording, beganMs), serversLateMs: lag.max / 1e6 },
        cpu: { ...cpu, hasMoved: hasMoved(recording, cpu.toMs) },
        events: seen.events.map((/** @type {{atMs: number}} */ { atMs, ...event }) => {
          return { afterFaultMs: Math.round(atMs - faultAtMs), ...event };
        }),
      };
    });
  } finally {
    over.abort();
    await world.close();
  }
}

/**
 * Puts the manifest of a lane where its player finds it.
 *
 * @param {World} world
 * @param {Lane} lane
 * @param {string} media
 * @returns {Promise<string>} its URL
 */
async function publish(world, { player }, media) {
  const { edges } = world.urls;
  if (player.manifest === 'service') return `${edges['origin']}/main.m3u8`;
  if (player.manifest === 'single') return `${edges['a']}/main.m3u8`;
  const named = ['a', 'b', 'c'].map((name) => ({ name, url: edges[name] ?? '' }));
  const { rules, path } = rulesFor(player.manifest, media, named, edges['origin'] ?? '', NAMESERVER_LATENCY_MS);
  await world.patch({ edges: { origin: { rules } } });
  return `${edges['origin']}${path}`;
}

/**
 * Rules by which a server answers with a manifest that names `edges` in that order.
 *
 * @param {import('./players.js').ManifestKind} kind
 * @param {string} media
 * @param {readonly import('./manifests.js').NamedEdge[]} edges
 * @param {string} steeringOrigin
 * @param {number} steeringLatencyMs
 */
export function rulesFor(kind, media, edges, steeringOrigin, steeringLatencyMs) {
  const order = edges.map(({ name }) => name).join('-');
  const steeringPath = `/steering-${order}.json`;
  const asked = (/** @type {string} */ path) => `^${path.replaceAll('.', '\\.')}$`;
  if (kind === 'baseurls') {
    const path = `/peers-${order}.mpd`;
    return { path, rules: [{ path: asked(path), body: dashManifest(media, edges), type: 'application/dash+xml' }] };
  }
  const path = `/peers-${kind}-${order}.m3u8`;
  const steeringUrl = kind === 'steering' ? `${steeringOrigin}${steeringPath}` : null;
  const rules = [
    { path: asked(path), body: hlsMain(media, edges, steeringUrl), type: 'application/vnd.apple.mpegurl' },
    {
      ...{ path: asked(steeringPath), body: steeringManifest(edges), type: 'application/json' },
      latencyMs: steeringLatencyMs,
    },
  ];
  return { path, rules };
}

/**
 * @param {import('../lab.js').Page} page
 * @param {Lane} lane
 * @param {string} media
 * @param {object} settings of adapters.js
 * @param {boolean} [isTapped] writes down each request
 */
export async function prepare(page, lane, media, settings, isTapped = true) {
  const { adapter, manifest } = lane.player;
  const rates = Object.fromEntries(
    readMain(media).variants.map(({ height, bitsPerSecond }) => [height, bitsPerSecond]),
  );
  await page.evaluate(async () => void (await import('/peers/page.js')));
  if (isTapped) await page.evaluate(() => globalThis.peers.tap());
  for (const library of LIBRARIES[adapter] ?? []) await page.evaluate((src) => globalThis.bench.load(src), library);
  await page.evaluate(
    ([name, given, ratesByHeight]) => globalThis.peers.make(name, given, ratesByHeight),
    /** @type {const} */ ([adapter, { ...settings, isSteered: manifest === 'steering' }, rates]),
  );
}

/** @param {World} world @param {Lane} lane @returns {object | null} options of the plugin */
export function optionsOf(world, { isOurs, player }) {
  return isOurs ? { nameserver: world.urls.nameservers['map'], preflight: player.preflight } : null;
}

/**
 * Of the whole session: every server's, nameserver and preflights included.
 *
 * @param {readonly import('../../support/log.js').LogEntry[]} log
 * @param {number} endAtMs
 */
function trafficOf(log, endAtMs) {
  const asked = log.filter(({ t }) => t <= endAtMs);
  const segments = asked.filter(({ method, url }) => method === 'GET' && isMedia(url)).length;
  return { requests: asked.length, segments, bytes: asked.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** @param {import('../lab.js').Line} line */
function rateOf({ lastMileBitsPerSecond }) {
  return Math.min(LINE_BITS_PER_SECOND, lastMileBitsPerSecond || Infinity);
}

/**
 * Whether media came from an edge without the fault, after it.
 *
 * @param {Pick<import('../fault-figures.js').Recording, 'log' | 'bad' | 'faultAtMs'>} recording
 * @param {number} toMs
 */
function hasMoved({ log, bad, faultAtMs }, toMs) {
  return log.some(
    ({ method, url, server, tFirst }) =>
      method === 'GET' &&
      isMedia(url) &&
      tFirst !== null &&
      tFirst > faultAtMs &&
      tFirst <= toMs &&
      bad.length > 0 &&
      !bad.some((name) => server === `edge:${name}`),
  );
}

/**
 * The edge that a player turns to next, as far as anyone can know.
 *
 * @param {import('../lab.js').Page} page
 * @param {Record<string, string>} edges
 * @param {string} bad
 */
async function secondOf(page, edges, bad) {
  const byTime = await page.evaluate(() => globalThis.peers.others());
  const named = byTime.map((origin) => Object.keys(edges).find((name) => edges[name] === origin));
  return [...named, 'a', 'b', 'c'].find((name) => name !== undefined && name !== bad) ?? '';
}
