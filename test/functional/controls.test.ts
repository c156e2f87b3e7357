import QUnit from 'qunit';
import {
  all,
  asked,
  cleanUp,
  logged,
  network,
  ORIGIN,
  once,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  until,
  type TestPlayer,
  type World,
} from './tools.js';

const { module, test } = QUnit;

/** A segment of 3 s takes 1.1 s: there is a buffer, and something left to load. */
const RATE = { bitsPerSecond: 400_000 };
const SEGMENT = /\.ts$/;
/** Seconds that are in the buffer before anything goes wrong. */
const BUFFER = 5;

module("controls: what is nobody's fault", { afterEach: cleanUp });

/** Plays from a, with b and the origin there as well, and some seconds in the buffer. */
async function playing(): Promise<{ readonly world: World; readonly player: TestPlayer }> {
  const edges = { a: RATE, b: { ...RATE, latencyMs: 100 } };
  const world = await testWorld(network(edges, { media: 'demo/media', origin: RATE }));
  // the plugin's own patience: what comes of it is the test
  const player = testPlayer(patient(world, { stallMs: 600 }));
  player.src({ src: `${world.edges[ORIGIN] ?? ''}/hls/180p.m3u8`, type: 'application/x-mpegURL' });
  await playedTo(player, 0.2);
  await buffered(player, BUFFER);
  return { world, player };
}

/** Once there are so many seconds in the buffer. */
function buffered(player: TestPlayer, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      const { buffered: ranges } = player.tech(true).el();
      if (ranges.length === 0 || ranges.end(ranges.length - 1) - player.currentTime() < seconds) return;
      player.off('timeupdate', check);
      resolve();
    };
    player.on('timeupdate', check);
  });
}

test.each(
  'nobody answers for 2 s, and the stream plays on from where it did',
  { 'all are silent': 'silent', 'all refuse': 'refuse' },
  async (assert, fault) => {
    const { world, player } = await playing();
    const switched = all(player, 'edgeselect:switched');
    const waits = all(player, 'waiting' as 'edgeselect:switched');
    const trouble = (to: string | null): Promise<void> =>
      world.patch({ edges: { a: { fault: to }, b: { fault: to }, [ORIGIN]: { fault: to } } });
    await trouble(fault);
    const before = (await world.log()).length;
    await playedTo(player, player.currentTime() + 2);
    const during = (await world.log()).slice(before).map(({ server }) => server);
    await trouble(null);
    const from = (await world.log()).length;
    await until(player, 'edgeselect:served', ({ url }) => url.endsWith('.ts'));
    await until(player, 'edgeselect:served', ({ url }) => url.endsWith('.ts'));
    await playedTo(player, player.currentTime() + 3);
    assert.strictEqual(player.edgeSelect().selection?.chosen.origin, world.edges.a);
    const after = (await world.log()).slice(from).filter(({ url, method }) => method === 'GET' && url.endsWith('.ts'));
    assert.strictEqual(after.at(-1)?.server, 'edge:a', 'it is not in cool-down');
    assert.deepEqual(switched, []);
    assert.deepEqual(waits, [], 'the buffer bore it');
    assert.strictEqual(player.error(), null);
    if (fault === 'silent') assert.true(during.includes('edge:b'), 'the others were asked meanwhile');
  },
);

module('controls: every edge is out', { afterEach: cleanUp });

test('the origin serves, and only when it fails too are the edges asked again', async (assert) => {
  const { world, player } = await playing();
  const failed = all(player, 'edgeselect:failedover');
  const bad = { rules: [{ path: SEGMENT.source, status: 503 }] };
  await world.patch({ edges: { a: bad, b: bad } });
  const isFrom =
    (server: string) =>
    ({ url, edge }: { url: string; edge: string }): boolean =>
      url.endsWith('.ts') && edge === world.edges[server];
  await until(player, 'edgeselect:served', isFrom(ORIGIN));
  const before = failed.length;
  const edgesAsked = async (): Promise<number> =>
    (await asked(world, 'a', SEGMENT)).length + (await asked(world, 'b', SEGMENT)).length;
  const count = await edgesAsked();
  await until(player, 'edgeselect:served', isFrom(ORIGIN));
  assert.strictEqual(failed.length, before, 'it was asked first');
  assert.strictEqual(await edgesAsked(), count, 'and nobody else');
  await world.patch({ edges: { a: { rules: [] }, b: { rules: [] }, [ORIGIN]: bad } });
  const back = once(player, 'edgeselect:failedover');
  await until(player, 'edgeselect:served', ({ url, edge }) => url.endsWith('.ts') && edge !== world.edges[ORIGIN]);
  assert.strictEqual((await back).from, world.edges[ORIGIN]);
  assert.strictEqual(player.error(), null);
});

test('the edges that refuse are known at once to be out: the origin serves the same request', async (assert) => {
  const { world, player } = await playing();
  const failed = all(player, 'edgeselect:failedover');
  await world.patch({ edges: { a: { fault: 'refuse' }, b: { fault: 'refuse' } } });
  const { url } = await until(player, 'edgeselect:served', ({ edge }) => edge === world.edges[ORIGIN]);
  assert.deepEqual(
    failed.filter((one) => one.url === url).map(({ from, to }) => [from, to]),
    [
      [world.edges.a, world.edges.b],
      [world.edges.b, world.edges[ORIGIN]],
    ],
  );
  await logged(world, ({ server, url: path }) => server === `edge:${ORIGIN}` && path.endsWith('.ts'));
});
