/**
 * Starts from cold: each player with each order of the edges in its manifest. The peers' manifest is at the first edge of the
 * order, ours is at an origin 200 ms away; the steering server is as near as our nameserver.
 */
import { whileAwake } from '../awake.js';
import { START_STOOD_MS, network } from '../lab.js';
import { readMain } from './manifests.js';
import { optionsOf, prepare, rulesFor } from './watch-run.js';

const NEAR_MS = 20;
const LATENCIES_MS = { e20: 20, e80: 80, e200: 200 };
const ORIGIN_MS = 200;
const SIZE = [640, 360];
/** What VHS believes of a line it has not seen: with it every player begins with the same rendition. */
const VHS_BITS_PER_SECOND = 4_194_304;

/** @typedef {import('./players.js').Lane} Lane */
/** @typedef {{firstFrameMs: number, bitsPerSecond: number}} Start */

/** @type {readonly string[][]} */
export const ORDERS = permutations(Object.keys(LATENCIES_MS));

/** @param {string} media folder of the 2 s fMP4 @param {boolean} tls @param {import('../lab.js').Line} line */
export async function startWorld(media, tls, line) {
  const world = await network({ map: NEAR_MS, origin: ORIGIN_MS, edges: LATENCIES_MS, media, tls, ...line });
  const { edges } = world.urls;
  /** @type {Map<string, string>} URL by kind and order */
  const urls = new Map();
  const rules = ORDERS.flatMap((order) =>
    /** @type {const} */ (['redundant', 'steering', 'baseurls']).flatMap((kind) => {
      const named = order.map((name) => ({ name, url: edges[name] ?? '' }));
      const made = rulesFor(kind, media, named, edges['e20'] ?? '', NEAR_MS);
      urls.set(`${kind} ${order.join()}`, `${edges[order[0] ?? '']}${made.path}`);
      return made.rules;
    }),
  );
  await world.patch({ edges: Object.fromEntries(Object.keys(LATENCIES_MS).map((name) => [name, { rules }])) });
  return { world, media, urls };
}

/**
 * @param {import('../lab.js').Lab} lab
 * @param {Awaited<ReturnType<typeof startWorld>>} where
 * @param {Lane} lane
 * @param {readonly string[]} order names of edges
 * @returns {Promise<Start>}
 */
export function startRun(lab, { world, media, urls }, lane, order) {
  const { edges } = world.urls;
  const { manifest } = lane.player;
  const src =
    manifest === 'service'
      ? `${edges['origin']}/main.m3u8`
      : manifest === 'single'
        ? `${edges[order[0] ?? '']}/main.m3u8`
        : (urls.get(`${manifest} ${order.join()}`) ?? '');
  const attempt = () =>
    lab.onFreshPage(lane.isOurs, async (page) => {
      const settings = {
        ...{ bufferSeconds: null, isAnySize: false, plays: true, size: SIZE, edgeSelect: optionsOf(world, lane) },
        bitsPerSecond: lane.isTuned ? VHS_BITS_PER_SECOND : null,
        isLight: lane.isLight ?? false,
        // nothing goes wrong here; and a limit of 600 ms would end each start whose manifest is 200 ms away, over TLS
        limits: null,
      };
      await prepare(page, lane, media, settings, false);
      const { firstFrameMs, height } = await page.evaluate((url) => globalThis.peers.start(url), src);
      const shown = readMain(media).variants.find((variant) => variant.height === height);
      return { firstFrameMs, bitsPerSecond: shown?.bitsPerSecond ?? NaN };
    });
  return whileAwake(lab.witness, attempt, START_STOOD_MS);
}

/** @param {readonly string[]} names @returns {string[][]} */
function permutations(names) {
  if (names.length <= 1) return [[...names]];
  return names.flatMap((name) => permutations(names.filter((other) => other !== name)).map((rest) => [name, ...rest]));
}
