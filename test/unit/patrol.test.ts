import QUnit from 'qunit';
import { directory, type Directory } from '../../src/directory.js';
import type { EdgeSelectOptions } from '../../src/options.js';
import { patrol, type Patrol } from '../../src/patrol.js';
import type { Question } from '../../src/resolver.js';
import type { Candidates, Selection } from '../../src/selection.js';
import { atEnd, fakePlatform, nothingLeft, type FakeFetch, type FakePlatform } from '../support/platform.js';
import { answer, settings, SOURCE, srv } from './given.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const B = 'https://b.example';
const edges = [A, B].map((origin) => ({ origin, rank: 0, weight: 1 }));

interface Patrolling {
  readonly fake: FakePlatform;
  readonly page: Directory;
  readonly patrolling: Patrol;
  readonly asked: Question[];
  readonly refreshed: Candidates[];
  /** `return`, `retry`. */
  readonly told: string[];
  isResting: boolean;
  isBypassed: boolean;
  /** The map does not answer. */
  isMapDead: boolean;
}

/** A patrol of a source that plays from a; the lookups were made just now, with a TTL of 120 s. */
function patrols(assert: Assert, options: Partial<EdgeSelectOptions> = {}): Patrolling {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  const [chosen] = edges;
  if (!chosen) throw new Error('no edge');
  const selection: Selection = {
    ...{ service: SOURCE.service, tokens: [], edges, expiresAt: 0, chosen, reason: 'quickest', probes: [] },
    measuredAt: 0,
  };
  const resolver = {
    resolve(question: Question) {
      state.asked.push(question);
      if (state.isMapDead) return Promise.reject(new Error('dead'));
      return Promise.resolve(answer([question.lookup === 'tokens' ? srv('t.example') : srv('c.example')], 120));
    },
  };
  const patrolling = patrol({
    platform: fake.platform,
    directory: page,
    settings: settings({ resolver, ...options }),
    source: SOURCE,
    given: { src: SOURCE.src },
    selection: () => (state.isBypassed ? null : selection),
    lastRequestAt: () => (state.isResting ? -Infinity : fake.platform.now()),
    probeRequest: () => ({ url: SOURCE.src, headers: {}, withCredentials: false }),
    look: () => null,
    service: () => null,
    onVerdict: () => undefined,
    onRefreshed: (candidates) => state.refreshed.push(candidates),
    onLost: () => state.told.push('lost'),
    onReturn: () => state.told.push('return'),
    onRetry: () => state.told.push('retry'),
  });
  const state: Patrolling = {
    ...{ fake, page, patrolling, asked: [], refreshed: [], told: [] },
    ...{ isResting: false, isBypassed: false, isMapDead: false },
  };
  atEnd(assert, patrolling.stop);
  // chance, where the test says nothing of it: the question comes with the TTL
  lookUp(state, 0);
  return state;
}

/** Lookups have just been made, with a TTL of 120 s; `random` is drawn for when they are repeated. */
function lookUp({ fake, patrolling }: Patrolling, random: number): void {
  fake.random(random);
  patrolling.lookedUp({ tokens: [], edges, expiresAt: fake.platform.now() + 120_000 });
}

const firsts = ({ asked }: Patrolling): number => asked.filter(({ lookup }) => lookup === 'tokens').length;

module('patrol', nothingLeft);

test('repeats the first-level question when its TTL is over, resolves the tokens, and hands on the edges', async (assert) => {
  const all = patrols(assert);
  await all.fake.advance(119_000);
  assert.strictEqual(firsts(all), 0);
  await all.fake.advance(2000);
  assert.deepEqual(
    all.asked.map(({ lookup, name }) => `${lookup} ${name}`),
    ['tokens _https._tcp.video.example', 'servers t.example'],
  );
  assert.deepEqual(
    all.refreshed.map((candidates) => [candidates.tokens, candidates.edges.map(({ origin }) => origin)]),
    [[['t.example'], ['https://c.example']]],
  );
  // a fifth of the TTL is for chance
  await all.fake.advance(144_000);
  assert.strictEqual(firsts(all), 2, 'and so on');
});

