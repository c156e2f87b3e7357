import QUnit from 'qunit';
import { EdgeSelectError, type ErrorCode } from '../../src/errors.js';
import { askInTurn, nameserverHealth, type NameserverHealth } from '../../src/nameservers.js';
import type { Answer, Resolver } from '../../src/resolver.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';
import { answer, failureOf, question, srv } from './given.js';

const { module, test } = QUnit;
const ANSWER = answer([srv('a.token')]);
const MINUTE = 60_000;

/** A nameserver whose answers the test gives. */
interface Server extends Resolver {
  readonly url: string;
  asked: number;
  signal: AbortSignal | null;
  answer(given?: Answer): Promise<void>;
  fail(reason?: unknown): Promise<void>;
}

function server(fake: FakePlatform, name: string): Server {
  let settle: { resolve: (given: Answer) => void; reject: (reason: unknown) => void } | null = null;
  return {
    url: `https://${name}.example/`,
    asked: 0,
    signal: null,
    resolve(_question, { signal }) {
      this.asked += 1;
      this.signal = signal;
      return new Promise((resolve, reject) => {
        settle = { resolve, reject };
      });
    },
    answer(given = ANSWER) {
      settle?.resolve(given);
      return fake.flush();
    },
    fail(reason = dead()) {
      settle?.reject(reason);
      return fake.flush();
    },
  };
}
const dead = (): EdgeSelectError => new EdgeSelectError('LOOKUP_UNREACHABLE', { lookup: 'tokens' });
const noSuchName = (): EdgeSelectError => new EdgeSelectError('LOOKUP_NXDOMAIN', { lookup: 'tokens', ttlSeconds: 30 });

/** Three nameservers, and a question under way. */
interface Scene {
  readonly fake: FakePlatform;
  readonly health: NameserverHealth;
  readonly servers: readonly [Server, Server, Server];
  readonly kept: Answer[];
  /** What the one who asks has heard so far: nothing, an answer, or the code of an error. */
  heard(): unknown;
  ask(): void;
}

function scene(assert: Assert, staggerMs = 250): Scene {
  const fake = fakePlatform(assert);
  const health = nameserverHealth(fake.platform);
  const servers = [server(fake, 'a'), server(fake, 'b'), server(fake, 'c')] as const;
  const kept: Answer[] = [];
  let heard: unknown = 'nothing';
  return {
    fake,
    health,
    servers,
    kept,
    heard: () => heard,
    ask() {
      heard = 'nothing';
      const keep = (given: Answer): void => void kept.push(given);
      const tell = (what: unknown): void => {
        heard = what instanceof EdgeSelectError ? what.code : what;
      };
      const tools = { platform: fake.platform, health, staggerMs, timeoutMs: 3000, keep };
      askInTurn(question(), servers, tools).then(tell, tell);
    },
  };
}
const asked = ({ servers }: Scene): number[] => servers.map((one) => one.asked);

module('nameservers, in turn', nothingLeft);

test('asks the first alone, and hands on what it says', async (assert) => {
  const given = scene(assert);
  given.ask();
  assert.deepEqual(asked(given), [1, 0, 0]);
  await given.servers[0].answer();
  assert.strictEqual(given.heard(), ANSWER);
  assert.deepEqual(given.kept, [ANSWER]);
  await given.fake.advance(10_000);
  assert.deepEqual(asked(given), [1, 0, 0]);
});

test('asks the next after a head start of 250 ms, and the next after as long again (RFC 8305)', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(249);
  assert.deepEqual(asked(given), [1, 0, 0]);
  await given.fake.advance(1);
  assert.deepEqual(asked(given), [1, 1, 0]);
  await given.fake.advance(250);
  assert.deepEqual(asked(given), [1, 1, 1]);
  await given.servers[2].answer();
});

test('asks the next at once when one fails, which then has its own head start', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(200);
  await given.servers[0].fail();
  assert.deepEqual(asked(given), [1, 1, 0]);
  await given.fake.advance(249);
  assert.deepEqual(asked(given), [1, 1, 0]);
  await given.fake.advance(1);
  assert.deepEqual(asked(given), [1, 1, 1]);
  await given.servers[1].answer();
});

test('the first answer counts, whoever gives it, and the others are told to stop', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(250);
  await given.servers[1].answer();
  assert.strictEqual(given.heard(), ANSWER);
  assert.true(given.servers[0].signal?.aborted);
});

test('what those say who were told to stop is no failure of theirs', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(250);
  await given.servers[0].answer();
  await given.servers[1].fail(new DOMException('stopped', 'AbortError'));
  assert.false(given.health.passedOver(given.servers[1].url));
});

test('one that is overtaken in spite of its head start is passed over by the next question', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(250);
  await given.servers[1].answer();
  assert.true(given.health.passedOver(given.servers[0].url));
  given.ask();
  assert.deepEqual(asked(given), [1, 2, 0], 'so it costs its head start once');
  await given.servers[1].answer();
});

test('where none has a head start, the slower one has not failed', async (assert) => {
  const given = scene(assert, 0);
  given.ask();
  await given.fake.advance(0);
  assert.deepEqual(asked(given), [1, 1, 1]);
  await given.servers[1].answer();
  assert.false(given.health.passedOver(given.servers[0].url));
});

