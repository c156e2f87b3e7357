import QUnit from 'qunit';
import {
  all,
  asked,
  cleanUp,
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

const CLIP = /clip\.mp4/;

module('native', { afterEach: cleanUp });

test('plays a progressive file from the edge, and the site sees its own URL', async (assert) => {
  const world = await testWorld(network({ a: {}, b: { latencyMs: 150 } }));
  const player = testPlayer(patient(world));
  const selected = once(player, 'edgeselect:selected');
  player.src(clip(world));
  await playedTo(player, 1);
  assert.strictEqual((await selected).selection.chosen.origin, world.edges.a);
  assert.strictEqual(elementSrc(player), `${world.edges.a ?? ''}/clip.mp4`);
  assert.deepEqual(player.currentSource(), clip(world));
  assert.deepEqual(player.currentSources(), [clip(world)]);
  assert.strictEqual(player.currentSrc(), clip(world).src);
  assert.strictEqual(player.src(), clip(world).src);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('tells the site of its own URL, once, when the source is set', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  const told: string[] = [];
  player.on('sourceset', ({ src }: { src: string }) => {
    // of an element without a source Video.js tells too, in WebKit alone, with or without the plugin
    if (src !== '') told.push(src);
  });
  const source = { ...clip(world), keySystems: { 'org.w3.clearkey': '' } };
  player.src(source);
  await playedTo(player, 0.1);
  assert.deepEqual(told, [clip(world).src]);
  assert.deepEqual(player.currentSource(), source, 'its other members are kept');
  player.load();
  await once(player, 'loadeddata');
  assert.deepEqual(told, [clip(world).src, clip(world).src]);
  assert.strictEqual(player.currentSrc(), clip(world).src);
  assert.strictEqual(elementSrc(player), `${world.edges.a ?? ''}/clip.mp4`);
});

test('a second file of the service is held by nothing', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const first = testPlayer(patient(world));
  first.src(clip(world));
  await once(first, 'edgeselect:selected');
  const player = testPlayer(patient(world));
  const selected = once(player, 'edgeselect:selected');
  player.src(clip(world));
  await playedTo(player, 0.1);
  assert.strictEqual((await selected).selection.reason, 'known');
  assert.strictEqual((await world.of('edge:a')).filter(({ method }) => method === 'HEAD').length, 1, 'one race');
});

test('plays from the origin when the edge fails before there is a picture', async (assert) => {
  const world = await testWorld(network({ a: { rules: [{ method: 'GET', path: CLIP.source, status: 503 }] } }));
  const player = testPlayer(patient(world));
  const failedOver = once(player, 'edgeselect:failedover');
  const errors = shownErrors(player);
  player.src(clip(world));
  await playedTo(player, 0.5);
  const { from, to } = await failedOver;
  assert.deepEqual([from, to], [world.edges.a, world.edges[ORIGIN]]);
  assert.strictEqual(elementSrc(player), clip(world).src);
  assert.deepEqual(errors, [], 'Video.js showed no error meanwhile');
  assert.strictEqual((await asked(world, 'a', CLIP)).length, 1);
});

test('does not ask an edge again that failed for another player', async (assert) => {
  const broken = { rules: [{ method: 'GET', path: CLIP.source, status: 503 }] };
  const world = await testWorld(network({ a: broken, b: { latencyMs: 150 } }));
  const first = testPlayer(patient(world));
  first.src(clip(world));
  await playedTo(first, 0.1);
  const player = testPlayer(patient(world));
  player.src(clip(world));
  await playedTo(player, 0.1);
  assert.strictEqual(elementSrc(player), `${world.edges.b ?? ''}/clip.mp4`);
  assert.strictEqual((await asked(world, 'a', CLIP)).length, 1);
});

test('goes on to the next source of the list only when the origin fails too', async (assert) => {
  const world = await testWorld(network({ a: { rules: [{ method: 'HEAD', path: 'gone', body: 'here' }] } }));
  const player = testPlayer(patient(world), { retryOnError: true });
  const list = [{ src: `${world.edges[ORIGIN] ?? ''}/gone.mp4`, type: 'video/mp4' }, clip(world)];
  player.src(list);
  await once(player, 'loadeddata');
  assert.strictEqual(player.currentSrc(), clip(world).src);
  assert.true((await asked(world, 'a', /gone/)).length > 0, 'the edge was asked');
  assert.true((await asked(world, ORIGIN, /gone/)).length > 0, 'and then the origin');
});

test('is held no longer than `originAfterMs` by a nameserver that is silent', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { fault: 'swallow' } }));
  // the lookups alone would outlast the test
  const player = testPlayer(patient(world, { originAfterMs: 150, lookupTimeoutMs: 60_000 }));
  player.src(clip(world));
  await playedTo(player, 0.5);
  assert.strictEqual(elementSrc(player), clip(world).src);
});