test.each(
  'what the next edge is measured at tells whether leaving a slow one helped, and not what was known of it before',
  [
    [2000, true],
    [4000, false],
  ] as const,
  async (assert, [kilobytes, isLineSlow]) => {
    const { fake, page, patrolling } = patrols(assert);
    page.delivered(A, 20_000_000, 1000);
    patrolling.left('throughput', 16_000_000);
    await fake.advance(5000);
    assert.false(page.isLineSlow(), 'nothing is known yet');
    page.delivered(A, kilobytes * 1000, 1000);
    await fake.advance(1000);
    assert.strictEqual(page.isLineSlow(), isLineSlow);
  },
);

test('takes a TTL for `refreshMinMs` where it is shorter, and for `refreshMaxMs` where it is longer', async (assert) => {
  const slow = patrols(assert, { refreshMinMs: 180_000 });
  await slow.fake.advance(179_000);
  assert.strictEqual(firsts(slow), 0);
  await slow.fake.advance(2000);
  assert.strictEqual(firsts(slow), 1);
  const quick = patrols(assert, { refreshMinMs: 10_000, refreshMaxMs: 30_000 });
  await quick.fake.advance(29_000);
  assert.strictEqual(firsts(quick), 0);
  await quick.fake.advance(2000);
  assert.strictEqual(firsts(quick), 1);
});

test.each(
  'never asks before the TTL is over; players that began together ask first at any time within another TTL',
  [
    [0, 120],
    [0.5, 180],
    [0.999, 240],
  ] as const,
  async (assert, [random, seconds]) => {
    const all = patrols(assert);
    lookUp(all, random);
    await all.fake.advance((seconds - 1) * 1000);
    assert.strictEqual(firsts(all), 0, `before ${seconds} s`);
    await all.fake.advance(2000);
    assert.strictEqual(firsts(all), 1, `at ${seconds} s`);
  },
);

test.each(
  'asks again within a fifth of the TTL, once players are apart, and never before it is over',
  [
    [0, 120],
    [0.999, 144],
  ] as const,
  async (assert, [random, seconds]) => {
    const all = patrols(assert);
    await all.fake.advance(121_000);
    assert.strictEqual(firsts(all), 1);
    lookUp(all, random);
    await all.fake.advance((seconds - 1) * 1000);
    assert.strictEqual(firsts(all), 1, `before ${seconds} s`);
    await all.fake.advance(2000);
    assert.strictEqual(firsts(all), 2, `at ${seconds} s`);
  },
);

test('keeps players apart that searched together before their first repeated question', async (assert) => {
  const all = patrols(assert);
  await all.fake.advance(30_000);
  lookUp(all, 0.999);
  await all.fake.advance(238_000);
  assert.strictEqual(firsts(all), 0);
  await all.fake.advance(3000);
  assert.strictEqual(firsts(all), 1);
});

test('asks with back-off when the map is dead, and says nothing: the answer that is held goes on to serve', async (assert) => {
  const all = patrols(assert, { lookupStaggerMs: 0 });
  all.isMapDead = true;
  all.fake.random(0, 0);
  await all.fake.advance(121_000);
  assert.strictEqual(firsts(all), 1);
  await all.fake.advance(60_000);
  assert.strictEqual(firsts(all), 2, 'after 60 s');
  await all.fake.advance(61_000);
  assert.strictEqual(firsts(all), 2);
  await all.fake.advance(60_000);
  assert.strictEqual(firsts(all), 3, 'after 120 s more');
  assert.deepEqual([all.refreshed, all.told], [[], []]);
});

