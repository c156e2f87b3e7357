import QUnit from 'qunit';
import videojs from 'video.js';
import {
  all,
  asked,
  cleanUp,
  hls,
  network,
  ORIGIN,
  once,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  until,
  type VhsXhr,
} from './tools.js';

const { module, test } = QUnit;

const SEGMENT = /\.ts$/;
/** Every segment, and no playlist: the edge wins the race. */
const path = SEGMENT.source;

module('failover', { afterEach: cleanUp });

/** How the quicker edge treats segments, and what the event says of it. */
const FAULTS = {
  'resets the connection': { rule: { reset: true }, because: 'refused', status: 0 },
  'answers 503': { rule: { status: 503 }, because: 'status', status: 503 },
  'answers 429': { rule: { status: 429 }, because: 'status', status: 429 },
  'sends no first byte': { rule: { silent: true }, because: 'silent', status: 0 },
  'stops in the middle': { rule: { stallAfterBytes: 4000 }, because: 'stalled', status: 200 },
  'cuts the body short': { rule: { cutAfterBytes: 4000 }, because: 'short', status: 200 },
  'answers a page of HTML': { rule: { html: true }, because: 'notmedia', status: 200 },
};

test.each('plays on from the next edge when the chosen one', FAULTS, async (assert, { rule, because, status }) => {
  const world = await testWorld(quickAndSlow({ rules: [{ path, ...rule }] }));
  // patient enough for a busy machine, and short of the 3 s that VHS gives a segment
  const player = testPlayer(patient(world, { stallMs: 1200 }));
  const failed = all(player, 'edgeselect:failedover');
  const switched = once(player, 'edgeselect:switched');
  player.src(hls(world));
  const lastSegment = until(player, 'edgeselect:served', ({ url }) => url.endsWith('-5.ts'));
  await playedTo(player, 0.5);
  await lastSegment;
  const { quick: from, slow: to } = world.edges;
  assert.deepEqual(
    failed.map((event) => ({ from: event.from, to: event.to, because: event.because, status: event.status })),
    [{ from, to, because, status }],
    'one request failed, and the others avoided the edge',
  );
  assert.deepEqual(
    failed.filter(({ url }) => !url.startsWith(world.edges[ORIGIN] ?? '-')),
    [],
    'the event names the URL of the service',
  );
  assert.strictEqual((await switched).selection.chosen.origin, world.edges.slow);
  // a browser asks again by itself on a connection that was reset: URLs are counted, not requests
  assert.strictEqual(new Set((await asked(world, 'quick', SEGMENT)).map((entry) => entry.url)).size, 1);
  assert.strictEqual((await asked(world, 'slow', SEGMENT)).length, 6);
  assert.deepEqual(await asked(world, ORIGIN), []);
  assert.strictEqual(player.error(), null);
});

