import QUnit from 'qunit';
import type { TimeoutError } from '../../src/transport/xhr.js';
import { nothingLeft } from '../support/platform.js';
import { EVENTS, transporting } from '../support/transporting.js';

const { module, test } = QUnit;

/** The next error that the page reports, which would otherwise fail the test. */
function nextReported(): Promise<string> {
  const usual = globalThis.onerror;
  return new Promise((resolve) => {
    globalThis.onerror = (_event, _source, _line, _column, error) => {
      globalThis.onerror = usual;
      resolve(error?.message ?? '');
      return true;
    };
  });
}

module('xhr, its end', nothingLeft);

test('tells an abort while it waits, and nothing after it', async (assert) => {
  const { fake, transport, events, outcomes, open } = transporting(assert);
  fake.expect('a.example');
  open();
  transport.send();
  await fake.flush();
  transport.abort();
  assert.deepEqual(events.slice(2), ['readystatechange 4', 'abort 4', 'loadend 4']);
  assert.deepEqual([transport.readyState, transport.status], [0, 0]);
  await fake.flush();
  assert.strictEqual(events.length, 5);
  assert.deepEqual(outcomes, [], 'the routes are told nothing');
});

test('forgets the answer when it is aborted in its body', async (assert) => {
  const { fake, transport, events, open } = transporting(assert);
  fake.expect('a.example');
  open();
  transport.send();
  await fake.flush();
  fake.last('a.example').respondStream().chunk('some');
  await fake.flush();
  assert.strictEqual(transport.responseText, 'some');
  transport.abort();
  assert.deepEqual([transport.status, transport.responseText, transport.getAllResponseHeaders()], [0, '', '']);
  assert.deepEqual(events.slice(-3), ['readystatechange 4', 'abort 4', 'loadend 4']);
  await fake.flush();
  assert.true(fake.last('a.example').aborted());
});

test.each('tells no event of an abort after its end', ['answered', 'failed'], async (assert, end) => {
  const { fake, transport, events, open } = transporting(assert);
  fake.respond('a.example', end === 'answered' ? { body: 'text' } : 'fail');
  open();
  transport.send();
  await fake.flush();
  const before = events.length;
  transport.abort();
  transport.abort();
  assert.strictEqual(events.length, before);
});

test('tells no event of an abort before it was sent', (assert) => {
  const { transport, events, open } = transporting(assert);
  transport.abort();
  open();
  transport.abort();
  assert.deepEqual(events, ['readystatechange 1']);
});

test('stops when a handler of its own aborts it', async (assert) => {
  const { fake, transport, events, open } = transporting(assert);
  fake.respond('a.example', { body: 'text' });
  transport.onprogress = () => {
    transport.abort();
  };
  open();
  transport.send();
  await fake.flush();
  assert.deepEqual(events.slice(-3), ['abort 4', 'loadend 4', 'progress 0']);
});

test('stops when a handler of its own aborts it at the last of its bytes', async (assert) => {
  const { fake, transport, events, open } = transporting(assert);
  fake.expect('a.example');
  open();
  transport.addEventListener('progress', (event) => {
    if ((event as ProgressEvent).loaded === 8) transport.abort();
  });
  transport.send();
  await fake.flush();
  const body = fake.last('a.example').respondStream();
  for (const chunk of ['1234', '5678']) {
    body.chunk(chunk);
    await fake.flush();
  }
  body.end();
  await fake.flush();
  assert.deepEqual(events.slice(events.indexOf('abort 4')), ['abort 4', 'loadend 4']);
  assert.strictEqual(transport.readyState, 0);
});

test('ends with an error when nobody answers', async (assert) => {
  const { fake, transport, events, open } = transporting(assert, ['a', 'origin']);
  fake.respond('.example', 'fail');
  open();
  transport.send();
  await fake.flush();
  assert.deepEqual(events.slice(2), ['readystatechange 4', 'error 4', 'loadend 4']);
  assert.deepEqual([transport.status, transport.responseURL, transport.response], [0, '', '']);
});

test('ends with an error when the fault is ours', async (assert) => {
  const { fake, transport, events, routes, open } = transporting(assert);
  routes.next = () => {
    throw new Error('a fault of ours');
  };
  open();
  transport.send();
  await fake.flush();
  assert.deepEqual(events.slice(-3), ['readystatechange 4', 'error 4', 'loadend 4']);
});

