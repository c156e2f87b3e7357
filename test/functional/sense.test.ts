import QUnit from 'qunit';
import videojs from 'video.js';
import { sense, type Selector, type Sense, type SensedPlayer, type SensedVhs } from '../../src/playback/sense.js';
import { cleanUp, hls, network, once, playedTo, testPlayer, testWorld, type TestPlayer } from './tools.js';

const { module, test } = QUnit;

/** BANDWIDTH of the two renditions of test/media/ts: 160x90 and 128x72. */
const HIGH = 80_464;
const LOW = 54_896;

/** Of VHS and Video.js, what the types of their packages do not say. */
const { Vhs } = videojs as unknown as { Vhs: { readonly STANDARD_PLAYLIST_SELECTOR: Selector } };

const sensing = (player: TestPlayer): Sense =>
  sense(player as unknown as SensedPlayer, () => Vhs.STANDARD_PLAYLIST_SELECTOR);

/** A player without the plugin, so that what is sensed is VHS as it is. As with the style sheet, the picture fills it. */
function plain(vhs: object = {}, { width, height } = { width: 160, height: 90 }): TestPlayer {
  const player = testPlayer(null, { html5: { vhs: { useNetworkInformationApi: false, ...vhs } } });
  Object.assign(player.tech(true).el().style, { width: `${width}px`, height: `${height}px` });
  return player;
}

const renditions = (player: TestPlayer): NonNullable<NonNullable<SensedVhs['playlists']>['main']>['playlists'] =>
  (player.tech(true) as unknown as { vhs: SensedVhs }).vhs.playlists?.main?.playlists;

module('sense, of a real player', { afterEach: cleanUp });

for (const [title, size, best] of [
  ['a player as large as the best rendition sees it as the best', { width: 160, height: 90 }, HIGH],
  ['a small player sees a smaller one as the best, and so does not look thinned', { width: 100, height: 56 }, LOW],
] as const) {
  test(title, async (assert) => {
    const world = await testWorld(network({}));
    const player = plain({}, size);
    player.src(hls(world));
    await playedTo(player, 0.5);
    assert.strictEqual(sensing(player).look().best, best);
  });
}

test('the bandwidth of the moment does not matter for the best', async (assert) => {
  const world = await testWorld(network({}));
  // VHS believes that its line is slow, and loads the low one
  const player = plain({ bandwidth: 1000 });
  const looking = sensing(player);
  player.src(hls(world));
  await once(player, 'loadedmetadata');
  assert.strictEqual(looking.look().best, HIGH);
});

test('the rendition at the playhead is that of the segment there, and another may be loading', async (assert) => {
  const world = await testWorld(network({}));
  const player = plain({ bandwidth: 1000 });
  player.src(hls(world));
  await playedTo(player, 0.5);
  const { playing, loading } = sensing(player).look();
  // the first segment was chosen for a slow line, the next ones by how quickly it came
  assert.deepEqual([playing, loading], [LOW, HIGH]);
  const element = player.tech(true).el();
  for (; element.videoWidth < 160; await once(player, 'timeupdate'));
  await once(player, 'timeupdate');
  assert.strictEqual(sensing(player).look().playing, HIGH);
});

test('a rendition that VHS excluded is still the best', async (assert) => {
  const broken = [{ path: 'high-\\d', status: 404 }];
  const world = await testWorld(network({}, { origin: { rules: broken } }));
  const player = plain();
  player.src(hls(world));
  await playedTo(player, 0.5);
  const high = renditions(player)?.find(({ attributes }) => attributes?.BANDWIDTH === HIGH);
  assert.true((high?.excludeUntil ?? 0) > Date.now(), 'VHS hides it');
  const { playing, loading, best } = sensing(player).look();
  assert.deepEqual([playing, loading, best], [LOW, LOW, HIGH]);
});

test('a rendition that the viewer does not want is not the best', async (assert) => {
  const world = await testWorld(network({}));
  const player = plain();
  player.src(hls(world));
  await playedTo(player, 0.5);
  const { vhs } = player.tech(true) as unknown as {
    vhs: { representations(): { bandwidth: number; enabled(wanted: boolean): void }[] };
  };
  vhs
    .representations()
    .find(({ bandwidth }) => bandwidth === HIGH)
    ?.enabled(false);
  assert.strictEqual(sensing(player).look().best, LOW);
});

test('the buffer, the position and the length of segments are those of the player', async (assert) => {
  const world = await testWorld(network({}));
  const player = plain();
  const looking = sensing(player);
  player.src(hls(world));
  await playedTo(player, 0.5);
  player.pause();
  const { buffered, currentTime } = player.tech(true).el();
  const sensed = looking.look();
  assert.true(sensed.paused && !sensed.seeking);
  assert.strictEqual(sensed.segmentMs, 2000);
  assert.strictEqual(sensed.position, currentTime * 1000);
  const aheadMs = (buffered.end(0) - currentTime) * 1000;
  assert.true(sensed.bufferAheadMs >= aheadMs - 1, `${sensed.bufferAheadMs} of ${aheadMs}`);
});

test('all of a short stream in the buffer is complete', async (assert) => {
  const world = await testWorld(network({}));
  const player = plain();
  player.src(hls(world));
  const looking = sensing(player);
  await playedTo(player, 0.1);
  for (; !looking.look().complete; await once(player, 'timeupdate'));
  assert.true(looking.look().bufferAheadMs > 0);
});

test('sound alone and DASH are looked at without an error', async (assert) => {
  const world = await testWorld(network({}));
  const player = plain();
  const looking = sensing(player);
  player.src({ ...hls(world, 'dash/manifest.mpd'), type: 'application/dash+xml' });
  await playedTo(player, 0.5);
  const dash = looking.look();
  assert.true((dash.best ?? 0) > 0 && dash.best === dash.loading && (dash.segmentMs ?? 0) > 0);
  player.src(hls(world, 'audio/german.m3u8'));
  await playedTo(player, 0.5);
  assert.true(looking.look().bufferAheadMs > 0);
});

test('a file that the browser plays by itself has neither ladder nor segments', async (assert) => {
  const world = await testWorld(network({}));
  const player = plain();
  player.src({ ...hls(world, 'clip.mp4'), type: 'video/mp4' });
  await playedTo(player, 0.5);
  const { playing, loading, best, segmentMs, position } = sensing(player).look();
  assert.deepEqual([playing, loading, best, segmentMs], [null, null, null, null]);
  assert.true(position >= 500);
});