test('is held no longer than `originAfterMs` by edges that are silent', async (assert) => {
  const world = await testWorld(network({ a: { fault: 'silent' } }));
  const player = testPlayer(patient(world, { originAfterMs: 150, preflightTimeoutMs: 60_000 }));
  player.src(clip(world));
  await playedTo(player, 0.5);
  assert.strictEqual(elementSrc(player), clip(world).src);
});

/** What the element says of CORS, and where it plays from when the quicker edge has none. */
const CORS = {
  'wins without `crossorigin`': { crossorigin: null, plays: 'a' },
  'loses with `crossorigin`': { crossorigin: 'anonymous', plays: 'b' },
};

test.each('an edge without CORS', CORS, async (assert, { crossorigin, plays }) => {
  const world = await testWorld(network({ a: { cors: false }, b: { latencyMs: 150 } }));
  const player = testPlayer(patient(world), { crossorigin });
  player.src(clip(world));
  await playedTo(player, 0.1);
  assert.strictEqual(elementSrc(player), `${world.edges[plays] ?? ''}/clip.mp4`);
  assert.strictEqual(player.error(), null);
});

test('a play() at once plays, from the edge', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 100 } }));
  const player = testPlayer(patient(world));
  player.src(clip(world));
  const playing = once(player, 'playing');
  await player.play();
  await playing;
  assert.strictEqual(elementSrc(player), `${world.edges.a ?? ''}/clip.mp4`);
});

test('a pause() while it is held keeps it paused', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 100 } }));
  const player = testPlayer(patient(world));
  player.src(clip(world));
  await once(player, 'sourceset');
  player.play().catch(() => undefined);
  player.pause();
  await once(player, 'loadeddata');
  assert.true(player.paused());
});

test('autoplay plays, from the edge', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world), { autoplay: true });
  const playing = once(player, 'playing');
  player.src(clip(world));
  await playing;
  assert.strictEqual(elementSrc(player), `${world.edges.a ?? ''}/clip.mp4`);
});

test('a second source while the first is held plays, and the first does not', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 100 } }));
  const player = testPlayer(patient(world));
  player.src({ ...clip(world), src: `${clip(world).src}?first` });
  await once(player, 'sourceset');
  player.src(clip(world));
  await playedTo(player, 0.1);
  assert.strictEqual(elementSrc(player), `${world.edges.a ?? ''}/clip.mp4`);
  assert.deepEqual(await asked(world, 'a', /first/), []);
});

test('sets nothing once the player is disposed of while it is held', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 100 } }));
  const player = testPlayer(patient(world));
  const selected = all(player, 'edgeselect:selected');
  player.src(clip(world));
  player.ready(() => undefined);
  const element = player.tech(true).el();
  player.dispose();
  // it waits for the same answers, and has been given them when it plays
  const other = testPlayer(patient(world));
  const otherSelected = until(other, 'edgeselect:selected', () => true);
  other.src({ ...clip(world), src: `${clip(world).src}?other` });
  await otherSelected;
  await playedTo(other, 0.1);
  assert.deepEqual(selected, []);
  assert.strictEqual(element.getAttribute('src'), null);
  assert.deepEqual(await asked(world, 'a', /mp4$/), []);
});

test('plays on from the edge, without a word, when the plugin is taken off', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer();
  const plugin = player.edgeSelect(patient(world));
  player.src(clip(world));
  await playedTo(player, 0.2);
  const told: string[] = [];
  for (const type of ['sourceset', 'loadstart', 'emptied', 'seeking']) player.on(type, () => told.push(type));
  plugin.dispose();
  await playedTo(player, 1);
  assert.deepEqual(told, []);
  assert.strictEqual(elementSrc(player), `${world.edges.a ?? ''}/clip.mp4`);
  assert.strictEqual(player.currentSrc(), clip(world).src);
});

test('plays from its own host when the plugin is taken off while it is held', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 400 } }));
  const player = testPlayer();
  const plugin = player.edgeSelect(patient(world));
  const isSet = once(player, 'sourceset');
  player.src(clip(world));
  await isSet;
  plugin.dispose();
  await playedTo(player, 0.2);
  assert.strictEqual(elementSrc(player), clip(world).src);
  assert.deepEqual(await asked(world, 'a', CLIP), []);
});

function clip(world: World): { src: string; type: string } {
  return { src: `${world.edges[ORIGIN] ?? ''}/clip.mp4`, type: 'video/mp4' };
}

function elementSrc(player: TestPlayer): string {
  return player.tech(true).el().src;
}

function shownErrors(player: TestPlayer): unknown[] {
  const errors: unknown[] = [];
  player.on('error', () => {
    errors.push(player.error());
  });
  return errors;
}