test('plays on from the next edge when the chosen one refuses connections', async (assert) => {
  const world = await testWorld(quickAndSlow());
  const first = testPlayer(patient(world));
  const raced = once(first, 'edgeselect:raced');
  first.src(hls(world));
  await raced;
  first.dispose();
  await world.patch({ edges: { quick: { fault: 'refuse' } } });
  const player = testPlayer(patient(world));
  const failedOver = once(player, 'edgeselect:failedover');
  player.src(hls(world));
  await playedTo(player, 0.5);
  const { because, from, to } = await failedOver;
  assert.deepEqual([because, from, to], ['refused', world.edges.quick, world.edges.slow]);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('asks another edge for a segment that is missing at one, and does not blame it', async (assert) => {
  const world = await testWorld(quickAndSlow({ rules: [{ path: '-1\\.ts$', status: 404 }] }));
  const player = testPlayer(patient(world));
  const failed = all(player, 'edgeselect:failedover');
  const served = all(player, 'edgeselect:served');
  player.src(hls(world));
  const lastSegment = until(player, 'edgeselect:served', ({ url }) => url.endsWith('-5.ts'));
  await playedTo(player, 0.5);
  await lastSegment;
  assert.deepEqual(
    failed.map(({ to, because, status }) => ({ to, because, status })),
    [{ to: world.edges.slow, because: 'status', status: 404 }],
  );
  const servers = served.filter(({ url }) => url.endsWith('.ts')).map(({ edge }) => edge);
  const { quick, slow } = world.edges;
  assert.deepEqual(servers, [quick, slow, quick, quick, quick, quick]);
});

test('asks the origin when every edge fails, and plays', async (assert) => {
  const broken = { rules: [{ path, status: 503 }] };
  const world = await testWorld(quickAndSlow(broken, broken));
  const player = testPlayer(patient(world));
  const failed = all(player, 'edgeselect:failedover');
  player.src(hls(world));
  const lastSegment = until(player, 'edgeselect:served', ({ url }) => url.endsWith('-5.ts'));
  await playedTo(player, 0.5);
  const { edge } = await lastSegment;
  const { quick, slow, [ORIGIN]: origin } = world.edges;
  assert.strictEqual(edge, origin);
  assert.deepEqual(
    failed.map(({ from, to }) => [from, to]),
    [
      [quick, slow],
      [slow, origin],
    ],
  );
  assert.strictEqual((await asked(world, ORIGIN, SEGMENT)).length, 6, 'the edges are left alone from then on');
  assert.strictEqual(player.error(), null);
});

test('asks the origin for what two edges deny, and from the second time on for all of its kind', async (assert) => {
  const closed = { rules: [{ path, status: 403 }] };
  const world = await testWorld(quickAndSlow(closed, closed));
  const player = testPlayer(patient(world));
  const warned = all(player, 'edgeselect:warned');
  player.src(hls(world));
  const lastSegment = until(player, 'edgeselect:served', ({ url }) => url.endsWith('-5.ts'));
  await playedTo(player, 0.5);
  await lastSegment;
  assert.strictEqual((await asked(world, 'quick', SEGMENT)).length, 2);
  assert.strictEqual((await asked(world, 'slow', SEGMENT)).length, 2);
  assert.strictEqual((await asked(world, ORIGIN, SEGMENT)).length, 6);
  assert.strictEqual(warned.length, 1);
});

test("gives VHS the origin's own error when nobody has a URL", async (assert) => {
  const world = await testWorld(quickAndSlow());
  const player = testPlayer(patient(world, { originAfterMs: 100 }));
  const shown = once(player, 'error');
  player.src(hls(world, 'none/main.m3u8'));
  await shown;
  assert.strictEqual((await asked(world, ORIGIN, /none/)).length, 1, 'the origin was asked once');
  assert.notStrictEqual(player.error(), null);
});

/** Where an edge sends a request for the main playlist, what VHS is told, and who is asked for what follows. */
const REDIRECTS = {
  'inside the edge is mapped back': { to: '', told: ORIGIN, follows: 'quick' },
  'to a foreign host is reported as it is': { to: 'elsewhere', told: 'elsewhere', follows: 'elsewhere' },
};

test.each('a redirect', REDIRECTS, async (assert, { to, told, follows }) => {
  const { edges, ...rest } = quickAndSlow() as { edges: object };
  const world = await testWorld({ ...rest, edges: { ...edges, elsewhere: {} } });
  const redirect = `${world.edges[to] ?? ''}/fmp4/main.m3u8`;
  await world.patch({ edges: { quick: { rules: [{ path: '^/ts/main', redirect }] } } });
  const player = testPlayer(patient(world));
  const urls = responseUrls();
  player.src(hls(world));
  await playedTo(player, 0.5);
  assert.strictEqual(urls.seen[0], `${world.edges[told] ?? ''}/fmp4/main.m3u8`);
  urls.stop();
  assert.true((await asked(world, follows, /fmp4\/low-0\.m4s/)).length === 1);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('shows VHS the rate of the edge that served, and not the time lost at one that did not', async (assert) => {
  const bitsPerSecond = 400_000;
  // of the segments only the first is to be had, so that no later one is what VHS measured last
  const onlyFirst = { path: '-[1-5]\\.ts$', silent: true };
  const world = await testWorld(
    network(
      { quick: { rules: [{ path, silent: true }] }, slow: { latencyMs: 150, bitsPerSecond, rules: [onlyFirst] } },
      { origin: { rules: [onlyFirst] } },
    ),
  );
  // 16 kB take a third of a second at that rate, and half a second with the latency: with the silence it would be two
  const player = testPlayer(patient(world, { stallMs: 1500 }));
  const failedOver = once(player, 'edgeselect:failedover');
  player.src(hls(world));
  await playedTo(player, 0.2);
  assert.strictEqual(((await failedOver) as { because: string }).because, 'silent');
  const seen = player.tech(true).vhs?.stats.bandwidth ?? 0;
  assert.true(seen > bitsPerSecond / 2.5 && seen < bitsPerSecond * 1.5, `VHS measured ${seen} bit/s`);
});

/** The quicker edge is chosen, on a busy machine too. */
function quickAndSlow(quick: object = {}, slow: object = {}): object {
  return network({ quick, slow: { latencyMs: 150, ...slow } });
}

/** What requests of VHS say where their answer came from. */
function responseUrls(): { readonly seen: readonly string[]; stop(): void } {
  const { xhr } = (videojs as unknown as { Vhs: { xhr: VhsXhr } }).Vhs;
  const seen: string[] = [];
  const hook = ({ responseURL }: XMLHttpRequest): void => {
    seen.push(responseURL);
  };
  xhr.onResponse(hook);
  return {
    seen,
    stop: () => {
      xhr.offResponse(hook);
    },
  };
}
