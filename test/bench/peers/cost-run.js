/**
 * What a player costs the page: CPU time of its main thread, by Chromium's own count, while it loads 148 s of media over quick
 * lines, and the bytes of its scripts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isMedia } from '../fault-figures.js';
import { faultMedia } from '../fault-media.js';
import { ROOT, network } from '../lab.js';
import { cpuMeter } from './cpu.js';
import { SHIPPED } from './players.js';
import { optionsOf, prepare, rulesFor } from './watch-run.js';

const FAR_MS = 10;
const QUICK_BITS_PER_SECOND = 100_000_000;
const LOADED_SECONDS = 148;
const PATIENCE_MS = 90_000;

/** @typedef {import('./cpu.js').CpuTime & {segments: number, reached: number}} Cost */

/** @param {import('../lab.js').Lab} lab @param {import('./players.js').Lane} lane @returns {Promise<Cost>} */
export async function costRun(lab, lane) {
  const media = faultMedia('fmp4', 2);
  const edges = { a: FAR_MS, b: FAR_MS, c: FAR_MS };
  const edge = { bitsPerSecond: QUICK_BITS_PER_SECOND };
  const world = await network({ map: FAR_MS, origin: FAR_MS, edges, edge, media });
  try {
    const { manifest } = lane.player;
    const urls = world.urls.edges;
    let src = `${urls[manifest === 'service' ? 'origin' : 'a']}/main.m3u8`;
    if (manifest !== 'service' && manifest !== 'single') {
      const named = Object.keys(edges).map((name) => ({ name, url: urls[name] ?? '' }));
      const { rules, path } = rulesFor(manifest, media, named, urls['origin'] ?? '', FAR_MS);
      await world.patch({ edges: { origin: { rules } } });
      src = `${urls['origin']}${path}`;
    }
    return await lab.onFreshPage(lane.isOurs, async (page) => {
      const settings = {
        ...{ bufferSeconds: LOADED_SECONDS + 2, bitsPerSecond: QUICK_BITS_PER_SECOND, isAnySize: true, plays: false },
        ...{ limits: null, size: [480, 270], edgeSelect: optionsOf(world, lane) },
      };
      await prepare(page, lane, media, settings, false);
      const spent = await cpuMeter(page);
      const filled = page.evaluate(
        ([url, seconds]) => globalThis.peers.fill(url, seconds),
        /** @type {const} */ ([src, LOADED_SECONDS]),
      );
      const { reached, fatal } = await within(filled, PATIENCE_MS);
      if (fatal) throw new Error(fatal);
      const cpu = await spent();
      const segments = new Set(
        world.log.filter(({ method, url }) => method === 'GET' && isMedia(url)).map(({ url }) => url),
      );
      return { ...cpu, segments: segments.size, reached };
    });
  } finally {
    await world.close();
  }
}

/** What the browser takes for the bytes alone, read as a whole as players do, or as a stream, as ours must to keep what came. */
export const BARE = {
  /** @param {string} url @returns {Promise<unknown>} */
  'XMLHttpRequest, no player': (url) =>
    new Promise((resolve, reject) => {
      const request = Object.assign(new XMLHttpRequest(), {
        responseType: 'arraybuffer',
        onload: resolve,
        onerror: reject,
      });
      request.onprogress = () => {};
      request.open('GET', url);
      request.send();
    }),
  /** @param {string} url @returns {Promise<unknown>} */
  'fetch as a stream, no player': async (url) => {
    const reader = /** @type {ReadableStream<Uint8Array>} */ ((await fetch(url)).body).getReader();
    const chunks = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return new Blob(chunks).size;
      chunks.push(value);
    }
  },
};

/** @param {import('../lab.js').Lab} lab @param {keyof typeof BARE} way @returns {Promise<Cost>} */
export async function bareRun(lab, way) {
  const media = faultMedia('fmp4', 2);
  const names = readdirSync(media).filter((name) => /^(4\.5M|audio)-.*m4s$/.test(name));
  const edge = { bitsPerSecond: QUICK_BITS_PER_SECOND };
  const world = await network({ map: FAR_MS, origin: FAR_MS, edges: { a: FAR_MS }, edge, media });
  try {
    return await lab.onFreshPage(false, async (page) => {
      const spent = await cpuMeter(page);
      const urls = names.map((name) => `${world.urls.edges['a']}/${name}`);
      const read = page.evaluate(`(async () => {
        const read = ${BARE[way]};
        for (const url of ${JSON.stringify(urls)}) await read(url);
      })()`);
      await within(read, PATIENCE_MS);
      return { ...(await spent()), segments: names.length, reached: LOADED_SECONDS };
    });
  } finally {
    await world.close();
  }
}

/** @returns {Record<string, number>} bytes, gzipped */
export function sizes() {
  return Object.fromEntries(
    Object.entries(SHIPPED).map(([name, files]) => [
      name,
      files.reduce((sum, file) => sum + gzipSync(readFileSync(join(ROOT, file)), { level: 9 }).length, 0),
    ]),
  );
}

/** @template T @param {Promise<T>} promise @param {number} ms @returns {Promise<T>} */
function within(promise, ms) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not loaded in ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
