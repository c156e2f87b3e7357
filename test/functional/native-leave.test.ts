import QUnit from 'qunit';
import { clip, clockPasses, elementSrc, GONE, ONLY_GET, playing, ranDry } from './changing.js';
import {
  all,
  asked,
  cleanUp,
  engine,
  logged,
  network,
  once,
  ORIGIN,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  type TestPlayer,
} from './tools.js';

const { module, test } = QUnit;

/** Where an edge has no ranges, others than Chromium read from the beginning up to their position. */
const NEEDS_RANGES = engine === 'chromium';

module('native leave', { afterEach: cleanUp });

test('plays on from the origin when every edge is dead', async (assert) => {
  const { world, player, left } = await playing();
  const dead: string[] = [];
  player.on('edgeselect:failedover', ({ from }: { from: string }) => dead.push(from));
  await world.patch({ edges: { a: { fault: 'refuse' }, b: { fault: 'refuse' } } });
  await left;
  await clockPasses(player, player.currentTime() + 1);
  assert.deepEqual(dead, [world.edges.a, world.edges.b]);
  assert.strictEqual(elementSrc(player), clip(world).src);
  assert.strictEqual(player.error(), null);
});

test('shows an error once the origin fails too', async (assert) => {
  const { world, player } = await playing({ a: GONE });
  const gone = { fault: 'status:404' };
  await world.patch({ edges: { b: gone, [ORIGIN]: gone } });
  await once(player, 'error');
  assert.strictEqual(player.error()?.code, MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED);
  assert.true((await asked(world, ORIGIN, /clip/)).length > 0);
});

test('goes on to the next edge when one ignores ranges, where it then cannot begin in the middle', async (assert) => {
  const { world, player, left } = await playing();
  // a position within the first half second is the beginning
  await playedTo(player, 0.6);
  const failures = all(player, 'edgeselect:failedover');
  const [a, b] = [
    { fault: 'refuse' },
    { rules: [{ ...ONLY_GET, ignoresRange: true, headers: { 'accept-ranges': null } }] },
  ];
  await world.patch({ edges: { a, b } });
  await left;
  const clock: number[] = [];
  player.on('timeupdate', () => clock.push(player.currentTime()));
  const position = player.currentTime();
  await clockPasses(player, position + 1);
  // where the clock is set it may be some frames off
  assert.true(
    Math.min(...clock) > position - 0.2,
    `and nobody sees it begin anew: ${Math.min(...clock)} of ${position}`,
  );
  const [, again] = failures.map(({ because }) => because);
  assert.strictEqual(again, NEEDS_RANGES ? 'range' : undefined);
  assert.strictEqual(elementSrc(player), NEEDS_RANGES ? clip(world).src : `${world.edges.b ?? ''}/clip.mp4`);
});

test('blames nobody while nobody answers, and plays on when the line is back', async (assert) => {
  const { world, player } = await playing();
  const failures = all(player, 'edgeselect:failedover');
  const silent = { fault: 'silent' };
  // the browser says so after 3 s: twice the patience of an element
  const waited = Promise.all([once(player, 'stalled'), ranDry(player)]);
  await world.patch({ edges: { a: silent, b: silent, [ORIGIN]: silent } });
  await waited;
  const position = player.currentTime();
  const well = { fault: null };
  await world.patch({ edges: { a: well, b: well, [ORIGIN]: well } });
  await clockPasses(player, position + 1);
  assert.strictEqual(failures.length, 0);
  assert.strictEqual(elementSrc(player), `${world.edges.a ?? ''}/clip.mp4`);
});

/** What a viewer would lose by a change, as the browser shows it. Headless Chromium has no such window: it is told to. */
const FIXED = {
  'in a small window of its own': (player: TestPlayer) => {
    const small = { configurable: true, get: () => player.tech(true).el() };
    Object.defineProperty(document, 'pictureInPictureElement', small);
    return () => Reflect.deleteProperty(document, 'pictureInPictureElement');
  },
  'interrupted by an ad': (player: TestPlayer) => {
    player.ads = { inAdBreak: () => true };
    return () => delete player.ads;
  },
};

test.each('changes nothing while the picture is', FIXED, async (assert, fix) => {
  const { world, player } = await playing();
  const failures = all(player, 'edgeselect:failedover');
  const free = fix(player);
  const waited = Promise.all([once(player, 'stalled'), ranDry(player)]);
  await world.patch({ edges: { a: { fault: 'silent' } } });
  await waited;
  await logged(world, ({ server, method, url }) => server === 'edge:b' && method === 'HEAD' && url === '/');
  assert.deepEqual([...failures], []);
  const position = player.currentTime();
  free();
  await clockPasses(player, position + 1);
  assert.strictEqual(failures.length, 1, 'only afterwards');
  assert.strictEqual(elementSrc(player), `${world.edges.b ?? ''}/clip.mp4`);
});

test('leaves an error in a small window to Video.js', async (assert) => {
  const { player } = await playing({ a: GONE });
  const failures = all(player, 'edgeselect:failedover');
  const free = FIXED['in a small window of its own'](player);
  // WebKitGTK tells of no error in mid-play: it waits
  await (engine === 'webkit' ? ranDry(player) : once(player, 'error'));
  assert.strictEqual(player.error()?.code, engine === 'webkit' ? undefined : MediaError.MEDIA_ERR_NETWORK);
  assert.deepEqual([...failures], []);
  free();
});

test('leaves a server that is silent from the first byte for the origin', async (assert) => {
  const world = await testWorld(network({ a: { rules: [{ ...ONLY_GET, silent: true }] } }));
  const player = testPlayer(patient(world, { stallMs: 600 }));
  player.src(clip(world));
  await playedTo(player, 0.5);
  assert.strictEqual(elementSrc(player), clip(world).src);
});
