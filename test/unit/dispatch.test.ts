import QUnit from 'qunit';
import { account, type Account, type Lag } from '../../src/account.js';
import { directory, type Directory } from '../../src/directory.js';
import { dispatch, type Dispatch } from '../../src/dispatch.js';
import type { EdgeSelectOptions } from '../../src/options.js';
import { permit } from '../../src/permit.js';
import type { Selection } from '../../src/selection.js';
import type { Edge } from '../../src/servers.js';
import type { Lane, Outcome } from '../../src/transport/attempt.js';
import type { Demand } from '../../src/transport/pace.js';
import type { MediaRequest, Try } from '../../src/transport/route.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';
import { settings, SOURCE } from './given.js';

const { module, test } = QUnit;

const edgeOf = (name: string): Edge => ({ origin: `https://${name}.example`, rank: 0, weight: 1 });
const [a, b, c] = [edgeOf('a'), edgeOf('b'), edgeOf('c')];

interface Dispatching {
  readonly fake: FakePlatform;
  readonly page: Directory;
  readonly accounting: Account;
  readonly dispatching: Dispatch;
  selection: Selection | null;
  demand: Demand | null;
  /** The next lane of a request that is not held; null: nobody is left. */
  next(request?: Partial<MediaRequest>, tries?: readonly Try[]): Lane | null;
}

/** a is chosen; c came second in the race, b last. */
function dispatches(assert: Assert, options: EdgeSelectOptions = {}): Dispatching {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  const own = settings(options);
  const tools = { platform: fake.platform, directory: page };
  const accounting = account({ ...tools, tell: () => undefined, chosen: () => null, onLost: () => undefined });
  const rules = permit(SOURCE, own);
  const dispatching = dispatch({
    ...{ ...tools, settings: own, rules, account: accounting },
    selection: () => all.selection,
    leaders: () => [b],
    hold: () => null,
    demand: () => all.demand,
  });
  const all: Dispatching = {
    ...{ fake, page, accounting, dispatching, demand: null },
    selection: { ...SELECTION, chosen: a, edges: [a, b, c], probes: [probe(b, 60), probe(c, 40), probe(a, 20)] },
    next(request = {}, tries = []) {
      const lane = dispatching.next({ ...SEGMENT, ...request }, tries, new AbortController().signal);
      if (lane instanceof Promise) throw new Error('it is held');
      return lane;
    },
  };
  return all;
}

const SELECTION: Omit<Selection, 'chosen' | 'edges' | 'probes'> = {
  ...{ service: SOURCE.service, tokens: [], expiresAt: Infinity, reason: 'quickest', measuredAt: 0 },
};
const SEGMENT: MediaRequest = {
  ...{ url: 'https://video.example/live/0.ts', method: 'GET', headers: {}, withCredentials: false },
  ...{ requestType: 'segment', timeoutMs: 3000, binary: true },
};
const DELIVERED: Outcome = {
  kind: 'delivered',
  firstByteMs: 20,
  elapsedMs: 2000,
  bytes: 1,
  isMedia: true,
  moveAway: false,
};
const PLENTY: Demand = { bufferMs: 12_000, segmentMs: 2000, targetMs: 2000 };

function probe(edge: Edge, elapsedMs: number): Selection['probes'][number] {
  return { edge, method: 'GET', outcome: 'ok', status: 200, elapsedMs, requestMs: null, capabilities: {} };
}

function failed(edge: Edge | null, more: Partial<Try> = {}): Try {
  return { edge, because: 'silent', status: 0, bytes: 0, elapsedMs: 600, ...more };
}

/** Where a request goes that fails wherever it goes. */
function wayOf(all: Dispatching, more: Partial<Try> = {}, request: Partial<MediaRequest> = {}): readonly string[] {
  const tries: Try[] = [];
  const way: string[] = [];
  for (let lane = all.next(request); lane && way.length < 9; lane = all.next(request, tries)) {
    way.push(new URL(lane.url).hostname.split('.')[0] ?? '');
    tries.push(failed(lane.edge, more));
  }
  return way;
}

module('dispatch', nothingLeft);

test('asks the chosen edge first, the others by the time they took in the race, and the origin last', (assert) => {
  assert.deepEqual(wayOf(dispatches(assert)), ['a', 'c', 'b', 'video']);
});

test('asks whoever leads while there is no selection', (assert) => {
  const all = dispatches(assert);
  all.selection = null;
  assert.deepEqual(wayOf(all), ['b', 'video']);
});

