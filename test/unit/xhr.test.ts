import QUnit from 'qunit';
import { TransportRequest } from '../../src/transport/xhr.js';
import { nothingLeft } from '../support/platform.js';
import { transporting } from '../support/transporting.js';

const { module, test } = QUnit;

const textOf = (buffer: unknown): string => new TextDecoder().decode(buffer as ArrayBuffer);

module('xhr', nothingLeft);

test('tells an answer in the order of an XMLHttpRequest', async (assert) => {
  const { fake, transport, events, open } = transporting(assert);
  fake.respond('a.example', { body: '#EXTM3U', headers: { 'content-length': '7' } });
  open();
  transport.send();
  await fake.flush();
  assert.deepEqual(events, [
    ...['readystatechange 1', 'loadstart 1', 'readystatechange 2', 'readystatechange 3', 'progress 3'],
    ...['readystatechange 4', 'load 4', 'loadend 4'],
  ]);
  assert.deepEqual([transport.status, transport.responseText], [200, '#EXTM3U']);
});

test('has the names of an XMLHttpRequest for its states, as hooks of sites ask for them', async (assert) => {
  const { fake, transport, open } = transporting(assert);
  fake.respond('a.example', { body: '#EXTM3U' });
  const real = new XMLHttpRequest();
  for (const name of ['UNSENT', 'OPENED', 'HEADERS_RECEIVED', 'LOADING', 'DONE'] as const) {
    assert.strictEqual(transport[name], real[name], name);
    assert.strictEqual(TransportRequest[name], XMLHttpRequest[name], `${name} of the class`);
  }
  const done: string[] = [];
  transport.onreadystatechange = function () {
    if (this.readyState === this.DONE) done.push(this.responseText);
  };
  open();
  transport.send();
  await fake.flush();
  assert.deepEqual(done, ['#EXTM3U']);
});

test('has an upload to listen to, which tells nothing', async (assert) => {
  const { fake, transport, open } = transporting(assert);
  fake.respond('a.example', { body: '#EXTM3U' });
  const told: string[] = [];
  const tell = ({ type }: Event): unknown => told.push(type);
  Object.assign(transport.upload, { onprogress: tell });
  transport.upload.addEventListener('progress', tell);
  open();
  transport.send();
  await fake.flush();
  assert.strictEqual(transport.responseText, '#EXTM3U');
  assert.deepEqual(told, []);
});

test('completes nothing inside send(), even when nobody can serve', async (assert) => {
  const { fake, transport, events, open } = transporting(assert, []);
  open();
  transport.send();
  assert.deepEqual(events, ['readystatechange 1', 'loadstart 1']);
  await fake.flush();
  assert.deepEqual(events.slice(2), ['readystatechange 4', 'error 4', 'loadend 4']);
});

test('reads the request as it stands at send(): URL, method, headers, credentials', async (assert) => {
  const { fake, transport, requests } = transporting(assert);
  fake.respond('a.example', {});
  transport.open('HEAD', '../media/0.ts');
  transport.setRequestHeader('Range', 'bytes=0-9');
  transport.withCredentials = true;
  transport.responseType = 'arraybuffer';
  transport.send();
  await fake.flush();
  assert.deepEqual(requests, [
    {
      ...{ url: 'https://site.example/media/0.ts', method: 'HEAD', headers: { Range: 'bytes=0-9' } },
      ...{ withCredentials: true, requestType: 'segment', timeoutMs: 0, binary: true },
    },
  ]);
});

test('asks for the whole of a playlist: a delta is one to what the same server gave before', async (assert) => {
  const { fake, transport, requests } = transporting(assert);
  fake.respond('a.example', {});
  transport.open('GET', '/live.m3u8?sign=%20a&_HLS_skip=YES&_HLS_msn=7');
  transport.send();
  await fake.flush();
  assert.deepEqual(
    requests.map(({ url }) => url),
    ['https://site.example/live.m3u8?sign=%20a&_HLS_msn=7'],
  );
  assert.strictEqual(transport.responseURL, 'https://site.example/live.m3u8?sign=%20a&_HLS_skip=YES&_HLS_msn=7');
});

