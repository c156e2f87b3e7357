import xhr from '@videojs/xhr';
import QUnit from 'qunit';
import { nothingLeft } from '../support/platform.js';
import { transporting, type Transporting } from '../support/transporting.js';

const { module, test } = QUnit;

interface Called {
  readonly error: (Error & { code?: string }) | null;
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Sends a request as VHS does, on the transport; every call of its callback is kept. */
function sending({ transport }: Transporting, options: object = {}): Called[] {
  const calls: Called[] = [];
  const given = { uri: 'https://video.example/0.ts', xhr: transport, timeout: 0, ...options };
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
