import QUnit from 'qunit';
import { all, cleanUp, hls, network, once, playedTo, testPlayer, testWorld } from './tools.js';
import { edge, EDGES_ALONE, nameserver } from './worlds.js';

const { module, test } = QUnit;

module('select', { afterEach: cleanUp });

test('plays from the quickest edge, which the method finds', async (assert) => {
  const world = await testWorld(
    network({ a: { latencyMs: 120 }, b: { latencyMs: 10 }, c: { latencyMs: 200 } }, { origin: { latencyMs: 300 } }),
  );
  const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE });
  const selected = once(player, 'edgeselect:selected');
  const reported = once(player, 'edgeselect:reported');
  const served = all(player, 'edgeselect:served');
  player.src(hls(world));
  const { selection } = await selected;
  assert.strictEqual(selection.chosen.origin, edge(world, 'b'));
  await playedTo(player, 3);
  await reported;
  assert.ok(
    served.every(({ edge: by }) => by === edge(world, 'b')),
    'every request was served by it',
  );
  const media = (await world.of('edge:origin')).filter(({ url }) => url.endsWith('.ts'));
  assert.strictEqual(media.length, 0, 'the origin served no segment');
  assert.strictEqual(player.currentSrc(), hls(world).src, 'the site sees its own URL');
});
