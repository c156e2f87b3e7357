import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
});
