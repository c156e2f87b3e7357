import QUnit from 'qunit';
import { nothingLeft } from '../support/platform.js';
import { edge, outcomesOf, PLAYLIST, raceOn, racing, winnerOf } from '../support/racing.js';

const { module, test } = QUnit;

/** Long enough for every race and all that comes after it. */
const FOREVER_MS = 5000;
const MOVE_AWAY = { 'cmsd-dynamic': '"edge";du' };

module('preflight', nothingLeft);

test('takes the edge that answers first, and waits for no other', async (assert) => {
  const fake = racing(assert, { a: 80, b: 20, c: 200 });
  const course = raceOn(fake, [edge('a'), edge('b'), edge('c')]);
  await fake.advance(20);
  assert.strictEqual(winnerOf(course), 'open', 'another one may be as quick');
  await fake.advance(5);
  assert.strictEqual(winnerOf(course), 'b');
  assert.strictEqual(course.probes, undefined, 'the others still run');
  await fake.advance(FOREVER_MS);
  assert.deepEqual(outcomesOf(course).sort(), ['a: ok', 'b: ok', 'c: ok']);
});

test('asks all at once', (assert) => {
  const fake = racing(assert, { a: 20, b: 20, c: 20 });
  const course = raceOn(fake, [edge('a'), edge('b'), edge('c')]);
  assert.strictEqual(fake.fetches.length, 3);
  course.abort();
  return fake.advance(FOREVER_MS);
});

test('decides at once when nobody else is still running', async (assert) => {
  const fake = racing(assert, { a: 20, b: { status: 500, afterMs: 5 } });
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(20);
  assert.strictEqual(winnerOf(course), 'a');
  await fake.advance(FOREVER_MS);
});

test('does not ask an edge of the next class while one of the best class answers', async (assert) => {
  const fake = racing(assert, { a: 700 });
  const course = raceOn(fake, [edge('a'), edge('b', { rank: 1 })]);
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'a');
  assert.strictEqual(fake.fetches.length, 1);
});

test('asks the next class after its share of the time when the best class is silent', async (assert) => {
  const fake = racing(assert, { a: FOREVER_MS * 2, b: 10 });
  const course = raceOn(fake, [edge('a'), edge('b', { rank: 1 })], { rules: { preflightTimeoutMs: 1500 } });
  await fake.advance(749);
  assert.strictEqual(fake.all('b.example').length, 0, 'two classes share 1500 ms');
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'b');
  assert.deepEqual(outcomesOf(course), ['a: late', 'b: ok']);
});

test('asks the next class when nobody of the one before gives a good answer', async (assert) => {
  const fake = racing(assert, { a: { status: 503, afterMs: 10 }, b: 'fail' as never, c: 30 });
  const course = raceOn(fake, [edge('a'), edge('b'), edge('c', { rank: 1 })]);
  assert.strictEqual(fake.all('c.example').length, 0, 'not before they have failed');
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'c');
  assert.deepEqual(outcomesOf(course), ['a: status', 'b: unreachable', 'c: ok']);
});

test('draws up to maxEdges of a class by weight', async (assert) => {
  const fake = racing(assert, { a: 10, c: 20 });
  // of weights 10, 10, 10 the sum's end is c; of 10, 10 its beginning is a
  fake.random(0.99, 0);
  const course = raceOn(fake, [edge('a'), edge('b'), edge('c')], { rules: { maxEdges: 2 } });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'a');
  assert.deepEqual(outcomesOf(course), ['c: ok', 'a: ok'], 'b never ran');
});

test.each(
  'decides a tie, which is a difference of up to 5 ms, by weight',
  [
    { a: 20, b: 24, chance: 0.5, winner: 'b' },
    { a: 20, b: 25, chance: 0.5, winner: 'b' },
    { a: 20, b: 26, chance: 0.5, winner: 'a' },
    { a: 20, b: 24, chance: 0, winner: 'a' },
  ],
  async (assert, { a, b, chance, winner }) => {
    const fake = racing(assert, { a, b });
    const field = [0, 0];
    fake.random(...field, chance);
    const course = raceOn(fake, [edge('a', { weight: 1 }), edge('b', { weight: 99 })]);
    await fake.advance(FOREVER_MS);
    assert.strictEqual(winnerOf(course), winner);
  },
);

test.each('never lets a status outside 200-299 win, however quick', [404, 429, 500, 503], async (assert, status) => {
  const fake = racing(assert, { a: { status, afterMs: 1 }, b: 1400 });
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'b');
  assert.strictEqual(course.probes?.find((probe) => probe.edge.origin.includes('a.'))?.status, status);
});

test.each(
  'lets an edge that asks to move away (CMSD du) lose to any that comes within 50 ms, or within as long again',
  [
    { a: 20, b: 70, winner: 'b', atMs: 70 },
    { a: 20, b: 71, winner: 'a', atMs: 70 },
    { a: 100, b: 190, winner: 'b', atMs: 190 },
    { a: 100, b: 201, winner: 'a', atMs: 200 },
    { a: 22, b: 20, winner: 'b', atMs: 25 },
  ],
  async (assert, { a, b, winner, atMs }) => {
    const fake = racing(assert, { a: { afterMs: a, headers: MOVE_AWAY }, b });
    const course = raceOn(fake, [edge('a', { weight: 99 }), edge('b', { weight: 1 })]);
    await fake.advance(atMs);
    assert.strictEqual(winnerOf(course), winner);
    await fake.advance(FOREVER_MS);
  },
);

