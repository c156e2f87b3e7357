// The edges (nginx), as a page sees them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { after, before, test } from 'node:test';
import { get } from '../../demo/stack/ask.js';
import { startStack } from '../../demo/stack/stack.js';
import { Tail } from '../../demo/stack/tail.js';
import { post, until } from './tools.js';

const MANIFEST = '/hls/main.m3u8';
const REPORT = '/.well-known/edge-select';
/** @type {import('../../demo/stack/stack.js').Stack} */
let stack;
before(async () => {
  stack = await startStack({ media: 'demo/media', reportsPerSecond: 5 });
});
after(() => stack?.stop());

const url = (/** @type {string} */ path, edge = 'amsterdam') => stack.http.origins[edge] + path;

test('an answer may be read by a page, with its capabilities and times', async () => {
  const { status, headers } = await get(url(MANIFEST));
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/vnd.apple.mpegurl');
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal(headers['timing-allow-origin'], '*');
  assert.equal(headers['cmsd-dynamic'], '"amsterdam";etp=20000');
  const exposed = String(headers['access-control-expose-headers']).split(', ');
  for (const name of ['Content-Range', 'ETag', 'Accept-Ranges', 'Date', 'Server-Timing', 'CMSD-Dynamic']) {
    assert.ok(exposed.includes(name), name);
  }
});

test('a range of a segment is given as such', async () => {
  const whole = await get(url('/hls/270p-00.ts'));
  const part = await get(url('/hls/270p-00.ts'), { headers: { range: 'bytes=100-199' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers['content-range'], `bytes 100-199/${whole.body.length}`);
  assert.deepEqual(part.body, whole.body.subarray(100, 200));
  assert.equal(part.headers['access-control-allow-origin'], '*');
});

test('OPTIONS is answered at once, and with more than an answer has', async () => {
  const { status, headers } = await get(url(MANIFEST), { method: 'OPTIONS' });
  assert.equal(status, 204);
  assert.equal(headers['access-control-allow-methods'], 'GET, HEAD, OPTIONS, POST');
  assert.match(String(headers['access-control-allow-headers']), /\bRange\b/);
  assert.equal((await get(url(MANIFEST))).headers['access-control-allow-methods'], undefined);
});

test('what is not there is 404 with CORS, so that the plugin can tell it from silence', async () => {
  const { status, headers } = await get(url('/hls/none.ts'));
  assert.deepEqual([status, headers['access-control-allow-origin']], [404, '*']);
});

test('a report is taken, and its line has the address, the edge and the whole body', async () => {
  const tail = new Tail();
  await post(stack, [{ from: '127.0.7.1', chosen: 'warsaw', outcomes: { warsaw: 'ok', lisbon: 'late' } }]);
  const [line = ''] = await until(() => {
    const lines = tail.newLines(stack.logs.reports('warsaw'));
    return lines.length > 0 && lines;
  }, 'a line of the report log');
  const { t, ip, edge, body } = JSON.parse(line);
  assert.deepEqual([ip, edge, JSON.parse(body).chosen], ['127.0.7.1', 'warsaw', stack.http.origins['warsaw']]);
  assert.ok(Math.abs(t * 1000 - Date.now()) < 60_000);
});

test('a body that breaks out of its line does not', async () => {
  const tail = new Tail();
  const body = '{"v":1}\n{"t":1,"ip":"203.0.113.1"}\u2028"\\"\u0000';
  await get(url(REPORT, 'lisbon'), { method: 'POST', body, from: '127.0.7.2' });
  const lines = await until(() => {
    const some = tail.newLines(stack.logs.reports('lisbon'));
    return some.length > 0 && some;
  }, 'a line of the report log');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).body),
    [body],
  );
});

test('a report that is too large, or no POST, or one of too many is refused, and the page may read that', async () => {
  const large = await get(url(REPORT), { method: 'POST', body: 'x'.repeat(17_000), from: '127.0.7.3' });
  assert.deepEqual([large.status, large.headers['access-control-allow-origin']], [413, '*']);
  assert.equal((await get(url(REPORT), { from: '127.0.7.4' })).status, 403);
  const flood = await Promise.all(
    Array.from({ length: 40 }, () => get(url(REPORT), { method: 'POST', body: '{}', from: '127.0.7.5' })),
  );
  const refused = flood.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 20, `${refused.length} of 40 were refused`);
  assert.equal(refused[0]?.headers['access-control-allow-origin'], '*');
});

test('over TLS an edge speaks HTTP/2, with a certificate that the run’s own authority vouches for', async () => {
  const origin = new URL(String(stack.https.origins['amsterdam']));
  const session = http2.connect(`https://127.0.0.1:${origin.port}`, {
    ca: readFileSync(stack.authority),
    servername: origin.hostname,
  });
  const stream = session.request({ ':path': MANIFEST, ':authority': origin.host }).resume();
  const headers = await new Promise((resolve, reject) => {
    stream.once('response', resolve);
    session.once('error', reject);
  });
  assert.equal(headers[':status'], 200);
  assert.equal(headers['access-control-allow-origin'], '*');
  session.close();
});
