import QUnit from 'qunit';
import type { Edge } from '../../src/servers.js';
import type { Lane, Outcome, Parked } from '../../src/transport/attempt.js';
import { deliver, type End } from '../../src/transport/deliver.js';
import type { MediaRequest, Try } from '../../src/transport/route.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';

const { module, test } = QUnit;

const edge = (name: string): Edge => ({ origin: `https://${name}.example`, rank: 0, weight: 1 });

interface Delivery {
  readonly fake: FakePlatform;
  /** What the sink was given: statuses, and bodies as text. */
  readonly got: string[];
  /** What the routes were told at the end. */
  readonly told: { tries: readonly Try[]; lane: Lane | null; outcome: Outcome }[];
  /** Who was silent, and whether it ever spoke; `differs`. */
  readonly silent: string[];
  /** How long to wait before all are asked again. */
  readonly again: number[];
  /** The newest playlist that was seen. */
  newest?: string;
  readonly abort: () => void;
  end?: End;
}

/** Delivers a segment over these servers in order: names of edges, `origin`, or `silent origin`: with a patience. */
function delivering(assert: Assert, stops: readonly string[], request: Partial<MediaRequest> = {}): Delivery {
  const fake = fakePlatform(assert);
  const controller = new AbortController();
  const delivery: Delivery = {
    fake,
    got: [],
    told: [],
    silent: [],
    again: [],
    abort: () => {
      controller.abort();
    },
  };
  const asked = {
    ...{ url: 'https://origin.example/0.ts', method: 'GET', headers: {}, withCredentials: false },
    ...{ requestType: 'segment', timeoutMs: 1500, binary: true },
    ...request,
  };
  const routes = {
    next: (_: MediaRequest, tries: readonly Try[]): Promise<Lane | null> => {
      const isTried = (stop: string): boolean =>
        tries.some((one) => (one.edge ? one.edge.origin === edge(stop).origin : stop.endsWith('origin')));
      const name = stops.find((stop) => !isTried(stop));
      if (name === undefined) return Promise.resolve(null);
      const isEdge = !name.endsWith('origin');
      const url = `https://${isEdge ? name : 'origin'}.example/0.ts`;
      const patienceMs = name === 'origin' ? 0 : 600;
      const lane = { url, opened: null, guarded: false, patienceMs, limitMs: asked.timeoutMs, checksLength: isEdge };
      const pace = { isTooSlow: (): boolean => false, rateShown: (rate: number): number => rate };
      return Promise.resolve({ ...lane, edge: isEdge ? edge(name) : null, resumes: true, ...pace });
    },
    ended: (_: MediaRequest, tries: readonly Try[], lane: Lane | null, outcome: Outcome): void => {
      delivery.told.push({ tries: [...tries], lane, outcome });
    },
    prove: (silent: ReadonlyMap<Try, Parked>): void => {
      for (const [one, parked] of silent) {
        delivery.silent.push(`${one.because} ${parked.spoke() ? 'spoke' : 'deaf'}`);
        parked.abort();
      }
    },
    differs: (): unknown => delivery.silent.push('differs'),
    again: () => delivery.again.shift() ?? null,
    newest: (_: string, text: string) => delivery.newest ?? text,
    serviceUrl: (url: string) => url,
  };
  const sink = {
    headers: ({ status }: Response, _: number, lane: Lane): unknown =>
      delivery.got.push(`${status} of ${new URL(lane.url).hostname.split('.')[0] ?? ''}`),
    chunk: (bytes: Uint8Array): unknown => delivery.got.push(new TextDecoder().decode(bytes)),
    resumed: (): unknown => delivery.got.push('resumed'),
  };
  void deliver(asked, routes, sink, { platform: fake.platform, signal: controller.signal }).then((end) => {
    delivery.end = end;
  });
  return delivery;
}

const failuresOf = ({ told }: Delivery): string[] => (told[0]?.tries ?? []).map(({ because }) => because);

module('deliver', nothingLeft);

test('delivers what the first server gives, and says so once', async (assert) => {
  const delivery = delivering(assert, ['a', 'b', 'origin']);
  delivery.fake.respond('a.example', { body: 'media' });
  await delivery.fake.flush();
  assert.strictEqual(delivery.end, 'answered');
  assert.deepEqual(delivery.got, ['200 of a', 'media']);
  assert.deepEqual(
    delivery.told.map(({ lane }) => lane?.edge),
    [edge('a')],
  );
  assert.deepEqual(failuresOf(delivery), []);
});

