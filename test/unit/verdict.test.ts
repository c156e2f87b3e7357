import QUnit from 'qunit';
import { EDGE, HALF, MBIT, table, told, words, type Moment } from './looks.js';

const { module, test } = QUnit;

module('verdict');

test('an edge that serves well is stayed with', (assert) => {
  assert.deepEqual(
    told(120, () => ({})),
    [],
  );
});

test('a verdict says what was seen and where the limit is', (assert) => {
  const thin = { loading: 1.2 * MBIT, best: 4.8 * MBIT, bitsPerSecond: 2 * MBIT };
  assert.deepEqual(
    told(10, () => thin),
    [{ second: 10, kind: 'leave', because: 'thinned', seen: 0.75, limit: 0.5 }],
  );
});

module('verdict, thinning');

table([
  { title: 'half the best rendition for 10 s is left', seconds: 10, moment: () => HALF, says: ['10 leave thinned'] },
  { title: 'for less than 10 s it is not', seconds: 9, moment: () => HALF, says: [] },
  {
    title: 'more than half is not',
    seconds: 60,
    moment: () => ({ ...HALF, loading: 2.01e6, playing: 2.01e6 }),
    says: [],
  },
  {
    title: 'the one being loaded counts',
    seconds: 10,
    moment: () => ({ ...HALF, playing: 4e6 }),
    says: ['10 leave thinned'],
  },
  {
    title: 'and so does the one at the playhead',
    seconds: 10,
    moment: () => ({ ...HALF, loading: 4e6 }),
    says: ['10 leave thinned'],
  },
  {
    title: 'one of them is enough to know',
    seconds: 10,
    moment: () => ({ ...HALF, playing: null }),
    says: ['10 leave thinned'],
  },
  {
    title: 'what is unknown is not thin',
    seconds: 60,
    moment: () => ({ ...HALF, playing: null, loading: null }),
    says: [],
  },
  {
    title: 'without a best there is nothing to compare',
    seconds: 60,
    moment: () => ({ ...HALF, best: null }),
    says: [],
  },
  {
    title: 'a second of the best rendition begins it anew',
    seconds: 15,
    moment: (second) => (second === 6 ? { ...HALF, loading: 4e6, playing: 4e6 } : HALF),
    says: [],
  },
  {
    title: 'amount and time are options',
    seconds: 3,
    moment: () => ({ ...HALF, loading: 3e6, playing: 3e6 }),
    limits: { thinning: { amount: 0.25, forMs: 3000 } },
    says: ['3 leave thinned'],
  },
  {
    title: 'it is told again after 20 s, and not before',
    seconds: 35,
    moment: () => HALF,
    says: ['10 leave thinned', '30 leave thinned'],
  },
  {
    title: 'an edge that bears the best is not why a lesser one plays',
    seconds: 60,
    moment: () => ({ ...HALF, bitsPerSecond: 4.8e6 }),
    says: [],
  },
  {
    title: 'another edge begins anew',
    seconds: 15,
    moment: (second) => ({ ...HALF, edge: second < 8 ? EDGE : 'https://b.example' }),
    says: [],
  },
]);

module('verdict, whether another edge may be better');

/** What is known of the others -> whether a thin stream and a slow edge are held against the one in use. */
const OTHERS: readonly [title: string, others: Moment, counts: boolean][] = [
  ['another was measured a quarter quicker', { bestOther: 5e6 }, true],
  ['another was measured less than a quarter quicker', { bestOther: 4.99e6 }, false],
  ['another was never measured', { bestOther: null, hasUnmeasured: true }, true],
  ['there is no other', { bestOther: null }, false],
  [
    'the line is slow, and another was never measured',
    { bestOther: null, hasUnmeasured: true, lineIsSlow: true },
    false,
  ],
  ['the line is slow, and another was measured a quarter quicker', { bestOther: 5e6, lineIsSlow: true }, true],
];
for (const [title, others, counts] of OTHERS) {
  test(`thinning counts ${counts ? '' : 'not '}when ${title}`, (assert) => {
    assert.deepEqual(words(told(10, () => ({ ...HALF, ...others }))), counts ? ['leave thinned'] : []);
  });

  test(`a low rate counts ${counts ? '' : 'not '}when ${title}`, (assert) => {
    const moment = (second: number): Moment => ({ bitsPerSecond: second < 5 ? 8e6 : 4e6 - second, ...others });
    assert.deepEqual(words(told(10, moment)), counts ? ['leave throughput'] : []);
  });
}

