import QUnit from 'qunit';
import { cleanUp, hls, logged, network, ORIGIN, once, playedTo, testPlayer, testWorld } from './tools.js';

const { module, test } = QUnit;

module('foresee', { afterEach: cleanUp });

test('asks the first question when src() is called, before Video.js comes to its middleware', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer({ nameserver: world.nameservers.map ?? '' });
  player.src(hls(world));
  player.dispose();
  await logged(world, ({ server }) => server === 'nameserver:map');
  assert.strictEqual((await world.of('nameserver:map')).length, 1);
});

test('asks it once: the search that follows joins it', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer({ nameserver: world.nameservers.map ?? '' });
  const raced = once(player, 'edgeselect:raced');
  player.src(hls(world));
  await raced;
  const names = (await world.of('nameserver:map')).map(({ body }) => (body as { name: string }).name);
  assert.deepEqual(names, ['_http._tcp.origin.localhost', 'eu1.token.localhost']);
});

test('asks it when it is called after src(), before Video.js comes to its middleware', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer();
  player.src(hls(world));
  player.edgeSelect({ nameserver: world.nameservers.map });
  player.dispose();
  await logged(world, ({ server }) => server === 'nameserver:map');
  assert.strictEqual((await world.of('nameserver:map')).length, 1);
});

test('asks nothing when it is called while the browser plays a file', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer();
  player.src({ src: `${world.edges[ORIGIN] ?? ''}/clip.mp4`, type: 'video/mp4' });
  await playedTo(player, 0.1);
  player.edgeSelect({ nameserver: world.nameservers.map });
  await playedTo(player, 0.5);
  assert.deepEqual(await world.of('nameserver:map'), []);
});

const OTHERS = {
  'that is left alone': (src: string) => ({ src, edgeSelect: false }),
  'of a host that is none of ours': (src: string) => src.replace('origin.localhost', 'other.localhost'),
};
test.each('asks nothing for a source', OTHERS, async (assert, other) => {
  const world = await testWorld(network({ a: {} }));
  const options = { nameserver: world.nameservers.map ?? '' };
  const player = testPlayer(options);
  const source = hls(world);
  const raced = once(player, 'edgeselect:raced');
  player.src(source);
  await raced;
  const before = (await world.of('nameserver:map')).length;
  player.src(other(source.src.replace('ts/', 'fmp4/')));
  player.src(source);
  await playedTo(player, 0.1);
  assert.strictEqual((await world.of('nameserver:map')).length, before);
});

test('gives src() back as it was when it is disposed of', (assert) => {
  const player = testPlayer();
  const { src } = player;
  const edgeSelect = player.edgeSelect({ nameserver: 'http://127.0.0.1:1/' });
  assert.notStrictEqual(player.src, src);
  edgeSelect.dispose();
  assert.strictEqual(player.src, src);
});

test('a function that the site puts over src() stays there', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer();
  const edgeSelect = player.edgeSelect({ nameserver: world.nameservers.map });
  const below = player.src.bind(player);
  const seen: unknown[] = [];
  player.src = (source?: unknown): string => {
    if (source !== undefined) seen.push(source);
    return below(source);
  };
  const { src } = player;
  edgeSelect.dispose();
  assert.strictEqual(player.src, src);
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.strictEqual(seen.length, 1);
  assert.deepEqual(await world.of('nameserver:map'), [], 'and below it nothing is asked any more');
});

test('while bypassed VHS makes its own requests, as it would without us', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { fault: 'nxdomain' } }));
  const player = testPlayer({ nameserver: world.nameservers.map ?? '' });
  const bypassed = once(player, 'edgeselect:bypassed');
  player.src(hls(world));
  await bypassed;
  player.on('xhr-hooks-ready', () => {
    player.tech(true).vhs?.xhr.onRequest((options) => {
      seen.push('xhr' in options);
      return options;
    });
  });
  const seen: boolean[] = [];
  const again = once(player, 'edgeselect:bypassed');
  player.src(hls(world, 'fmp4/main.m3u8'));
  await again;
  await playedTo(player, 0.5);
  assert.false(seen.slice(1).includes(true), 'all but the first, which was asked for before that was known');
  assert.notDeepEqual(await world.of(`edge:${ORIGIN}`), []);
});
