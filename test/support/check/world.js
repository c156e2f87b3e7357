import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openControl } from '../control.js';
import { createWorld } from '../world.js';
import { SEGMENT_BYTES, request, until, worldFor } from './tools.js';

const NETWORK = fileURLToPath(new URL('../network.js', import.meta.url));
const WORLD = new URL('../world.js', import.meta.url).href;

describe('world', () => {
  test('one log of all servers, in order', async (context) => {
    const { world, edge, nameserver } = await worldFor(context, {
      nameservers: { map: {} },
      edges: { a: {}, origin: {} },
    });
    assert.match(nameserver('map'), /^http:\/\/127\.0\.0\.1:\d+\/dns-query$/);
    assert.match(edge('origin'), /^http:\/\/origin\.localhost:\d+$/);
    /** @type {number[]} */
    const told = [];
    world.watch(({ seq }) => told.push(seq));
    const headers = { origin: 'http://page', range: 'bytes=0-9', 'user-agent': 'unlogged', cookie: 'c=1' };
    await request(`${edge('a')}/ts/0.ts?q=1`, { headers });
    await request(`${nameserver('map')}?name=x.localhost&type=SRV&id=gold`);
    await request(`${edge('origin')}/none`);
    const [file, question, none] = world.log;
    assert.deepEqual(
      [file, question, none].map((entry) => `${entry?.seq} ${entry?.server} ${entry?.method} ${entry?.status}`),
      ['0 edge:a GET 206', '1 nameserver:map GET 200', '2 edge:origin GET 404'],
    );
    assert.equal(file?.url, '/ts/0.ts?q=1');
    const { host, ...others } = file?.headers ?? {};
    assert.equal(host, new URL(edge('a')).host);
    assert.deepEqual(others, { origin: 'http://page', range: 'bytes=0-9', cookie: 'c=1' });
    assert.deepEqual([file?.bytes, file?.aborted, file?.body], [10, false, null]);
    assert.deepEqual(question?.body, { name: 'x.localhost', type: 'SRV', id: 'gold', idFrom: 'url', subnet: null });
    assert.ok(file && file.t > Date.now() - 10_000 && file.tEnd !== null && file.tEnd >= file.t);
    // made, status, finished; a question in between
    assert.deepEqual(told, [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]);
  });

  test('a client that leaves early', async (context) => {
    const { world, edge } = await worldFor(context, { edges: { a: { bitsPerSecond: 100_000 } } });
    await request(`${edge('a')}/ts/0.ts`, { signal: AbortSignal.timeout(150) });
    await until(() => world.log[0]?.tEnd !== null);
    const { aborted, bytes = 0 } = world.log[0] ?? {};
    assert.ok(aborted && bytes > 500 && bytes < SEGMENT_BYTES / 4, `${aborted}, ${bytes} bytes`);
  });

  test('what makes no sense is refused, and changes nothing', async (context) => {
    /** @type {[any, RegExp][]} */
    const nonsense = [
      [{ edges: { a: { latency: 5 } } }, /edges\.a: no such field as "latency"/],
      [{ edges: { a: { latencyMs: '5' } } }, /edges\.a\.latencyMs: of kind number, not "5"/],
      [{ edges: { a: { rules: {} } } }, /edges\.a\.rules: of kind array/],
      [{ edges: { a: { fault: 'sleepy' } } }, /no such fault/],
      [{ edges: { a: { rules: [{ path: '(' }] } } }, /rules\[0\]\.path/],
      [{ edges: { 'a.b': {} } }, /cannot be a host name/],
      [{ nameservers: { map: { zones: { x: [{ type: 'SRV', target: 'edge:b' }] } } } }, /there is no edge:b/],
      [{ nameservers: { map: { zones: { x: [{ type: 'SRV' }] } } } }, /SRV needs "target"/],
      [
        { nameservers: { map: { zones: { x: [{ type: 'A', address: '127.0.0.1', for: { subnet: 'here' } }] } } } },
        /"here"/,
      ],
      [{ nameservers: { map: { zones: { x: [{ type: 'A', for: { Id: 'gold' } }] } } } }, /for: no such field as "Id"/],
      [{ media: '../elsewhere' }, /outside of the project/],
    ];
    for (const [description, message] of nonsense) await assert.rejects(createWorld(description), message);
    const { world, edge } = await worldFor(context, { edges: { a: {}, b: {} } });
    await assert.rejects(world.patch({ edges: { a: { fault: 'refuse' }, c: {} } }), /there is no edges\.c/);
    assert.equal((await request(`${edge('a')}/ts/0.ts`)).status, 200);
  });

  test('without openssl there is no TLS, and that is said', async () => {
    const script = `
      import { createWorld } from ${JSON.stringify(WORLD)};
      await createWorld({ edges: { a: {}, b: { tls: true } } }).catch(({ message }) => console.log(message));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: '' },
    });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    assert.equal((await once(child, 'close'))[0], 0);
    assert.match(said, /needs the `openssl` command/);
  });

  test('nothing is left open after close: the process ends', async () => {
    const script = `
      import { createWorld } from ${JSON.stringify(WORLD)};
      const world = await createWorld({
        nameservers: { map: { fault: 'swallow' } },
        edges: { a: { tls: true }, b: { latencyMs: 60000 }, c: { connectMs: 60000 }, d: { fault: 'refuse' } },
      });
      const urls = [world.urls.nameservers.map, ...['b', 'c'].map((name) => world.urls.edges[name].replace(/[bc].localhost/, '127.0.0.1'))];
      const ends = urls.map((url) => fetch(url + '?name=x').catch(() => 'ended'));
      await new Promise((resolve) => setTimeout(resolve, 100));
      await world.close();
      console.log((await Promise.all(ends)).join());`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    const startMs = performance.now();
    const [code] = await once(child, 'close');
    assert.deepEqual([code, said], [0, 'ended,ended,ended\n']);
    assert.ok(performance.now() - startMs < 4000);
  });
});

describe('control', () => {
  /** @param {import('node:test').TestContext} context */
  async function controlFor(context) {
    const control = await openControl();
    context.after(() => control.close());
    return async (/** @type {string} */ path, method = 'GET', /** @type {object | undefined} */ body = undefined) => {
      const response = await fetch(control.url + path, { method, ...(body && { body: JSON.stringify(body) }) });
      assert.equal(response.headers.get('access-control-allow-origin'), '*');
      const text = await response.text();
      return { status: response.status, ...(text && JSON.parse(text)) };
    };
  }

  test('a world is made, changed, read and removed', async (context) => {
    const call = await controlFor(context);
    const made = await call('/worlds', 'POST', { nameservers: { map: {} }, edges: { a: { reportPath: '/report' } } });
    const path = `/worlds/${made.id}`;
    assert.equal(made.status, 201);
    const outline = { id: made.id, urls: made.urls };
    assert.deepEqual((await call('/')).worlds, [outline]);
    await request(`${made.urls.edges.a}/report`, { method: 'POST', body: 'first' });
    const { next, entries } = await call(`${path}/log?since=0`);
    assert.deepEqual([next, entries.length, entries[0].body], [1, 1, 'first']);
    assert.deepEqual(await call(`${path}/log?since=${next}`), { status: 200, next: 1, entries: [] });
    assert.equal((await call(path, 'PATCH', { edges: { a: { fault: 'status:503' } } })).status, 200);
    assert.equal((await request(`${made.urls.edges.a}/report`, { method: 'POST' })).status, 503);
    assert.equal((await call(path, 'OPTIONS')).status, 204);
    assert.equal((await call(path, 'DELETE')).status, 204);
    assert.equal((await call(path)).status, 404);
    await assert.rejects(request(made.urls.edges.a), { code: 'ECONNREFUSED' });
  });

  test('what makes no sense is 400 and says why', async (context) => {
    const call = await controlFor(context);
    const misspelt = await call('/worlds', 'POST', { edge: {} });
    assert.deepEqual([misspelt.status, misspelt.error], [400, 'world: no such field as "edge"']);
    assert.equal((await call('/worlds', 'POST', { media: '/etc' })).status, 400);
    assert.equal((await call('/worlds', 'POST', { media: 'test/../../..' })).status, 400);
  });

  test('events: the log so far, then each entry as it changes', async (context) => {
    const control = await openControl();
    context.after(() => control.close());
    const post = await fetch(`${control.url}/worlds`, { method: 'POST', body: '{"edges":{"a":{}}}' });
    const { id, urls } = /** @type {any} */ (await post.json());
    await request(`${urls.edges.a}/first`);
    const events = await fetch(`${control.url}/worlds/${id}/events`);
    assert.equal(events.headers.get('content-type'), 'text/event-stream');
    await request(`${urls.edges.a}/second`);
    await fetch(`${control.url}/worlds/${id}`, { method: 'DELETE' });
    const messages = (await events.text())
      .trim()
      .split('\n\n')
      .map((text) => JSON.parse(text.replace(/^data: /, '')));
    assert.deepEqual(
      messages.map(({ url, status, tEnd }) => `${url} ${status} ${tEnd === null ? 'under way' : 'over'}`),
      ['/first 404 over', '/second null under way', '/second 404 under way', '/second 404 over'],
    );
  });
});

describe('network.js', () => {
  async function start() {
    const child = spawn(process.execPath, [NETWORK], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = await once(createInterface(child.stdout), 'line');
    const { control } = JSON.parse(line);
    await fetch(`${control}/worlds`, { method: 'POST', body: '{"nameservers":{"map":{}},"edges":{"a":{}}}' });
    return child;
  }

  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) {
    test(`ends on ${signal}`, async () => {
      const child = await start();
      child.kill(signal);
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    });
  }

  test('ends when stdin closes', async () => {
    const child = await start();
    child.stdin.end();
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