test('"there is no such name" is an answer: nobody else is asked, and nobody is blamed', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.servers[0].fail(noSuchName());
  assert.strictEqual(given.heard(), 'LOOKUP_NXDOMAIN');
  assert.deepEqual(asked(given), [1, 0, 0]);
  assert.false(given.health.passedOver(given.servers[0].url));
});

test('when all fail, the error is that of the last', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.servers[0].fail();
  await given.servers[1].fail();
  assert.strictEqual(given.heard(), 'nothing');
  await given.servers[2].fail(new EdgeSelectError('LOOKUP_GARBLED', { lookup: 'tokens' }));
  assert.strictEqual(given.heard(), 'LOOKUP_GARBLED');
});

test('what a resolver of the site throws becomes LOOKUP_FAILED, with the cause', async (assert) => {
  const fake = fakePlatform(assert);
  const cause = new RangeError('of the site');
  const resolver = { resolve: () => Promise.reject(cause) };
  const tools = { platform: fake.platform, health: nameserverHealth(fake.platform), keep: () => undefined };
  const error = await failureOf(askInTurn(question(), [resolver], { ...tools, staggerMs: 250, timeoutMs: 3000 }));
  assert.strictEqual(error.code, 'LOOKUP_FAILED');
  assert.strictEqual(error.cause, cause);
});

module('nameservers, time', nothingLeft);

test('the wait ends at the time-out, for all of them together', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(2999);
  assert.strictEqual(given.heard(), 'nothing');
  await given.fake.advance(1);
  assert.strictEqual(given.heard(), 'LOOKUP_TIMEOUT');
  for (const { url } of given.servers) assert.true(given.health.passedOver(url), url);
  await given.fake.advance(3000);
});

test('a late answer serves later requests, and clears the name of its nameserver', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(4000);
  assert.deepEqual(given.kept, []);
  await given.servers[0].answer();
  assert.deepEqual(given.kept, [ANSWER]);
  assert.strictEqual(given.heard(), 'LOOKUP_TIMEOUT');
  assert.false(given.health.passedOver(given.servers[0].url));
});

test('after as long again nobody is listened to any more', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(6000);
  assert.true(given.servers[0].signal?.aborted);
  await given.servers[0].answer();
  assert.deepEqual(given.kept, []);
});

test('nothing is left to wait for when all those who were late have failed', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(3000);
  for (const one of given.servers) await one.fail();
  assert.strictEqual(given.fake.liveTimers(), 0);
});

test('those who are silent because the browser is offline are asked again when it is back', async (assert) => {
  const given = scene(assert);
  given.ask();
  given.fake.setOnline(false);
  await given.fake.advance(3000);
  given.fake.setOnline(true);
  given.ask();
  assert.deepEqual(asked(given), [2, 1, 1]);
  await given.servers[0].answer();
  await given.fake.advance(3000);
});

module('nameservers, memory of failures', nothingLeft);

test('one that failed is passed over for 60 s', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.servers[0].fail();
  await given.servers[1].answer();
  given.ask();
  assert.deepEqual(asked(given), [1, 2, 0]);
  await given.servers[1].answer();
  await given.fake.advance(MINUTE);
  given.ask();
  assert.deepEqual(asked(given), [2, 2, 0]);
  await given.servers[0].answer();
});

const FAILURES: readonly [code: ErrorCode, isPassedOver: boolean, why: string][] = [
  ['LOOKUP_SERVFAIL', false, 'it is about one zone'],
  ['LOOKUP_RCODE', false, 'it may refuse this name alone'],
  ['LOOKUP_TRUNCATED', false, 'the answer to this question is too long'],
  ['LOOKUP_GARBLED', true, 'who sends no DNS message is no nameserver, or one that something stands before'],
  ['LOOKUP_UNREACHABLE', true, 'nothing comes from there'],
  ['LOOKUP_BLOCKED', true, 'the page forbids it'],
  ['LOOKUP_STATUS', true, 'it has no answer for anybody'],
  ['LOOKUP_TYPE', true, 'it is a portal'],
];
for (const [code, isPassedOver, why] of FAILURES) {
  test(`after ${code} the next question is ${isPassedOver ? 'not ' : ''}put to the same nameserver: ${why}`, async (assert) => {
    const given = scene(assert);
    given.ask();
    await given.servers[0].fail(new EdgeSelectError(code, { lookup: 'tokens', rcode: 5, status: 500, type: '' }));
    assert.deepEqual(asked(given), [1, 1, 0], 'this one goes to the next, at once');
    await given.servers[1].answer();
    given.ask();
    assert.deepEqual(asked(given), isPassedOver ? [1, 2, 0] : [2, 1, 0]);
    await given.servers[isPassedOver ? 1 : 0].answer();
  });
}

test('one that is late, and then fails, has failed once', async (assert) => {
  const given = scene(assert);
  given.ask();
  await given.fake.advance(4000);
  for (const one of given.servers) await one.fail();
  await given.fake.advance(MINUTE - 1000);
  given.ask();
  assert.deepEqual(asked(given), [2, 1, 1]);
  await given.servers[0].answer();
});

test('when all are passed over the answer is LOOKUP_UNREACHABLE, at once', async (assert) => {
  const given = scene(assert);
  for (const { url } of given.servers) given.health.failed(url);
  given.ask();
  await given.fake.flush();
  assert.strictEqual(given.heard(), 'LOOKUP_UNREACHABLE');
  assert.deepEqual(asked(given), [0, 0, 0]);
});
