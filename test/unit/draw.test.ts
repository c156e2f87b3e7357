import QUnit from 'qunit';
import { draw } from '../../src/draw.js';

const { module, test } = QUnit;
const things = (...weights: number[]): { name: string; weight: number }[] =>
  weights.map((weight, i) => ({ name: 'abcdef'.charAt(i), weight }));

module('draw');

test('gives every thing once, and no more than it is asked for', (assert) => {
  const drawn = draw(things(1, 2, 3, 4), 3, Math.random).map(({ name }) => name);
  assert.strictEqual(drawn.length, 3);
  assert.strictEqual(new Set(drawn).size, 3);
  assert.strictEqual(draw(things(1, 2), 9, Math.random).length, 2);
});

test('draws in proportion to weight', (assert) => {
  let seed = 1;
  const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const firsts = Array.from({ length: 20_000 }, () => draw(things(60, 20, 20), 1, random)[0]?.name);
  const share = firsts.filter((name) => name === 'a').length / firsts.length;
  assert.ok(Math.abs(share - 0.6) < 0.02, `the share of weight 60 of 100 is ${share}`);
});

test('leaves a thing of weight 0 a very small chance beside others (RFC 2782)', (assert) => {
  assert.strictEqual(draw(things(0, 99), 1, () => 0)[0]?.name, 'a');
  assert.strictEqual(draw(things(0, 99), 1, () => 0.02)[0]?.name, 'b');
});

test('gives equal chances when every weight is 0', (assert) => {
  assert.strictEqual(draw(things(0, 0, 0), 1, () => 0.99)[0]?.name, 'c');
  assert.strictEqual(draw(things(0, 0, 0), 1, () => 0)[0]?.name, 'a');
});
