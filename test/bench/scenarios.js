/** What is measured, and what is promised of it (issue: "Numbers"). Each scenario prints, and returns its figures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { median, spread, waterfall, withConfidence } from './figures.js';
import { PLAYLIST, network, start } from './lab.js';
import { benchMedia } from './media.js';

/** `originAfterMs` as it stands in src/options.ts. */
const ORIGIN_AFTER_MS = 150;
const SECOND = benchMedia() ? 'second.m3u8' : '270p.m3u8';

/** @typedef {import('./lab.js').Lab} Lab */
/** @typedef {{lab: Lab, pairs: number, dist: string, promise: (name: string, value: number, target: number, text?: string) => void}} Bench */

/**
 * Variants take turns, in a new order each time, so that what slows the machine slows all of them.
 *
 * @param {number} rounds
 * @param {Record<string, () => Promise<any>>} variants
 * @returns {Promise<Record<string, any[]>>} results by variant; those of one round have the same index
 */
async function interleave(rounds, variants) {
  const names = Object.keys(variants);
  /** @type {Record<string, any[]>} */
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const turn = round % names.length;
    const order = [...names.slice(turn), ...names.slice(0, turn)];
    for (const name of round % 2 === 0 ? order : order.reverse()) results[name]?.push(await variants[name]?.());
  }
  return results;
}

const frames = (/** @type {any[]} */ runs) => runs.map(({ firstFrameMs }) => firstFrameMs);
const secondFrames = (/** @type {any[]} */ runs) => runs.map(({ second }) => second.firstFrameMs);

function medianRun(/** @type {any[]} */ runs) {
  return [...runs].sort((a, b) => a.firstFrameMs - b.firstFrameMs)[Math.floor(runs.length / 2)];
}

function ratio(/** @type {any[]} */ ours, /** @type {any[]} */ others) {
  return withConfidence(frames(ours).map((value, i) => value / frames(others)[i]));
}

function difference(/** @type {any[]} */ ours, /** @type {any[]} */ others) {
  return withConfidence(frames(ours).map((value, i) => value - frames(others)[i]));
}

