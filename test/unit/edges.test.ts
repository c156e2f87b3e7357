import QUnit from 'qunit';
import { answered, failed, isCooling, patienceMs, UNKNOWN } from '../../src/edges.js';

const { module, test } = QUnit;

module('edges');

test('an edge of which nothing is known is not in a cool-down, and has no time of its own', (assert) => {
  assert.false(isCooling(UNKNOWN, 0));
  assert.strictEqual(UNKNOWN.firstByteMs, null);
});

test('an edge that failed is left alone for 60 s', (assert) => {
  const record = failed(UNKNOWN, 5000);
  assert.true(isCooling(record, 5000));
  assert.true(isCooling(record, 64_999));
  assert.false(isCooling(record, 65_000));
});

test('a second failure begins the cool-down anew', (assert) => {
  assert.true(isCooling(failed(failed(UNKNOWN, 0), 50_000), 100_000));
});

test('an answer ends a cool-down', (assert) => {
  assert.false(isCooling(answered(failed(UNKNOWN, 5000), 20), 5001));
});

test('a failure does not forget how quick the edge was', (assert) => {
  assert.strictEqual(failed(answered(UNKNOWN, 20), 5000).firstByteMs, 20);
});

test('the first answer is the time of the edge; each later one counts for 30 %', (assert) => {
  const once = answered(UNKNOWN, 100);
  assert.strictEqual(once.firstByteMs, 100);
  assert.strictEqual(answered(once, 200).firstByteMs, 130);
});

test('an edge may be silent for `stallMs`, or for four times what it usually takes', (assert) => {
  assert.strictEqual(patienceMs(UNKNOWN, 600), 600);
  assert.strictEqual(patienceMs(answered(UNKNOWN, 100), 600), 600);
  assert.strictEqual(patienceMs(answered(UNKNOWN, 400), 600), 1600);
});

test('no record that goes in is changed', (assert) => {
  const record = Object.freeze(answered(UNKNOWN, 100));
  failed(record, 1);
  answered(record, 1);
  assert.deepEqual(record, { firstByteMs: 100, coolUntil: 0 });
});
