import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { describe, test } from 'node:test';
import { SEGMENT, SEGMENT_BYTES, edgeFor, lateness, request, until } from './tools.js';

describe('edge: files', () => {
  test('GET and HEAD', async (context) => {
    const { url, segment } = await edgeFor(context);
    const got = await request(segment);
    assert.deepEqual([got.status, got.body.equals(SEGMENT)], [200, true]);
    assert.equal(got.headers['content-type'], 'video/mp2t');
    assert.equal(got.headers['content-length'], String(SEGMENT_BYTES));
    assert.equal(got.headers['accept-ranges'], 'bytes');
    assert.equal(got.headers['cache-control'], 'max-age=60');
    assert.match(got.headers.etag ?? '', /^"[0-9a-f]+-[0-9a-f]+"$/);
    const head = await request(segment, { method: 'HEAD' });
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    assert.deepEqual({ ...head.headers, date: '' }, { ...got.headers, date: '' });
    const playlist = await request(`${url}/ts/main.m3u8`);
    assert.equal(playlist.headers['content-type'], 'application/vnd.apple.mpegurl');
    assert.equal((await request(`${url}/ts`)).status, 404);
    assert.equal((await request(`${url}/none.ts`)).status, 404);
    assert.equal((await request(segment, { method: 'PUT' })).status, 405);
  });

  test('ranges', async (context) => {
    const { segment } = await edgeFor(context);
    const range = (/** @type {string} */ text, headers = {}) =>
      request(segment, { headers: { range: text, ...headers } });
    const part = await range('bytes=100-199');
    assert.deepEqual([part.status, part.headers['content-length']], [206, '100']);
    assert.equal(part.headers['content-range'], `bytes 100-199/${SEGMENT_BYTES}`);
    assert.ok(part.body.equals(SEGMENT.subarray(100, 200)));
    assert.ok((await range('bytes=49990-')).body.equals(SEGMENT.subarray(49_990)));
    assert.ok((await range('bytes=-7')).body.equals(SEGMENT.subarray(-7)));
    const beyond = await range(`bytes=${SEGMENT_BYTES}-`);
    assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, `bytes */${SEGMENT_BYTES}`]);
    for (const ignored of ['bytes=0-1,5-6', 'bytes=9-3', 'lines=0-1']) assert.equal((await range(ignored)).status, 200);
    const { etag = '' } = part.headers;
    assert.equal((await range('bytes=0-1', { 'if-range': etag })).status, 206);
    assert.equal((await range('bytes=0-1', { 'if-range': '"other"' })).status, 200);
    assert.equal((await request(segment, { headers: { 'if-none-match': etag } })).status, 304);
  });

  test('nothing outside of the folder', async (context) => {
    const { url, segment } = await edgeFor(context);
    const outside = [
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/ts/..%2f..%2f..%2fetc/passwd',
      '/way-out/passwd',
    ];
    for (const path of outside) assert.equal((await request(url, { path })).status, 403, path);
    assert.equal((await request(segment, { path: '/ts/./0.ts' })).status, 200);
  });

  test('CORS, preflights, own headers', async (context) => {
    const { segment, patch } = await edgeFor(context, { headers: { 'CMSD-Dynamic': 'mb=9', 'Cache-Control': null } });
    const origin = 'http://page.localhost';
    const got = await request(segment, { headers: { origin } });
    assert.equal(got.headers['access-control-allow-origin'], '*');
    assert.match(String(got.headers['access-control-expose-headers']), /CMSD-Dynamic/);
    assert.equal(got.headers['timing-allow-origin'], '*');
    assert.equal(got.headers['cmsd-dynamic'], 'mb=9');
    assert.equal(got.headers['cache-control'], undefined);
    const asking = { origin, 'access-control-request-headers': 'x-one' };
    const preflight = await request(segment, { method: 'OPTIONS', headers: asking });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.allow, 'GET, HEAD, OPTIONS, POST');
    assert.equal(preflight.headers['access-control-allow-headers'], 'x-one');
    assert.equal(preflight.headers['access-control-max-age'], '600');
    assert.match(String(preflight.headers['access-control-allow-methods']), /HEAD/);
    await patch({ credentials: true });
    const trusted = await request(segment, { headers: { origin } });
    assert.equal(trusted.headers['access-control-allow-origin'], origin);
    assert.equal(trusted.headers['access-control-allow-credentials'], 'true');
    await patch({ cors: false, timingAllowOrigin: false });
    const closed = await request(segment, { headers: { origin } });
    assert.equal(closed.headers['access-control-allow-origin'], undefined);
    assert.equal(closed.headers['timing-allow-origin'], undefined);
  });

  test('reports', async (context) => {
    const { url, world } = await edgeFor(context);
    const sent = await request(`${url}/.well-known/edge-select`, { method: 'POST', body: '{"chosen":"a"}' });
    assert.equal(sent.status, 204);
    assert.equal(world.log[0]?.body, '{"chosen":"a"}');
    assert.equal((await request(`${url}/elsewhere`, { method: 'POST', body: 'x' })).status, 405);
  });
});