test('goes whole to the next edge, and to the origin last', async (assert) => {
  const delivery = delivering(assert, ['a', 'b', 'c', 'origin']);
  delivery.fake.respond('a.example', 'fail');
  delivery.fake.respond('b.example', { status: 503 });
  delivery.fake.expect('c.example');
  delivery.fake.respond('origin.example', { body: 'whole' });
  await delivery.fake.advance(600);
  assert.strictEqual(delivery.end, 'answered');
  assert.deepEqual(delivery.got, ['200 of origin', 'whole']);
  assert.deepEqual(failuresOf(delivery), ['refused', 'status', 'silent']);
  assert.strictEqual(delivery.told[0]?.lane?.edge, null);
});

test('begins the answer anew when it breaks in its middle', async (assert) => {
  const delivery = delivering(assert, ['a', 'b']);
  delivery.fake.expect('a.example');
  delivery.fake.respond('b.example', { body: 'whole' });
  await delivery.fake.flush();
  const body = delivery.fake.last('a.example').respondStream({ headers: { 'content-length': '9' } });
  body.chunk('wh');
  await delivery.fake.flush();
  body.end();
  await delivery.fake.flush();
  assert.deepEqual(delivery.got, ['200 of a', 'wh', '200 of b', 'whole']);
  assert.deepEqual(failuresOf(delivery), ['short']);
});

test('delivers the refusal of the last when nobody has anything better', async (assert) => {
  const delivery = delivering(assert, ['a', 'b', 'origin']);
  delivery.fake.respond('a.example', { status: 404, body: 'not at a' });
  delivery.fake.respond('b.example', 'fail');
  delivery.fake.respond('origin.example', { status: 410, body: 'gone for good' });
  await delivery.fake.flush();
  assert.strictEqual(delivery.end, 'answered');
  assert.deepEqual(delivery.got, ['410 of origin', 'gone for good']);
  assert.strictEqual(delivery.told[0]?.lane, null, 'nobody delivered it');
  assert.deepEqual(failuresOf(delivery), ['status', 'refused', 'status']);
});

test('delivers a refusal of which a polyfill of fetch has no stream', async (assert) => {
  const delivery = delivering(assert, ['origin']);
  delivery.fake.respond('origin.example', { status: 404, body: 'not here', unstreamed: true });
  await delivery.fake.advance(0);
  assert.deepEqual([delivery.got, delivery.end], [['404 of origin', 'not here'], 'answered']);
});

test("takes the origin's word over that of edges that were asked after it", async (assert) => {
  const delivery = delivering(assert, ['origin', 'a', 'b']);
  delivery.fake.respond('origin.example', { status: 500, body: 'broken' });
  delivery.fake.respond('a.example', { status: 404 });
  delivery.fake.respond('b.example', { status: 403 });
  await delivery.fake.flush();
  assert.deepEqual(delivery.got, ['500 of origin', 'broken']);
});

test('delivers the refusal of an edge when the origin cannot be reached', async (assert) => {
  const delivery = delivering(assert, ['a', 'origin']);
  delivery.fake.respond('a.example', { status: 404, body: 'not at a' });
  delivery.fake.respond('origin.example', 'fail');
  await delivery.fake.flush();
  assert.deepEqual(delivery.got, ['404 of a', 'not at a']);
});

test('reads the refusals that it does not deliver, so that their connections are free', async (assert) => {
  const delivery = delivering(assert, ['a', 'b', 'c']);
  delivery.fake.expect('.example');
  const refusals = [];
  for (const name of ['a', 'b']) {
    await delivery.fake.flush();
    const body = delivery.fake.last(`${name}.example`).respondStream({ status: 404 });
    body.chunk('no');
    refusals.push(body);
  }
  await delivery.fake.flush();
  delivery.fake.last('c.example').respond({ body: 'yes' });
  await delivery.fake.flush();
  assert.strictEqual(delivery.end, 'answered');
  assert.deepEqual(
    refusals.map((body) => body.unread()),
    [0, 0],
  );
  for (const body of refusals) body.end();
});

test('ends with an error when nobody can be reached', async (assert) => {
  const delivery = delivering(assert, ['a', 'origin']);
  delivery.fake.respond('.example', 'fail');
  await delivery.fake.flush();
  assert.strictEqual(delivery.end, 'error');
  assert.deepEqual(delivery.got, []);
  assert.deepEqual(failuresOf(delivery), ['refused', 'refused']);
});

test('ends with a time-out when the last took longer than VHS waits', async (assert) => {
  const delivery = delivering(assert, ['a', 'origin']);
  delivery.fake.expect('.example');
  await delivery.fake.advance(600 + 1499);
  assert.strictEqual(delivery.end, undefined, 'the origin has all of its own time');
  await delivery.fake.advance(1);
  assert.strictEqual(delivery.end, 'timeout');
  assert.deepEqual(failuresOf(delivery), ['silent', 'late']);
});

