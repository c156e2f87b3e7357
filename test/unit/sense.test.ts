import QUnit from 'qunit';
import { sense, type Sensed, type SensedPlayer, type SensedVhs, type Selector } from '../../src/playback/sense.js';

const { module, test } = QUnit;

/** A player that plays at 10 s of 60, with 12 s of stream ahead, and whatever the test says otherwise. */
function player(more: Partial<Record<keyof SensedPlayer, unknown>> = {}, vhs?: SensedVhs): SensedPlayer {
  const answers: Record<keyof SensedPlayer, unknown> = {
    tech: vhs && { vhs, el: () => null },
    ...{ paused: false, ended: false, seeking: false, currentTime: 10, duration: 60, playbackRate: 1 },
    ...{ buffered: ranges([0, 22]), textTracks: [] },
    getVideoPlaybackQuality: {},
    ...more,
  };
  const entries = Object.entries(answers).map(([name, value]): [string, () => unknown] => [name, () => value]);
  return Object.fromEntries(entries) as unknown as SensedPlayer;
}

function ranges(...list: [number, number][]): Pick<TimeRanges, 'length' | 'start' | 'end'> {
  return { length: list.length, start: (i) => list[i]?.[0] ?? NaN, end: (i) => list[i]?.[1] ?? NaN };
}

/** A VHS with renditions of these BANDWIDTHs, that loads the first; `more` by BANDWIDTH. */
function ladder(bandwidths: readonly number[], more: Readonly<Record<number, object>> = {}): SensedVhs {
  const playlists = bandwidths.map((BANDWIDTH, i) => ({
    ...{ id: `${i}`, attributes: { BANDWIDTH }, targetDuration: 6 },
    ...more[BANDWIDTH],
  }));
  return { playlists: { main: { playlists }, media: () => playlists[0] } };
}

/** As VHS's own: the highest that the bandwidth allows and that is not hidden. */
const highest: Selector = function () {
  const { playlists, systemBandwidth } = this as SensedVhs & { systemBandwidth: number };
  const shown = (playlists?.main?.playlists ?? []).filter(({ excludeUntil = 0 }) => excludeUntil < Date.now());
  const sorted = shown.sort((a, b) => (b.attributes?.BANDWIDTH ?? 0) - (a.attributes?.BANDWIDTH ?? 0));
  return sorted.find(({ attributes }) => (attributes?.BANDWIDTH ?? 0) < systemBandwidth);
};
const cues = (label: string, value: unknown): object[] => [{ label, activeCues: [{ value }] }];

const look = (more?: Parameters<typeof player>[0], vhs?: SensedVhs): Sensed =>
  sense(player(more, vhs), () => highest).look();

module('sense');

test('tells what a player plays, in milliseconds and bits per second', (assert) => {
  const textTracks = cues('segment-metadata', { bandwidth: 400_000 });
  assert.deepEqual(look({ textTracks, playbackRate: 1.5 }, ladder([1_200_000, 4_500_000])), {
    ...{ paused: false, seeking: false, position: 10_000, bufferAheadMs: 12_000, complete: false, playbackRate: 1.5 },
    ...{ playing: 400_000, loading: 1_200_000, best: 4_500_000, droppedShare: 0, segmentMs: 6000 },
  });
});

test('where there is no VHS, what only VHS knows is unknown', (assert) => {
  for (const vhs of [undefined, {}, { playlists: {} }, { playlists: { main: {} } }]) {
    const tech = { vhs, el: () => null };
    const { playing, loading, best, segmentMs, bufferAheadMs } = look({ tech });
    assert.deepEqual([playing, loading, best, segmentMs], [null, null, null, null]);
    assert.strictEqual(bufferAheadMs, 12_000);
  }
});

test('a player without a source can be looked at', (assert) => {
  const empty = { currentTime: undefined, duration: undefined, playbackRate: undefined, buffered: ranges() };
  const sensed = look({ ...empty, getVideoPlaybackQuality: undefined });
  assert.deepEqual([sensed.position, sensed.bufferAheadMs, sensed.complete], [0, 0, false]);
  assert.deepEqual([sensed.playbackRate, sensed.droppedShare], [1, 0]);
});

test('without a selector, or with one that throws, there is no best', (assert) => {
  const selectors: (Selector | undefined)[] = [
    undefined,
    () => null,
    () => {
      throw new TypeError('no ladder');
    },
  ];
  for (const selector of selectors) {
    assert.strictEqual(sense(player({}, ladder([400_000])), () => selector).look().best, null);
  }
});

test('one rendition is the best, and one without BANDWIDTH is unknown', (assert) => {
  assert.strictEqual(look({}, ladder([400_000])).best, 400_000);
  const nameless = { playlists: { main: { playlists: [{}] }, media: () => ({}) } };
  assert.deepEqual([look({}, nameless).best, look({}, nameless).loading], [null, null]);
});

test('the best is among those that VHS hides for a while, not those it cannot play or the viewer does not want', (assert) => {
  const all = [400_000, 1_200_000, 2_500_000];
  const best = (more: object): number | null => look({}, ladder(all, { 2_500_000: more })).best;
  assert.strictEqual(best({ excludeUntil: Date.now() + 60_000 }), 2_500_000);
  assert.strictEqual(best({ excludeUntil: Infinity }), 1_200_000);
  assert.strictEqual(best({ disabled: true }), 1_200_000);
});