test('forgets what it had when the body breaks and nobody else is left', async (assert) => {
  const { fake, transport, events, open } = transporting(assert);
  fake.expect('a.example');
  open();
  transport.responseType = 'arraybuffer';
  transport.send();
  await fake.flush();
  const body = fake.last('a.example').respondStream();
  body.chunk('some');
  await fake.flush();
  body.fail();
  await fake.flush();
  assert.deepEqual(events.slice(-3), ['readystatechange 4', 'error 4', 'loadend 4']);
  assert.deepEqual([transport.status, transport.response], [0, null]);
});

test('gives its time-out handler an error as @videojs/xhr would make it', async (assert) => {
  const { fake, transport, events, open } = transporting(assert, ['origin'], 1500);
  fake.expect('origin.example');
  const errors: TimeoutError[] = [];
  transport.ontimeout = (error) => errors.push(error);
  open();
  transport.send();
  await fake.advance(1500);
  assert.true(errors[0] instanceof Error);
  assert.strictEqual(errors[0]?.code, 'ETIMEDOUT');
  assert.strictEqual(errors.length, 1);
  assert.deepEqual(events.slice(2), ['readystatechange 4', 'timeout 4', 'loadend 4']);
});

test.each(
  'lets a handler that throws stop nobody, and has the page report it',
  ['readystatechange', 'load', 'timeout'] as const,
  async (assert, name) => {
    const isTimeout = name === 'timeout';
    const { fake, transport, events, open } = transporting(assert, ['origin'], isTimeout ? 1500 : 0);
    if (isTimeout) fake.expect('origin.example');
    else fake.respond('origin.example', { body: 'text' });
    open();
    transport.send();
    transport[`on${name}`] = () => {
      transport[`on${name}`] = null;
      throw new Error(`thrown by on${name}`);
    };
    const reported = nextReported();
    await fake.advance(isTimeout ? 1500 : 0);
    assert.strictEqual(await reported, `thrown by on${name}`);
    assert.strictEqual(events.at(-1), 'loadend 4');
  },
);

test('calls each handler with the event, as a method of the transport', async (assert) => {
  const { fake, transport, open } = transporting(assert);
  fake.respond('a.example', { body: 'text' });
  const called: string[] = [];
  for (const name of EVENTS) {
    if (name === 'timeout') continue;
    transport[`on${name}`] = function (event) {
      if (this === transport) called.push(event.type);
    };
  }
  open();
  transport.send();
  await fake.flush();
  assert.deepEqual([...new Set(called)], ['readystatechange', 'loadstart', 'progress', 'load', 'loadend']);
});

test('asks as the page would when its own host denies what we ask, and tells that it was given', async (assert) => {
  const { fake, transport, open, denied } = transporting(assert, ['origin']);
  fake.wrap(() => new Response('#EXTM3U', { headers: { server: 'own' } }));
  fake.respond('origin.example', { status: 401, body: 'who are you?' });
  open();
  transport.send();
  await fake.flush();
  assert.deepEqual([transport.status, transport.responseText, denied()], [200, '#EXTM3U', 1]);
  assert.strictEqual(transport.getResponseHeader('server'), 'own');
});

const NOT_AS_THE_PAGE: Readonly<Record<string, { stop: string; status: number; given: boolean; method?: string }>> = {
  'an edge denies it': { stop: 'a', status: 401, given: true },
  'what is asked is no read, and so is asked once': { stop: 'origin', status: 401, given: true, method: 'POST' },
  'its own host has no such file': { stop: 'origin', status: 404, given: true },
  'the page is denied as well, or has nothing of its own': { stop: 'origin', status: 401, given: false },
};
test.each(
  'gives the answer as it is where',
  NOT_AS_THE_PAGE,
  async (assert, { stop, status, given, method = 'GET' }) => {
    const { fake, transport, denied } = transporting(assert, [stop]);
    fake.wrap(() => (given ? new Response('#EXTM3U') : null));
    fake.respond('.example', { status, body: 'no' });
    transport.open(method, 'https://origin.example/0.ts');
    transport.send();
    await fake.flush();
    assert.deepEqual([transport.status, transport.responseText, denied()], [status, 'no', 0]);
  },
);
