// demo/stack/weights.js: what reports teach, and what lies do not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSync } from 'esbuild';
import { readMap } from '../../demo/stack/map.js';
import * as weights from '../../demo/stack/weights.js';
import { reportBody } from './tools.js';

const { LARGEST_FACTOR, LARGEST_STEP, MAX_PER_HOUSEHOLD, MAX_PER_NETWORK, MIN_REPORTS, WINDOW_MS, learn } = weights;
const NOW = 1_700_000_000_000;
const TOKENS = ['a', 'b', 'c'];
const originOf = (/** @type {string} */ token) => `https://${token}.example`;
const map = readMap(
  JSON.stringify({
    ...{ service: 'origin.localhost', ttlSeconds: 60, witness: '192.0.2.1' },
    tokens: Object.fromEntries(TOKENS.map((token) => [token, { address: '192.0.2.2', servers: [originOf(token)] }])),
    rows: ['0.0.0.0/0', '::/0'].map((network) => ({ network, answer: TOKENS.map((token) => [10, 100, token]) })),
    trial: [],
  }),
);
const RACE = { a: 'ok', b: 'ok' };

/** A line of the chosen edge's log. */
function line(
  /** @type {string} */ ip,
  /** @type {string} */ chosen = 'a',
  /** @type {Record<string, string>} */ outcomes = RACE,
  { t = NOW / 1000 - 1, edge = chosen, body = {} } = {},
) {
  return JSON.stringify({ t, ip, edge, body: JSON.stringify(reportBody(originOf, chosen, outcomes, body)) });
}

/** One report each of so many addresses of a /24. */
function crowd(
  /** @type {number} */ count,
  /** @type {string} */ chosen = 'a',
  /** @type {Record<string, string>} */ outcomes = RACE,
  prefix = '198.51.100',
) {
  return Array.from({ length: count }, (_, i) => line(`${prefix}.${i + 1}`, chosen, outcomes));
}

const factorsOf = (/** @type {readonly string[]} */ lines, before = {}, network = '198.51.100.0/24') =>
  learn(map, before, lines, NOW).learned[network]?.factors ?? null;

test('an edge that wins more than its share has more weight, the one that loses less', () => {
  assert.deepEqual(factorsOf(crowd(40)), { a: 1.5, b: 0.6667, c: 1 });
});

test('an edge that wins its share stays as it is', () => {
  const lines = [...crowd(40, 'a'), ...crowd(40, 'b')];
  const { learned, changed } = learn(map, {}, lines, NOW);
  assert.deepEqual({ learned, changed }, { learned: {}, changed: [] });
});

test('an edge that fails has less weight, however it fails', () => {
  for (const outcome of ['status', 'unreachable', 'unreadable', 'late']) {
    assert.equal(factorsOf(crowd(40, 'a', { a: 'ok', b: outcome }))?.['b'], 0.6667, outcome);
  }
});

test('an edge that was left for its failures in a switch has failed', () => {
  const left = { from: originOf('c'), left: { because: 'silent', bytes: 0, requests: 3, failures: 2 } };
  const lines = Array.from({ length: 40 }, (_, i) => line(`198.51.100.${i}`, 'a', { a: 'ok' }, { body: left }));
  assert.equal(factorsOf(lines)?.['c'], 0.6667);
});

test('who ran alone has won against nobody', () => {
  assert.equal(factorsOf(crowd(40, 'a', { a: 'ok' })), null);
  const losses = crowd(20, 'a');
  const alone = [...crowd(20, 'b', { b: 'ok' }), ...crowd(20, 'b', { b: 'ok' })];
  assert.equal(factorsOf([...losses, ...alone])?.['b'], 0.6667);
});

test('an edge that the page blocked, or that was still running, is not judged', () => {
  for (const outcome of ['blocked', 'running']) {
    assert.equal(factorsOf(crowd(40, 'a', { a: 'ok', b: outcome })), null, outcome);
  }
});

test('a run moves a weight by half at most, and all runs together by four at most', () => {
  /** @type {import('../../demo/stack/map.js').Learned} */
  let learned = {};
  const races = crowd(40, 'a', { a: 'ok', b: 'ok', c: 'ok' });
  for (let run = 0; run < 12; run++) {
    const before = learned['198.51.100.0/24']?.factors ?? {};
    learned = learn(map, learned, races, NOW).learned;
    for (const [token, factor] of Object.entries(learned['198.51.100.0/24']?.factors ?? {})) {
      const step = factor / (before[token] ?? 1);
      assert.ok(step <= LARGEST_STEP * 1.001 && step >= 0.999 / LARGEST_STEP, `${token}: ${step}`);
    }
  }
  assert.deepEqual(learned['198.51.100.0/24']?.factors, { a: 3, b: 1 / LARGEST_FACTOR, c: 1 / LARGEST_FACTOR });
});

