import QUnit from 'qunit';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';
import { edge, outcomesOf, raceOn, racing, winnerOf } from '../support/racing.js';

const { module, test } = QUnit;

const FOREVER_MS = 5000;
const rules = { method: 'HEAD', rank: 'request' } as const;

/** The first request takes as long as a new connection does, each later one as long as the request alone. */
function connects(fake: FakePlatform, name: string, connectMs: number, requestMs: number): void {
  const isFirst = (): boolean => fake.all(`https://${name}.example`).length <= 1;
  fake.respond(`https://${name}.example`, () => ({ afterMs: isFirst() ? connectMs + requestMs : requestMs }));
}

module('preflight by request', nothingLeft);

test('compares the time of the request alone, so that a warm connection is no advantage', async (assert) => {
  const fake = racing(assert, { a: 60, b: 100 });
  fake.timing('a.example', { requestStart: 1000, responseStart: 1060 });
  fake.timing('b.example', { requestStart: 1075, responseStart: 1100 });
  const course = raceOn(fake, [edge('a'), edge('b')], { rules });
  await fake.advance(90);
  assert.strictEqual(winnerOf(course), 'open', 'everybody is waited for');
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'b');
  assert.deepEqual(
    course.probes?.map(({ requestMs }) => requestMs),
    [60, 25],
  );
});

test('asks once more, on the connection that is warm now, where the edge hides its timing', async (assert) => {
  const fake = fakePlatform(assert);
  connects(fake, 'a', 0, 60);
  connects(fake, 'b', 200, 25);
  const course = raceOn(fake, [edge('a'), edge('b')], { rules });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'b');
  assert.deepEqual(
    fake.all('b.example').map(({ method }) => method),
    ['HEAD', 'HEAD'],
  );
});

test('asks with HEAD the second time, also where the first was a GET', async (assert) => {
  const fake = fakePlatform(assert);
  connects(fake, 'a', 10, 10);
  raceOn(fake, [edge('a')], { rules: { ...rules, method: 'GET' } });
  await fake.advance(FOREVER_MS);
  assert.deepEqual(
    fake.fetches.map(({ method }) => method),
    ['GET', 'HEAD'],
  );
});

test('never lets an answer of a service worker win by its time', async (assert) => {
  const fake = racing(assert, { a: 1, b: 300 });
  fake.timing('a.example', { requestStart: 1000, responseStart: 1001, workerStart: 999 });
  fake.timing('b.example', { requestStart: 1000, responseStart: 1290 });
  const course = raceOn(fake, [edge('a', { weight: 99 }), edge('b', { weight: 1 })], { rules });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'b');
});

test('decides by weight when a service worker answers for all', async (assert) => {
  const fake = racing(assert, { a: 1, b: 300 });
  fake.timing('.example', { requestStart: 1000, responseStart: 1001, workerStart: 999 });
  const course = raceOn(fake, [edge('a', { weight: 1 }), edge('b', { weight: 99 })], { rules });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'b');
});

test('prefers an edge that does not ask to move away, however slow', async (assert) => {
  const fake = racing(assert, { a: { afterMs: 10, headers: { 'cmsd-dynamic': '"a";du' } }, b: 400 });
  fake.timing('a.example', { requestStart: 1000, responseStart: 1010 });
  fake.timing('b.example', { requestStart: 1000, responseStart: 1400 });
  const course = raceOn(fake, [edge('a'), edge('b')], { rules });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'b');
});

test('decides among those who answered when the limit comes', async (assert) => {
  const fake = racing(assert, { a: 60 });
  fake.expect('b.example');
  fake.timing('a.example', { requestStart: 1000, responseStart: 1060 });
  const course = raceOn(fake, [edge('a'), edge('b')], { rules });
  await fake.advance(FOREVER_MS);
  assert.strictEqual(winnerOf(course), 'a');
  assert.deepEqual(outcomesOf(course), ['a: ok', 'b: late']);
});

/** Answers the first request after this long, and is silent to the second. */
function fallsSilent(fake: FakePlatform, name: string, afterMs: number): void {
  fake.respond(`https://${name}.example`, () =>
    fake.all(`https://${name}.example`).length > 1 ? 'wait' : { afterMs },
  );
}

test('takes who could be measured when the second request of another is not answered within the limit', async (assert) => {
  const fake = fakePlatform(assert);
  fallsSilent(fake, 'a', 20);
  connects(fake, 'b', 300, 25);
  const course = raceOn(fake, [edge('a', { weight: 99 }), edge('b', { weight: 1 })], { rules });
  await fake.advance(1499);
  assert.strictEqual(winnerOf(course), 'open');
  await fake.advance(1);
  assert.strictEqual(winnerOf(course), 'b');
  assert.deepEqual(
    course.probes?.map(({ outcome, elapsedMs, requestMs }) => [outcome, elapsedMs, requestMs]),
    [
      ['ok', 20, null],
      ['ok', 325, 25],
    ],
  );
  assert.true(fake.last('a.example').aborted());
});

test('takes the first to answer when nobody answers a second time', async (assert) => {
  const fake = fakePlatform(assert);
  fallsSilent(fake, 'a', 60);
  fallsSilent(fake, 'b', 20);
  const course = raceOn(fake, [edge('a', { weight: 99 }), edge('b', { weight: 1 })], { rules });
  await fake.advance(1500);
  assert.strictEqual(winnerOf(course), 'b');
  assert.deepEqual(outcomesOf(course), ['a: ok', 'b: ok']);
});

test('measures each as soon as it has answered: who never does takes nothing of that time', async (assert) => {
  const fake = fakePlatform(assert);
  connects(fake, 'a', 0, 60);
  connects(fake, 'b', 200, 25);
  fake.expect('c.example');
  const course = raceOn(fake, [edge('a'), edge('b'), edge('c')], { rules });
  await fake.advance(1500);
  assert.strictEqual(winnerOf(course), 'b');
  assert.deepEqual(outcomesOf(course).sort(), ['a: ok', 'b: ok', 'c: late']);
});

test('waits for no body beyond the limit', async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect('a.example');
  const course = raceOn(fake, [edge('a')], { rules: { ...rules, method: 'GET' } });
  fake.last('a.example').respondStream().chunk('#EXTM3U');
  await fake.advance(1500);
  assert.strictEqual(winnerOf(course), 'a');
  assert.true(fake.last('a.example').aborted());
  assert.strictEqual(fake.fetches.length, 1, 'and measures nothing more');
});
