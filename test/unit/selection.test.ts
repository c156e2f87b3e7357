import QUnit from 'qunit';
import { EdgeSelectError } from '../../src/errors.js';
import type { DiscoveredEdge, EdgeSelectOptions } from '../../src/options.js';
import type { Outcome, Probe } from '../../src/probe.js';
import type { Answer, Question } from '../../src/resolver.js';
import { choose, lookUp, raceError, raceMethod, type Candidates } from '../../src/selection.js';
import type { Edge } from '../../src/servers.js';
import { fakePlatform, nothingLeft } from '../support/platform.js';
import { answer, failureOf, settings, SOURCE, srv } from './given.js';

const { module, test } = QUnit;
const GIVEN = { src: SOURCE.src, type: SOURCE.type };

const edge = (name: string, more: Partial<Edge> = {}): Edge => ({
  origin: `https://${name}.example`,
  rank: 0,
  weight: 1,
  ...more,
});
const [A, B, C] = [edge('a'), edge('b'), edge('c')];

const probe = (of: Edge, elapsedMs: number | null, more: Partial<Probe> = {}): Probe => ({
  edge: of,
  method: 'GET',
  outcome: 'ok',
  status: 200,
  elapsedMs,
  requestMs: null,
  capabilities: {},
  ...more,
});

/** Both lookups, with what is said to each question by its name. */
function search(
  assert: Assert,
  says: Readonly<Record<string, Answer | Error>>,
  options: EdgeSelectOptions = {},
): { found: Promise<Candidates>; asked: Question[]; now: number } {
  const { platform } = fakePlatform(assert);
  const asked: Question[] = [];
  const ask = (question: Question): Promise<Answer> => {
    asked.push(question);
    const said = says[question.name] ?? new Error(`nobody was to ask for ${question.name}`);
    return said instanceof Error ? Promise.reject(said) : Promise.resolve(said);
  };
  const rules = { secure: true, cooling: () => false };
  const tools = { ...rules, ask, platform, pageId: '7f', signal: new AbortController().signal };
  return { found: lookUp(SOURCE, GIVEN, settings(options), tools), asked, now: platform.now() };
}

module('selection, the two lookups', nothingLeft);

test('the token of the first answer is the name of the next question', async (assert) => {
  const { found, asked } = search(assert, {
    [SOURCE.service]: answer([srv('eu1.token')]),
    'eu1.token': answer([srv('a.example')]),
  });
  const { tokens, edges } = await found;
  assert.deepEqual(
    asked.map(({ lookup, name }) => [lookup, name]),
    [
      ['tokens', SOURCE.service],
      ['servers', 'eu1.token'],
    ],
  );
  assert.deepEqual(tokens, ['eu1.token']);
  assert.deepEqual(
    edges.map(({ origin }) => origin),
    ['https://a.example'],
  );
});

test('every token is told to the site, best first, also those that were not used', async (assert) => {
  const { found } = search(assert, {
    [SOURCE.service]: answer([srv('b.token', { priority: 20 }), srv('a.token', { priority: 10 })]),
    'a.token': answer([srv('a.example')]),
  });
  assert.deepEqual((await found).tokens, ['a.token', 'b.token']);
});

for (const [first, second, used] of [
  [90, 300, 90],
  [300, 90, 90],
  [60, 10, 60],
  [3600, 3600, 600],
] as const) {
  test(`candidates of ${first} s and ${second} s serve for ${used} s, as they do while a stream plays`, async (assert) => {
    const { found, now } = search(assert, {
      [SOURCE.service]: answer([srv('eu1.token')], first),
      'eu1.token': answer([srv('a.example')], second),
    });
    assert.strictEqual((await found).expiresAt, now + used * 1000);
  });
}

test('what fails in a lookup is thrown as it is', async (assert) => {
  const failure = new EdgeSelectError('LOOKUP_SERVFAIL', { lookup: 'tokens' });
  assert.strictEqual(await failureOf(search(assert, { [SOURCE.service]: failure }).found), failure);
});

test('`discover` takes the place of both lookups', async (assert) => {
  let given: unknown;
  const discover = (source: unknown, { signal }: { signal: AbortSignal }): Promise<readonly DiscoveredEdge[]> => {
    given = source;
    assert.false(signal.aborted);
    return Promise.resolve([{ origin: 'https://a.example' }]);
  };
  const { found, asked, now } = search(assert, {}, { discover });
  const candidates = await found;
  assert.strictEqual(given, GIVEN);
  assert.deepEqual(asked, []);
  assert.deepEqual(candidates.tokens, []);
  assert.deepEqual(candidates.edges, [{ origin: 'https://a.example', rank: 0, weight: 65_535 }]);
  assert.strictEqual(candidates.expiresAt, now + 300_000);
});

test('what `discover` throws is LOOKUP_FAILED, with the cause', async (assert) => {
  const cause = new RangeError('of the site');
  const { code, cause: caught } = await failureOf(search(assert, {}, { discover: () => Promise.reject(cause) }).found);
  assert.deepEqual([code, caught], ['LOOKUP_FAILED', cause]);
});

module('selection, the choice');

const candidates = (...edges: Edge[]): Candidates => ({ tokens: ['t'], edges, expiresAt: 99 });