test('gives an array buffer at the end, and not before', async (assert) => {
  const { fake, transport, open } = transporting(assert);
  fake.expect('a.example');
  open();
  transport.responseType = 'arraybuffer';
  transport.send();
  await fake.flush();
  const body = fake.last('a.example').respondStream();
  body.chunk('one');
  await fake.flush();
  assert.strictEqual(transport.response, null);
  body.chunk('two');
  body.end();
  await fake.flush();
  assert.strictEqual(textOf(transport.response), 'onetwo');
});

test.each(
  'reads text in the charset of its type, in UTF-8 where it is not known, and as overrideMimeType says',
  [
    { type: 'text/plain; charset=iso-8859-1', bytes: [0xe9], text: 'é' },
    { type: 'text/plain; charset="windows-1252"', bytes: [0x80], text: '€' },
    { type: 'text/plain', bytes: [0xc3, 0xa9], text: 'é' },
    { type: 'text/plain; charset=klingon', bytes: [0xc3, 0xa9], text: 'é' },
    { type: 'text/plain; charset=iso-8859-1', override: 'text/plain; charset=utf-8', bytes: [0xc3, 0xa9], text: 'é' },
  ],
  async (assert, { type, override, bytes, text }) => {
    const { fake, transport, open } = transporting(assert);
    fake.respond('a.example', { body: new Uint8Array(bytes), headers: { 'content-type': type } });
    open();
    if (override) transport.overrideMimeType(override);
    transport.send();
    await fake.flush();
    assert.strictEqual(transport.responseText, text);
    assert.strictEqual(transport.response, text);
  },
);

test('lets x-user-defined text grow while it comes, byte for byte', async (assert) => {
  const { fake, transport, open } = transporting(assert);
  fake.expect('a.example');
  open();
  transport.overrideMimeType('text/plain; charset=x-user-defined');
  transport.send();
  await fake.flush();
  const body = fake.last('a.example').respondStream();
  const bytesNow = (): number[] => Array.from(transport.responseText, (char) => char.charCodeAt(0) & 0xff);
  body.chunk(new Uint8Array([0, 0x66, 0x80]));
  await fake.flush();
  assert.deepEqual(bytesNow(), [0, 0x66, 0x80]);
  assert.strictEqual(transport.readyState, 3);
  body.chunk(new Uint8Array([0xff]));
  await fake.flush();
  assert.deepEqual(bytesNow(), [0, 0x66, 0x80, 0xff]);
  transport.abort();
  assert.true(fake.last('a.example').aborted());
});

test('tells progress at most every 50 ms, and its last', async (assert) => {
  const { fake, transport, loaded, open } = transporting(assert);
  fake.expect('a.example');
  open();
  transport.send();
  await fake.flush();
  const body = fake.last('a.example').respondStream();
  for (let i = 0; i < 10; i += 1) {
    body.chunk('0123456789');
    await fake.advance(20);
  }
  body.end();
  await fake.flush();
  assert.deepEqual(loaded, [10, 40, 70, 100]);
});

test("shows the service's URL where an edge served, without a fragment", async (assert) => {
  const { fake, transport, open } = transporting(assert);
  fake.respond('a.example', {});
  open('https://video.example/0.ts?a=1#part');
  transport.send();
  await fake.flush();
  assert.strictEqual(transport.responseURL, 'https://video.example/0.ts?a=1');
});

test.each(
  'asks the routes for the URL to show after a redirect, or where the origin served',
  { 'an edge redirected': 'a', 'the origin served': 'origin' },
  async (assert, stop) => {
    const { fake, transport, open } = transporting(assert, [stop]);
    fake.respond('.example', { url: `https://${stop}.example/moved.ts` });
    open();
    transport.send();
    await fake.flush();
    assert.strictEqual(transport.responseURL, `https://${stop}.example/moved.ts#mapped`);
  },
);