test('stops when it is aborted, and tells nobody', async (assert) => {
  const delivery = delivering(assert, ['a', 'b']);
  delivery.fake.expect('.example');
  await delivery.fake.flush();
  delivery.abort();
  await delivery.fake.flush();
  assert.strictEqual(delivery.end, 'error');
  assert.true(delivery.fake.last('a.example').aborted());
  assert.deepEqual(delivery.told, []);
  assert.strictEqual(delivery.fake.fetches.length, 1);
});

test('gives up the refusal it kept when it is aborted', async (assert) => {
  const delivery = delivering(assert, ['a', 'b']);
  delivery.fake.expect('.example');
  await delivery.fake.flush();
  delivery.fake.last('a.example').respondStream({ status: 404 });
  await delivery.fake.flush();
  delivery.abort();
  await delivery.fake.flush();
  assert.true(delivery.fake.last('a.example').aborted());
  assert.true(delivery.fake.last('b.example').aborted());
});

test('gives up a refusal that it delivers when it is aborted', async (assert) => {
  const delivery = delivering(assert, ['origin']);
  delivery.fake.expect('.example');
  await delivery.fake.flush();
  delivery.fake.last('origin.example').respondStream({ status: 404 }).chunk('no');
  await delivery.fake.flush();
  assert.deepEqual(delivery.got, ['404 of origin', 'no']);
  delivery.abort();
  await delivery.fake.flush();
  assert.true(delivery.fake.last('origin.example').aborted());
  assert.strictEqual(delivery.end, 'error');
});

test('does not wait for ever for the body of a refusal', async (assert) => {
  const delivery = delivering(assert, ['origin']);
  delivery.fake.expect('.example');
  await delivery.fake.flush();
  delivery.fake.last('origin.example').respondStream({ status: 404 }).chunk('no');
  await delivery.fake.advance(1499);
  assert.strictEqual(delivery.end, undefined);
  await delivery.fake.advance(1);
  assert.strictEqual(delivery.end, 'timeout');
});

module('deliver, who was silent and answers after all', nothingLeft);

test('delivers the answer of the first when it comes before that of the next, which is asked no longer', async (assert) => {
  const delivery = delivering(assert, ['a', 'b', 'origin']);
  delivery.fake.expect('.example');
  await delivery.fake.advance(700);
  delivery.fake.last('a.example').respond({ body: 'late' });
  await delivery.fake.flush();
  assert.strictEqual(delivery.end, 'answered');
  assert.deepEqual(delivery.got, ['200 of a', 'late']);
  assert.true(delivery.fake.last('b.example').aborted());
  assert.deepEqual(failuresOf(delivery), [], 'nobody failed');
  assert.deepEqual(delivery.silent, []);
});

test('stays with the next when its headers came first', async (assert) => {
  const delivery = delivering(assert, ['a', 'b']);
  delivery.fake.expect('.example');
  await delivery.fake.advance(600);
  const body = delivery.fake.last('b.example').respondStream();
  body.chunk('whole');
  await delivery.fake.flush();
  delivery.fake.last('a.example').respond({ body: 'too late' });
  await delivery.fake.flush();
  body.end();
  await delivery.fake.flush();
  assert.deepEqual(delivery.got, ['200 of b', 'whole']);
  assert.deepEqual(delivery.silent, ['silent spoke']);
});

test('goes on to the next when what came late is a refusal', async (assert) => {
  const delivery = delivering(assert, ['a', 'b', 'origin']);
  delivery.fake.expect('.example');
  await delivery.fake.advance(700);
  delivery.fake.last('a.example').respond({ status: 503 });
  await delivery.fake.flush();
  assert.false(delivery.fake.last('b.example').aborted());
  delivery.fake.last('b.example').respond({ status: 503 });
  await delivery.fake.flush();
  delivery.fake.last('origin.example').respond({ body: 'whole' });
  await delivery.fake.flush();
  assert.deepEqual(delivery.got, ['200 of origin', 'whole']);
});

test.each(
  'waits for the silent origin when all that edges have is a refusal',
  { 'which is delivered when the origin says nothing': false, 'and delivers what the origin says': true },
  async (assert, speaks) => {
    const delivery = delivering(assert, ['silent origin', 'a'], { requestType: 'segment-key', timeoutMs: 5000 });
    delivery.fake.expect('origin.example');
    delivery.fake.respond('a.example', { status: 403, body: 'no' });
    await delivery.fake.advance(1500);
    assert.strictEqual(delivery.end, undefined);
    if (speaks) delivery.fake.last('origin.example').respond({ body: 'key' });
    await delivery.fake.advance(speaks ? 0 : 3500);
    assert.deepEqual(delivery.got, speaks ? ['200 of origin', 'key'] : ['403 of a', 'no']);
    assert.strictEqual(delivery.end, 'answered');
  },
);