describe('edge: shaping', () => {
  test('the rate holds within 15 %, in small pieces, for one body and for two together', async (context) => {
    const { segment, patch } = await edgeFor(context);
    for (const bitsPerSecond of [400_000, 2_000_000]) {
      await patch({ bitsPerSecond });
      const wantedMs = (SEGMENT_BYTES * 8 * 1000) / bitsPerSecond;
      const lateMs = lateness(context);
      const near = (/** @type {number} */ wanted, /** @type {number[]} */ ...measured) => {
        const mayMiss = 0.15 * wanted + lateMs();
        for (const ms of measured) {
          assert.ok(Math.abs(ms - wanted) < mayMiss, `${ms} ms, not ${wanted}; it may miss by ${mayMiss} ms`);
        }
      };
      const alone = await request(segment);
      near(wantedMs, alone.totalMs);
      assert.ok(alone.chunks >= 12, `${alone.chunks} pieces`);
      const [one, other] = await Promise.all([request(segment), request(segment)]);
      near(2 * wantedMs, one.totalMs, other.totalMs);
    }
  });

  test('latency is for each request, connecting for each connection', async (context) => {
    const { segment, world } = await edgeFor(context, { latencyMs: 60, connectMs: 90 });
    const agent = new http.Agent({ keepAlive: true });
    context.after(() => agent.destroy());
    const lateMs = lateness(context);
    const first = await request(segment, { agent });
    assert.ok(first.headersMs >= 148 && first.headersMs < 300 + lateMs(), `${first.headersMs} ms`);
    const second = await request(segment, { agent });
    assert.ok(second.headersMs >= 59 && second.headersMs < 140 + lateMs(), `${second.headersMs} ms`);
    assert.deepEqual(
      world.log.map(({ connection }) => connection),
      [1, 1],
    );
  });
});

