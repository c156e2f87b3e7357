import QUnit from 'qunit';
import { EDGE, MBIT, played, seeded, told, words, type Line, type Moment } from './looks.js';

const { module, test } = QUnit;

/** A thin stream from an edge that is slow. */
const THIN = { loading: 0.4 * MBIT, playing: 0.4 * MBIT, bitsPerSecond: 0.5 * MBIT, hasUnmeasured: true } as const;
/** Nothing comes, and three requests fail. */
const DEAD = { movedMs: 0, bufferAheadMs: 0, incidents: 3 } as const;
const GOOD = { bufferAheadMs: 0 } as const;

/** Trouble that would be charged, and what the client knows of it that makes it nobody's fault. */
interface Control {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly trouble: Moment;
  readonly excuse: Moment;
}

const CONTROLS: readonly Control[] = [
  { title: 'all edges are silent for 2 s', from: 20, to: 21, trouble: DEAD, excuse: { allSilent: true } },
  { title: 'the browser is offline for 5 s', from: 20, to: 24, trouble: DEAD, excuse: { offline: true } },
  { title: 'the page is hidden for 60 s', from: 20, to: 79, trouble: THIN, excuse: { hidden: true } },
  {
    title: 'the processor is six times slower',
    from: 20,
    to: 79,
    trouble: { ...THIN, movedMs: 500 },
    excuse: { lateMs: 1500, droppedShare: 0.1 },
  },
  { title: 'the machine sleeps for 30 s', from: 20, to: 20, trouble: DEAD, excuse: { lateMs: 30_000 } },
  { title: 'the decoder drops frames', from: 20, to: 79, trouble: THIN, excuse: { droppedShare: 0.3 } },
  {
    title: 'the encoder pauses, so that there is nothing to ask for',
    from: 20,
    to: 35,
    trouble: { movedMs: 0, bufferAheadMs: 0 },
    excuse: { askedAt: 18_000 },
  },
  { title: 'the player is paused', from: 20, to: 79, trouble: { ...THIN, movedMs: 0 }, excuse: { paused: true } },
  { title: 'the viewer seeks', from: 20, to: 24, trouble: DEAD, excuse: { seeking: true } },
  {
    title: 'the playback rate is 0',
    from: 20,
    to: 24,
    trouble: { ...DEAD, incidents: 0 },
    excuse: { playbackRate: 0 },
  },
];

module("verdict, what is nobody's fault");

for (const { title, from, to, trouble, excuse } of CONTROLS) {
  const trace =
    (more: Moment) =>
    (second: number): Moment => {
      const incidents = second > to ? (trouble.incidents ?? 0) : 0;
      return second >= from && second <= to ? { ...trouble, ...more } : { ...GOOD, incidents };
    };

  test(`${title}: stay`, (assert) => {
    assert.deepEqual(told(120, trace(excuse)), []);
  });

  test(`${title}: without that it would be charged`, (assert) => {
    assert.notDeepEqual(told(120, trace({})), []);
  });
}

test('a buffer that falls while nothing is asked for is not drained by the edge', (assert) => {
  const trace =
    (askedAt: number) =>
    (second: number): Moment => ({
      bufferAheadMs: 12_000 - Math.min(Math.max(0, second - 20), 10) * 1000 - (second % 2) * 1000,
      askedAt: second >= 20 && second < 30 ? askedAt : Infinity,
    });
  assert.deepEqual(told(29, trace(20_000)), []);
  assert.deepEqual(words(told(29, trace(Infinity))), ['leave drain'], 'but so it is where it is asked for');
});

test('what was counted before is forgotten', (assert) => {
  const trace = (second: number): Moment => ({ ...THIN, hidden: second === 8 });
  assert.deepEqual(told(17, trace), []);
  assert.deepEqual(words(told(19, trace)), ['leave thinned']);
});

test('a look that is late by its own interval counts, and by more does not', (assert) => {
  const thin = (lateMs: number) => (): Moment => ({ ...THIN, lateMs });
  assert.deepEqual(words(told(10, thin(1000))), ['leave thinned']);
  assert.deepEqual(told(60, thin(1001)), []);
});

test('a fifth of the frames lost is the machine, and less is not', (assert) => {
  const thin = (droppedShare: number) => (): Moment => ({ ...THIN, droppedShare });
  assert.deepEqual(words(told(10, thin(0.19))), ['leave thinned']);
  assert.deepEqual(told(60, thin(0.2)), []);
});