/** A rate of 4 Mbit/s, what the edge has usually, and another's: whether leaving may help. */
const DIPS: readonly [title: string, usual: number | null, bestOther: number, counts: boolean][] = [
  ['the edge is usually as quick as another', 5e6, 5e6, false],
  ['another is hardly a quarter quicker than the edge usually is', 5e6, 6.24e6, false],
  ['another is a quarter quicker than the edge usually is', 5e6, 6.25e6, true],
  ['the edge is usually slower than now', 2e6, 5e6, true],
  ['the edge fell by more than a dip, and another is not 56 % quicker than now', 10e6, 6.24e6, false],
  ['the edge fell by more than a dip, and another is 56 % quicker than now', 10e6, 6.25e6, true],
  ['nobody knows what it usually is', null, 5e6, true],
];
for (const [title, usualBitsPerSecond, bestOther, counts] of DIPS) {
  test(`thinning ${counts ? 'counts' : 'is a dip of its own and does not count'} when ${title}`, (assert) => {
    const thin = told(10, () => ({ ...HALF, usualBitsPerSecond, bestOther }));
    assert.deepEqual(words(thin), counts ? ['leave thinned'] : []);
  });
}

test('stalls and a drain count while there is no sign of a slow line, whatever is known of others', (assert) => {
  const still =
    (more: Moment) =>
    (second: number): Moment => {
      return { bufferAheadMs: 0, ...(second >= 5 && { movedMs: 0 }), ...more };
    };
  assert.deepEqual(words(told(5, still({ bestOther: null }))), ['leave stalls']);
  assert.deepEqual(words(told(5, still({ hasUnmeasured: true, lineIsSlow: true }))), []);
  assert.deepEqual(words(told(5, still({ bestOther: 10e6, lineIsSlow: true }))), ['leave stalls']);
});

module('verdict, throughput');

/** Measured anew each second; it was quick enough for 5 s. */
const rate =
  (bitsPerSecond: number) =>
  (second: number): Moment => ({
    bitsPerSecond: (second < 5 ? 8 * MBIT : bitsPerSecond) + second / 1000,
    bestOther: 20 * MBIT,
  });

table([
  // 4/4.725: each second 153 ms of stream are missing
  {
    title: 'an edge that bore the best and falls behind by 400 ms is left',
    seconds: 10,
    moment: rate(4 * MBIT),
    says: ['7 leave throughput'],
  },
  { title: 'one that holds 1.05 times the best is not', seconds: 120, moment: rate(4.725 * MBIT), says: [] },
  {
    title: 'a very low rate is seen with its first measure',
    seconds: 10,
    moment: rate(0.3 * MBIT),
    says: ['5 leave throughput'],
  },
  {
    title: 'what comes more quickly makes good again',
    seconds: 120,
    moment: (second) => rate(second % 2 === 0 ? 4 * MBIT : 6 * MBIT)(second),
    says: [],
  },
  {
    title: 'a measure counts once, however long it stands',
    seconds: 120,
    moment: (second) => (second < 5 ? rate(8 * MBIT)(second) : { bitsPerSecond: 4 * MBIT, bestOther: 20 * MBIT }),
    says: [],
  },
  {
    title: 'with an edge that never bore the best it is a suspicion',
    seconds: 15,
    moment: (second) => rate(4 * MBIT)(second + 5),
    says: ['3 suspect throughput'],
  },
  {
    title: 'and none while thinning is counted',
    seconds: 9,
    moment: (second) => ({ ...rate(2 * MBIT)(second + 5), loading: 1.2 * MBIT }),
    says: [],
  },
  {
    title: 'headroom and limit are options',
    seconds: 10,
    moment: rate(5 * MBIT),
    limits: { throughput: { headroom: 1.5, behindMs: 250 } },
    says: ['5 leave throughput'],
  },
  {
    title: 'without a best nothing is needed',
    seconds: 60,
    moment: (second) => ({ ...rate(MBIT)(second), best: null }),
    says: [],
  },
]);