test('the way back is as short', () => {
  const before = { '198.51.100.0/24': { at: NOW - 1, factors: { a: 0.25, b: 2, c: 1 } } };
  assert.deepEqual(factorsOf([...crowd(40, 'a'), ...crowd(40, 'b')], before), { a: 0.375, b: 1.3333, c: 1 });
});

test('too little data changes nothing', () => {
  for (const [what, lines] of Object.entries({
    'too few reports': crowd(MIN_REPORTS - 1),
    'too few addresses': Array.from({ length: 4 * MAX_PER_HOUSEHOLD }, (_, i) => line(`198.51.100.${i % 4}`)),
    'too few runs of the edge': [...crowd(9), ...crowd(15, 'c', { c: 'ok' })],
    'no reports': [],
  })) {
    assert.deepEqual(learn(map, {}, lines, NOW).learned, {}, what);
  }
});

test('no household counts for more than its cap, and no network', () => {
  const loud = Array.from({ length: 1000 }, () => line('198.51.100.1'));
  assert.equal(learn(map, {}, loud, NOW).counts.counted, MAX_PER_HOUSEHOLD);
  assert.equal(learn(map, {}, loud, NOW).counts.overCap, 1000 - MAX_PER_HOUSEHOLD);
  const many = Array.from({ length: 20 }, () => crowd(200)).flat();
  assert.equal(learn(map, {}, many, NOW).counts.counted, MAX_PER_NETWORK);
});

test('a network’s /64s are one household each', () => {
  const lines = Array.from({ length: 100 }, (_, i) => line(`2001:db8:1:2::${i.toString(16)}`));
  assert.equal(learn(map, {}, lines, NOW).counts.counted, MAX_PER_HOUSEHOLD);
});

test('IPv6 clients teach their /48', () => {
  const lines = Array.from({ length: 40 }, (_, i) => line(`2001:db8:1:${i.toString(16)}::1`));
  assert.equal(factorsOf(lines, {}, '2001:db8:1::/48')?.['a'], 1.5);
});

test('a few liars are outvoted in their own network', () => {
  const honest = [...crowd(60, 'a'), ...crowd(60, 'b')];
  const lies = Array.from({ length: 4 * 1000 }, (_, i) =>
    line(`198.51.100.${200 + (i % 4)}`, 'a', { a: 'ok', b: 'late' }),
  );
  assert.equal(factorsOf([...lies, ...honest]), null);
});

test('a flood of lies from one network moves nothing elsewhere', () => {
  const honest = crowd(40, 'b', RACE, '203.0.113');
  const flood = Array.from({ length: 20_000 }, (_, i) =>
    line(`198.51.100.${i % 256}`, 'a', { a: 'ok', b: 'late', c: 'late' }),
  );
  const quiet = learn(map, {}, honest, NOW).learned;
  const { learned } = learn(map, {}, [...flood, ...honest, ...flood], NOW);
  assert.deepEqual(Object.keys(learned).sort(), ['198.51.100.0/24', '203.0.113.0/24']);
  assert.deepEqual(learned['203.0.113.0/24'], quiet['203.0.113.0/24']);
});

