import QUnit from 'qunit';
import { clockPasses, elementSrc, clip, GONE, longestGap, playing, printGap, RATE, toldOf } from './changing.js';
import { cleanUp, engine, hls, network, once, patient, playedTo, testPlayer, testWorld } from './tools.js';

const { module, test } = QUnit;

/** How an edge dies in mid-play. `because`: what the event says; `says`: the printed line. */
const DEATHS = {
  // Firefox gives up at once, others try again by themselves
  'refuses and resets': { says: 'refused', fault: 'refuse', because: engine === 'firefox' ? 'refused' : 'stalled' },
  'falls silent': { says: 'silent', fault: 'silent', because: 'stalled' },
  'cuts the body and does not know the file any more': {
    says: 'cut, then 404',
    ...GONE,
    // WebKitGTK tells of no error in mid-play
    because: engine === 'webkit' ? 'stalled' : 'refused',
  },
};

module('native change', { afterEach: cleanUp });

test.each('plays on elsewhere when the edge in use', DEATHS, async (assert, { says, because, ...death }) => {
  const { world, player, left } = await playing({ a: 'rules' in death ? death : {}, rate: 1 });
  const told = toldOf(player);
  const gap = longestGap(player);
  // with more loaded than the patience lasts
  await clockPasses(player, 1.5);
  if ('fault' in death) await world.patch({ edges: { a: death } });
  const { because: why } = await left;
  await clockPasses(player, player.currentTime() + 1);
  printGap(gap(), says);
  assert.strictEqual(why, because);
  assert.strictEqual(elementSrc(player), `${world.edges.b ?? ''}/clip.mp4`);
  assert.deepEqual(told, [], 'nobody hears of a new source');
  assert.deepEqual(player.currentSource(), clip(world));
  assert.strictEqual(player.currentSrc(), clip(world).src);
  assert.strictEqual(player.src(), clip(world).src);
  assert.true(gap() < 10_000, 'and the gap is no more than the silence that shows it');
});

test('the clock never shows another time than that of the picture', async (assert) => {
  const { player, left } = await playing({ a: GONE });
  const clock: number[] = [];
  const read = (): void => {
    clock.push(player.currentTime());
  };
  for (const name of ['timeupdate', 'waiting', 'progress', 'canplay', 'playing', 'suspend']) player.on(name, read);
  await left;
  await clockPasses(player, player.currentTime() + 1);
  assert.deepEqual(
    clock,
    [...clock].sort((a, b) => a - b),
    'it goes one way',
  );
  assert.strictEqual(player.duration(), player.tech(true).el().duration);
});

test('keeps rate, volume, sound, loop, and what texts are shown', async (assert) => {
  const { player, left } = await playing({ a: GONE });
  const element = player.tech(true).el();
  const track = element.addTextTrack('subtitles', 'English', 'en');
  track.mode = 'showing';
  Object.assign(element, { volume: 0.25, muted: false, loop: true });
  player.playbackRate(1.5);
  await once(player, 'ratechange');
  const told = toldOf(player);
  await left;
  await clockPasses(player, player.currentTime() + 1);
  const { playbackRate, volume, muted, loop } = element;
  assert.deepEqual(
    { playbackRate, volume, muted, loop },
    { playbackRate: 1.5, volume: 0.25, muted: false, loop: true },
  );
  assert.strictEqual(track.mode, 'showing');
  assert.deepEqual(told, []);
});

test('stays paused, with the picture of its position, when the edge fails meanwhile', async (assert) => {
  // as it is: a change of rate that is under way makes WebKitGTK play again
  const { world, player, left } = await playing({ rate: 1, playerOptions: { autoplay: true } });
  player.tech(true).el().poster = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
  player.pause();
  await once(player, 'pause');
  const told = toldOf(player);
  await world.patch({ edges: { a: { fault: 'refuse' } } });
  // in Firefox `seeked` is the last of them, in Chromium `canplay`
  const showing = Promise.all([once(player, 'seeked'), once(player, 'canplay')]);
  player.currentTime(30);
  await left;
  await showing;
  const element = player.tech(true).el();
  assert.strictEqual(element.src, `${world.edges.b ?? ''}/clip.mp4`);
  assert.true(player.paused());
  assert.strictEqual(Math.round(player.currentTime()), 30);
  assert.true(element.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA, 'there is a picture');
  assert.deepEqual(told, ['seeking', 'seeked'], 'of which only the viewer had a part');
  assert.true(element.hasAttribute('poster'), 'what it had before it has again');
});

test('goes on where the viewer sought to when the edge fails while seeking', async (assert) => {
  const { world, player, left } = await playing();
  await world.patch({ edges: { a: { fault: 'silent' } } });
  const told = toldOf(player);
  player.currentTime(30);
  await left;
  await clockPasses(player, 31);
  assert.true(player.currentTime() < 35);
  assert.strictEqual(elementSrc(player), `${world.edges.b ?? ''}/clip.mp4`);
  assert.deepEqual(told, ['seeking', 'seeked']);
});

test('a viewer who seeks and pauses while the source changes gets both', async (assert) => {
  const { world, player, left } = await playing();
  const loading = once(player, 'waiting');
  await world.patch({ edges: { a: { fault: 'refuse' }, b: { latencyMs: 400 } } });
  await left;
  const told = toldOf(player);
  await loading;
  player.currentTime(30);
  player.pause();
  await once(player, 'seeked');
  assert.strictEqual(Math.round(player.currentTime()), 30);
  assert.true(player.paused());
  assert.deepEqual(told, ['pause', 'seeking', 'seeked']);
});

test('tells a site that listens to `sourceset` of nothing', async (assert) => {
  const { player, left } = await playing({ a: GONE, playerOptions: { enableSourceset: true } });
  const told = toldOf(player);
  await left;
  await clockPasses(player, player.currentTime() + 1);
  assert.deepEqual(told, []);
});

const PLAYS_HLS = document.createElement('video').canPlayType('application/x-mpegURL') !== '';

test('plays HLS on elsewhere where a site leaves it to the browser, which has VHS play what it cannot', async (assert) => {
  const world = await testWorld(network({ a: RATE, b: { latencyMs: 100 } }, { media: 'demo/media' }));
  // an element tells of a segment when that is whole: 25 times this
  const player = testPlayer(patient(world, { stallMs: 100 }), { html5: { vhs: { overrideNative: false } } });
  const source = hls(world, 'hls/360p.m3u8');
  const left = once(player, 'edgeselect:failedover');
  player.src(source);
  await playedTo(player, 1);
  assert.strictEqual(player.tech(true).vhs === undefined, PLAYS_HLS);
  const told = toldOf(player);
  const gap = longestGap(player);
  await world.patch({ edges: { a: { fault: 'refuse' } } });
  await left;
  await clockPasses(player, player.currentTime() + 1);
  printGap(gap(), PLAYS_HLS ? 'native HLS' : 'HLS');
  assert.true(
    elementSrc(player).startsWith(PLAYS_HLS ? `${world.edges.b ?? ''}/hls/360p.m3u8` : 'blob:'),
    elementSrc(player),
  );
  assert.strictEqual(player.currentSrc(), source.src);
  assert.deepEqual(told, []);
});