test('asks nothing while nobody watches, and at once when somebody does again', async (assert) => {
  const all = patrols(assert);
  all.isResting = true;
  all.fake.setHidden(true);
  await all.fake.advance(600_000);
  assert.strictEqual(firsts(all), 0);
  all.isResting = false;
  await all.fake.advance(1000);
  assert.strictEqual(firsts(all), 1);
});

test('tries all of it again while bypassed, with back-off', async (assert) => {
  const all = patrols(assert);
  all.isBypassed = true;
  all.fake.random(0, 0);
  all.patrolling.failed();
  await all.fake.advance(61_000);
  assert.deepEqual([all.told, firsts(all)], [['retry'], 0]);
  await all.fake.advance(121_000);
  assert.strictEqual(all.told.length, 2, 'the second after 120 s more');
});

test('probes an edge whose cool-down is over by one small request, and lets it back when it answers', async (assert) => {
  const all = patrols(assert);
  all.page.failed(B);
  await all.fake.advance(59_000);
  assert.strictEqual(all.fake.fetches.length, 0);
  all.fake.expect('b.example');
  await all.fake.advance(1000);
  assert.deepEqual(
    all.fake.fetches.map(({ method, url }) => `${method} ${url}`),
    [`HEAD ${B}/live/main.m3u8`],
  );
  assert.true(all.page.record(B).isOut, 'not before it has answered');
  await all.fake.advance(1000);
  assert.strictEqual(all.fake.fetches.length, 1, 'one, for all players of the page');
  all.fake.last('b.example').respond();
  await all.fake.advance(1000);
  assert.false(all.page.record(B).isOut);
  assert.deepEqual(all.told, ['return']);
});

/** To a probe; back: whether the edge may be asked again. */
const ANSWERS = {
  'a URL that was signed for five minutes': { script: { status: 403 }, back: true },
  'a URL that is gone': { script: { status: 404 }, back: true },
  'too many requests': { script: { status: 429 }, back: false },
  'an error of its own': { script: { status: 503 }, back: false },
  'nothing that the page may read': {
    script: ({ init }: FakeFetch) => (init.mode === 'no-cors' ? {} : 'fail'),
    back: false,
  },
} as const;

test.each('lets an edge back that refuses one URL alone, and no other', ANSWERS, async (assert, { script, back }) => {
  const all = patrols(assert);
  all.fake.respond('b.example', script);
  all.page.failed(B);
  await all.fake.advance(62_000);
  assert.strictEqual(all.page.record(B).isOut, !back);
  assert.deepEqual(all.told, back ? ['return'] : []);
});

test('leaves an edge that fails its probe alone for twice as long', async (assert) => {
  const all = patrols(assert);
  all.fake.respond('b.example', 'fail');
  all.page.failed(B);
  await all.fake.advance(62_000);
  const probes = all.fake.all('HEAD https://b.example').length;
  assert.true(probes > 0);
  assert.true(all.page.record(B).isOut);
  await all.fake.advance(110_000);
  assert.strictEqual(all.fake.all('HEAD https://b.example').length, probes);
  await all.fake.advance(12_000);
  assert.true(all.fake.all('HEAD https://b.example').length > probes);
  assert.deepEqual(all.told, []);
  all.patrolling.stop();
  await all.fake.advance(3000);
});

test('says that the edge in use is out, whoever saw it, and again after 20 s', async (assert) => {
  const all = patrols(assert);
  all.page.failed(A);
  await all.fake.advance(20_000);
  assert.deepEqual(all.told, ['lost']);
  await all.fake.advance(1000);
  assert.deepEqual(all.told, ['lost', 'lost']);
  await all.fake.advance(38_000);
  assert.strictEqual(all.told.filter((one) => one === 'lost').length, 2, 'then with back-off');
});

test('does nothing any more once it is stopped', async (assert) => {
  const all = patrols(assert);
  all.page.failed(B);
  all.patrolling.stop();
  await all.fake.advance(600_000);
  assert.deepEqual([all.asked, all.fake.fetches.length], [[], 0]);
});
