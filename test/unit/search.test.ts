import QUnit from 'qunit';
import { directory, type Directory } from '../../src/directory.js';
import type { ErrorDetails } from '../../src/errors.js';
import type { DiscoveredEdge, EdgeSelectOptions } from '../../src/options.js';
import type { Win } from '../../src/preflight.js';
import type { Method } from '../../src/probe.js';
import type { Resolver } from '../../src/resolver.js';
import { search, type Search } from '../../src/search.js';
import type { Selection } from '../../src/selection.js';
import type { Edge } from '../../src/servers.js';
import type { Input } from '../../src/switch.js';
import { answers, lookups, SETTLED_MS } from '../support/conducting.js';
import { fakePlatform, nothingLeft, type FakePage, type FakePlatform } from '../support/platform.js';
import { answer, settings, SOURCE, srv } from './given.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const B = 'https://b.example';

interface Searching {
  readonly fake: FakePlatform;
  readonly shared: Directory;
  readonly running: Search;
  readonly inputs: readonly Input[];
  readonly suspected: readonly string[];
  readonly warnings: readonly string[];
  win?: Win | null;
  race(method?: Method, held?: boolean): boolean;
}

interface Change {
  readonly options?: Partial<EdgeSelectOptions>;
  readonly page?: FakePage;
  readonly cooling?: readonly string[];
  readonly current?: Edge;
  /** The edge of this selection must go. */
  readonly leaving?: Selection;
}

function searching(
  assert: Assert,
  { options = {}, page = {}, cooling = [], current, leaving }: Change = {},
): Searching {
  const fake = fakePlatform(assert, page);
  const shared = directory(fake.platform);
  for (const origin of cooling) shared.failed(origin);
  const inputs: Input[] = [];
  const suspected: string[] = [];
  const warnings: string[] = [];
  const running = search({
    source: SOURCE,
    given: { src: SOURCE.src },
    settings: settings({ resolver: lookups(['a', 'b']), ...options }),
    platform: fake.platform,
    directory: shared,
    current: () => current ?? null,
    leaving: () => leaving ?? null,
    send: (input) => inputs.push(input),
    suspect: ({ origin }) => suspected.push(origin),
    warn: (text) => warnings.push(text),
  });
  const request = { url: SOURCE.src, headers: {}, withCredentials: false };
  const searched: Searching = {
    ...{ fake, shared, running, inputs, suspected, warnings },
    race: (method = 'GET', held = true) => running.run({ request, method, held: () => held }),
  };
  void running.win.then((win) => {
    searched.win = win;
  });
  return searched;
}

/** `found https://a.example`, `failed EDGES_FAILED` */
const told = ({ inputs }: Searching): string[] =>
  inputs.map((input) => {
    if (input.kind === 'failed') return `failed ${input.error.code}`;
    return 'selection' in input ? `${input.kind} ${input.selection.chosen.origin}` : input.kind;
  });

module('search', nothingLeft);

test('looks up at once, races as soon as it has a request, and tells what it found, then how all fared', async (assert) => {
  const searched = searching(assert);
  answers(searched.fake, { a: 20, b: 60 });
  assert.true(searched.running.lookingUp());
  await searched.fake.advance(500);
  assert.false(searched.running.lookingUp());
  assert.strictEqual(searched.fake.fetches.length, 0);
  assert.true(searched.race());
  await searched.fake.advance(30);
  assert.deepEqual(told(searched), [`found ${A}`]);
  assert.strictEqual(searched.win?.edge.origin, A);
  await searched.fake.advance(SETTLED_MS);
  assert.deepEqual(told(searched), [`found ${A}`, `raced ${A}`]);
  assert.strictEqual(searched.running.startedAt, 10_000);
});

test('looks up again when the first request comes after the answers have run out', async (assert) => {
  const resolver = lookups(['a']);
  const searched = searching(assert, { options: { resolver } });
  answers(searched.fake, { b: 20 });
  await searched.fake.advance(3 * 3_600_000);
  Object.assign(resolver, lookups(['b']));
  searched.race();
  await searched.fake.advance(SETTLED_MS);
  assert.deepEqual(told(searched), [`found ${B}`, `raced ${B}`]);
});

test('looks up once when the first request comes before that', async (assert) => {
  const resolver = lookups(['a']);
  const searched = searching(assert, { options: { resolver } });
  answers(searched.fake, { a: 20 });
  await searched.fake.advance(59_999);
  Object.assign(resolver, lookups(['b']));
  searched.race();
  await searched.fake.advance(SETTLED_MS);
  assert.deepEqual(told(searched), [`found ${A}`, `raced ${A}`]);
});

test.each('tells nothing after an abort before it looked up again', [true, false], async (assert, isAsking) => {
  const searched = searching(assert);
  await searched.fake.advance(3 * 3_600_000);
  if (isAsking) searched.race();
  searched.running.abort();
  if (!isAsking) searched.race();
  await searched.fake.advance(SETTLED_MS);
  assert.deepEqual([told(searched), searched.fake.fetches], [[], []]);
});