describe('edge: live', () => {
  const lines = (/** @type {Buffer} */ body) => body.toString().split('\n');

  test('the window slides, and marks where the recording starts again', async (context) => {
    const live = { path: '/live/main.m3u8', from: 'ts/main.m3u8', windowSegments: 3, segmentSeconds: 0.2 };
    const { url } = await edgeFor(context, { live: { ...live, startAtMs: Date.now() } });
    const first = await request(`${url}/live/main.m3u8`);
    assert.equal(first.headers['cache-control'], 'no-cache');
    assert.deepEqual(lines(first.body).slice(3), [
      ...['#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-DISCONTINUITY-SEQUENCE:0'],
      ...['#EXTINF:2.0,', '/ts/0.ts', '#EXTINF:2.0,', '/ts/1.ts', '#EXTINF:2.0,', '/ts/2.ts', ''],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const later = await request(`${url}/live/main.m3u8`);
    assert.deepEqual(lines(later.body).slice(3), [
      ...['#EXT-X-MEDIA-SEQUENCE:1', '#EXT-X-DISCONTINUITY-SEQUENCE:0', '#EXTINF:2.0,', '/ts/1.ts', '#EXTINF:2.0,'],
      ...['/ts/2.ts', '#EXT-X-DISCONTINUITY', '#EXTINF:2.0,', '/ts/0.ts', ''],
    ]);
    assert.equal((await request(`${url}/ts/0.ts`)).status, 200);
  });

  test('discontinuities that have left are counted; an edge may be behind', async (context) => {
    const live = { path: '/live.m3u8', from: 'ts/main.m3u8', windowSegments: 2, segmentSeconds: 1000 };
    // slid by 7: of 0 1 2 | 3 4 5 | 6 7 8 the window is 7 8
    const startAtMs = Date.now() - 7_500_000;
    const { url, patch } = await edgeFor(context, { live: { ...live, startAtMs } });
    const counts = async () => lines((await request(`${url}/live.m3u8`)).body).slice(3, 5);
    assert.deepEqual(await counts(), ['#EXT-X-MEDIA-SEQUENCE:7', '#EXT-X-DISCONTINUITY-SEQUENCE:2']);
    await patch({ live: { ...live, startAtMs, skewSegments: 1 } });
    assert.deepEqual(await counts(), ['#EXT-X-MEDIA-SEQUENCE:6', '#EXT-X-DISCONTINUITY-SEQUENCE:1']);
  });
});

describe('edge: TLS', () => {
  /** @param {http2.ClientHttp2Session} session */
  function getOver(session, path = '/ts/0.ts') {
    return new Promise((/** @type {(got: {status: unknown, body: Buffer, code: number}) => void} */ resolve) => {
      const stream = session.request({ ':path': path });
      /** @type {Buffer[]} */
      const chunks = [];
      /** @type {unknown} */
      let status;
      stream.on('response', (headers) => (status = headers[':status']));
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('error', () => {});
      stream.on('close', () => resolve({ status, body: Buffer.concat(chunks), code: stream.rstCode }));
    });
  }

  test('HTTP/2: files, log, cut, reset of the connection', async (context) => {
    const { url, patch, world } = await edgeFor(context, { tls: true, connectMs: 40 });
    assert.match(url, /^https:\/\/a\.localhost:\d+$/);
    const startMs = performance.now();
    const session = http2.connect(url.replace('a.localhost', '127.0.0.1'), { rejectUnauthorized: false });
    session.on('error', () => {});
    context.after(() => session.destroy());
    const { status, body } = await getOver(session);
    assert.deepEqual([status, body.equals(SEGMENT), session.alpnProtocol], [200, true, 'h2']);
    assert.ok(performance.now() - startMs >= 79, 'TCP and TLS are both slow to connect');
    await getOver(session);
    assert.match(world.log[0]?.headers['host'] ?? '', /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(
      world.log.map(({ connection, bytes, aborted }) => [connection, bytes, aborted]),
      [
        [1, SEGMENT_BYTES, false],
        [1, SEGMENT_BYTES, false],
      ],
    );
    await patch({
      rules: [
        { cutAfterBytes: 20_000, times: 1 },
        { reset: true, times: 1 },
      ],
    });
    const cut = await getOver(session);
    assert.deepEqual([cut.body.length, cut.code], [20_000, http2.constants.NGHTTP2_INTERNAL_ERROR]);
    assert.equal((await getOver(session)).status, undefined);
    assert.equal((await getOver(session)).status, 200);
    await patch({ fault: 'reset' });
    await until(() => session.destroyed);
  });

  test('HTTP/1.1 for those who know no other', async (context) => {
    const { url } = await edgeFor(context, { tls: true });
    const options = {
      host: '127.0.0.1',
      port: new URL(url).port,
      path: '/ts/0.ts',
      rejectUnauthorized: false,
      agent: false,
    };
    /** @type {http.IncomingMessage} */
    const response = await new Promise((resolve, reject) => https.get(options, resolve).on('error', reject));
    assert.deepEqual([response.httpVersion, response.statusCode], ['1.1', 200]);
    let bytes = 0;
    for await (const chunk of response) bytes += chunk.length;
    assert.equal(bytes, SEGMENT_BYTES);
  });
});
