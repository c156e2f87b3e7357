import QUnit from 'qunit';
import { hold, type Held } from '../../src/hold.js';
import type { Win } from '../../src/preflight.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';

const { module, test } = QUnit;

const URL_ = 'https://video.example/main.m3u8';
const edge = { origin: 'https://a.example', rank: 0, weight: 1 };

interface Holding {
  readonly fake: FakePlatform;
  held?: Held;
  readonly win: (win: Win | null) => void;
  readonly abort: () => void;
  /** An answer of the edge whose body is still to be read. */
  readonly opened: (body?: ReadableStream) => NonNullable<Win['opened']>;
}

/** A body that is there at once. */
function playlist(): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('#EXTM3U'));
      controller.close();
    },
  });
}

function holding(assert: Assert, raced: boolean, request: object = {}): Holding {
  const fake = fakePlatform(assert);
  const controller = new AbortController();
  let win: (win: Win | null) => void = () => undefined;
  const winner = new Promise<Win | null>((resolve) => (win = resolve));
  const state: Holding = {
    fake,
    win,
    abort: () => {
      controller.abort();
    },
    opened: (body = playlist()) => ({
      response: new Response(body),
      startedAt: 0,
      abort: () => undefined,
    }),
  };
  const asked = { url: URL_, headers: {}, withCredentials: false, ...request };
  const rules = { originAfterMs: 150, limitMs: 45_000, raced };
  void hold(asked, winner, rules, { platform: fake.platform, signal: controller.signal }).then((held) => {
    state.held = held;
  });
  return state;
}

module('hold, when the race asks for headers only', nothingLeft);

test('gives the request to the winner, and asks nobody itself', async (assert) => {
  const state = holding(assert, false);
  await state.fake.advance(149);
  assert.strictEqual(state.held, undefined, 'held');
  state.win({ edge, opened: null });
  await state.fake.flush();
  assert.deepEqual(state.held, { edge, opened: null });
});

test('gives it to the origin after originAfterMs, where it stays', async (assert) => {
  const state = holding(assert, false);
  await state.fake.advance(150);
  assert.deepEqual(state.held, { edge: null, opened: null });
  state.win({ edge, opened: null });
  await state.fake.flush();
  assert.strictEqual(state.held?.edge, null);
});

test('gives it to the origin as soon as no edge is left', async (assert) => {
  const state = holding(assert, false);
  await state.fake.advance(10);
  state.win(null);
  await state.fake.flush();
  assert.deepEqual(state.held, { edge: null, opened: null });
});

test('lets go of it when it is aborted', async (assert) => {
  const state = holding(assert, false);
  await state.fake.advance(10);
  state.abort();
  await state.fake.flush();
  assert.deepEqual(state.held, { edge: null, opened: null });
  assert.strictEqual(state.fake.liveTimers(), 0);
});

module('hold, when the race is the request itself', nothingLeft);

test("hands on the winner's answer", async (assert) => {
  const state = holding(assert, true);
  const opened = state.opened();
  state.win({ edge, opened });
  await state.fake.flush();
  assert.strictEqual(state.held?.opened, opened);
  assert.false(opened.response.bodyUsed);
});

test('sends it to the origin as well after originAfterMs, as it stands, and caches may answer there', async (assert) => {
  const state = holding(assert, true, { headers: { 'X-Site': 'yes' }, withCredentials: true });
  await state.fake.advance(149);
  assert.strictEqual(state.fake.fetches.length, 0);
  state.fake.respond(URL_, {});
  await state.fake.advance(1);
  const asked = state.fake.last(URL_);
  assert.deepEqual([asked.method, asked.headers], ['GET', { 'x-site': 'yes' }]);
  assert.deepEqual([asked.init.credentials, asked.init.cache], ['include', undefined]);
});

test("takes the origin's answer when it is the first good one", async (assert) => {
  const state = holding(assert, true);
  state.fake.respond(URL_, { afterMs: 50, body: '#EXTM3U of the origin' });
  await state.fake.advance(199);
  assert.strictEqual(state.held, undefined, 'held');
  await state.fake.advance(1);
  assert.strictEqual(state.held?.edge, null);
  assert.strictEqual(await state.held?.opened?.response.text(), '#EXTM3U of the origin');
});