test('races one request only', async (assert) => {
  const searched = searching(assert);
  answers(searched.fake, { a: 20, b: 60 });
  assert.true(searched.race());
  assert.false(searched.race());
  await searched.fake.advance(SETTLED_MS);
  assert.strictEqual(searched.fake.fetches.length, 2);
});

test.each(
  'races by GET only while the request waits, and no service worker can answer it',
  [
    { held: true, controlled: false, method: 'GET' },
    { held: false, controlled: false, method: 'HEAD' },
    { held: true, controlled: true, method: 'HEAD' },
  ],
  async (assert, { held, controlled, method }) => {
    const searched = searching(assert, { page: { controlled } });
    answers(searched.fake, { a: 20, b: 60 });
    searched.race('GET', held);
    await searched.fake.flush();
    assert.deepEqual(
      searched.fake.fetches.map((request) => request.method),
      [method, method],
    );
    await searched.fake.advance(SETTLED_MS);
    assert.strictEqual(searched.win?.opened !== null, method === 'GET');
  },
);

test.each(
  'ranks by the time of the request, and not by arrival, where that proves little',
  {
    'connections may be warm': { held: false, controlled: false },
    'a service worker stands between': { held: true, controlled: true },
  },
  async (assert, { held, controlled }) => {
    const searched = searching(assert, { page: { controlled } });
    answers(searched.fake, { a: 20, b: 60 });
    searched.fake.timing('a.example', { requestStart: 1000, responseStart: 1020 });
    searched.fake.timing('b.example', { requestStart: 1000, responseStart: 1010 });
    searched.race('HEAD', held);
    await searched.fake.advance(SETTLED_MS);
    assert.strictEqual(searched.win?.edge.origin, B);
  },
);

test('leaves out edges that are in cool-down', async (assert) => {
  const searched = searching(assert, { cooling: [A] });
  answers(searched.fake, { b: 60 });
  searched.race();
  await searched.fake.advance(SETTLED_MS);
  assert.deepEqual(told(searched), [`found ${B}`, `raced ${B}`]);
});

test('fails at once, without a request to race, when all edges are in cool-down', async (assert) => {
  const searched = searching(assert, { cooling: [A, B] });
  await searched.fake.flush();
  assert.deepEqual(told(searched), ['failed EDGES_COOLING']);
  assert.strictEqual(searched.win, null);
});

test('fails at once when the lookups fail', async (assert) => {
  const searched = searching(assert, { options: { resolver: { resolve: () => Promise.reject(new Error('boom')) } } });
  await searched.fake.flush();
  assert.deepEqual(told(searched), ['failed LOOKUP_FAILED']);
  assert.strictEqual(searched.win, null);
  assert.false(searched.running.lookingUp());
});

test('puts edges that lost by a failure in cool-down, and learns how quick the others are', async (assert) => {
  const searched = searching(assert);
  answers(searched.fake, { a: 200 });
  searched.fake.respond('b.example', { status: 503 });
  searched.race();
  await searched.fake.advance(SETTLED_MS);
  assert.deepEqual([searched.shared.cooling(A), searched.shared.cooling(B)], [false, true]);
  assert.strictEqual(searched.shared.record(A).firstByteMs, 200);
});

test('only suspects edges when none answered: it may be the line', async (assert) => {
  const searched = searching(assert);
  searched.fake.respond('.example', 'fail');
  searched.race();
  await searched.fake.advance(SETTLED_MS);
  assert.deepEqual(told(searched), ['failed EDGES_FAILED']);
  assert.deepEqual(searched.suspected, [A, B]);
  assert.false(searched.shared.cooling(A));
});

/** A map with two classes: one token leads to a, the other to b. */
const CLASSES: Resolver = {
  resolve: ({ name }) => {
    const first = [srv('near.token.example'), srv('far.token.example', { priority: 20 })];
    return Promise.resolve(
      answer(name.startsWith('_') ? first : [srv(name.startsWith('near') ? 'a.example' : 'b.example')]),
    );
  },
};

test('races the next class of the map when nobody of the first answers, and nothing waits for it', async (assert) => {
  const { fake, running, inputs, suspected, race } = searching(assert, { options: { resolver: CLASSES } });
  answers(fake, { b: 20 });
  fake.respond('a.example', 'fail');
  race();
  await fake.flush();
  assert.strictEqual(await running.win, null, 'the held request goes to the origin');
  await fake.advance(SETTLED_MS);
  const [found] = inputs;
  assert.strictEqual(found?.kind === 'found' && found.selection.chosen.origin, B);
  assert.deepEqual(suspected, [A]);
});

