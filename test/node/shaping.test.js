// Slow start and the last mile of the pretend network, over real sockets: what benchmarks are measured with has to be measured too.
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { describe, test } from 'node:test';
import { setImmediate as nextTick } from 'node:timers/promises';
import { SEGMENT_BYTES, ask, edgeFor, request, worldFor } from '../support/check/tools.js';
import { SlowStart } from '../support/slow-start.js';

const LATENCY_MS = 300;
/** Bytes that come within this of each other came together. */
const PAUSE_MS = 100;
const TEN_PACKETS_BYTES = 14_600;
const MEGABIT = 1_000_000;

/** How many bytes came together, and then after a pause, and so on. */
function lumps(arrivals) {
  const found = [];
  arrivals.forEach(({ atMs, bytes }, i) => {
    if (i > 0 && atMs - arrivals[i - 1].atMs < PAUSE_MS) found[found.length - 1] += bytes;
    else found.push(bytes);
  });
  return found;
}

/** A GET over HTTP/1.1; resolves with its lumps. */
function lumpsOf(url, agent = false, headers = {}) {
  const { port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path: pathname, agent, headers }, (response) => {
        const arrivals = [];
        response.on('data', ({ length }) => arrivals.push({ atMs: performance.now(), bytes: length }));
        response.on('end', () => resolve(lumps(arrivals)));
      })
      .on('error', reject);
  });
}

/** One connection to an edge over TLS, on which all GETs are made. */
async function overHttp2(context, edge) {
  const { url } = await edgeFor(context, { ...edge, tls: true });
  const session = http2.connect(url.replace('a.localhost', '127.0.0.1'), { rejectUnauthorized: false });
  context.after(() => session.destroy());
  const arrivals = [];
  const get = () => {
    const stream = session.request({ ':path': '/ts/0.ts' });
    stream.on('data', ({ length }) => arrivals.push({ stream, atMs: performance.now(), bytes: length }));
    const ended = new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
    return { stream, ended };
  };
  return { get, arrivals };
}

/** How long a body was under way, in ms. */
async function bodyMs(url) {
  const { headersMs, totalMs, body } = await request(url);
  assert.equal(body.length, SEGMENT_BYTES);
  return totalMs - headersMs;
}