test('asks those that are out only when the origin has failed too', (assert) => {
  const all = dispatches(assert);
  all.page.failed(a.origin);
  assert.deepEqual(wayOf(all), ['c', 'b', 'video', 'a']);
});

test('asks nobody after the origin where the origin has denied the URL', (assert) => {
  const all = dispatches(assert);
  all.page.failed(a.origin);
  const tries = [failed(c), failed(b), failed(null, { because: 'status', status: 404 })];
  assert.strictEqual(all.next({}, tries), null);
});

test.each('asks those that are out where the origin has only too much to do:', [429, 503], (assert, status) => {
  const all = dispatches(assert);
  all.page.failed(a.origin);
  const tries = [failed(c), failed(b), failed(null, { because: 'status', status })];
  assert.deepEqual(all.next({}, tries)?.edge, a);
});

test('asks nobody else once VHS’s own limit is over', (assert) => {
  assert.strictEqual(dispatches(assert).next({}, [failed(a, { because: 'late' })]), null);
});

test('asks the origin alone for what is none of ours', (assert) => {
  const all = dispatches(assert);
  assert.deepEqual(wayOf(all, {}, { url: 'https://ads.example/0.ts' }), ['ads']);
});

test('goes by `edgeUrl`', (assert) => {
  const all = dispatches(assert, { edgeUrl: (url, { origin }) => `${origin}/cdn${new URL(url).pathname}` });
  assert.strictEqual(all.next()?.url, 'https://a.example/cdn/live/0.ts');
});

test('is patient for `stallMs`, for half as long with a stand-by, and for longer with an edge that is far away', (assert) => {
  const all = dispatches(assert, { stallMs: 600 });
  all.page.answered(a.origin, 50);
  assert.strictEqual(all.next()?.patienceMs, 600);
  assert.strictEqual(all.next({}, [failed(a)])?.patienceMs, 300);
  all.page.answered(c.origin, 400);
  assert.strictEqual(all.next({}, [failed(a)])?.patienceMs, 1600);
});

test('waits for the origin as long as it takes, where it is the first to be asked', (assert) => {
  const all = dispatches(assert);
  for (const { origin } of [a, b, c]) all.page.failed(origin);
  assert.strictEqual(all.next()?.patienceMs, 0);
});

test('takes the needed rate in the place of VHS’s limit where there is another edge, and its limit where there is none', (assert) => {
  const all = dispatches(assert);
  assert.strictEqual(all.next()?.limitMs, 3000, 'nobody knows what the buffer can bear');
  all.demand = PLENTY;
  assert.strictEqual(all.next()?.limitMs, 0);
  assert.strictEqual(all.next({ requestType: 'hls-playlist' })?.limitMs, 3000);
  for (const { origin } of [b, c]) all.page.failed(origin);
  assert.strictEqual(all.next()?.limitMs, 3000);
});

test('leaves an edge for its rate only while another is quicker', (assert) => {
  const all = dispatches(assert);
  all.demand = { ...PLENTY, bufferMs: 2000 };
  const crawling = { elapsedMs: 1000, bytes: 50_000, leftBytes: 950_000, bytesPerMs: 50 };
  assert.true(all.next()?.isTooSlow(crawling));
  for (const origin of [b.origin, c.origin, 'https://video.example']) all.page.flowed(origin, 55 * 8000);
  assert.false(all.next()?.isTooSlow(crawling), 'those others are as slow');
  all.page.flowed(c.origin, 1000 * 8000);
  assert.true(all.next()?.isTooSlow(crawling));
});

test.each(
  'leaves slow edges for the origin, which tells whether it is the line',
  { 'the only edge': ['a'], 'the second of three': ['a', 'b', 'c'] },
  (assert, edges) => {
    const all = dispatches(assert);
    all.demand = { ...PLENTY, bufferMs: 2000 };
    for (const one of [b, c]) if (!edges.includes(one.origin.slice(8, 9))) all.page.failed(one.origin);
    const crawling = { elapsedMs: 1000, bytes: 50_000, leftBytes: 950_000, bytesPerMs: 50 };
    const slow: Partial<Try> = { because: 'slow', bytes: 50_000, elapsedMs: 1000 };
    const tries = edges.length > 1 ? [failed(a, slow)] : [];
    assert.true(all.next({}, tries)?.isTooSlow(crawling), 'nobody knows what the origin can do');
    const both = edges.length > 1 ? [...tries, failed(c, slow)] : [failed(a, slow)];
    const atOrigin = all.next({}, both);
    assert.strictEqual(atOrigin?.edge, null);
    assert.strictEqual(atOrigin?.limitMs, 3000, 'VHS’s own limit holds there');
    assert.false(atOrigin?.isTooSlow(crawling), 'it is no slower than they are');
    assert.true(atOrigin?.isTooSlow({ ...crawling, bytesPerMs: 5 }));
  },
);

