import QUnit from 'qunit';
import {
  all,
  asked,
  cleanUp,
  loadedToTheEnd,
  network,
  ORIGIN,
  once,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  until,
  type World,
} from './tools.js';

const { module, test } = QUnit;

const HLS = 'application/x-mpegURL';
const DASH = 'application/dash+xml';

/** `parts`: what the edge must have served of each. */
const FORMATS = [
  { name: 'HLS of MPEG-TS', path: 'ts/main.m3u8', type: HLS, parts: [/low\.m3u8|high\.m3u8/, /-0\.ts/, /-5\.ts/] },
  { name: 'HLS of fragmented MP4', path: 'fmp4/main.m3u8', type: HLS, parts: [/init\.mp4/, /-0\.m4s/, /-5\.m4s/] },
  { name: 'HLS of byte ranges', path: 'byterange/main.m3u8', type: HLS, parts: [/low\.mp4/] },
  { name: 'HLS with AES-128', path: 'aes/main.m3u8', type: HLS, parts: [/-0\.ts/, /-5\.ts/] },
  {
    name: 'HLS with audio of its own',
    path: 'audio/main.m3u8',
    type: HLS,
    parts: [/english\.m3u8/, /english-5\.m4s/, /video-5\.m4s/],
  },
  {
    name: 'DASH with a SegmentTemplate',
    path: 'dash/manifest.mpd',
    type: DASH,
    parts: [/video-init/, /audio-6\.m4s/, /video-6\.m4s/],
  },
  { name: 'DASH with a sidx', path: 'dash-sidx/manifest.mpd', type: DASH, parts: [/video\.mp4/, /audio\.mp4/] },
];

const KEY = /key\.bin$/;

module('formats', { afterEach: cleanUp });

test.each(
  'plays from the edge alone',
  Object.fromEntries(FORMATS.map((one) => [one.name, one])),
  async (assert, format) => {
    const world = await oneEdge();
    const player = testPlayer(patient(world));
    const failed = all(player, 'edgeselect:failedover');
    player.src({ src: serviceUrl(world, format.path), type: format.type });
    await once(player, 'loadedmetadata');
    player.playbackRate(3);
    await playedTo(player, 3);
    await loadedToTheEnd(player);
    assert.deepEqual(await urlsAtOrigin(world), [], 'the origin served nothing');
    const urls = (await asked(world, 'a')).map(({ url }) => url);
    for (const part of format.parts)
      assert.true(
        urls.some((url) => part.test(url)),
        `the edge served ${String(part)}`,
      );
    assert.deepEqual(failed, [], 'nothing failed on the way');
    assert.strictEqual(player.error(), null);
  },
);

test('asks for byte ranges at the edge as VHS asked for them', async (assert) => {
  const world = await oneEdge();
  const player = testPlayer(patient(world));
  player.src({ src: serviceUrl(world, 'byterange/main.m3u8'), type: HLS });
  await playedTo(player, 0.5);
  const requests = await asked(world, 'a', /low\.mp4/);
  assert.true(requests.length > 1);
  for (const { headers, status } of requests) {
    assert.true(/^bytes=\d+-\d+$/.test(headers.range ?? ''), headers.range);
    assert.strictEqual(status, 206);
  }
});

test('leaves a container probe of DASH as early as VHS does', async (assert) => {
  const world = await oneEdge();
  const player = testPlayer(patient(world));
  const served = all(player, 'edgeselect:served');
  player.src({ src: serviceUrl(world, 'dash-sidx/manifest.mpd'), type: DASH });
  await playedTo(player, 0.5);
  const probes = (await asked(world, 'a', /\.mp4/)).filter(({ headers }) => headers.range === undefined);
  assert.true(probes.length > 0, 'VHS asked for the start of a file to know its container');
  assert.deepEqual(
    served.filter(({ requestType }) => requestType === ''),
    [],
    'and none was read to its end',
  );
});

test('asks for a key at the origin first', async (assert) => {
  const world = await oneEdge();
  const player = testPlayer(patient(world));
  player.src({ src: serviceUrl(world, 'aes/main.m3u8'), type: HLS });
  await playedTo(player, 0.5);
  // VHS asks for each segment, and the browser's cache answers all but the first: not in WebKit under its driver
  assert.true((await asked(world, ORIGIN, KEY)).length > 0);
  assert.strictEqual((await asked(world, 'a', KEY)).length, 0);
});

test('asks for a key at the edge when the origin has none to give', async (assert) => {
  const world = await testWorld(network({ a: {} }, { origin: { rules: [{ path: 'key\\.bin', status: 503 }] } }));
  const player = testPlayer(patient(world));
  player.src({ src: serviceUrl(world, 'aes/main.m3u8'), type: HLS });
  await playedTo(player, 0.5);
  assert.true((await asked(world, 'a', KEY)).length > 0);
});

test('loads the cues of WebVTT subtitles from the edge', async (assert) => {
  const world = await oneEdge();
  const player = testPlayer(patient(world));
  player.src({ src: serviceUrl(world, 'subtitles/main.m3u8'), type: HLS });
  await once(player, 'loadedmetadata');
  const track = Array.from(player.textTracks()).find(({ kind }) => kind === 'subtitles');
  if (!track) throw new Error('there is no text track');
  track.mode = 'showing';
  const shown = new Promise((resolve) => {
    track.addEventListener('cuechange', resolve);
  });
  await playedTo(player, 0.5);
  await shown;
  assert.true((track.activeCues?.length ?? 0) > 0, 'a cue is shown');
  assert.true((await asked(world, 'a', /english-0\.vtt/)).length > 0);
  assert.deepEqual(await urlsAtOrigin(world), []);
});

test('follows a live window that slides, at the edge', async (assert) => {
  const live = { path: '/live.m3u8', from: 'ts/low.m3u8', segmentSeconds: 1 };
  const world = await testWorld(network({ a: { live } }, { origin: { live } }));
  const player = testPlayer(patient(world));
  // the first window holds low-0 to low-3
  const slid = until(player, 'edgeselect:served', ({ url }) => url.endsWith('low-5.ts'));
  player.src({ src: serviceUrl(world, 'live.m3u8'), type: HLS });
  const started = once(player, 'playing');
  await playedTo(player, 0.1);
  await started;
  const startedAt = player.currentTime();
  await playedTo(player, startedAt + 1);
  await slid;
  assert.true((await asked(world, 'a', /live\.m3u8/)).length > 1, 'the playlist was asked for again');
  assert.deepEqual(await urlsAtOrigin(world), []);
  assert.strictEqual(player.duration(), Infinity);
});

function oneEdge(): Promise<World> {
  return testWorld(network({ a: {} }));
}

function serviceUrl(world: World, path: string): string {
  return `${world.edges[ORIGIN] ?? ''}/${path}`;
}

async function urlsAtOrigin(world: World): Promise<string[]> {
  return (await asked(world, ORIGIN)).map(({ url }) => url).filter((url) => !url.endsWith('key.bin'));
}