/** @param {ReturnType<typeof withConfidence>} found @param {number} digits */
function range({ median, low, high }, digits) {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} .. ${high.toFixed(digits)})`;
}

/**
 * @param {Bench} bench
 * @param {string} how
 * @param {{tls?: boolean, slowStart?: boolean}} [line]
 */
async function cold({ lab, pairs, promise }, how, line = {}) {
  const world = await network({ map: 20, origin: 200, edges: { e20: 20, e80: 80, e200: 200 }, ...line });
  const variant =
    (/** @type {string} */ from, options = null) =>
    () =>
      start(lab, world, { from, options });
  await variant('origin', {})();
  const runs = await interleave(pairs, {
    ours: variant('origin', {}),
    oracle: variant('e20'),
    plain200: variant('origin'),
    head: variant('origin', { preflight: 'HEAD' }),
    options: variant('origin', { preflight: 'OPTIONS' }),
  });
  await world.close();
  const { ours = [], oracle = [], plain200 = [], head = [], options = [] } = runs;
  console.log(`\nCold start ${how}: edges at 20, 80, 200 ms, nameserver 20 ms, origin 200 ms`);
  console.log(spread('plain on the 20 ms edge (oracle)', frames(oracle)));
  console.log(spread('ours, race by GET', frames(ours)));
  console.log(spread('ours, race by HEAD', frames(head)));
  console.log(spread('ours, race by OPTIONS', frames(options)));
  console.log(spread('plain on the 200 ms origin', frames(plain200)));
  console.log(
    spread(
      'calling player.edgeSelect()',
      ours.map(({ pluginMs }) => pluginMs),
    ),
  );
  for (const [name, compared] of Object.entries({ GET: ours, HEAD: head, OPTIONS: options })) {
    const [added, share] = [difference(compared, oracle), ratio(compared, oracle)];
    console.log(`  ${name} against the oracle: ${range(added, 0)} ms more, ${range(share, 3)} times`);
  }
  const [toOracle, toPlain] = [ratio(ours, oracle), ratio(ours, plain200)];
  promise(`cold ${how}: ours / oracle`, toOracle.median, 1.05, range(toOracle, 3));
  promise(`cold ${how}: ours / plain at 200 ms`, toPlain.median, 0.5, range(toPlain, 3));
  console.log(`  a median run of ours:\n${waterfall(medianRun(ours), world.urls)}`);
  console.log(`  and of the oracle:\n${waterfall(medianRun(oracle), world.urls)}`);
  return { ...runs, toOracle, toPlain };
}

/** @param {Bench} bench */
async function known({ lab, pairs, promise }) {
  const world = await network({ map: 20, origin: 200, edges: { e20: 20, e80: 80, e200: 200 } });
  const runs = [];
  for (let run = 0; run < Math.min(pairs, 7); run++) {
    runs.push(
      await start(lab, world, { from: 'origin', options: {} }, async (page) => {
        await page.evaluate(() => globalThis.bench.settled());
        return page.evaluate((src) => globalThis.bench.delayOfFetch(src), `${world.urls.edges['origin']}/${SECOND}`);
      }),
    );
  }
  await world.close();
  const delays = runs.map(({ delayMs }) => delayMs);
  console.log('\nSecond source of the service: from send() to fetch()');
  console.log(spread('the first request', delays));
  promise('known: ms from send() to fetch()', median(delays), 5);
  return { delays };
}

/** @param {Bench} bench */
async function noHelp({ lab, pairs, promise }) {
  const world = await network({ map: 150, origin: 20, edges: { e20: 20 } });
  const runs = await interleave(pairs, {
    ours: () => start(lab, world, { from: 'origin', options: {} }),
    plain: () => start(lab, world, { from: 'origin' }),
  });
  await world.close();
  const { ours = [], plain = [] } = runs;
  console.log('\nWhere selection cannot help: origin and edge at 20 ms, nameserver at 150 ms');
  console.log(spread('plain', frames(plain)));
  console.log(spread('ours', frames(ours)));
  const added = difference(ours, plain);
  promise('no help: added ms', added.median, ORIGIN_AFTER_MS + 20, range(added, 0));
  console.log(`  a median run of ours:\n${waterfall(medianRun(ours), world.urls)}`);
  return { ...runs, added };
}

/**
 * @param {Bench} bench
 * @param {string} what
 * @param {object} broken more fields for {@link network}
 */
async function broken({ lab, pairs, promise }, what, broken) {
  const world = await network({ map: 20, origin: 20, edges: { e20: 20, e80: 80 }, ...broken });
  const second = `${world.urls.edges['origin']}/${SECOND}`;
  const then = (/** @type {import('playwright-core').Page} */ page) =>
    page.evaluate((src) => globalThis.bench.next(src), second);
  const runs = await interleave(Math.min(pairs, 9), {
    ours: () =>
      start(lab, world, { from: 'origin', options: {} }, async (page) => {
        await page.evaluate(() => globalThis.bench.settled());
        return { second: await then(page) };
      }),
    plain: () => start(lab, world, { from: 'origin' }, async (page) => ({ second: await then(page) })),
    // for information: the second source comes before the plugin has given up
    atOnce: () => start(lab, world, { from: 'origin', options: {} }, async (page) => ({ second: await then(page) })),
  });
  await world.close();
  const { ours = [], plain = [], atOnce = [] } = runs;
  console.log(`\n${what}: origin at 20 ms`);
  console.log(spread('plain, first source', frames(plain)));
  console.log(spread('ours, first source', frames(ours)));
  console.log(spread('plain, second source', secondFrames(plain)));
  console.log(spread('ours, second, once it has given up', secondFrames(ours)));
  console.log(spread('ours, second, before that', secondFrames(atOnce)));
  const [first, next] = [
    median(frames(ours)) - median(frames(plain)),
    median(secondFrames(ours)) - median(secondFrames(plain)),
  ];
  promise(`${what}: added ms, first source`, first, 250);
  promise(`${what}: added ms, second source`, next, 10);
  console.log(`  a median first run of ours:\n${waterfall(medianRun(ours), world.urls)}`);
  console.log(`  and its second source:\n${waterfall(medianRun(ours).second, world.urls)}`);
  return runs;
}

/** @param {Bench} bench */
async function size({ dist, promise }) {
  const bytes = gzipSync(readFileSync(join(dist, 'videojs-edge-select.min.js')), { level: 9 }).length;
  console.log('\nSize of videojs-edge-select.min.js');
  promise('size: bytes, gzipped', bytes, 22_000);
  return { bytes };
}

/** @param {Bench} bench */
async function crowd({ lab, promise }) {
  const world = await network({ map: 20, origin: 20, edges: { e20: 20, e80: 80 } });
  const src = `${world.urls.edges['origin']}/${PLAYLIST}`;
  const options = { nameserver: world.urls.nameservers['map'] };
  await lab.onFreshPage(true, (page) =>
    page.evaluate(([url, given]) => globalThis.bench.crowd(20, url, given), /** @type {const} */ ([src, options])),
  );
  const questions = world.log
    .filter(({ server }) => server === 'nameserver:map')
    .map(({ body }) => /** @type {any} */ (body));
  await world.close();
  const first = questions.filter((question) => question?.name.startsWith('_http')).length;
  console.log(`\n20 players of one service on a page: ${questions.length} queries`);
  promise('crowd: first-level queries', first, 1);
  return { questions };
}

/** @type {Record<string, (bench: Bench) => Promise<object>>} */
export const SCENARIOS = {
  size,
  cold: (bench) => cold(bench, 'over HTTP/1.1'),
  'cold-tls': (bench) => cold(bench, 'over TLS and HTTP/2', { tls: true }),
  'cold-slow-start': (bench) => cold(bench, 'over HTTP/1.1, with slow start', { slowStart: true }),
  known,
  'no-help': noHelp,
  swallowed: (bench) => broken(bench, 'Nameserver swallowed', { nameserver: { fault: 'swallow' } }),
  dead: (bench) => broken(bench, 'All edges dead', { edge: { fault: 'refuse' } }),
  crowd,
};