test('the winner of the race is chosen, and everything that led to it is kept', (assert) => {
  const probes = [probe(A, 20), probe(B, 80)];
  assert.deepEqual(choose('service', candidates(A, B), probes, A, null, 7), {
    service: 'service',
    tokens: ['t'],
    edges: [A, B],
    expiresAt: 99,
    probes,
    chosen: A,
    reason: 'quickest',
    measuredAt: 7,
  });
});

test('an edge without a rival is chosen as the only one', (assert) => {
  assert.strictEqual(choose('service', candidates(A), [probe(A, 20)], A, null, 7).reason, 'only');
});

const SWITCHES: readonly [name: string, probes: Probe[], chosen: Edge, reason: string][] = [
  ['stays when it is quicker', [probe(A, 100), probe(B, 90)], B, 'stayed'],
  ['stays when the winner gains a fifth', [probe(A, 100), probe(B, 120)], B, 'stayed'],
  ['stays when the winner gains a quarter, no more', [probe(A, 100), probe(B, 125)], B, 'stayed'],
  ['goes when the winner gains more than a quarter', [probe(A, 100), probe(B, 126)], A, 'quickest'],
  ['goes when it gave no answer', [probe(A, 100), probe(B, null, { outcome: 'late' })], A, 'quickest'],
  [
    'goes when it gave another status',
    [probe(A, 100), probe(B, 10, { outcome: 'status', status: 503 })],
    A,
    'quickest',
  ],
  ['goes when it did not run', [probe(A, 100)], A, 'quickest'],
  [
    'goes when it asks to move away',
    [probe(A, 100), probe(B, 90, { capabilities: { moveAway: true } })],
    A,
    'quickest',
  ],
  [
    'is judged by request times where there are some',
    [probe(A, 10, { requestMs: 100 }), probe(B, 500, { requestMs: 110 })],
    B,
    'stayed',
  ],
];
for (const [name, probes, chosen, reason] of SWITCHES) {
  test(`the edge in use ${name}`, (assert) => {
    const made = choose('service', candidates(A, B), probes, A, B, 7);
    assert.deepEqual([made.chosen, made.reason], [chosen, reason]);
  });
}

test('the edge in use that wins again is simply the quickest', (assert) => {
  assert.strictEqual(choose('service', candidates(A, B), [probe(A, 20), probe(B, 80)], A, A, 7).reason, 'quickest');
});

module('selection, the method of the race');

const METHODS: readonly [
  preflight: 'auto' | 'GET' | 'HEAD' | 'OPTIONS',
  url: string,
  isPlaylist: boolean,
  method: string,
][] = [
  ['auto', 'https://v.example/a.m3u8', true, 'GET'],
  ['auto', 'https://v.example/a.m3u8?session=1', true, 'HEAD'],
  ['auto', 'https://v.example/a.ts', false, 'HEAD'],
  ['GET', 'https://v.example/a.m3u8', true, 'GET'],
  ['GET', 'https://v.example/a.m3u8?session=1', true, 'GET'],
  ['GET', 'https://v.example/a.ts', false, 'HEAD'],
  ['HEAD', 'https://v.example/a.m3u8', true, 'HEAD'],
  ['OPTIONS', 'https://v.example/a.m3u8', true, 'OPTIONS'],
  ['OPTIONS', 'https://v.example/a.ts', false, 'OPTIONS'],
];
for (const [preflight, url, isPlaylist, method] of METHODS) {
  test(`'${preflight}' asks for ${isPlaylist ? 'the playlist' : 'media'} ${url} by ${method}`, (assert) => {
    assert.strictEqual(raceMethod(preflight, { url }, isPlaylist), method);
  });
}

test('asks by HEAD where CORS is not wanted: no browser sends OPTIONS then', (assert) => {
  for (const preflight of ['auto', 'GET', 'HEAD', 'OPTIONS'] as const)
    assert.strictEqual(raceMethod(preflight, { url: 'https://v.example/a.mp4', opaque: true }, false), 'HEAD');
});

module('selection, a race without a winner');

const ran = (outcomes: readonly Outcome[]): Probe[] =>
  outcomes.map((outcome, i) => probe([A, B, C][i] ?? A, null, { outcome, status: outcome === 'status' ? 403 : null }));
const ENDS: readonly [outcomes: Outcome[], code: string][] = [
  [['unreachable', 'late'], 'EDGES_FAILED'],
  [['status', 'status'], 'EDGES_FAILED'],
  [['unreadable', 'unreadable'], 'EDGES_UNREADABLE'],
  [['unreadable', 'unreachable'], 'EDGES_FAILED'],
  [['blocked', 'blocked', 'blocked'], 'EDGES_BLOCKED'],
  [['blocked', 'late'], 'EDGES_FAILED'],
  [[], 'EDGES_FAILED'],
];
for (const [outcomes, code] of ENDS) {
  test(`edges that are ${outcomes.join(' and ') || 'none'} mean ${code}`, (assert) => {
    assert.strictEqual(raceError(ran(outcomes)).code, code);
  });
}

test('the error tells what each edge did, and its status where it has one', (assert) => {
  assert.deepEqual(raceError(ran(['status', 'late'])).details, {
    edges: [
      { origin: 'https://a.example', outcome: 'status', status: 403 },
      { origin: 'https://b.example', outcome: 'late' },
    ],
  });
});