test('the selector is asked again only when the display or the ladder is another', (assert) => {
  let asked = 0;
  const selector: Selector = function () {
    asked += 1;
    return highest.call(this);
  };
  let vhs = ladder([400_000]);
  let clientWidth = 640;
  const one = { ...player(), tech: () => ({ vhs, el: () => ({ clientWidth, clientHeight: 360 }) }) };
  const looking = sense(one, () => selector);
  looking.look();
  looking.look();
  assert.strictEqual(asked, 1);
  clientWidth = 1280;
  looking.look();
  assert.strictEqual(asked, 2);
  vhs = ladder([400_000, 1_200_000]);
  assert.strictEqual(looking.look().best, 1_200_000);
  assert.strictEqual(asked, 3);
});

test('the selector changes nothing in VHS', (assert) => {
  const vhs = Object.freeze(ladder([400_000, 1_200_000], { 1_200_000: { excludeUntil: Date.now() + 60_000 } }));
  const before = JSON.stringify(vhs);
  look({}, vhs);
  assert.strictEqual(JSON.stringify(vhs), before);
});

test('the buffer ahead is that of the range in which the playhead is', (assert) => {
  const ahead = (...list: [number, number][]): number => look({ buffered: ranges(...list) }).bufferAheadMs;
  assert.strictEqual(ahead([0, 5], [8, 14], [20, 40]), 4000);
  assert.strictEqual(ahead([0, 5], [20, 40]), 0);
  assert.strictEqual(ahead([10.05, 14]), 4000, 'a gap of some milliseconds is none');
  assert.strictEqual(ahead([0, 10]), 0);
});

test('a buffer that reaches the end of the media is complete; a live one never is', (assert) => {
  assert.true(look({ duration: 22 }).complete);
  assert.true(look({ duration: 22.05 }).complete, 'sound and picture seldom end together');
  assert.false(look({ duration: 22.5 }).complete);
  assert.false(look({ duration: Infinity }).complete);
});

test('at the end a player is as good as paused', (assert) => {
  assert.true(look({ ended: true }).paused);
});

test('only cues of the track of segments are read, and only numbers', (assert) => {
  const playing = (textTracks: object): number | null => look({ textTracks }).playing;
  assert.strictEqual(playing(cues('segment-metadata', { bandwidth: 5 })), 5);
  assert.strictEqual(playing(cues('chapters', { bandwidth: 5 })), null);
  assert.strictEqual(playing(cues('segment-metadata', {})), null);
  assert.strictEqual(playing(cues('segment-metadata', undefined)), null);
  assert.strictEqual(playing([{ label: 'segment-metadata', activeCues: null }]), null);
  assert.strictEqual(playing([{ label: 'segment-metadata', activeCues: [] }]), null);
});

test('frames are counted from one look to the next, also when a new source begins at 0', (assert) => {
  const counts: [number, number][] = [
    [0, 0],
    [10, 100],
    [10, 150],
    [40, 200],
    [40, 200],
    [0, 0],
    [5, 20],
  ];
  let at = 0;
  const getVideoPlaybackQuality = (): Partial<VideoPlaybackQuality> => {
    const [droppedVideoFrames, totalVideoFrames] = counts[at] ?? [0, 0];
    return { droppedVideoFrames, totalVideoFrames };
  };
  const looking = sense({ ...player(), getVideoPlaybackQuality }, () => undefined);
  const shares = counts.map((_, i) => {
    at = i;
    return looking.look().droppedShare;
  });
  assert.deepEqual(shares, [0, 0.1, 0, 0.6, 0, 0, 0.25]);
});

test('what playback can bear is until the buffer is empty, and a segment lasts, at the rate it plays', (assert) => {
  const demand = (more: object, vhs: SensedVhs | undefined = ladder([400_000])): unknown =>
    sense(player(more, vhs), () => highest).demand();
  assert.deepEqual(demand({}), { bufferMs: 12_000, segmentMs: 6000, targetMs: 6000 });
  assert.deepEqual(demand({ playbackRate: 2 }), { bufferMs: 6000, segmentMs: 3000, targetMs: 6000 });
  assert.deepEqual(demand({ playbackRate: 0.5 }), { bufferMs: 24_000, segmentMs: 12_000, targetMs: 6000 });
  assert.deepEqual(demand({ playbackRate: 0 }), { bufferMs: 12_000, segmentMs: 6000, targetMs: 6000 });
  assert.strictEqual(demand({ paused: true }), null, 'nobody waits');
  assert.strictEqual(demand({ ended: true }), null);
  assert.strictEqual(demand({}, {}), null, 'nobody knows how long a segment plays');
});

test('frames are those since the last look, whatever was asked in between', (assert) => {
  let droppedVideoFrames = 0;
  let totalVideoFrames = 0;
  const getVideoPlaybackQuality = (): object => ({ droppedVideoFrames, totalVideoFrames });
  const seen = sense({ ...player({}, ladder([400_000])), getVideoPlaybackQuality }, () => undefined);
  seen.look();
  [droppedVideoFrames, totalVideoFrames] = [10, 20];
  seen.demand();
  assert.strictEqual(seen.look().droppedShare, 0.5);
});
