/**
 * Where a run takes place: a pretend network, a browser, and a page of its own for each run, so that every connection
 * and every cache is cold.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { openWitness, whileAwake } from './awake.js';
import { benchMedia } from './media.js';
import { CHROMIUM_FLAGS, findChromium } from '../support/chromium.js';
import { createWorld } from '../support/world.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PLUGIN = 'videojs-edge-select.min.js';
export const PLAYLIST = 'main.m3u8';

/** @typedef {Awaited<ReturnType<typeof createWorld>>} World */
/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof openLab>>} Lab */
/** How connections begin, and what the viewer's own line bears. @typedef {{slowStart: boolean, lastMileBitsPerSecond: number}} Line */

/** A start is compared by tens of milliseconds. */
export const START_STOOD_MS = 50;

/** Builds the package unless what is built is newer than all it is built from. */
export function buildIfStale() {
  const built = join(ROOT, 'dist', PLUGIN);
  const inputs = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .map((file) => join('src', file))
    .concat('rollup.config.js', 'package.json');
  const newest = Math.max(...inputs.map((file) => statSync(join(ROOT, file)).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return;
  console.log('Building dist/ (it is older than src/)');
  execFileSync(process.execPath, ['node_modules/rollup/dist/bin/rollup', '-c', '--silent'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
}

/**
 * The pages and scripts of a bench, on a port of their own.
 *
 * @param {string} dist folder of the built package
 * @param {readonly (readonly [string, readonly string[]])[]} [more] scripts that pages may ask for: path, and file and type
 */
export async function openSite(dist, more = []) {
  const files = new Map([
    ['/page.html', [join(ROOT, 'test/bench/page.html'), 'text/html']],
    ['/page.js', [join(ROOT, 'test/bench/page.js'), 'text/javascript']],
    ['/watch.js', [join(ROOT, 'test/bench/watch.js'), 'text/javascript']],
    ['/video.min.js', [join(ROOT, 'node_modules/video.js/dist/video.min.js'), 'text/javascript']],
    ['/video-js.css', [join(ROOT, 'node_modules/video.js/dist/video-js.min.css'), 'text/css']],
    ['/plugin.js', [join(dist, PLUGIN), 'text/javascript']],
    ...more,
  ]);
  const site = http.createServer((request, response) => {
    const [path, type] = files.get(request.url ?? '') ?? [];
    if (!path) response.writeHead(404).end();
    else createReadStream(path).pipe(response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }));
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (site.address());
  return {
    /** Shows the bench's page. @param {Page} page @param {boolean} withPlugin */
    async show(page, withPlugin) {
      await page.goto(`http://localhost:${port}/page.html`);
      if (withPlugin) await page.evaluate(() => globalThis.bench.load('/plugin.js'));
    },
    close() {
      site.closeAllConnections();
      site.close();
    },
  };
}

/**
 * @param {string} dist folder of the built package
 * @param {readonly string[]} [flags] more of them for the browser
 * @param {readonly (readonly [string, readonly string[]])[]} [more] scripts that pages may ask for: path, and file and type
 */
export async function openLab(dist, flags = [], more = []) {
  const site = await openSite(dist, more);
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [...CHROMIUM_FLAGS, '--ignore-certificate-errors', ...flags],
  });
  const witness = openWitness();
  return {
    browserVersion: browser.version(),
    witness,
    /**
     * @template T
     * @param {boolean} withPlugin
     * @param {(page: Page) => Promise<T>} run
     * @returns {Promise<T>}
     */
    async onFreshPage(withPlugin, run) {
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        await site.show(page, withPlugin);
        return await run(page);
      } finally {
        await context.close();
      }
    },
    async close() {
      await browser.close();
      await witness.close();
      site.close();
    },
  };
}

/**
 * A map that names all edges but the origin, and servers that are as far away as `latencies` says: each new connection
 * waits one latency before it is read (over TLS two), and each request one before its headers.
 *
 * @param {{map: number, origin: number, edges: Record<string, number>, tls?: boolean, nameserver?: object, edge?: object, media?: string} & Partial<Line>} distances
 *   in ms; `nameserver` and `edge`: more fields of their descriptions; `media`: another folder than the start-up's
 * @returns {Promise<World>}
 */
export function network({ map, origin, edges, tls = false, nameserver = {}, edge = {}, media, ...line }) {
  const { slowStart = false, lastMileBitsPerSecond = 0 } = line;
  const far = (/** @type {number} */ ms) => ({ latencyMs: ms, connectMs: ms, tls });
  const srv = (/** @type {string} */ target, more = {}) => ({
    type: 'SRV',
    ttl: 60,
    priority: 10,
    weight: 10,
    target,
    ...more,
  });
  const server = (/** @type {number} */ ms) => ({ ...far(ms), bitsPerSecond: 8_000_000, slowStart });
  const names = Object.keys(edges);
  return createWorld({
    ...{ media: media ?? benchMedia() ?? 'demo/media/hls', lastMileBitsPerSecond },
    nameservers: {
      map: {
        ...far(map),
        zones: {
          [`_${tls ? 'https' : 'http'}._tcp.origin.localhost`]: [srv('eu1.token.localhost', { port: 8053 })],
          'eu1.token.localhost': names.map((name) => srv(`edge:${name}`)),
        },
        ...nameserver,
      },
    },
    edges: {
      ...Object.fromEntries(names.map((name) => [name, { ...server(edges[name] ?? 0), ...edge }])),
      origin: server(origin),
    },
  });
}

/**
 * One cold start.
 *
 * @param {Lab} lab
 * @param {World} world
 * @param {{from: string, options?: object | null}} variant server of the source, and options of the plugin beside the
 *   nameserver; null for plain Video.js
 * @param {(page: Page, first: any) => Promise<object>} [after] what else to do on the page; its result is added
 */
export function start(lab, world, { from, options = null }, after = async () => ({})) {
  const src = `${world.urls.edges[from]}/${PLAYLIST}`;
  const all = options && { nameserver: world.urls.nameservers['map'], ...options };
  const attempt = () =>
    lab.onFreshPage(options !== null, async (page) => {
      const first = await page.evaluate(([url, given]) => globalThis.bench.start(url, given), [src, all]);
      return { ...first, ...(await after(page, first)) };
    });
  return whileAwake(lab.witness, attempt, START_STOOD_MS);
}