test('takes the quickest when every edge asks to move away', async (assert) => {
  const fake = racing(assert, { a: { afterMs: 40, headers: MOVE_AWAY }, b: { afterMs: 20, headers: MOVE_AWAY } });
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'b');
});

test('bounds the whole race, over all its classes', async (assert) => {
  const fake = racing(assert, { a: { status: 500, afterMs: 1400 } });
  fake.expect('b.example');
  const course = raceOn(fake, [edge('a'), edge('b', { rank: 1 })]);
  await fake.advance(1499);
  assert.strictEqual(winnerOf(course), 'open');
  await fake.advance(1);
  assert.strictEqual(winnerOf(course), 'nobody');
  assert.true(fake.last('b.example').aborted());
  assert.deepEqual(outcomesOf(course), ['a: status', 'b: late']);
});

test('gives those who have not answered by the limit up, after the winner is long known', async (assert) => {
  const fake = racing(assert, { a: 20 });
  fake.expect('b.example');
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(1499);
  assert.strictEqual(winnerOf(course), 'a');
  assert.false(fake.last('b.example').aborted());
  await fake.advance(FOREVER_MS);
  assert.deepEqual(outcomesOf(course), ['a: ok', 'b: late']);
});

test('stops when it is aborted: no winner, no request, no timer', async (assert) => {
  const fake = racing(assert, {});
  fake.expect('.example');
  const course = raceOn(fake, [edge('a'), edge('b'), edge('c', { rank: 1 })]);
  await fake.advance(10);
  course.abort();
  await fake.flush();
  assert.strictEqual(winnerOf(course), 'nobody');
  assert.deepEqual(outcomesOf(course), ['a: late', 'b: late']);
  assert.deepEqual(
    fake.fetches.map((request) => request.aborted()),
    [true, true],
  );
  assert.strictEqual(fake.liveTimers(), 0);
});

test('sends the request as it stands: its headers, its credentials, its URL at the edge; and no cache may answer', async (assert) => {
  const fake = racing(assert, { a: 1 });
  raceOn(fake, [edge('a')], { request: { headers: { 'X-Site': 'yes' }, withCredentials: true } });
  const asked = fake.last('a.example');
  assert.strictEqual(asked.url, PLAYLIST.replace('video', 'a'));
  assert.deepEqual(asked.headers, { 'x-site': 'yes' });
  assert.strictEqual(asked.init.credentials, 'include');
  assert.strictEqual(asked.init.redirect, 'follow');
  await fake.advance(FOREVER_MS);
});

test.each('lets no cache answer, whatever the method', ['GET', 'HEAD', 'OPTIONS'] as const, async (assert, method) => {
  const fake = racing(assert, { a: 1 });
  raceOn(fake, [edge('a')], { rules: { method } });
  assert.strictEqual(fake.last(`${method} https://a.example`).init.cache, 'no-store');
  assert.strictEqual(fake.last('a.example').init.credentials, 'same-origin', 'the connection that VHS will use');
  await fake.advance(FOREVER_MS);
});

test('asks at the URL that edgeUrl gives', async (assert) => {
  const fake = racing(assert, { a: 1 });
  const edgeUrl = (url: string, { origin }: { origin: string }): string => `${origin}/cdn${new URL(url).pathname}`;
  raceOn(fake, [edge('a')], { rules: { edgeUrl } });
  assert.strictEqual(fake.last('a.example').url, 'https://a.example/cdn/live/main.m3u8');
  await fake.advance(FOREVER_MS);
});

test('follows no redirect with a request that carries secrets', async (assert) => {
  const fake = racing(assert, { a: 1 });
  raceOn(fake, [edge('a')], { request: { guarded: true } });
  assert.strictEqual(fake.last('a.example').init.redirect, 'error');
  await fake.advance(FOREVER_MS);
});

test('takes an opaque answer as an arrival when the request wants no reading', async (assert) => {
  const fake = racing(assert, { a: { opaque: true, afterMs: 10 } });
  const course = raceOn(fake, [edge('a')], { rules: { method: 'HEAD' }, request: { opaque: true } });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(fake.last('a.example').init.mode, 'no-cors');
  assert.strictEqual(winnerOf(course), 'a');
  assert.strictEqual(course.probes?.[0]?.status, 0);
});

test('keeps what each edge tells of itself, and what the browser measured where the edge lets it be seen', async (assert) => {
  const headers = { 'accept-ranges': 'bytes', 'content-length': '0', 'cmsd-dynamic': '"a";etp=20000' };
  const fake = racing(assert, { a: { afterMs: 30, headers }, b: 40 });
  fake.timing('a.example', { requestStart: 100, responseStart: 112, nextHopProtocol: 'h2' });
  const course = raceOn(fake, [edge('a'), edge('b')], { rules: { method: 'HEAD' } });
  await fake.advance(FOREVER_MS);
  const [a, b] = course.probes ?? [];
  assert.deepEqual(a?.capabilities, { ranges: true, length: 0, etpKbps: 20_000, protocol: 'h2' });
  assert.deepEqual([a?.elapsedMs, a?.requestMs], [30, 12]);
  assert.deepEqual([b?.elapsedMs, b?.requestMs], [40, null], 'b hides it');
});
