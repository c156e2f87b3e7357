import QUnit from 'qunit';
import { answered, delivered, failed, isCooling, patienceMs, UNKNOWN, usualRate } from '../../src/edges.js';

const { module, test } = QUnit;

/** No jitter. */
const EVEN = 0.5;
const MINUTE = 60_000;

module('edges');

test('an edge of which nothing is known may be asked, and has no time of its own', (assert) => {
  assert.false(isCooling(UNKNOWN, 0));
  assert.false(UNKNOWN.isOut);
  assert.strictEqual(UNKNOWN.firstByteMs, null);
});

test('an edge that failed is left alone for 60 s', (assert) => {
  const record = failed(UNKNOWN, 5000, EVEN);
  assert.true(isCooling(record, 5000));
  assert.true(isCooling(record, 64_999));
  assert.false(isCooling(record, 65_000));
});

test('after that it may be probed, but serves nobody before it has answered', (assert) => {
  const record = failed(UNKNOWN, 5000, EVEN);
  assert.true(record.isOut);
  assert.false(answered(record, 20).isOut);
});

test('what several requests see together is one failure', (assert) => {
  const once = failed(UNKNOWN, 5000, EVEN);
  assert.strictEqual(failed(once, 5300, EVEN), once);
});

test('the cool-down doubles from failure to failure, up to 5 min', (assert) => {
  let record = UNKNOWN;
  let now = 0;
  const cooledMs = [1, 2, 3, 4, 5].map(() => {
    record = answered(failed(record, now, EVEN), 20);
    const coolMs = failed({ ...record, coolUntil: 0 }, now, EVEN).coolUntil - now;
    now += 1000;
    return coolMs;
  });
  assert.deepEqual(cooledMs, [2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]);
  assert.strictEqual(failed(UNKNOWN, 0, EVEN).coolUntil, MINUTE);
});

test('an edge that was well for 10 min begins with 60 s again', (assert) => {
  const record = answered(failed(answered(failed(UNKNOWN, 0, EVEN), 20), 70_000, EVEN), 20);
  assert.strictEqual(failed(record, 670_001, EVEN).coolUntil, 730_001);
});

test('the cool-down varies by 10 %, so that players do not come back together', (assert) => {
  assert.strictEqual(failed(UNKNOWN, 0, 0).coolUntil, 54_000);
  assert.strictEqual(Math.round(failed(UNKNOWN, 0, 1).coolUntil), 66_000);
});

test('an answer ends a cool-down', (assert) => {
  assert.false(isCooling(answered(failed(UNKNOWN, 5000, EVEN), 20), 5001));
});

test('an edge that is back is as near as before, but how quick it is has to be seen again', (assert) => {
  const record = failed(delivered(answered(UNKNOWN, 20), 1_000_000, 1000), 5000, EVEN);
  assert.deepEqual([record.firstByteMs, record.bitsPerSecond], [20, 8_000_000], 'for the report');
  const back = answered(record, 20);
  assert.deepEqual([back.firstByteMs, back.bitsPerSecond, back.usualBitsPerSecond], [20, null, null]);
});

test('the first answer is the time of the edge; each later one counts for 30 %, and for 5 % of what is usual', (assert) => {
  const once = answered(UNKNOWN, 100);
  assert.deepEqual([once.firstByteMs, once.usualFirstByteMs], [100, 100]);
  const twice = answered(once, 200);
  assert.deepEqual([twice.firstByteMs, twice.usualFirstByteMs], [130, 105]);
});

test('the rate is that of large bodies, the last one counting for half, and for a twentieth of what is usual', (assert) => {
  const once = delivered(UNKNOWN, 1_000_000, 1000);
  assert.strictEqual(once.bitsPerSecond, 8_000_000);
  const twice = delivered(once, 500_000, 1000);
  assert.deepEqual([twice.bitsPerSecond, twice.usualBitsPerSecond], [6_000_000, 7_800_000]);
  assert.strictEqual(delivered(once, 65_535, 1).bitsPerSecond, 8_000_000, 'a small body says nothing');
});

test('what came from the cache of the browser is forgotten with the fourth body that did not', (assert) => {
  let record = UNKNOWN;
  for (const elapsedMs of [10, 10, 10, 1000, 1000, 1000]) record = delivered(record, 1_000_000, elapsedMs);
  assert.true((usualRate(record) ?? 0) > 500_000_000);
  record = delivered(record, 1_000_000, 1000);
  assert.deepEqual([record.bitsPerSecond, usualRate(record)], [8_000_000, 8_000_000]);
});

test('four slow bodies, as of the sound, are no new usual rate', (assert) => {
  let record = UNKNOWN;
  for (let i = 0; i < 20; i += 1) record = delivered(record, 5_000_000, 1000);
  for (let i = 0; i < 4; i += 1) record = delivered(record, 96_000, 150);
  record = delivered(record, 5_000_000, 1000);
  assert.true((usualRate(record) ?? 0) > 30_000_000);
  assert.strictEqual(usualRate(UNKNOWN), null);
});

test('an edge may be silent for `stallMs`, or for four times what it usually takes', (assert) => {
  assert.strictEqual(patienceMs(UNKNOWN, 600), 600);
  assert.strictEqual(patienceMs(answered(UNKNOWN, 100), 600), 600);
  assert.strictEqual(patienceMs(answered(UNKNOWN, 400), 600), 1600);
});

test('no record that goes in is changed', (assert) => {
  const record = Object.freeze(answered(UNKNOWN, 100));
  failed(record, 1, EVEN);
  answered(record, 1);
  delivered(record, 100_000, 1);
  assert.strictEqual(record.firstByteMs, 100);
});
