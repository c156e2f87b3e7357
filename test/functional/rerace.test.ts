import QUnit from 'qunit';
import { all, cleanUp, hls, network, once, playedTo, testPlayer, testWorld, type World } from './tools.js';
import { edge, EDGES_ALONE, nameserver, requests } from './worlds.js';

const { module, test } = QUnit;

module('rerace', { afterEach: cleanUp });

/** Slow enough that the stream is not loaded to its end when the second race is decided. */
const SLOW_LINE = { bitsPerSecond: 200_000 };
/** A player that plays from `a`, after a race in which `b` came later. */
async function playing(world: World): Promise<ReturnType<typeof testPlayer>> {
  const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE });
  const raced = once(player, 'edgeselect:raced');
  player.src(hls(world));
  await Promise.all([raced, playedTo(player, 0.2)]);
  return player;
}

test('a second race asks each edge by HEAD for the playlist that was asked for last, never for media', async (assert) => {
  const world = await testWorld(network({ a: SLOW_LINE, b: { latencyMs: 400 } }));
  const player = await playing(world);
  const before = (await requests(world, 'b')).length;
  const selected = once(player, 'edgeselect:selected');
  player.edgeSelect().reselect('a test');
  assert.strictEqual((await selected).selection.chosen.origin, edge(world, 'a'));
  const [ofB, ...more] = (await requests(world, 'b')).slice(before);
  assert.true(/^HEAD \/ts\/(low|high)\.m3u8$/.test(ofB ?? ''), ofB);
  assert.deepEqual(more, []);
  assert.deepEqual(
    (await requests(world, 'a')).filter((request) => request.startsWith('HEAD')),
    [ofB],
  );
});

test('a clearly quicker edge takes over in the middle of the stream, and an event says from whom and why', async (assert) => {
  const world = await testWorld(network({ a: SLOW_LINE, b: { ...SLOW_LINE, latencyMs: 400 } }));
  const player = await playing(world);
  const served = all(player, 'edgeselect:served');
  const switched = once(player, 'edgeselect:switched');
  await world.patch({ edges: { a: { latencyMs: 500 }, b: { latencyMs: 0 } } });
  player.edgeSelect().reselect('a test');
  const { from, selection, because } = await switched;
  assert.deepEqual([from, selection.chosen.origin, because], [edge(world, 'a'), edge(world, 'b'), 'a test']);
  await playedTo(player, 3);
  assert.strictEqual(served.at(-1)?.edge, edge(world, 'b'));
  assert.strictEqual(player.currentSrc(), hls(world).src);
});

test('the edge in use stays when another is not clearly quicker', async (assert) => {
  const world = await testWorld(network({ a: {}, b: { latencyMs: 400 } }));
  const player = await playing(world);
  const switches = all(player, 'edgeselect:switched');
  const selected = once(player, 'edgeselect:selected');
  await world.patch({ edges: { a: { latencyMs: 600 }, b: { latencyMs: 560 } } });
  player.edgeSelect().reselect('a test');
  assert.strictEqual((await selected).selection.chosen.origin, edge(world, 'a'));
  assert.deepEqual(switches, []);
});

test('where edges hide their timing, a second request on the connection that is warm now is what compares', async (assert) => {
  const hidden = { timingAllowOrigin: false };
  const world = await testWorld(network({ a: hidden, b: { ...hidden, latencyMs: 200, connectMs: 1000 } }));
  const player = await playing(world);
  const before = (await requests(world, 'b')).length;
  const switched = once(player, 'edgeselect:switched');
  await world.patch({ edges: { a: { latencyMs: 800 } } });
  player.edgeSelect().reselect('a test');
  assert.strictEqual((await switched).selection.chosen.origin, edge(world, 'b'));
  assert.strictEqual(
    (await requests(world, 'b')).slice(before).filter((request) => request.startsWith('HEAD')).length,
    2,
  );
});