test('takes an edge that is quicker than the origin, which began later, and reads what the origin still says', async (assert) => {
  const state = holding(assert, true);
  state.fake.expect(URL_);
  await state.fake.advance(160);
  state.win({ edge, opened: state.opened() });
  await state.fake.flush();
  assert.strictEqual(state.held?.edge, edge);
  const body = state.fake.last(URL_).respondStream();
  body.chunk('#EXTM3U');
  await state.fake.flush();
  assert.strictEqual(body.unread(), 0, 'the loser is read, so that its connection is free');
  body.end();
});

test('gives up a loser that only drips: its connection is wanted', async (assert) => {
  const state = holding(assert, true);
  state.fake.expect(URL_);
  await state.fake.advance(160);
  state.win({ edge, opened: state.opened() });
  const body = state.fake.last(URL_).respondStream();
  for (let i = 0; i < 14; i++) {
    body.chunk('#');
    await state.fake.advance(100);
  }
  assert.false(state.fake.last(URL_).aborted(), 'after 1.4 s it is still read');
  await state.fake.advance(100);
  assert.true(state.fake.last(URL_).aborted());
});

test('asks the origin at once when no edge is left, and takes whatever it says', async (assert) => {
  const state = holding(assert, true);
  state.fake.respond(URL_, { status: 404, afterMs: 20 });
  state.win(null);
  await state.fake.advance(20);
  assert.strictEqual(state.held?.opened?.response.status, 404);
});

test('waits for the origin, which is under way, when no edge is left', async (assert) => {
  const state = holding(assert, true);
  state.fake.respond(URL_, { status: 503, afterMs: 100 });
  await state.fake.advance(160);
  state.win(null);
  await state.fake.advance(89);
  assert.strictEqual(state.held, undefined, 'held');
  await state.fake.advance(1);
  assert.strictEqual(state.held?.opened?.response.status, 503);
  assert.strictEqual(state.fake.fetches.length, 1);
});

test('waits for the edges when the origin refuses, and lets go of its refusal', async (assert) => {
  const state = holding(assert, true);
  state.fake.expect(URL_);
  await state.fake.advance(150);
  const refusal = state.fake.last(URL_).respondStream({ status: 403 });
  refusal.chunk('no');
  await state.fake.advance(500);
  assert.strictEqual(state.held, undefined, 'held');
  const opened = state.opened();
  state.win({ edge, opened });
  await state.fake.flush();
  assert.strictEqual(state.held?.opened, opened);
  assert.strictEqual(refusal.unread(), 0);
  refusal.end();
});

test("hands on the origin's refusal when every edge fails after it", async (assert) => {
  const state = holding(assert, true);
  state.fake.respond(URL_, { status: 403, body: 'no' });
  await state.fake.advance(160);
  state.win(null);
  await state.fake.flush();
  assert.strictEqual(await state.held?.opened?.response.text(), 'no');
});

test('hands on nothing when the origin cannot be reached and no edge is left', async (assert) => {
  const state = holding(assert, true);
  state.fake.respond(URL_, 'fail');
  await state.fake.advance(160);
  assert.strictEqual(state.held, undefined, 'held: an edge may still answer');
  state.win(null);
  await state.fake.flush();
  assert.deepEqual(state.held, { edge: null, opened: null });
});

test('ends when the last, the origin, cannot be reached', async (assert) => {
  const state = holding(assert, true);
  state.fake.expect(URL_);
  state.win(null);
  await state.fake.advance(10);
  state.fake.last(URL_).fail();
  await state.fake.flush();
  assert.deepEqual(state.held, { edge: null, opened: null });
});

test('reads an edge that comes too late, so that its connection is free', async (assert) => {
  const state = holding(assert, true);
  state.fake.respond(URL_, {});
  await state.fake.advance(150);
  assert.strictEqual(state.held?.edge, null);
  const late = state.opened();
  state.win({ edge, opened: late });
  await state.fake.flush();
  assert.true(late.response.bodyUsed);
});

test('takes back what it asked of the origin when it is aborted', async (assert) => {
  const state = holding(assert, true);
  state.fake.expect(URL_);
  await state.fake.advance(150);
  state.abort();
  await state.fake.flush();
  assert.true(state.fake.last(URL_).aborted());
  assert.deepEqual(state.held, { edge: null, opened: null });
});

test('gives up an origin that never answers when the limit of the request is over', async (assert) => {
  const state = holding(assert, true);
  const { fake } = state;
  fake.respond(URL_, { afterMs: 1_000_000 });
  state.win(null);
  await fake.advance(44_999);
  assert.strictEqual(fake.fetches.length, 1);
  await fake.advance(1);
  assert.deepEqual(state.held, { edge: null, opened: null });
});