test('shows headers as XMLHttpRequest does: names in lower case, sorted, each line with CRLF', async (assert) => {
  const { fake, transport, open } = transporting(assert);
  fake.respond('a.example', { headers: { 'X-B': 'two', 'X-A': 'one' } });
  open();
  transport.send();
  await fake.flush();
  assert.strictEqual(transport.getAllResponseHeaders(), 'x-a: one\r\nx-b: two\r\n');
  assert.strictEqual(transport.getResponseHeader('X-B'), 'two');
  assert.strictEqual(transport.getResponseHeader('X-C'), null);
});

test('can be opened again for another try, as if it were new', async (assert) => {
  const { fake, transport, events, loaded, open } = transporting(assert);
  fake.respond('a.example', { status: 404, body: 'a long text of an error' });
  open();
  transport.setRequestHeader('X-First', '1');
  transport.send();
  await fake.flush();
  fake.respond('a.example', { body: 'short' });
  const before = events.length;
  open('https://video.example/1.ts');
  assert.deepEqual([transport.readyState, transport.status, transport.responseText], [1, 0, '']);
  transport.send();
  await fake.flush();
  assert.deepEqual(events.slice(before).at(-1), 'loadend 4');
  assert.strictEqual(transport.responseText, 'short');
  assert.strictEqual(loaded.at(-1), 5, 'progress counts from the beginning');
  assert.deepEqual(fake.last('a.example').headers, {});
});

test('drops what it was doing when it is opened again', async (assert) => {
  const { fake, transport, events, open } = transporting(assert);
  fake.expect('a.example');
  open();
  transport.send();
  await fake.flush();
  open();
  await fake.flush();
  assert.true(fake.last('a.example').aborted());
  assert.deepEqual(events, ['readystatechange 1', 'loadstart 1', 'readystatechange 1']);
});

module('xhr, over several servers', nothingLeft);

test('begins anew at the next server, and tells no progress until it has passed what it told', async (assert) => {
  const { fake, transport, events, loaded, open } = transporting(assert, ['a', 'b']);
  fake.expect('.example');
  open();
  transport.responseType = 'arraybuffer';
  transport.send();
  await fake.flush();
  const first = fake.last('a.example').respondStream();
  first.chunk(new Uint8Array(100));
  await fake.flush();
  first.fail();
  await fake.flush();
  const second = fake.last('b.example').respondStream();
  for (const size of [60, 30, 30, 30]) {
    second.chunk(new Uint8Array(size));
    await fake.advance(60);
  }
  second.end();
  await fake.flush();
  assert.deepEqual(loaded, [100, 120, 150]);
  assert.strictEqual((transport.response as ArrayBuffer).byteLength, 150);
  assert.strictEqual(events.filter((event) => event === 'readystatechange 2').length, 1);
});

test("moves VHS's clock forward by the time that was spent on others", async (assert) => {
  const { fake, transport, open } = transporting(assert, ['a', 'b']);
  fake.expect('a.example');
  fake.respond('b.example', { afterMs: 40, body: 'media' });
  open();
  transport.send();
  const sentAt = fake.platform.wallClock();
  transport.requestTime = sentAt;
  await fake.advance(700);
  assert.strictEqual(transport.readyState, 4);
  assert.strictEqual(transport.requestTime - sentAt, 600, 'b was asked after 600 ms of silence');
});

test("leaves VHS's clock where it is when the first server answers", async (assert) => {
  const { fake, transport, open } = transporting(assert);
  fake.respond('a.example', { afterMs: 40, body: 'media' });
  open();
  transport.send();
  const sentAt = fake.platform.wallClock();
  transport.requestTime = sentAt;
  await fake.advance(100);
  assert.strictEqual(transport.requestTime, sentAt);
});

test('delivers the refusal of the last as it is', async (assert) => {
  const { fake, transport, events, open } = transporting(assert, ['a', 'origin']);
  fake.respond('a.example', { status: 503 });
  fake.respond('origin.example', { status: 404, body: 'not here' });
  open();
  transport.send();
  await fake.flush();
  assert.deepEqual([transport.status, transport.responseText], [404, 'not here']);
  assert.deepEqual(events.slice(-2), ['load 4', 'loadend 4']);
});