describe('slow start', () => {
  const first = [TEN_PACKETS_BYTES, 2 * TEN_PACKETS_BYTES, SEGMENT_BYTES - 3 * TEN_PACKETS_BYTES];

  test('is off unless it is asked for', async (context) => {
    const { segment } = await edgeFor(context, { latencyMs: LATENCY_MS });
    assert.deepEqual(await lumpsOf(segment), [SEGMENT_BYTES]);
  });

  test('each new connection begins with ten packets and doubles them each latency', async (context) => {
    const { segment } = await edgeFor(context, { latencyMs: LATENCY_MS, slowStart: true });
    assert.deepEqual(await Promise.all([lumpsOf(segment), lumpsOf(segment)]), [first, first]);
  });

  test('a connection that is used again goes on where it was', async (context) => {
    const { segment } = await edgeFor(context, { latencyMs: LATENCY_MS, slowStart: true });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    context.after(() => agent.destroy());
    assert.deepEqual(await lumpsOf(segment, agent), first);
    assert.deepEqual(await lumpsOf(segment, agent), [SEGMENT_BYTES]);
  });

  test('a window that was never full has not grown', async (context) => {
    const { segment, patch } = await edgeFor(context, {
      ...{ latencyMs: LATENCY_MS, slowStart: true, bitsPerSecond: MEGABIT / 10 },
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    context.after(() => agent.destroy());
    await lumpsOf(segment, agent, { range: 'bytes=0-9999' });
    await patch({ bitsPerSecond: 0 });
    assert.deepEqual(await lumpsOf(segment, agent), first);
  });

  test('the streams of an HTTP/2 connection share its window', async (context) => {
    const { get, arrivals } = await overHttp2(context, { latencyMs: LATENCY_MS, slowStart: true });
    await Promise.all([get().ended, get().ended]);
    const rest = 2 * SEGMENT_BYTES - 3 * TEN_PACKETS_BYTES;
    assert.deepEqual(lumps(arrivals), [TEN_PACKETS_BYTES, 2 * TEN_PACKETS_BYTES, rest]);
  });

  test('streams that ask at the same moment have no more than the window together', async () => {
    const window = new SlowStart();
    const { signal } = new AbortController();
    const take = async (bytes) => {
      await nextTick();
      return bytes;
    };
    const both = [1, 2].map(() => window.through(10_000, LATENCY_MS * 100, signal, take));
    assert.deepEqual(await Promise.all(both), [10_000, TEN_PACKETS_BYTES - 10_000]);
  });

  test('a stream that is given up holds no other one back', async (context) => {
    const { get, arrivals } = await overHttp2(context, { latencyMs: 20, slowStart: true, bitsPerSecond: MEGABIT });
    const [left, right] = [get(), get()];
    left.stream.once('data', () => left.stream.close(http2.constants.NGHTTP2_CANCEL));
    await Promise.all([left.ended, right.ended]);
    const bytes = arrivals.filter(({ stream }) => stream === right.stream).reduce((sum, each) => sum + each.bytes, 0);
    assert.equal(bytes, SEGMENT_BYTES);
  });

  test('is not felt where ten packets a latency are more than the edge gives', async (context) => {
    const thin = { latencyMs: LATENCY_MS, bitsPerSecond: MEGABIT / 4 };
    const { edge } = await worldFor(context, { edges: { a: { ...thin, slowStart: true }, b: thin } });
    const [slow, usual] = await Promise.all(['a', 'b'].map((name) => bodyMs(`${edge(name)}/ts/0.ts`)));
    assert.ok(slow - usual < LATENCY_MS, `${slow} ms, and ${usual} ms without`);
  });
});

describe('the last mile', () => {
  test('is shared by the bodies of all edges', async (context) => {
    const { edge } = await worldFor(context, { edges: { a: {}, b: {} }, lastMileBitsPerSecond: MEGABIT });
    const both = await Promise.all(['a', 'b'].map((name) => bodyMs(`${edge(name)}/ts/0.ts`)));
    assert.ok(Math.min(...both) > 650, `400 ms of body for each of two took ${both}`);
  });

  for (const [edgeRate, lineRate] of [
    [0.5, 4],
    [4, 0.5],
    [0.5, 0.5],
  ]) {
    test(`the lesser rate holds: ${edgeRate} Mbit/s of the edge, ${lineRate} Mbit/s of the line`, async (context) => {
      const { edge } = await worldFor(context, {
        ...{ edges: { a: { bitsPerSecond: edgeRate * MEGABIT } }, lastMileBitsPerSecond: lineRate * MEGABIT },
      });
      const ms = await bodyMs(`${edge('a')}/ts/0.ts`);
      assert.ok(ms > 720 && ms < 1300, `800 ms of body took ${ms}`);
    });
  }

  test('its rate may change while a body is under way, and stays when something else changes', async (context) => {
    const { world, edge } = await worldFor(context, { edges: { a: {} }, lastMileBitsPerSecond: 20_000 });
    const started = new Promise((resolve) => {
      const stop = world.watch(({ status }) => status !== null && resolve(stop()));
    });
    const body = bodyMs(`${edge('a')}/ts/0.ts`);
    await started;
    await world.patch({ lastMileBitsPerSecond: MEGABIT });
    await world.patch({ edges: { a: { latencyMs: 1 } } });
    const ms = await body;
    assert.ok(ms > 300 && ms < 5000, `what was 20 s of body took ${ms}`);
  });

  test('the answers of a nameserver pass it too', async (context) => {
    const zones = { 'eu1.token.localhost': [{ type: 'SRV', target: 'edge:a' }] };
    const { nameserver } = await worldFor(context, {
      ...{ edges: { a: {} }, nameservers: { map: { zones } }, lastMileBitsPerSecond: 4000 },
    });
    const { headersMs, body } = await ask(nameserver('map'), { name: 'eu1.token.localhost' });
    assert.ok(headersMs > body.length * 2 - 40, `${body.length} bytes at 2 ms each took ${headersMs} ms`);
  });

  test('a rate that is none is refused', async (context) => {
    const { world } = await worldFor(context, { edges: { a: {} } });
    for (const lastMileBitsPerSecond of [-1, NaN, Infinity, '8', null]) {
      await assert.rejects(world.patch({ lastMileBitsPerSecond }), { message: /^lastMileBitsPerSecond: / });
    }
  });
});
