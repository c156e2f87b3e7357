import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { SEGMENT, SEGMENT_BYTES, edgeFor, request, until } from './tools.js';

describe('edge: faults', () => {
  test('refuse, and back on the same port', async (context) => {
    const { segment, patch } = await edgeFor(context, { fault: 'refuse' });
    await assert.rejects(request(segment), { code: 'ECONNREFUSED' });
    await patch({ fault: null, bitsPerSecond: 80_000 });
    const inFlight = request(segment);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await patch({ fault: 'refuse' });
    assert.equal((await inFlight).whole, false);
    await assert.rejects(request(segment), { code: 'ECONNREFUSED' });
    await patch({ fault: null, bitsPerSecond: 0 });
    assert.equal((await request(segment)).status, 200);
  });

  test('reset and statuses', async (context) => {
    const { segment, patch } = await edgeFor(context, { fault: 'reset' });
    await assert.rejects(request(segment), { code: 'ECONNRESET' });
    await patch({ fault: 'status:429' });
    const limited = await request(segment);
    assert.deepEqual([limited.status, limited.headers['access-control-allow-origin']], [429, '*']);
  });

  test('silence holds what is in flight too, and lets go of it when it ends', async (context) => {
    const { segment, patch, world } = await edgeFor(context, { bitsPerSecond: 800_000 });
    const inFlight = request(segment);
    await until(() => (world.log[0]?.bytes ?? 0) > 5000);
    await patch({ fault: 'silent' });
    const asked = request(segment);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const bytes = world.log[0]?.bytes;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(world.log[0]?.bytes, bytes);
    assert.deepEqual([world.log[1]?.status, world.log[1]?.tEnd], [null, null]);
    await patch({ fault: null, bitsPerSecond: 0 });
    for (const { whole, body } of await Promise.all([inFlight, asked])) assert.ok(whole && body.equals(SEGMENT));
  });

  test('bodies end half-way: later ones at their middle, those past it at once', async (context) => {
    const { segment, patch, world } = await edgeFor(context, { bitsPerSecond: 2_000_000 });
    const late = request(segment);
    await until(() => (world.log[0]?.bytes ?? 0) > 0.6 * SEGMENT_BYTES);
    await patch({ fault: 'cut' });
    const cut = await late;
    assert.ok(!cut.whole && cut.body.length > 0.6 * SEGMENT_BYTES && cut.body.length < SEGMENT_BYTES);
    const half = await request(segment);
    assert.deepEqual([half.whole, half.body.length], [false, SEGMENT_BYTES / 2]);
    await patch({ fault: 'stall' });
    const stalled = await request(segment, { signal: AbortSignal.timeout(500) });
    assert.deepEqual([stalled.whole, stalled.body.length], [false, SEGMENT_BYTES / 2]);
    await until(() => world.log.at(-1)?.aborted === true);
  });

  test('the log says when the first and the last bytes of a body were sent', async (context) => {
    const { segment, world } = await edgeFor(context, { latencyMs: 50, bitsPerSecond: 2_000_000 });
    await request(segment);
    const { t = NaN, tFirst, tLast } = world.log[0] ?? {};
    assert.ok(tFirst && tLast);
    assert.ok(tFirst - t >= 49 && tLast - tFirst >= 100, `${tFirst - t} and ${tLast - tFirst} ms`);
  });

  test('rules: cut, short, stall, reset, silent', async (context) => {
    const { segment, patch, world } = await edgeFor(context);
    await patch({ rules: [{ path: '\\.ts$', cutAfterBytes: 20_000 }] });
    const cut = await request(segment);
    assert.deepEqual(
      [cut.whole, cut.body.length, cut.headers['content-length']],
      [false, 20_000, String(SEGMENT_BYTES)],
    );
    assert.equal(world.log.at(-1)?.aborted, false);
    await patch({ rules: [{ shortAfterBytes: 20_000 }] });
    const short = await request(segment);
    assert.deepEqual([short.whole, short.body.length, short.headers['content-length']], [true, 20_000, undefined]);
    await patch({ rules: [{ stallAfterBytes: 20_000 }] });
    const stalled = await request(segment, { signal: AbortSignal.timeout(200) });
    assert.deepEqual([stalled.whole, stalled.body.length], [false, 20_000]);
    await until(() => world.log.at(-1)?.aborted === true);
    await patch({ rules: [{ reset: true, times: 1 }, { silent: true }] });
    await assert.rejects(request(segment), { code: 'ECONNRESET' });
    await assert.rejects(request(segment, { signal: AbortSignal.timeout(100) }), { name: 'AbortError' });
  });

  test('rules: which requests, how often, with what', async (context) => {
    const { url, segment, patch } = await edgeFor(context, {
      rules: [
        { path: '^/ts/', method: 'GET|HEAD', times: 2, status: 503, headers: { 'Retry-After': '3' } },
        { path: '^/away$', redirect: '/ts/0.ts' },
        { path: '^/portal$', html: true, cors: false },
        { path: '^/text$', body: 'words', type: 'text/css', latencyMs: 70 },
        { path: '^/ts/', options: { status: 403, headers: { Allow: null, 'Access-Control-Max-Age': '0' } } },
      ],
    });
    const options = await request(segment, { method: 'OPTIONS' });
    assert.deepEqual(
      [options.status, options.headers.allow, options.headers['access-control-max-age']],
      [403, undefined, '0'],
    );
    const busy = await request(segment);
    assert.deepEqual([busy.status, busy.headers['retry-after']], [503, '3']);
    await patch({ latencyMs: 1 });
    assert.equal((await request(segment, { method: 'HEAD' })).status, 503);
    assert.equal((await request(segment)).status, 200);
    const away = await request(`${url}/away`);
    assert.deepEqual([away.status, away.headers.location], [302, '/ts/0.ts']);
    const portal = await request(`${url}/portal`);
    assert.equal(portal.headers['content-type'], 'text/html');
    assert.equal(portal.headers['access-control-allow-origin'], undefined);
    const text = await request(`${url}/text?query`);
    assert.deepEqual([text.body.toString(), text.headers['content-type']], ['words', 'text/css']);
    assert.ok(text.headersMs >= 69, `${text.headersMs} ms`);
  });

  test('rules: a reset in mid-body, once the client has read what came', async (context) => {
    const { segment } = await edgeFor(context, { rules: [{ resetAfterBytes: 20_000, lingerMs: 80 }] });
    const { whole, body, totalMs } = await request(segment);
    assert.deepEqual([whole, body.length], [false, 20_000]);
    assert.ok(totalMs >= 79, `${totalMs} ms`);
  });

  test('rules: a rate of its own, from some byte on', async (context) => {
    const slow = { bitsPerSecond: 400_000, slowAfterBytes: 40_000 };
    const { segment } = await edgeFor(context, { rules: [slow] });
    const { whole, totalMs } = await request(segment);
    // 10 kB at 50 kB/s
    assert.ok(whole && totalMs >= 150 && totalMs < 600, `${totalMs} ms`);
  });

  test('rules: with a Range or without one, ignored or refused', async (context) => {
    const { segment, patch } = await edgeFor(context, { rules: [{ ranged: true, status: 416 }] });
    const status = async (headers = {}) => (await request(segment, { headers })).status;
    const range = { range: 'bytes=100-' };
    assert.deepEqual([await status(range), await status()], [416, 200]);
    await patch({ rules: [{ ranged: false, status: 503 }] });
    assert.deepEqual([await status(range), await status()], [206, 503]);
    await patch({ rules: [{ ignoresRange: true }] });
    const ignored = await request(segment, { headers: range });
    assert.deepEqual([ignored.status, ignored.body.length], [200, SEGMENT_BYTES]);
  });

  test('rules: another file in the place of one, and compression', async (context) => {
    const { segment, patch } = await edgeFor(context, { rules: [{ file: '/ts/main.m3u8' }] });
    assert.match((await request(segment)).body.toString(), /^#EXTM3U/);
    await patch({ rules: [{ gzip: true }] });
    const { headers, body } = await request(segment);
    assert.equal(headers['content-encoding'], 'gzip');
    assert.ok(body.length < SEGMENT_BYTES && gunzipSync(body).equals(SEGMENT));
  });
});
