import QUnit from 'qunit';
import { fakePlatform, nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;

/** Stands for the `assert` of a test that is expected to fail. */
function failing(): { assert: Assert; failures: string[] } {
  const failures: string[] = [];
  const assert = {
    true: (_passes: boolean, text: string) => failures.push(text),
    deepEqual: (left: readonly string[]) => failures.push(...left),
  };
  return { assert: assert as unknown as Assert, failures };
}

module('the fake platform');

test('a request that nobody scripted fails the test, and fails', async (assert) => {
  const { assert: stub, failures } = failing();
  const { platform } = fakePlatform(stub);
  await assert.rejects(platform.fetch('https://a.example/', {}), TypeError);
  assert.deepEqual(failures, ['an unscripted request: GET https://a.example/']);
});

test('what a test leaves behind fails it', (assert) => {
  const { assert: stub, failures } = failing();
  const fake = fakePlatform(stub);
  fake.expect('a.example');
  fake.platform.after(40, () => undefined);
  void fake.platform.fetch('https://a.example/', {});
  fake.platform.watchTimings();
  nothingLeft.afterEach(stub);
  assert.deepEqual(failures, ['a timer, due in 40 ms', 'a request: GET https://a.example/', '1 timing watch(es)']);
});

test('timers run in the order in which they are due, and see the time at which they are', async (assert) => {
  const fake = fakePlatform(assert);
  const { platform } = fake;
  const begin = platform.now();
  const ran: [string, number][] = [];
  platform.after(20, () => void ran.push(['b', platform.now() - begin]));
  platform.after(10, () => {
    ran.push(['a', platform.now() - begin]);
    platform.after(15, () => void ran.push(['c', platform.now() - begin]));
  });
  const cancel = platform.after(12, () => void ran.push(['cancelled', 0]));
  cancel();
  await fake.advance(24);
  assert.deepEqual(ran, [
    ['a', 10],
    ['b', 20],
  ]);
  assert.strictEqual(fake.liveTimers(), 1);
  await fake.advance(1);
  assert.deepEqual(ran.at(-1), ['c', 25]);
});

test('an answer is a real Response, whose body comes as the test gives it', async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect('a.example');
  const answered = fake.platform.fetch('https://a.example/', {});
  const body = fake.last('a.example').respondStream({ status: 206, headers: { 'x-a': '1' } });
  const response = await answered;
  assert.true(response instanceof Response);
  assert.deepEqual([response.status, response.headers.get('x-a'), response.url], [206, '1', 'https://a.example/']);
  const text = response.text();
  body.chunk('one ');
  body.chunk('two');
  body.end();
  assert.strictEqual(await text, 'one two');
});

test('an abort rejects a request, and breaks a body, as it does in a browser', async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect('a.example');
  const waiting = new AbortController();
  const asked = fake.platform.fetch('https://a.example/', { signal: waiting.signal });
  waiting.abort();
  await assert.rejects(asked, /AbortError/);

  const reading = new AbortController();
  const answered = fake.platform.fetch('https://a.example/', { signal: reading.signal });
  fake.last('a.example').respondStream().chunk('one');
  const reader = (await answered).body?.getReader();
  await reader?.read();
  reading.abort();
  await assert.rejects(reader?.read() ?? Promise.resolve(), /AbortError/);
});

test('an answer can be late by the clock of the test', async (assert) => {
  const fake = fakePlatform(assert);
  fake.respond('a.example', { afterMs: 30 });
  let status = 0;
  void fake.platform.fetch('https://a.example/', {}).then((response) => (status = response.status));
  await fake.advance(29);
  assert.strictEqual(status, 0);
  await fake.advance(1);
  assert.strictEqual(status, 200);
  assert.strictEqual(fake.liveTimers(), 0);
});
