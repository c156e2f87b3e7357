import QUnit from 'qunit';
import {
  all,
  engine,
  network,
  ORIGIN,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  until,
  type TestPlayer,
  type World,
} from './tools.js';
import { answersToVhs, failover, firstByte, leave, OVERLAP, STOP, untrue, type Answer } from './truth.js';

const { module, test } = QUnit;
const PATH = '/live.m3u8';

/** A live window of four segments. Segment 4 is the first that is waited for. */
interface Live {
  readonly media: string;
  readonly live: object;
  /** Without its number. */
  readonly segment: string;
}
/** Of 54 kB and 3 s, one every 2 s. */
const THICK: Live = {
  media: 'demo/media',
  live: { path: PATH, from: 'hls/180p.m3u8', segmentSeconds: 2 },
  segment: '/hls/180p-0',
};
/** Of 13 kB and 2 s. Two segments are more than what passes between two requests for the playlist. */
const THIN: Live = { media: 'test/media', live: { path: PATH, from: 'ts/low.m3u8' }, segment: '/ts/low-' };
/**
 * An edge that is two segments behind has the next one when the last is all but played. WebKitGTK takes a live stream that
 * runs dry for ended, and VHS then loads no more, with or without the plugin: there the viewer is in no hurry.
 */
const RATE = engine === 'webkit' ? 0.5 : 1;
const LATER = 'low-[45]\\.ts$';

module('live', { afterEach: leave });

test('keeps what it has of a segment of a live window when the edge falls silent', async (assert) => {
  const bent = `${THICK.segment}4.ts`;
  const { world, player } = await live(THICK, [{ path: bent, stallAfterBytes: STOP }]);
  const answers = answersToVhs();
  const failed = all(player, 'edgeselect:failedover');
  await playsPast(player, world, `${THICK.segment}5.ts`);
  assert.deepEqual(
    failed.map((event) => failover(world, event)),
    [['quick', 'slow', 'stalled']],
  );
  const starts = (await world.of('edge:slow')).filter(({ url }) => url === bent).map(firstByte);
  assert.deepEqual(starts, [STOP - OVERLAP]);
  assert.deepEqual(await untrueLive(answers, THICK), []);
});

/** How the edge in use fails from the first segment on that is waited for. */
const FAULTS = {
  'answers 503': { rule: { path: LATER, status: 503 }, because: 'status' },
  'never answers': { rule: { path: LATER, silent: true }, because: 'silent' },
  'falls silent in the middle': { rule: { path: LATER, stallAfterBytes: 8000 }, because: 'stalled' },
};

test.each(
  'plays on from an edge that is two segments behind, when the one in use',
  FAULTS,
  async (assert, { rule, because }) => {
    const { world, player } = await live(THIN, [rule], { skewSegments: 2 });
    const answers = answersToVhs();
    const failed = all(player, 'edgeselect:failedover');
    await playsPast(player, world, `${THIN.segment}5.ts`);
    assert.deepEqual(failover(world, failed[0] ?? none()), ['quick', 'slow', because]);
    const sequences = sequencesIn(answers);
    const sorted = [...sequences].sort((a, b) => a - b);
    assert.deepEqual(sequences, sorted, 'VHS saw no playlist that is older than one before');
    assert.true(sequences.length > 2);
    assert.deepEqual(await untrueLive(answers, THIN), []);
    assert.strictEqual(player.error(), null);
  },
);

test('plays on when the playlists too have to come from an edge that is two segments behind', async (assert) => {
  const { world, player } = await live(THIN, [], { skewSegments: 2 });
  const answers = answersToVhs();
  await playsUntil(player, world, `${THIN.segment}4.ts`);
  await world.patch({ edges: { quick: { fault: 'status:503' } } });
  await playsPast(player, world, `${THIN.segment}5.ts`);
  assert.deepEqual(await untrueLive(answers, THIN), []);
  assert.strictEqual(player.error(), null);
});

test('plays on when the playlist of the edge in use moves no more, as one that a cache keeps', async (assert) => {
  const { world, player } = await live(THIN, []);
  const answers = answersToVhs();
  await playsUntil(player, world, `${THIN.segment}4.ts`);
  await world.patch({ edges: { quick: { live: { ...THIN.live, endAtMs: Date.now() } } } });
  let waited = 0;
  player.on('waiting', () => {
    waited += 1;
  });
  await playsPast(player, world, `${THIN.segment}1.ts`);
  await playsPast(player, world, `${THIN.segment}4.ts`);
  assert.strictEqual(waited, 0);
  assert.deepEqual(await untrueLive(answers, THIN), []);
  assert.strictEqual(player.edgeSelect().selection?.chosen.origin, world.edges.quick, 'which has all the segments');
});

