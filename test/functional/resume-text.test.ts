import QUnit from 'qunit';
import { all, asked, network, once, ORIGIN, patient, playedTo, testPlayer, testWorld, type World } from './tools.js';
import { answersToVhs, failover, firstByte, leave } from './truth.js';

const { module, test } = QUnit;
const type = 'application/x-mpegURL';
const PLAYLIST = '^/ts/(low|high)\\.m3u8$';

module('resume: text', { afterEach: leave });

/** How the quicker edge treats the media playlists. */
const FAULTS = {
  'stops in the middle of it': { rule: { stallAfterBytes: 120 }, because: 'stalled' },
  'ends it too early': { rule: { cutAfterBytes: 120, lingerMs: 100 }, because: 'short' },
  'answers a page of HTML': { rule: { html: true }, because: 'notmedia' },
  'answers 503': { rule: { status: 503 }, because: 'status' },
  'never answers': { rule: { silent: true }, because: 'silent' },
};

test.each('asks the next edge for all of a playlist when one', FAULTS, async (assert, { rule, because }) => {
  const world = await quickAndSlow([{ path: PLAYLIST, ...rule }]);
  const answers = answersToVhs();
  const player = testPlayer(patient(world, { stallMs: 1200 }));
  const failed = all(player, 'edgeselect:failedover');
  player.src({ src: `${world.edges[ORIGIN] ?? ''}/ts/main.m3u8`, type });
  await playedTo(player, 0.4);
  assert.deepEqual(
    failed.map((event) => failover(world, event)),
    [['quick', 'slow', because]],
  );
  const again = await asked(world, 'slow', /(low|high)\.m3u8/);
  assert.deepEqual(again.map(firstByte), [null], 'without a range');
  const playlists = answers.filter(({ path }) => /(low|high)\.m3u8/.test(path));
  for (const { path, body } of playlists)
    assert.strictEqual(body, await (await fetch(`/base/test/media${path}`)).text());
  assert.strictEqual(playlists.length, 1);
});

test('reads playlists that are compressed, however long their bodies are said to be', async (assert) => {
  const world = await quickAndSlow([{ path: '\\.m3u8$', gzip: true }]);
  const player = testPlayer(patient(world));
  const failed = all(player, 'edgeselect:failedover');
  player.src({ src: `${world.edges[ORIGIN] ?? ''}/ts/main.m3u8`, type });
  await playedTo(player, 0.4);
  assert.deepEqual(failed, []);
  assert.deepEqual(await asked(world, 'slow', /\.ts/), []);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('does not take a compressed segment for one that is too long or too short', async (assert) => {
  const world = await quickAndSlow([{ path: '\\.ts$', gzip: true }]);
  const player = testPlayer(patient(world));
  const failed = all(player, 'edgeselect:failedover');
  player.src({ src: `${world.edges[ORIGIN] ?? ''}/ts/main.m3u8`, type });
  await playedTo(player, 0.4);
  assert.deepEqual(failed, []);
  assert.strictEqual(player.error(), null);
});

test('asks the next edge for all of the subtitles of which one sent a part', async (assert) => {
  const world = await quickAndSlow([{ path: 'english-0\\.vtt$', stallAfterBytes: 100 }]);
  const answers = answersToVhs();
  const player = testPlayer(patient(world, { stallMs: 1200 }));
  const failed = all(player, 'edgeselect:failedover');
  player.src({ src: `${world.edges[ORIGIN] ?? ''}/subtitles/main.m3u8`, type });
  await once(player, 'loadedmetadata');
  const track = Array.from(player.textTracks()).find(({ kind }) => kind === 'subtitles');
  if (!track) throw new Error('there is no text track');
  track.mode = 'showing';
  const shown = new Promise((resolve) => {
    track.addEventListener('cuechange', resolve);
  });
  await playedTo(player, 0.4);
  await shown;
  assert.deepEqual(
    failed.map((event) => failover(world, event)),
    [['quick', 'slow', 'stalled']],
  );
  assert.deepEqual((await asked(world, 'slow', /english-0\.vtt/)).map(firstByte), [null], 'without a range');
  const cues = answers.find(({ path }) => path.endsWith('english-0.vtt'))?.body ?? '';
  const text = typeof cues === 'string' ? cues : new TextDecoder().decode(cues);
  assert.strictEqual(text, await (await fetch('/base/test/media/subtitles/english-0.vtt')).text());
});

function quickAndSlow(rules: readonly object[]): Promise<World> {
  return testWorld(network({ quick: { rules }, slow: { latencyMs: 150 } }));
}