test('keeps the request to the origin open while all are asked again', async (assert) => {
  const delivery = delivering(assert, ['a', 'silent origin'], { timeoutMs: 9000 });
  delivery.again.push(500);
  delivery.fake.expect('.example');
  await delivery.fake.advance(600 + 600 + 500);
  const [first] = delivery.fake.all('origin.example');
  assert.false(first?.aborted());
  assert.deepEqual(
    delivery.fake.all('a.example').map((one) => one.aborted()),
    [true, false],
    'the edge is asked anew',
  );
  first?.respond({ body: 'slow' });
  await delivery.fake.flush();
  assert.deepEqual(delivery.got, ['200 of origin', 'slow']);
  assert.strictEqual(delivery.end, 'answered');
});

test('does not wait for silent edges where the origin refuses: its word is the last', async (assert) => {
  const delivery = delivering(assert, ['a', 'origin'], { timeoutMs: 9000 });
  delivery.fake.expect('a.example');
  delivery.fake.respond('origin.example', { status: 404, body: 'gone' });
  await delivery.fake.advance(600);
  assert.deepEqual(delivery.got, ['404 of origin', 'gone']);
  assert.true(delivery.fake.last('a.example').aborted());
});

test('waits no longer than until all who were silent have answered', async (assert) => {
  const delivery = delivering(assert, ['silent origin', 'a'], { requestType: 'segment-key', timeoutMs: 9000 });
  delivery.fake.expect('origin.example');
  delivery.fake.respond('a.example', { status: 403, body: 'no' });
  await delivery.fake.advance(1500);
  delivery.fake.last('origin.example').respond({ status: 503 });
  await delivery.fake.flush();
  assert.deepEqual(delivery.got, ['403 of a', 'no']);
});

test('asks the origin again only when its first request has come to an end', async (assert) => {
  const delivery = delivering(assert, ['silent origin', 'a', 'b'], { timeoutMs: 9000 });
  delivery.again.push(500, 500);
  delivery.fake.expect('origin.example');
  delivery.fake.respond(/[ab]\.example/, 'fail');
  await delivery.fake.advance(600 + 500);
  assert.strictEqual(delivery.fake.all('origin.example').length, 1);
  assert.strictEqual(delivery.fake.all('a.example').length, 2, 'while the others are');
  delivery.fake.last('origin.example').respond({ status: 503 });
  await delivery.fake.advance(500);
  assert.strictEqual(delivery.fake.all('origin.example').length, 2);
  delivery.abort();
});

test('takes no late answer that begins behind what is there now, and asks anew who gave it: it failed at nothing', async (assert) => {
  const delivery = delivering(assert, ['a', 'b', 'c', 'd']);
  delivery.fake.expect('.example');
  const noise = new Uint8Array(40_000).map((_, i) => (i * 2_654_435_761) >>> 13);
  await delivery.fake.flush();
  const first = delivery.fake.last('a.example').respondStream({ headers: { 'content-length': '80000' } });
  first.chunk(noise);
  await delivery.fake.flush();
  first.end();
  await delivery.fake.advance(600);
  assert.strictEqual(delivery.fake.last('b.example').headers.range, 'bytes=23616-');
  delivery.fake.last('c.example').respond({ status: 416 });
  await delivery.fake.flush();
  const anew = delivery.fake.last('c.example').respondStream({ headers: { 'content-length': '70000' } });
  anew.chunk(noise.slice(0, 20_000));
  await delivery.fake.flush();
  delivery.fake
    .last('b.example')
    .respond({ status: 206, body: 'rest', headers: { 'content-range': 'bytes 23616-79999/80000' } });
  await delivery.fake.flush();
  anew.end();
  await delivery.fake.flush();
  const asked = delivery.fake.fetches.at(-1);
  assert.deepEqual([asked?.url, asked?.headers.range], ['https://b.example/0.ts', 'bytes=3616-']);
  assert.strictEqual(delivery.end, undefined);
  asked?.respond({ body: 'whole' });
  await delivery.fake.flush();
  assert.strictEqual(delivery.got.slice(-1)[0], 'whole');
  assert.deepEqual([failuresOf(delivery), delivery.silent], [['short', 'short'], ['differs']]);
});
