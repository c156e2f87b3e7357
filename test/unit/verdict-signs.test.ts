import QUnit from 'qunit';
import { ACCEPTABLE } from '../../src/acceptable.js';
import { HALF, table, type Moment } from './looks.js';

const { module } = QUnit;

module('verdict, stalls');

const EMPTY = { bufferAheadMs: 0 } as const;
/** Stands still for so long in each of these seconds. */
const still =
  (seconds: readonly number[], ms: number) =>
  (second: number): Moment =>
    seconds.includes(second) ? { ...EMPTY, movedMs: 1000 - ms } : EMPTY;

table([
  {
    title: 'a playhead that stands for 1 s is a reason to leave',
    seconds: 60,
    moment: still([30], 1000),
    says: ['30 leave stalls'],
  },
  { title: 'one that stands for less is not', seconds: 60, moment: still([30], 999), says: [] },
  {
    title: 'a stall may last from one look to the next',
    seconds: 60,
    moment: still([30, 31], 600),
    says: ['31 leave stalls'],
  },
  {
    title: 'three short ones within a minute are',
    seconds: 60,
    moment: still([10, 30, 50], 200),
    says: ['50 leave stalls'],
  },
  { title: 'two are not', seconds: 60, moment: still([10, 30], 200), says: [] },
  { title: 'nor are three in more than a minute', seconds: 120, moment: still([10, 40, 70], 200), says: [] },
  { title: 'less than 200 ms is the grain of clocks', seconds: 60, moment: still([10, 30, 50], 199), says: [] },
  {
    title: 'a playhead that never moved waits for its start',
    seconds: 60,
    moment: () => ({ ...EMPTY, movedMs: 0 }),
    says: [],
  },
  {
    title: 'one with a second of stream before it waits for something else',
    seconds: 60,
    moment: (second) => ({ bufferAheadMs: 1000, ...(second > 30 && { movedMs: 0 }) }),
    says: [],
  },
  {
    title: 'one at the end of the stream has nothing to wait for',
    seconds: 60,
    moment: (second) => ({ ...still([30], 1000)(second), complete: true }),
    says: [],
  },
  {
    title: 'at double speed it is to move twice as far',
    seconds: 60,
    moment: (second) => ({ ...EMPTY, playbackRate: 2, movedMs: second === 30 ? 1000 : 2000 }),
    limits: { stalls: { ...ACCEPTABLE.stalls, forMs: 500 } },
    says: ['30 leave stalls'],
  },
  {
    title: 'number and time are options',
    seconds: 60,
    moment: still([10, 30], 200),
    limits: { stalls: { forMs: 1000, times: 2, withinMs: 21_000 } },
    says: ['30 leave stalls'],
  },
]);

module('verdict, drain');

/** Segments of 2 s come every so many seconds. */
const everySeconds =
  (each: number, more: Moment = {}) =>
  (second: number): Moment => ({
    bufferAheadMs: Math.max(0, 12_000 - second * 1000 + Math.floor(second / each) * 2000),
    ...more,
  });

table([
  { title: 'a buffer that is filled as it is emptied stays', seconds: 120, moment: everySeconds(2), says: [] },
  // half a second is lost each second: at 4 s it is 8 s until the end
  {
    title: 'one that will be empty within 8 s is a reason to leave',
    seconds: 16,
    moment: everySeconds(4),
    says: ['15 leave drain'],
  },
  {
    title: 'with another limit sooner',
    seconds: 16,
    moment: everySeconds(4),
    limits: { drainMs: 14_000 },
    says: ['11 leave drain'],
  },
  {
    title: 'one into which nothing comes at all, too',
    seconds: 11,
    moment: everySeconds(100),
    says: ['7 leave drain'],
  },
  {
    title: 'at the end of the stream it is as it should be',
    seconds: 12,
    moment: everySeconds(100, { complete: true }),
    says: [],
  },
  {
    title: 'where the length of segments is unknown nobody can tell',
    seconds: 12,
    moment: everySeconds(100, { segmentMs: null }),
    says: [],
  },
  {
    title: 'how full it was long ago does not matter',
    seconds: 76,
    moment: (second) => everySeconds(second < 60 ? 2 : 4)(Math.max(0, second - 60)),
    says: ['75 leave drain'],
  },
  {
    title: 'a buffer that was thrown away begins anew',
    seconds: 12,
    moment: (second) => (second < 8 ? {} : { bufferAheadMs: 3000 + (second % 2) * 1000 }),
    says: [],
  },
]);

module('verdict, failures, latency, and what the edge says itself');

/** One more failure in each of these seconds. */
const failing =
  (...seconds: number[]) =>
  (second: number): Moment => ({
    incidents: seconds.filter((at) => at <= second).length,
  });
const lateBy = (firstByteMs: number, usualFirstByteMs: number | null) => (): Moment => ({
  firstByteMs,
  usualFirstByteMs,
});

table([
  {
    title: 'three failures within 30 s are a reason to leave',
    seconds: 60,
    moment: failing(10, 20, 39),
    says: ['39 leave failures'],
  },
  { title: 'three together, too', seconds: 60, moment: failing(10, 10, 10), says: ['10 leave failures'] },
  { title: 'two are not', seconds: 60, moment: failing(10, 20), says: [] },
  { title: 'nor are three in more', seconds: 60, moment: failing(10, 20, 40), says: [] },
  { title: 'those before the first look are not counted', seconds: 60, moment: failing(0, 0, 0, 0), says: [] },
  {
    title: 'number and time are options',
    seconds: 60,
    moment: failing(10, 15),
    limits: { failures: { times: 2, withinMs: 6000 } },
    says: ['15 leave failures'],
  },
  {
    title: 'first bytes that take four times as long as usual for 10 s are suspect',
    seconds: 10,
    moment: lateBy(800, 200),
    says: ['10 suspect latency'],
  },
  { title: 'for less than 10 s they are not', seconds: 9, moment: lateBy(800, 200), says: [] },
  { title: 'less than four times is not', seconds: 60, moment: lateBy(799, 200), says: [] },
  {
    title: 'half a second is suspect for an edge that is quick',
    seconds: 10,
    moment: lateBy(500, 20),
    says: ['10 suspect latency'],
  },
  { title: 'less than half a second is not', seconds: 60, moment: lateBy(499, 20), says: [] },
  { title: 'an edge without a past cannot be late', seconds: 60, moment: lateBy(5000, null), says: [] },
  {
    title: 'these are options too',
    seconds: 2,
    moment: lateBy(100, 50),
    limits: { latency: { times: 2, minMs: 100, forMs: 2000 } },
    says: ['2 suspect latency'],
  },
  {
    title: 'an edge that asks to be left is suspect at once, and again after a minute',
    seconds: 119,
    moment: () => ({ moveAway: true }),
    says: ['0 suspect moveAway', '60 suspect moveAway'],
  },
  {
    title: 'what hurts is told before what is suspect',
    seconds: 10,
    moment: (second) => ({ ...failing(10, 10, 10)(second), moveAway: second === 10 }),
    says: ['10 leave failures'],
  },
  {
    title: 'a suspicion does not forget what is being counted',
    seconds: 10,
    moment: (second) => ({ ...HALF, moveAway: second === 5 }),
    says: ['5 suspect moveAway', '10 leave thinned'],
  },
]);