test('a playhead that was set by somebody is no stall, back or forth', (assert) => {
  const jump =
    (movedMs: number) =>
    (second: number): Moment => ({ ...GOOD, ...(second === 20 && { movedMs }) });
  assert.deepEqual(told(60, jump(-15_000)), []);
  assert.deepEqual(told(60, jump(60_000)), []);
});

test('nor is one that was nudged back a little', (assert) => {
  assert.deepEqual(
    told(60, (second) => ({ ...GOOD, ...(second === 20 && { movedMs: -500 }) })),
    [],
  );
});

test('a playhead that was set forward within the buffer has not emptied it', (assert) => {
  // segments of 2 s come every other second
  const jump = (second: number): Moment => ({
    bufferAheadMs: (second < 20 ? 40_000 : 10_000) - (second % 2) * 1000,
    ...(second === 20 && { movedMs: 31_000 }),
  });
  assert.deepEqual(told(60, jump), []);
});

test('what was told is not told again because of it', (assert) => {
  assert.deepEqual(words(told(59, (second) => ({ moveAway: true, hidden: second === 5 }))), ['suspect moveAway']);
});

module('verdict, whole traces');

const PLAYER = { bufferMs: 12_000, inParts: false, latencyMs: () => 40 } as const;

for (const mbit of [0.5, 1, 3]) {
  for (const segmentMs of [2000, 6000]) {
    test(`a viewer whose own line is ${mbit} Mbit/s for 10 min causes one verdict at most: segments of ${segmentMs} ms`, (assert) => {
      const line: Line = { ...PLAYER, segmentMs, bitsPerSecond: () => mbit * MBIT };
      const moments = played(600, line);
      let leftAt = Infinity;
      // the other edge turns out to be no quicker with its first body
      const trace = (second: number): Moment => ({
        ...moments[second],
        edge: second <= leftAt ? EDGE : 'https://b.example',
        bestOther: second <= leftAt ? null : mbit * MBIT,
        hasUnmeasured: true,
        lineIsSlow: second >= leftAt + segmentMs / 1000,
      });
      leftAt = told(600, trace)[0]?.second ?? Infinity;
      assert.true(leftAt < 600);
      assert.deepEqual(words(told(600, trace)).length, 1, words(told(600, trace)).join());
    });
  }
}

for (const segmentMs of [2000, 6000]) {
  for (const inParts of [true, false]) {
    const how = `segments of ${segmentMs} ms, measured ${inParts ? 'once a second' : 'when they are there'}`;

    test(`noise of 40 % around 8 Mbit/s for 10 minutes is no reason for anything: ${how}`, (assert) => {
      for (let seed = 1; seed <= 10; seed += 1) {
        const random = seeded(seed);
        const noise = Array.from({ length: 1200 }, () => 8 * MBIT * (0.6 + 0.8 * random()));
        const line: Line = {
          ...{ segmentMs, bufferMs: 12_000, inParts },
          // a new rate every two seconds: all of a body is slow, or quick
          bitsPerSecond: (ms) => noise[Math.floor(ms / 2000)] ?? 0,
          latencyMs: (ms) => 40 * (0.7 + (0.6 * (noise[Math.floor(ms / 500)] ?? 0)) / (12 * MBIT)),
        };
        const moments = played(600, line);
        assert.deepEqual(
          told(600, (second) => ({ ...moments[second], hasUnmeasured: true })),
          [],
          `seed ${seed}`,
        );
      }
    });

    test(`a slow slide is left while the picture is the best and a segment is in reserve: ${how}`, (assert) => {
      for (let seed = 1; seed <= 10; seed += 1) {
        const random = seeded(seed);
        const line: Line = {
          ...{ segmentMs, bufferMs: 12_000, inParts, latencyMs: () => 40 },
          bitsPerSecond: (ms) =>
            Math.max(0.3, 8 - Math.max(0, (ms - 12_000) / 20_000) * 7.7) * MBIT * (0.95 + 0.1 * random()),
        };
        const moments = played(60, line);
        const [first] = told(60, (second) => ({ ...moments[second] }));
        const left = moments[first?.second ?? 0];
        assert.deepEqual([first?.kind, first?.because], ['leave', 'throughput'], `seed ${seed}`);
        assert.strictEqual(left?.playing, 4.5 * MBIT, `at ${first?.second} s`);
        assert.true((left?.bufferAheadMs ?? 0) > segmentMs);
      }
    });
  }
}
