// What bench:faults promises of trouble that is the viewer's own.
import assert from 'node:assert/strict';
import test from 'node:test';
import { casesFor } from '../bench/fault-cases.js';
import { CONTROLS } from '../bench/fault-controls.js';
import { missed } from '../bench/fault-scenarios.js';

const WANTED = { only: null, buffer: null, segments: null, container: null };
const NO_FLAGS = { quick: false, plain: false, noise: false };
const NAMES = Object.keys(CONTROLS);

/** @param {object} [wanted] */
const linesOf = (wanted) => casesFor({ ...WANTED, ...NO_FLAGS, ...wanted });

test('each control is one line of the whole run, and the quick one has none', () => {
  const of = (/** @type {object} */ wanted) => linesOf(wanted).flatMap(({ fault }) => (CONTROLS[fault] ? [fault] : []));
  assert.deepEqual(of({}), NAMES);
  assert.deepEqual(of({ quick: true }), []);
  assert.deepEqual(of({ quick: true, only: ['cpu'] }), ['cpu']);
});

test('who names a control may have it with other media', () => {
  const [line, ...more] = linesOf({ only: ['hidden'], segments: 6, container: 'ts' });
  assert.deepEqual(more, []);
  assert.deepEqual([line?.fault, line?.segmentSeconds, line?.container, line?.bufferSeconds], ['hidden', 6, 'ts', 12]);
});

/** Most of any run: failovers and switches, switches alone, edges that are out. */
const CASES = /** @type {const} */ ([
  ['cpu', [0, 0, 0], []],
  ['cpu', [1, 0, 0], ['moves']],
  ['hidden', [2, 1, 1], ['moves', 'cool-down']],
  ['sleep', [2, 0, 0], []],
  ['sleep', [0, 0, 1], ['cool-down']],
  ['sleep', [3, 1, 1], ['moves', 'cool-down']],
  ['own-line', [2, 1, 1], []],
  ['own-line', [2, 2, 2], ['moves', 'cool-down']],
  ['noise', [1, 0, 0], ['moves']],
]);

for (const [fault, [mostMoves, mostSwitches, mostOut], misses] of CASES) {
  test(`${fault}: ${mostMoves} moves, ${mostSwitches} of them switches, and ${mostOut} out: ${misses.join() || 'ok'}`, () => {
    const line = linesOf({ only: [fault] })[0];
    assert.ok(line);
    // stalls are no matter: a slow machine and a slow line have them
    const found = { mostMoves, mostSwitches, mostOut, stall: { median: 9, least: 9, most: 9 } };
    assert.deepEqual(missed(line, /** @type {any} */ (found), NaN), misses);
  });
}
