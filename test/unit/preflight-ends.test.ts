import QUnit from 'qunit';
import { fakePlatform, nothingLeft } from '../support/platform.js';
import { edge, outcomesOf, PLAYLIST, raceOn, racing, winnerOf } from '../support/racing.js';

const { module, test } = QUnit;

const FOREVER_MS = 5000;
const KIB = 1024;

module('preflight, when it fails', nothingLeft);

test('tells an edge without CORS from one that is not there', async (assert) => {
  const fake = fakePlatform(assert);
  fake.respond('GET https://', 'fail');
  fake.respond('HEAD https://a.example', { opaque: true });
  fake.respond('HEAD https://b.example', 'fail');
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'nobody');
  assert.deepEqual(outcomesOf(course).sort(), ['a: unreadable', 'b: unreachable']);
  const second = fake.last('HEAD https://a.example').init;
  assert.deepEqual([second.mode, second.cache], ['no-cors', 'no-store']);
});

test('does not look into it while there is a winner', async (assert) => {
  const fake = racing(assert, { a: 'fail' as never, b: 10 });
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(FOREVER_MS);
  assert.deepEqual(outcomesOf(course).sort(), ['a: unreachable', 'b: ok']);
  assert.strictEqual(fake.fetches.length, 2);
});

test('tells what the policy of the page forbids from what cannot be reached', async (assert) => {
  const fake = racing(assert, { b: { status: 500 } });
  fake.block('https://a.example');
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(FOREVER_MS);
  assert.deepEqual(outcomesOf(course).sort(), ['a: blocked', 'b: status']);
});

test('does not wait for ever to learn why an edge failed', async (assert) => {
  const fake = racing(assert, { a: 'fail' as never });
  fake.expect('HEAD https://a.example');
  const course = raceOn(fake, [edge('a')]);
  await fake.advance(FOREVER_MS);
  assert.deepEqual(outcomesOf(course), ['a: unreachable']);
  assert.true(fake.last('HEAD').aborted());
});

test('asks nothing more once it is aborted', async (assert) => {
  const fake = racing(assert, { a: 'fail' as never });
  fake.expect('HEAD https://a.example');
  const course = raceOn(fake, [edge('a')]);
  await fake.flush();
  course.abort();
  await fake.flush();
  assert.true(fake.last('HEAD').aborted());
  assert.strictEqual(fake.liveTimers(), 0);
});

test.each(
  'tries the next method once, and says so',
  [
    ['OPTIONS', 'HEAD'],
    ['HEAD', 'GET'],
  ] as const,
  async (assert, [method, next]) => {
    const fake = fakePlatform(assert);
    fake.respond(`${method} https://`, { status: 405, afterMs: 10 });
    fake.respond(`${next} https://`, { afterMs: 10 });
    const course = raceOn(fake, [edge('a'), edge('b', { rank: 1 })], { rules: { method } });
    await fake.advance(FOREVER_MS);
    assert.strictEqual(winnerOf(course), 'a');
    assert.strictEqual(course.winner?.opened, null, 'only the held request itself is handed on');
    assert.deepEqual(course.warnings, [`no edge gave a readable answer to ${method}; trying ${next}`]);
    assert.deepEqual(
      fake.fetches.map((request) => request.method),
      [method, method, next],
      'every class of the first method comes before the next method',
    );
  },
);

test('tries no third method, and none after GET', async (assert) => {
  const fake = fakePlatform(assert);
  fake.respond(/^(OPTIONS|HEAD) /, { status: 405 });
  const course = raceOn(fake, [edge('a')], { rules: { method: 'OPTIONS' } });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'nobody');
  fake.respond('GET ', { status: 405 });
  const second = raceOn(fake, [edge('a')]);
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(second), 'nobody');
  assert.deepEqual(second.warnings, []);
});

test('stays within its limit when it tries the next method', async (assert) => {
  const fake = fakePlatform(assert);
  fake.respond('OPTIONS ', { status: 405, afterMs: 1000 });
  fake.expect('HEAD ');
  const course = raceOn(fake, [edge('a')], { rules: { method: 'OPTIONS' } });
  await fake.advance(1499);
  assert.strictEqual(winnerOf(course), 'open');
  await fake.advance(1);
  assert.strictEqual(winnerOf(course), 'nobody');
});

test('does not begin the next method when the time is over', async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect('OPTIONS ');
  const course = raceOn(fake, [edge('a')], { rules: { method: 'OPTIONS' } });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'nobody');
  assert.deepEqual(course.warnings, []);
});