test.each(
  'goes back to the quickest slow edge, once, when the origin is no better',
  {
    'it has no such file': [{ because: 'status', status: 404 }, ['c']],
    'it fails': [{ because: 'status', status: 503 }, ['b', 'c']],
    'it is slower still': [{ because: 'slow', bytes: 1000, elapsedMs: 1000 }, ['b', 'c']],
  } satisfies Record<string, [Partial<Try>, string[]]>,
  (assert, [origin, expected]) => {
    const all = dispatches(assert);
    all.demand = { ...PLENTY, bufferMs: 2000 };
    const slow = (bytes: number): Partial<Try> => ({ because: 'slow', bytes, elapsedMs: 1000 });
    const tries = [failed(a, slow(40_000)), failed(c, slow(50_000)), failed(null, origin)];
    const way: string[] = [];
    for (let lane = all.next({}, tries); lane?.edge && way.length < 9; lane = all.next({}, tries)) {
      way.push(lane.edge.origin.slice(8, 9));
      const crawling = { elapsedMs: 1000, bytes: 45_000, leftBytes: 950_000, bytesPerMs: 45 };
      if (way.length === expected.length) assert.false(lane.isTooSlow(crawling), 'it is not left again');
      tries.push(failed(lane.edge));
    }
    assert.deepEqual(way, [...expected, 'a'], 'and to the others after it');
  },
);

test('does not try an origin that has failed for a while', (assert) => {
  const all = dispatches(assert);
  all.demand = { ...PLENTY, bufferMs: 2000 };
  for (const { origin } of [b, c]) all.page.failed(origin);
  const crawling = { elapsedMs: 1000, bytes: 50_000, leftBytes: 950_000, bytesPerMs: 50 };
  assert.true(all.next()?.isTooSlow(crawling));
  all.page.failed('https://video.example');
  assert.false(all.next()?.isTooSlow(crawling));
});

test('stays at a slow edge when the origin is known to be no quicker', (assert) => {
  const all = dispatches(assert);
  all.demand = { ...PLENTY, bufferMs: 2000 };
  for (const { origin } of [b, c]) all.page.failed(origin);
  all.page.flowed('https://video.example', 55 * 8000);
  assert.false(all.next()?.isTooSlow({ elapsedMs: 1000, bytes: 50_000, leftBytes: 950_000, bytesPerMs: 50 }));
});

test('shows VHS the rate that another edge will give, while the buffer bears the dip', (assert) => {
  const all = dispatches(assert);
  all.demand = PLENTY;
  all.page.delivered(a.origin, 1_000_000, 1000);
  for (const { origin } of [b, c]) all.page.delivered(origin, 500_000, 1000);
  assert.strictEqual(all.next()?.rateShown(10), 500);
  assert.strictEqual(all.next()?.rateShown(2000), 2000, 'never less than it is');
  all.demand = { ...PLENTY, bufferMs: 1000 };
  assert.strictEqual(all.next()?.rateShown(10), 10, 'an empty buffer is for VHS to see');
});

test('resumes at no edge whose bytes are known to differ', (assert) => {
  const all = dispatches(assert);
  const tries = [failed(a, { bytes: 1000 })];
  const lane = all.next({}, tries);
  assert.true(lane?.resumes);
  if (lane) all.accounting.differs(tries, lane);
  assert.false(all.next({}, tries)?.resumes);
});

test('knows the service of the edge in use and of the others', (assert) => {
  const all = dispatches(assert);
  all.page.delivered(a.origin, 1_000_000, 8000);
  all.page.delivered(a.origin, 1_000_000, 4000);
  all.page.delivered(b.origin, 2_000_000, 8000);
  const { edge, bitsPerSecond, usualBitsPerSecond, bestOther, hasUnmeasured } = all.dispatching.service() ?? {};
  assert.deepEqual(
    { edge, bitsPerSecond, usualBitsPerSecond, bestOther, hasUnmeasured },
    {
      ...{ edge: a.origin, bitsPerSecond: 1_500_000, usualBitsPerSecond: 1_050_000 },
      ...{ bestOther: 2_000_000, hasUnmeasured: true },
    },
  );
  all.page.failed(c.origin);
  assert.false(all.dispatching.service()?.hasUnmeasured, 'who is out does not count');
  all.selection = null;
  assert.strictEqual(all.dispatching.service(), null);
});