test('what cannot be a report is skipped and counted', () => {
  const probe = { origin: originOf('a'), outcome: 'ok', elapsedMs: 1, requestMs: 1 };
  const edges = (/** @type {unknown} */ ...some) => ({ body: { edges: some } });
  /** @type {[string, string, string][]} */
  const cases = [
    ['broken', 'no JSON', '{"t":1,'],
    ['broken', 'an empty line', ''],
    ['broken', 'another JSON', '[]'],
    ['broken', 'null', 'null'],
    ['broken', 'a body that is no JSON', JSON.stringify({ t: NOW / 1000, ip: '198.51.100.1', edge: 'a', body: '{' })],
    ['broken', 'a body that is a list', JSON.stringify({ t: NOW / 1000, ip: '198.51.100.1', edge: 'a', body: '[]' })],
    ['broken', 'an address that is none', line('unix:')],
    ['broken', 'a time that is none', line('198.51.100.1').replace(/"t":[\d.]+/, '"t":"now"')],
    ['oversized', 'a long line', line('198.51.100.1', 'a', RACE, { body: { more: 'x'.repeat(50_000) } })],
    ['stale', 'an old report', line('198.51.100.1', 'a', RACE, { t: (NOW - WINDOW_MS) / 1000 - 1 })],
    ['stale', 'a report of the future', line('198.51.100.1', 'a', RACE, { t: NOW / 1000 + 3600 })],
    ['foreign', 'another service', line('198.51.100.1', 'a', RACE, { body: { service: '_https._tcp.other.example' } })],
    ['foreign', 'no service', line('198.51.100.1', 'a', RACE, { body: { service: 7 } })],
    ['check', 'what `check` sends', line('198.51.100.1', 'a', {}, { body: { check: true, reason: 'only' } })],
    ['forged', 'another version', line('198.51.100.1', 'a', RACE, { body: { v: 2 } })],
    [
      'forged',
      'a choice that is no edge',
      line('198.51.100.1', 'a', RACE, { body: { chosen: 'https://evil.example' } }),
    ],
    ['forged', 'a report of one edge in the log of another', line('198.51.100.1', 'a', RACE, { edge: 'b' })],
    ['forged', 'a choice that failed', line('198.51.100.1', 'a', { a: 'late', b: 'ok' })],
    ['forged', 'no edges', line('198.51.100.1', 'a', RACE, { body: { edges: 'all' } })],
    ['forged', 'an edge twice', line('198.51.100.1', 'a', RACE, edges(probe, probe))],
    ['forged', 'more edges than are raced', line('198.51.100.1', 'a', RACE, edges(...Array(17).fill(probe)))],
    ['forged', 'an outcome that is none', line('198.51.100.1', 'a', RACE, edges({ ...probe, outcome: 'great' }))],
    ['forged', 'a time before the start', line('198.51.100.1', 'a', RACE, edges({ ...probe, elapsedMs: -1 }))],
    ['forged', 'a time without end', line('198.51.100.1', 'a', RACE, edges({ ...probe, requestMs: 1e9 }))],
    ['forged', 'a probe that is none', line('198.51.100.1', 'a', RACE, edges(null))],
  ];
  for (const [kind, what, text] of cases) {
    const { learned, counts } = learn(map, {}, [text], NOW);
    const all = Object.entries(counts).filter(([, count]) => count > 0);
    assert.deepEqual({ learned, all }, { learned: {}, all: [[kind, 1]] }, what);
  }
});

test('edges that a report does not name, and those of another map, are passed over', () => {
  const more = { edges: [{ outcome: 'late', elapsedMs: null, requestMs: null }, { origin: 'https://x.example', outcome: 'late', elapsedMs: null, requestMs: null }] }; // prettier-ignore
  assert.equal(learn(map, {}, [line('198.51.100.1', 'a', RACE, { body: more })], NOW).counts.counted, 1);
});

test('a network that was not heard of for a week has the operator’s answer again', () => {
  const before = { '198.51.100.0/24': { at: NOW - 8 * 86_400_000, factors: { a: 2 } } };
  const { learned, changed } = learn(map, before, [], NOW);
  assert.deepEqual({ learned, changed }, { learned: {}, changed: ['198.51.100.0/24'] });
});

test('a network that is known and quiet keeps what was learned', () => {
  const before = { '198.51.100.0/24': { at: NOW - 3_600_000, factors: { a: 2 } } };
  assert.deepEqual(learn(map, before, [], NOW), { ...learn(map, {}, [], NOW), learned: before });
});

test('the report that the package makes is one that counts', async () => {
  const { outputFiles } = buildSync({ entryPoints: ['src/report.ts'], bundle: true, format: 'esm', write: false });
  const { makeReport } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`);
  const edges = ['a', 'b'].map((token) => ({ origin: originOf(token), rank: 0, weight: 1 }));
  const probes = edges.map((edge) => ({
    ...{ edge, method: 'GET', outcome: 'ok', status: 200, elapsedMs: 20.4, requestMs: 9.6, capabilities: {} },
  }));
  const selection = {
    service: '_https._tcp.origin.localhost',
    tokens: ['t'],
    chosen: edges[0],
    reason: 'quickest',
    probes,
  };
  const context = { sessionId: 'f00d', from: null, left: null };
  const body = await makeReport(selection, { report: { edges: 'all', fields: () => ({}) } }, context, {
    digest: async () => 'd1',
  });
  const text = JSON.stringify({ t: NOW / 1000, ip: '198.51.100.1', edge: 'a', body: JSON.stringify(body) });
  assert.equal(learn(map, {}, [text], NOW).counts.counted, 1);
});