module('preflight, the bodies', nothingLeft);

test("leaves the winner's body untouched, and lets it be aborted", async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect('a.example');
  const course = raceOn(fake, [edge('a')]);
  const body = fake.last('a.example').respondStream();
  body.chunk('#EXTM3U');
  await fake.advance(FOREVER_MS);
  assert.strictEqual(body.unread(), 1);
  assert.false(course.winner?.opened?.response.bodyUsed);
  course.winner?.opened?.abort();
  assert.true(fake.last('a.example').aborted());
});

test('reads the body of a loser to its end, to keep its connection', async (assert) => {
  const fake = racing(assert, { a: 1 });
  fake.expect('b.example');
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(100);
  assert.strictEqual(winnerOf(course), 'a');
  const body = fake.last('b.example').respondStream();
  body.chunk(new Uint8Array(60 * KIB));
  await fake.flush();
  assert.strictEqual(body.unread(), 0);
  body.end();
  await fake.advance(FOREVER_MS);
  assert.false(fake.last('b.example').cancelled());
});

test('gives the body of a loser up after 64 KiB', async (assert) => {
  const fake = racing(assert, { a: 1 });
  fake.expect('b.example');
  raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(100);
  const body = fake.last('b.example').respondStream();
  body.chunk(new Uint8Array(63 * KIB));
  await fake.flush();
  assert.false(fake.last('b.example').cancelled());
  body.chunk(new Uint8Array(KIB));
  await fake.flush();
  assert.true(fake.last('b.example').cancelled());
  await fake.advance(FOREVER_MS);
});

test('gives the body of a loser up at the limit of the race, and waits for it no more than for its headers', async (assert) => {
  const fake = racing(assert, { a: 1 });
  fake.expect('b.example');
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(100);
  fake.last('b.example').respondStream().chunk('#EXTM3U');
  await fake.advance(1300);
  assert.deepEqual(outcomesOf(course), ['a: ok', 'b: ok']);
  assert.false(fake.last('b.example').aborted());
  await fake.advance(100);
  assert.true(fake.last('b.example').aborted());
});

test('ends what is left of the bodies when it is aborted, but not the answer that was handed on', async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect('.example');
  const course = raceOn(fake, [edge('a'), edge('b')]);
  fake.last('a.example').respondStream().chunk('#EXTM3U');
  await fake.advance(10);
  fake.last('b.example').respondStream().chunk('#EXTM3U');
  await fake.advance(100);
  course.abort();
  await fake.flush();
  assert.deepEqual(
    [winnerOf(course), fake.last('a.example').aborted(), fake.last('b.example').aborted()],
    ['a', false, true],
  );
  assert.strictEqual(fake.liveTimers(), 0);
});

test('outlives the body of a loser that breaks', async (assert) => {
  const fake = racing(assert, { a: 1 });
  fake.expect('b.example');
  const course = raceOn(fake, [edge('a'), edge('b')]);
  await fake.advance(100);
  fake.last('b.example').respondStream().fail();
  await fake.advance(FOREVER_MS);
  assert.deepEqual(outcomesOf(course), ['a: ok', 'b: ok']);
});

test('reads the bodies of refusals too, when nobody wins', async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect('a.example');
  raceOn(fake, [edge('a')]);
  const body = fake.last('a.example').respondStream({ status: 503 });
  body.chunk('sorry');
  await fake.advance(FOREVER_MS);
  assert.strictEqual(body.unread(), 0);
});

test('reads the bodies of refusals too, when the next method is tried', async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect('OPTIONS ');
  fake.respond('HEAD ', {});
  raceOn(fake, [edge('a')], { rules: { method: 'OPTIONS' } });
  const body = fake.last('OPTIONS ').respondStream({ status: 405 });
  body.chunk('sorry');
  await fake.advance(FOREVER_MS);
  assert.strictEqual(body.unread(), 0);
});

test.each(
  'never turns HEAD into GET for what must not be asked for several times',
  { 'a URL with a query': { url: `${PLAYLIST}?token=1` }, 'the medium itself': { media: true } },
  async (assert, request) => {
    const fake = racing(assert, { a: { status: 405, afterMs: 10 } });
    const course = raceOn(fake, [edge('a')], { rules: { method: 'HEAD' }, request });
    await fake.advance(5000);
    assert.strictEqual(winnerOf(course), 'nobody');
    assert.deepEqual(
      fake.fetches.map(({ method }) => method),
      ['HEAD'],
    );
  },
);