test('knows when a segment was last waited for', async (assert) => {
  const { fake, dispatching } = dispatches(assert);
  const askedAt = (): number | undefined => dispatching.service()?.askedAt;
  const request = (more: Partial<MediaRequest> = {}): MediaRequest => ({ ...SEGMENT, ...more });
  const aborting = new AbortController();
  void dispatching.next(request({ requestType: 'hls-playlist' }), [], aborting.signal);
  assert.strictEqual(askedAt(), -Infinity);
  const [one, other] = [request(), request()];
  void dispatching.next(one, [], aborting.signal);
  void dispatching.next(other, [], new AbortController().signal);
  await fake.advance(1000);
  aborting.abort();
  await fake.advance(1000);
  assert.strictEqual(askedAt(), fake.platform.now(), 'another still is');
  dispatching.ended(other, [], dispatching.lane(other, a, null), DELIVERED);
  const endedAt = fake.platform.now();
  await fake.advance(1000);
  assert.strictEqual(askedAt(), endedAt);
});

const LIVE = { url: 'https://video.example/live.m3u8', requestType: 'hls-playlist' };

/** What is known of that playlist, by host. */
function lagging({ accounting }: Dispatching): Record<string, Lag> {
  const lags: Record<string, Lag> = {};
  const lag: Account['lag'] = (url, origin) => (url === LIVE.url ? (lags[new URL(origin).hostname] ?? null) : null);
  Object.assign(accounting, { lag });
  return lags;
}

const still = (at = 0): Lag => ({ isOld: false, at });
const old = (at = 0): Lag => ({ isOld: true, at });

test('asks others than a server whose live playlist is behind, and those that are in turn', (assert) => {
  const all = dispatches(assert);
  const lags = lagging(all);
  lags['a.example'] = old();
  assert.deepEqual(wayOf(all, {}, LIVE), ['c', 'b', 'a', 'video']);
  lags['c.example'] = still(2);
  lags['b.example'] = still(1);
  assert.deepEqual(wayOf(all, {}, LIVE), ['b', 'c', 'a', 'video']);
  assert.strictEqual(wayOf(all)[0], 'a', 'for that playlist alone');
});

test("asks a playlist's own host, and then the edges whatever that says, when all of them are behind", (assert) => {
  const all = dispatches(assert);
  const lags = lagging(all);
  for (const name of ['a', 'b', 'c']) lags[`${name}.example`] = old();
  assert.deepEqual(wayOf(all, { because: 'status', status: 404 }, LIVE), ['video', 'a', 'c', 'video']);
  lags['video.example'] = old();
  assert.strictEqual(wayOf(all, {}, LIVE)[0], 'a', 'but not where its own is old');
  lags['video.example'] = still();
  lags['a.example'] = still();
  all.fake.random(0.24);
  assert.strictEqual(wayOf(all, {}, LIVE)[0], 'video');
  all.fake.random(0.25);
  assert.strictEqual(wayOf(all, {}, LIVE)[0], 'a', 'few ask it while all may stand still');
});

test("waits no longer for a playlist's own host than for an edge, where edges have it as well", (assert) => {
  const all = dispatches(assert);
  const lags = lagging(all);
  for (const name of ['a', 'b', 'c']) lags[`${name}.example`] = old();
  all.accounting.ended(SEGMENT, [], all.dispatching.lane(SEGMENT, a, null), DELIVERED);
  assert.strictEqual(all.next(LIVE)?.patienceMs, 1200);
});

test('waits at a blocking request for what is new at the server, however quickly it is played', (assert) => {
  const all = dispatches(assert);
  all.demand = { ...PLENTY, segmentMs: 1000 };
  const url = 'https://video.example/live/low.m3u8?_HLS_msn=7';
  assert.strictEqual(all.next({ url, requestType: 'hls-playlist' })?.patienceMs, 2600);
});

test('remembers when it was last asked', async (assert) => {
  const all = dispatches(assert);
  await all.fake.advance(5000);
  all.next();
  const at = all.fake.platform.now();
  await all.fake.advance(5000);
  all.next({}, [failed(a)]);
  assert.strictEqual(all.dispatching.lastRequestAt(), at, 'another try is no other request');
});