test('asks another edge for a listed segment that one does not have yet, and blames nobody', async (assert) => {
  const { world, player } = await live(THIN, [{ path: `${THIN.segment}4\\.ts`, status: 404, times: 1 }]);
  const failed = all(player, 'edgeselect:failedover');
  const served = all(player, 'edgeselect:served');
  await playsPast(player, world, `${THIN.segment}5.ts`);
  assert.deepEqual(
    failed.map((event) => [...failover(world, event), event.status]),
    [['quick', 'slow', 'status', 404]],
  );
  assert.deepEqual(served.find(({ url }) => url.endsWith('5.ts'))?.edge, world.edges.quick);
});

test('plays on when the MPD has to come from an edge whose window is a segment behind', async (assert) => {
  const now = Date.now();
  const mpd = (first: number): object => ({
    path: 'live\\.mpd',
    body: dynamicMpd(first, now),
    type: 'application/dash+xml',
  });
  const edges = { quick: { rules: [mpd(3)] }, slow: { latencyMs: 150, rules: [mpd(2)] } };
  const world = await testWorld(network(edges, { origin: { rules: [mpd(3)] } }));
  const player = testPlayer(patient(world, { stallMs: 1200 }));
  const jumps: string[] = [];
  player.src({ src: `${world.edges[ORIGIN] ?? ''}/dash/live.mpd`, type: 'application/dash+xml' });
  // VHS begins at 2 s; WebKitGTK is there, and at 0, and there again
  await playedTo(player, 2.5);
  const begun = player.currentTime();
  const ends: number[] = [];
  player.on('timeupdate', () => ends.push(player.seekable().end(0)));
  for (const name of ['seeking', 'waiting']) player.on(name, () => jumps.push(`${name} at ${player.currentTime()}`));
  const failed = all(player, 'edgeselect:failedover');
  await world.patch({ edges: { quick: { fault: 'status:503' } } });
  await playedTo(player, begun + 3);
  assert.deepEqual(jumps, []);
  assert.deepEqual([...new Set(ends)], [ends[0]], 'the window stays where it is');
  assert.propContains(failed[0], { from: world.edges.quick, to: world.edges.slow, because: 'status' });
});

/** Of four segments of 2 s, the first of them number `first` of the recording; published when the last was complete. */
function dynamicMpd(first: number, now: number): string {
  const started = now - 12_000;
  const at = (ms: number): string => new Date(ms).toISOString();
  return `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" profiles="urn:mpeg:dash:profile:isoff-live:2011"
    availabilityStartTime="${at(started)}" publishTime="${at(started + (first + 3) * 2000)}" minimumUpdatePeriod="PT1S"
    timeShiftBufferDepth="PT8S" suggestedPresentationDelay="PT6S" minBufferTime="PT2S" maxSegmentDuration="PT2S">
    <Period id="0" start="PT0S"><AdaptationSet id="0" contentType="video" segmentAlignment="true">
    <Representation id="video" mimeType="video/mp4" codecs="avc1.4d400d" bandwidth="14781" width="128" height="72">
    <SegmentTemplate timescale="15360" initialization="$RepresentationID$-init.mp4" media="$RepresentationID$-$Number$.m4s"
      startNumber="${first}"><SegmentTimeline><S t="${(first - 1) * 30_720}" d="30720" r="3"/></SegmentTimeline>
    </SegmentTemplate></Representation></AdaptationSet></Period></MPD>`;
}

function untrueLive(answers: readonly Answer[], { media, segment }: Live): Promise<string[]> {
  return untrue({ answers }, { media, bent: `${segment}4.ts` });
}

/** @param rules  of the edge in use  @param skew  of the next one */
async function live(
  { media, live: window }: Live,
  rules: readonly object[],
  skew: object = {},
): Promise<{ world: World; player: TestPlayer }> {
  const edges = { quick: { rules, live: window }, slow: { latencyMs: 150, live: { ...window, ...skew } } };
  const world = await testWorld(network(edges, { media, origin: { live: window } }));
  const player = testPlayer(patient(world, { stallMs: 1200 }));
  player.one('loadeddata', () => {
    player.playbackRate(RATE);
  });
  return { world, player };
}

/** Plays, from the start where it does not yet, until a segment is there. */
async function playsUntil(player: TestPlayer, world: World, segment: string): Promise<void> {
  const there = until(player, 'edgeselect:served', ({ url }) => url.endsWith(segment));
  if (player.currentSrc() === '') {
    player.src({ src: `${world.edges[ORIGIN] ?? ''}${PATH}`, type: 'application/x-mpegURL' });
  }
  await playedTo(player, 0.1);
  await there;
}

/** And a second more. */
async function playsPast(player: TestPlayer, world: World, segment: string): Promise<void> {
  await playsUntil(player, world, segment);
  await playedTo(player, player.currentTime() + 1);
}

function sequencesIn(answers: readonly Answer[]): number[] {
  return answers.flatMap(({ path, body }) => {
    if (path !== PATH || typeof body !== 'string') return [];
    return Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(body)?.[1]);
  });
}

function none(): never {
  throw new Error('nothing failed');
}
