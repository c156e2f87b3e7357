import QUnit from 'qunit';
import { ACCEPTABLE, type Acceptable, type AcceptableOptions } from '../../src/acceptable.js';
import type { ErrorDetails } from '../../src/errors.js';
import { readOptions } from '../../src/options.js';
import { failureOf, MAP, settings } from './given.js';

const { module, test } = QUnit;

module('acceptable');

/** What each limit of the verdict takes and what it refuses. */
const LIMITS: Readonly<Record<string, { right: readonly unknown[]; wrong: readonly unknown[] }>> = {
  thinning: { right: [{}, undefined], wrong: [null, 0.5, [], 'half'] },
  'thinning.amount': { right: [0.01, 0.5, 1], wrong: [0, 1.1, -0.5, NaN, '0.5', null] },
  'thinning.forMs': { right: [0, 10_000, 600_000], wrong: [-1, 600_001, 1.5, '10000', null] },
  throughput: { right: [{}], wrong: [null, 1.2, []] },
  'throughput.headroom': { right: [0.1, 1.2, 10], wrong: [0, 10.1, Infinity, '1.2', null] },
  'throughput.behindMs': { right: [0, 400], wrong: [-1, 0.5, '400', null] },
  stalls: { right: [{}], wrong: [null, 3, []] },
  'stalls.forMs': { right: [0, 1000], wrong: [-1, 0.5, '1000', null] },
  'stalls.times': { right: [1, 3, 100], wrong: [0, 1.5, 101, '3', null] },
  'stalls.withinMs': { right: [0, 60_000], wrong: [-1, 0.5, '60000', null] },
  drainMs: { right: [0, 8000], wrong: [-1, 0.5, '8000', null, {}] },
  failures: { right: [{}], wrong: [null, 3, []] },
  'failures.times': { right: [1, 3], wrong: [0, 1.5, '3', null] },
  'failures.withinMs': { right: [0, 30_000], wrong: [-1, 0.5, '30000', null] },
  latency: { right: [{}], wrong: [null, 4, []] },
  'latency.times': { right: [1, 4], wrong: [0, 1.5, '4', null] },
  'latency.minMs': { right: [0, 500], wrong: [-1, 0.5, '500', null] },
  'latency.forMs': { right: [0, 10_000], wrong: [-1, 0.5, '10000', null] },
};
/** `thinning.amount` -> `{ thinning: { amount: value } }` */
const nested = (name: string, value: unknown): object =>
  name.split('.').reduceRight((below: unknown, key) => ({ [key]: below }), value) as object;

for (const [name, { right, wrong }] of Object.entries(LIMITS)) {
  test(`takes for 'acceptable.${name}' what it says it takes, and leaves the other limits as they are`, (assert) => {
    for (const value of right) {
      const expected = value === undefined ? {} : nested(name, value);
      const { acceptable } = settings({ acceptable: nested(name, value) });
      for (const [group, limits] of Object.entries(ACCEPTABLE) as [keyof Acceptable, number | object][]) {
        const given = (expected as AcceptableOptions)[group];
        const merged = typeof limits === 'number' ? (given ?? limits) : { ...limits, ...(given as object) };
        assert.deepEqual(acceptable[group], merged, group);
      }
    }
  });

  test(`refuses for 'acceptable.${name}' anything else by that name`, async (assert) => {
    for (const value of wrong) {
      const { details } = await failureOf(() => settings({ acceptable: nested(name, value) }));
      const { option, allowed } = details as ErrorDetails['OPTIONS_INVALID'];
      assert.strictEqual(option, `acceptable.${name}`, String(value));
      assert.notStrictEqual(allowed, '');
    }
  });
}

test('every limit of the verdict is in the table above', (assert) => {
  const named = Object.entries(ACCEPTABLE).flatMap(([group, limits]) =>
    typeof limits === 'number' ? [group] : [group, ...Object.keys(limits as object).map((name) => `${group}.${name}`)],
  );
  assert.deepEqual(Object.keys(LIMITS).sort(), named.sort());
});

test('a limit that does not exist is told with the nearest one that does', (assert) => {
  const warnings: string[] = [];
  const acceptable = { thinning: { ammount: 0.3 }, drain: 4000 };
  const read = readOptions({ nameserver: MAP, acceptable }, (text) => warnings.push(text));
  assert.deepEqual(warnings, [
    "there is no option 'acceptable.thinning.ammount'; did you mean 'acceptable.thinning.amount'?",
    "there is no option 'acceptable.drain'; did you mean 'acceptable.drainMs'?",
  ]);
  assert.deepEqual(read.acceptable, ACCEPTABLE);
});

test('what comes out is a copy', (assert) => {
  const given = { thinning: { amount: 0.3 } };
  const { acceptable } = settings({ acceptable: given });
  given.thinning.amount = 0.9;
  assert.strictEqual(acceptable.thinning.amount, 0.3);
  assert.strictEqual(ACCEPTABLE.thinning.amount, 0.5);
});
