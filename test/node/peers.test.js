// The bench beside the peers: what it runs, and when it may say that a promise is kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS } from '../bench/fault-scenarios.js';
import { verdictsAt } from '../bench/peers/fault-summary.js';
import { interleaved, lanesFor, nameOfScenario, scenariosFor } from '../bench/peers/plan.js';

const QUICK = { full: false, tuned: false, tls: false, players: null, only: null, buffer: null, segments: 2 };
const FULL = { ...QUICK, full: true };
const HARD = ['two-dead', 'flaps', 'nameserver', 'slide'];

/** Runs of a lane with a fault, by their seconds of stall; 0 unless told. */
function runsOf(stalls) {
  return (lane, fault) => (stalls[`${lane.name} ${fault}`] ?? [0]).map((stallSeconds) => ({ stallSeconds }));
}

const namesOf = (scenarios) => scenarios.map(nameOfScenario);

test('a quick run has the control first, and then three faults over HTTP/1.1', () => {
  const names = namesOf(scenariosFor(QUICK));
  assert.deepEqual(
    names,
    ['none', 'dies-silent', 'mid-body', 'slow'].map((fault) => `${fault}-12s-of-2s`),
  );
});

test('a full run has every player, the peers tuned too', () => {
  const lanes = lanesFor(FULL);
  const [peers, tuned] = [false, true].map((isTuned) =>
    lanes.filter((lane) => !lane.isOurs && lane.isTuned === isTuned),
  );
  assert.deepEqual(
    tuned.map(({ player }) => player.title),
    peers.filter(({ name }) => name !== 'plain').map(({ title }) => title),
  );
  assert.equal(lanes.filter(({ isOurs }) => isOurs).length, 3);
});

test('a full run has the four hard faults, and each buffer and protocol its control', () => {
  const names = namesOf(scenariosFor(FULL));
  for (const fault of HARD) assert.ok(names.includes(`${fault}-12s-of-2s`), fault);
  assert.deepEqual(
    names.filter((name) => name.startsWith('none')),
    ['none-12s-of-2s', 'none-4s-of-2s', 'none-12s-of-2s-tls'],
  );
  assert.equal(new Set(names).size, names.length);
});

test('trouble of the viewer is no fault of an edge, and is not compared', () => {
  const hasNoFault = scenariosFor(FULL).filter(({ fault }) => FAULTS[fault].hitsNone);
  assert.deepEqual([...new Set(hasNoFault.map(({ fault }) => fault))], ['none']);
});

test('with --tls all is over TLS', () => {
  for (const wanted of [QUICK, FULL]) assert.ok(scenariosFor({ ...wanted, tls: true }).every(({ tls }) => tls));
});

test('players take turns at being first', () => {
  const lanes = lanesFor({ ...QUICK, players: ['plain', 'hls-redundant'] });
  const queue = interleaved(2, scenariosFor({ ...QUICK, only: ['slow'] }), lanes);
  assert.deepEqual(
    queue.map(({ lane }) => lane.name),
    ['plain', 'hls-redundant', 'hls-redundant', 'plain', 'hls-redundant', 'plain', 'plain', 'hls-redundant'],
  );
});

test('without a stall in the control a promise is judged by its own figures', () => {
  const lanes = lanesFor({ ...QUICK, players: ['hls-redundant', 'ours-get'] });
  const judged = (stalls) => verdictsAt(4, ['none', 'slow'], lanes, runsOf(stalls)).map(({ kept }) => kept);
  assert.deepEqual(judged({ 'hls-redundant slow': [4], 'ours-get slow': [1] }), [true, true]);
  assert.deepEqual(judged({ 'hls-redundant slow': [4], 'ours-get slow': [1.1] }), [true, false]);
});

test('when anyone stalls without a fault, or ours was not run without one, nothing is proven', () => {
  const lanes = lanesFor({ ...QUICK, players: ['hls-redundant', 'ours-get'] });
  for (const control of [{ 'hls-redundant none': [0, 0.1] }, { 'ours-get none': [] }]) {
    const verdicts = verdictsAt(12, ['none', 'slow'], lanes, runsOf(control));
    assert.deepEqual(
      verdicts.map(({ kept, found }) => kept || !found.includes('the machine was too busy')),
      [false, false],
    );
  }
});

test('a peer that cannot play its best rendition with so small a buffer is left out, and said to be', () => {
  const lanes = lanesFor({ ...QUICK, players: ['hls-redundant', 'dash-baseurls', 'ours-get'] });
  const none = { 'dash-baseurls none': [], 'dash-baseurls slow': [], 'hls-redundant slow': [4] };
  const [control, ...own] = verdictsAt(4, ['none', 'slow'], lanes, runsOf(none));
  assert.deepEqual(
    [control.kept, control.found],
    [true, 'none did; left out, as it could not be run: dash.js, BaseURLs'],
  );
  assert.deepEqual(
    own.map(({ kept }) => kept),
    [true],
  );
});
