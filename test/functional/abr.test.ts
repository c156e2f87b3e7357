import QUnit from 'qunit';
import {
  all,
  cleanUp,
  network,
  ORIGIN,
  once,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  type Entry,
  type TestPlayer,
} from './tools.js';

const { module, test } = QUnit;

/** Twice what the best rendition needs, and a segment of it takes 1.5 s: the hiccups of a busy machine weigh little. */
const BITS_PER_SECOND = 800_000;
const RATE = { bitsPerSecond: BITS_PER_SECOND };
/** The segment of the best rendition that the quicker edge does badly. */
const BENT = '/hls/360p-02.ts';
/** So many are looked at: that one, and those after it. */
const MEASURES = 4;
const path = `^${BENT.replace('.', '\\.')}$`;
/** Well into a segment of 145 kB. */
const MIDDLE = 70_000;

/** The best rendition fits the rate; a player as small as those of the tests would not want it. */
const VHS = { useNetworkInformationApi: false, limitRenditionByPlayerDimensions: false };

declare const __karma__: { log(level: string, lines: readonly string[]): void };

/** What VHS believes of its bandwidth, after each segment. */
interface Measure {
  readonly url: string;
  readonly bitsPerSecond: number;
}

interface Rendition {
  readonly excludeUntil?: number;
}

interface AbrTech {
  on(type: string, listener: () => void): void;
  readonly vhs: {
    readonly stats: { readonly bandwidth: number };
    readonly playlists: { readonly main: { readonly playlists: readonly Rendition[] } };
  };
}

const techOf = (player: TestPlayer): AbrTech => player.tech(true) as unknown as AbrTech;

module('abr', { afterEach: cleanUp });

/** How the two edges treat one segment. */
const FAULTS: Readonly<Record<string, { readonly quick: object; readonly slow?: object }>> = {
  'falls silent in the middle': { quick: { stallAfterBytes: MIDDLE } },
  'falls silent in the middle, and it sends all of it again': {
    quick: { stallAfterBytes: MIDDLE },
    slow: { ignoresRange: true },
  },
  'cuts the body short': { quick: { cutAfterBytes: MIDDLE } },
  'resets the connection in the middle': { quick: { resetAfterBytes: MIDDLE } },
  'becomes slow in the middle': { quick: { slowAfterBytes: MIDDLE, bitsPerSecond: 40_000 } },
  'sends no first byte': { quick: { silent: true } },
  'answers 503': { quick: { status: 503 } },
};

test.each(
  'VHS sees the rate of the edge that serves, and gives up no rendition, when the one before it',
  FAULTS,
  async (assert, { quick, slow }) => {
    const edges = {
      quick: { ...RATE, rules: [{ path, ...quick }] },
      slow: { ...RATE, latencyMs: 150, rules: slow ? [{ path, ...slow }] : [] },
    };
    const world = await testWorld(network(edges, { media: 'demo/media' }));
    // short of the 4.5 s that VHS gives a segment
    const player = testPlayer(patient(world, { stallMs: 1200 }), { html5: { vhs: VHS } });
    const raced = once(player, 'edgeselect:raced');
    const failed = all(player, 'edgeselect:failedover');
    const served = all(player, 'edgeselect:served');
    const measures: Measure[] = [];
    let measured = (): void => undefined;
    const enough = new Promise<void>((resolve) => {
      measured = resolve;
    });
    player.src({ src: `${world.edges[ORIGIN] ?? ''}/hls/main.m3u8`, type: 'application/x-mpegURL' });
    await raced;
    // from here on it is as near as the other: what is left of the difference is the rate
    await world.patch({ edges: { slow: { latencyMs: 0 } } });
    techOf(player).on('bandwidthupdate', () => {
      const last = served.filter(({ url }) => url.endsWith('.ts')).at(-1);
      if (!last) return;
      measures.push({ url: new URL(last.url).pathname, bitsPerSecond: techOf(player).vhs.stats.bandwidth });
      if (measuredAfter(measures).length >= MEASURES) measured();
    });
    await Promise.all([enough, playedTo(player, 1)]);
    assert.deepEqual(
      failed.map(({ url, from }) => [new URL(url).pathname, from]),
      [[BENT, world.edges.quick]],
      'one failover, and no other',
    );
    const log = await world.log();
    for (const { url, bitsPerSecond } of measuredAfter(measures)) {
      const off = bitsPerSecond / trueRate(log, url) - 1;
      const text = `${url}: ${(100 * off).toFixed(1)} % off ${(trueRate(log, url) / 1e6).toFixed(2)} Mbit/s`;
      __karma__.log('log', [text]);
      assert.true(Math.abs(off) <= 0.15, text);
    }
    assert.deepEqual(
      techOf(player).vhs.playlists.main.playlists.map(({ excludeUntil = 0 }) => excludeUntil),
      [0, 0, 0],
    );
    const aborted = log.filter((entry) => entry.aborted).map(({ server, url }) => `${server} ${url}`);
    assert.deepEqual(
      aborted.filter((one) => one !== `edge:quick ${BENT}`),
      [],
      'no early abort',
    );
  },
);

/** From the segment that was done badly on. */
function measuredAfter(measures: readonly Measure[]): readonly Measure[] {
  const from = measures.findIndex(({ url }) => url === BENT);
  return from < 0 ? [] : measures.slice(from);
}

/** As the edge that served the end of it measured it: on a busy machine it is below what was wanted. */
function trueRate(log: readonly Entry[], url: string): number {
  const [last] = log
    .filter((entry) => entry.url === url && entry.server === 'edge:slow' && entry.method === 'GET')
    .reverse();
  const ms = (last?.tEnd ?? 0) - (last?.t ?? 0);
  return ((last?.bytes ?? 0) * 8000) / ms;
}
