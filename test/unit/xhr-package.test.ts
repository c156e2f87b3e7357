import xhr from '@videojs/xhr';
import QUnit from 'qunit';
import { nothingLeft, type Script } from '../support/platform.js';
import { transporting, type Transporting } from '../support/transporting.js';

const { module, test } = QUnit;

const POST = {
  method: 'POST',
  body: 'token=1',
  headers: { 'content-type': 'text/plain' },
  responseType: 'arraybuffer',
};
const URI = 'https://video.example/0.ts';

interface Called {
  readonly error: (Error & { code?: string }) | null;
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Sends a request as VHS does, on the transport; every call of its callback is kept. */
function sending({ transport }: Transporting, options: object = {}): Called[] {
  const calls: Called[] = [];
  const given = { uri: URI, xhr: transport, timeout: 0, ...options };
  // its types know a real XMLHttpRequest only
  const send = xhr as unknown as (
    options: object,
    callback: (error: Error | null, response: Called) => void,
  ) => unknown;
  const returned = send(given, (error, { statusCode, headers, body }) => {
    calls.push({ error, statusCode, headers, body });
  });
  if (returned !== transport) throw new Error('the package made a request of its own');
  return calls;
}

module('xhr, in @videojs/xhr', nothingLeft);

test('delivers text with its status and headers, once', async (assert) => {
  const parts = transporting(assert);
  parts.fake.respond('a.example', { body: '#EXTM3U', headers: { 'Content-Type': 'application/x-mpegurl' } });
  const calls = sending(parts);
  assert.strictEqual(calls.length, 0, 'nothing completes inside the call');
  await parts.fake.flush();
  assert.deepEqual(calls, [
    { error: null, statusCode: 200, headers: { 'content-type': 'application/x-mpegurl' }, body: '#EXTM3U' },
  ]);
});

test('delivers an array buffer', async (assert) => {
  const parts = transporting(assert);
  parts.fake.respond('a.example', { body: new Uint8Array([1, 2, 3]) });
  const calls = sending(parts, { responseType: 'arraybuffer', headers: { Range: 'bytes=0-2' } });
  parts.fake.respond('a.example', { status: 206, body: new Uint8Array([1, 2, 3]) });
  await parts.fake.flush();
  assert.deepEqual(new Uint8Array(calls[0]?.body as ArrayBuffer), new Uint8Array([1, 2, 3]));
  assert.deepEqual(parts.fake.last('a.example').headers, { range: 'bytes=0-2' });
});

test('delivers a refusal as an answer with its status', async (assert) => {
  const parts = transporting(assert);
  parts.fake.respond('a.example', { status: 404, body: 'no' });
  const calls = sending(parts);
  await parts.fake.flush();
  assert.deepEqual([calls[0]?.error, calls[0]?.statusCode, calls[0]?.body], [null, 404, 'no']);
});

test('delivers an error when nobody can be reached', async (assert) => {
  const parts = transporting(assert);
  parts.fake.respond('a.example', 'fail');
  const calls = sending(parts);
  await parts.fake.flush();
  assert.true(calls[0]?.error instanceof Error);
  assert.strictEqual(calls[0]?.statusCode, 0);
  assert.strictEqual(calls.length, 1);
});

test('delivers a time-out by the code that VHS looks for', async (assert) => {
  const parts = transporting(assert, ['origin'], 1500);
  parts.fake.expect('origin.example');
  const calls = sending(parts);
  await parts.fake.advance(1500);
  assert.strictEqual(calls[0]?.error?.code, 'ETIMEDOUT');
  assert.strictEqual(calls.length, 1);
});

test('calls nobody after an abort', async (assert) => {
  const parts = transporting(assert);
  parts.fake.expect('a.example');
  const calls = sending(parts);
  await parts.fake.flush();
  parts.transport.abort();
  await parts.fake.flush();
  assert.deepEqual(calls, []);
});

test('sends what is no read once, whole, to its own URL', async (assert) => {
  const parts = transporting(assert);
  parts.fake.respond(URI, { body: 'a key' });
  const calls = sending(parts, { ...POST, withCredentials: true });
  assert.strictEqual(calls.length, 0, 'nothing completes inside the call');
  await parts.fake.flush();
  assert.deepEqual(
    parts.fake.fetches.map(({ method, url, headers, init: { body, credentials } }) => [
      ...[method, url, headers, body, credentials],
    ]),
    [['POST', URI, POST.headers, POST.body, 'include']],
  );
  assert.deepEqual([calls.length, calls[0]?.error, calls[0]?.statusCode], [1, null, 200]);
  assert.strictEqual(new TextDecoder().decode(calls[0]?.body as ArrayBuffer), 'a key');
  assert.deepEqual([parts.transport.responseURL.startsWith(URI), parts.requests, parts.outcomes], [true, [], []]);
  assert.deepEqual(parts.events, [
    ...['readystatechange 1', 'loadstart 1', 'readystatechange 2', 'readystatechange 3', 'progress 3'],
    ...['readystatechange 4', 'load 4', 'loadend 4'],
  ]);
});

test('repeats nothing that is no read: it was cut', async (assert) => {
  const parts = transporting(assert);
  Object.assign(parts.routes, { again: () => 500 });
  parts.fake.expect(URI);
  const calls = sending(parts, POST);
  await parts.fake.flush();
  const body = parts.fake.last(URI).respondStream();
  body.chunk('half');
  body.fail();
  await parts.fake.advance(5000);
  assert.deepEqual([parts.fake.fetches.length, calls.length, calls[0]?.statusCode], [1, 1, 0]);
});

test.each(
  'repeats nothing that is no read:',
  {
    'it was refused': ['fail', [undefined, 0]],
    'it was answered with an error': [{ status: 503, body: 'no' }, [undefined, 503]],
    'it was late': ['wait', ['ETIMEDOUT', 0]],
  } satisfies Record<string, [Script, unknown]>,
  async (assert, [script, end]) => {
    const parts = transporting(assert, ['a', 'b'], 1500);
    Object.assign(parts.routes, { again: () => 500 });
    parts.fake.respond(URI, script);
    const calls = sending(parts, POST);
    await parts.fake.advance(5000);
    assert.strictEqual(parts.fake.fetches.length, 1);
    assert.deepEqual(
      calls.map(({ error, statusCode }) => [error?.code, statusCode]),
      [end],
    );
  },
);

test('gives up what is no read when VHS does', async (assert) => {
  const parts = transporting(assert);
  parts.fake.expect(URI);
  const calls = sending(parts, POST);
  await parts.fake.flush();
  parts.transport.abort();
  await parts.fake.flush();
  assert.deepEqual([calls, parts.fake.last(URI).init.signal?.aborted], [[], true]);
});

test('shows the answer to a POST of a playlist as it is, and reads without the body of a GET', async (assert) => {
  const parts = transporting(assert, ['a'], 0, 'hls-playlist');
  Object.assign(parts.routes, { newest: () => 'another' });
  parts.fake.respond(URI, { body: '#EXTM3U' });
  parts.fake.respond('a.example', {});
  const calls = sending(parts, { method: 'POST' });
  await parts.fake.flush();
  calls.push(...sending(parts, { body: 'ignored' }));
  await parts.fake.flush();
  assert.strictEqual(calls[0]?.body, '#EXTM3U');
  assert.deepEqual([parts.fake.last('a.example').method, parts.fake.last('a.example').init.body], ['GET', undefined]);
});