test('names who wins, and its stand-bys, where the edges before it left or died', async (assert) => {
  const leaving: Selection = {
    ...{ service: SOURCE.service, tokens: [], expiresAt: Infinity, reason: 'quickest', probes: [], measuredAt: 0 },
    ...{ chosen: { origin: 'https://c.example', rank: 0, weight: 1 }, edges: [{ origin: A, rank: 0, weight: 1 }] },
  };
  const { fake, inputs, race } = searching(assert, { options: { resolver: CLASSES }, leaving });
  answers(fake, { b: 20 });
  fake.respond('a.example', 'fail');
  race('HEAD', false);
  await fake.advance(2 * SETTLED_MS);
  const found = inputs.find(({ kind }) => kind === 'found');
  assert.deepEqual(found?.kind === 'found' && found.selection.edges.map(({ origin, rank }) => [origin, rank]), [
    [A, 0],
    [B, 1],
  ]);
});

test('fails with all that lost when nobody of any class answers', async (assert) => {
  const { fake, inputs, race } = searching(assert, { options: { resolver: CLASSES } });
  fake.respond(/[ab]\.example/, 'fail');
  race();
  await fake.advance(SETTLED_MS);
  const [failed] = inputs;
  if (failed?.kind !== 'failed') throw new Error('it found somebody');
  const { edges } = failed.error.details as ErrorDetails['EDGES_FAILED'];
  assert.deepEqual(
    edges.map(({ origin }) => origin),
    [A, B],
  );
});

test('asks `discover` once', async (assert) => {
  let times = 0;
  const discover = (): Promise<DiscoveredEdge[]> => {
    times += 1;
    return Promise.resolve([{ origin: A }]);
  };
  const { fake, inputs, race } = searching(assert, { options: { discover } });
  fake.respond('a.example', 'fail');
  race();
  await fake.advance(SETTLED_MS);
  assert.deepEqual([times, inputs.map(({ kind }) => kind)], [1, ['failed']]);
});

test('does not let an answer to the race end a cool-down that began after it', async (assert) => {
  const searched = searching(assert);
  answers(searched.fake, { a: 20, b: 60 });
  searched.race();
  await searched.fake.advance(30);
  searched.shared.failed(A);
  await searched.fake.advance(SETTLED_MS);
  assert.true(searched.shared.cooling(A));
});

test.each(
  'tells apart why no edge could be used',
  {
    'no CORS header': ['EDGES_UNREADABLE', [A, 'unreadable'], [B, 'unreadable']],
    'forbidden by the page': ['EDGES_BLOCKED', [A, 'blocked'], [B, 'blocked']],
    'one of each': ['EDGES_FAILED', [A, 'blocked'], [B, 'unreadable']],
  } as const,
  async (assert, [code, ...edges]) => {
    const searched = searching(assert);
    searched.fake.respond('GET ', 'fail');
    searched.fake.respond('HEAD ', { opaque: true });
    for (const [origin, outcome] of edges) if (outcome === 'blocked') searched.fake.block(origin);
    searched.race();
    await searched.fake.advance(SETTLED_MS);
    const [input] = searched.inputs;
    const error = input?.kind === 'failed' ? input.error : null;
    assert.strictEqual(error?.code, code);
    const failures = edges.map(([origin, outcome]) => ({ origin, outcome }));
    assert.deepEqual(error?.details, { edges: failures });
  },
);

test('says when another method had to be tried', async (assert) => {
  const searched = searching(assert);
  searched.fake.respond('HEAD ', { status: 405 });
  searched.fake.respond('GET ', { afterMs: 20 });
  searched.race('HEAD');
  await searched.fake.advance(SETTLED_MS);
  assert.strictEqual(searched.warnings.length, 1);
});

test.each(
  'tells nothing after an abort',
  { 'while it looks up': -1, 'before the race': 0, 'in the race': 10, 'when it is won': 30 },
  async (assert, atMs) => {
    const searched = searching(assert);
    answers(searched.fake, { a: 20, b: 60 });
    if (atMs >= 0) await searched.fake.flush();
    searched.race();
    if (atMs > 0) await searched.fake.advance(atMs);
    searched.running.abort();
    const before = searched.inputs.length;
    await searched.fake.advance(SETTLED_MS);
    assert.strictEqual(searched.inputs.length, before);
    assert.strictEqual(before, atMs === 30 ? 1 : 0);
    assert.strictEqual(searched.win === null, atMs < 30);
  },
);

test('stays with the edge in use unless another is quicker by a quarter', async (assert) => {
  const searched = searching(assert, { current: { origin: B, rank: 0, weight: 1 } });
  searched.fake.timing('a.example', { requestStart: 1000, responseStart: 1100 });
  searched.fake.timing('b.example', { requestStart: 1000, responseStart: 1120 });
  answers(searched.fake, { a: 100, b: 120 });
  searched.race('HEAD', false);
  await searched.fake.advance(SETTLED_MS);
  assert.deepEqual(told(searched), [`found ${B}`, `raced ${B}`]);
});
