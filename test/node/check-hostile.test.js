// Servers that hang, loop, flood or write to the terminal: the check ends in time, with a clear line and no stack trace.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { PAGE, checkJson, checkWorld, foundIn, run, worldToCheck } from '../support/checking.js';

const MANIFEST = 'main\\.m3u8$';
const MEBIBYTE = 1024 * 1024;
/** The run is bounded by 4 s, and one request by 1 s; the rest is for two slow cores. */
const BOUNDED = ['--timeout', '4'];
const BOUND_MS = 8000;

/** One edge does it, and the other works. */
const HOSTILE = [
  ['hangs', { fault: 'silent' }, ['SILENT'], /does not answer in time/],
  ['sends a byte now and then', { bitsPerSecond: 400 }, ['SILENT'], /does not end its answer in time/],
  ['stalls in its manifest', { rules: [{ path: MANIFEST, stallAfterBytes: 10, method: 'GET' }] }, ['SILENT'], /does not end/],
  ['redirects to itself', { rules: [{ path: MANIFEST, redirect: '/ts/main.m3u8' }] }, ['REDIRECTS'], /in a circle/],
  [
    'redirects in a circle',
    { rules: [{ path: MANIFEST, redirect: '/b' }, { path: '/b$', redirect: '/ts/main.m3u8' }] },
    ['REDIRECTS'],
    /in a circle/,
  ],
  ['redirects to no URL', { rules: [{ path: MANIFEST, redirect: 'ftp://x/' }] }, ['REDIRECTS'], /no http\(s\) URL/],
  [
    'sends a huge manifest',
    { rules: [{ path: MANIFEST, method: 'GET', body: `#EXTM3U\n${'#'.repeat(3 * MEBIBYTE)}` }] },
    ['TOO_LONG'],
    /longer than 2097152 bytes/,
  ],
  [
    'sends a huge something',
    { rules: [{ path: MANIFEST, method: 'GET', body: 'x'.repeat(3 * MEBIBYTE) }] },
    ['NOT_MEDIA'],
    /more than 2097152 bytes of "text\/plain"/,
  ],
]; // prettier-ignore

for (const [name, near, expected, words] of HOSTILE) {
  test(`an edge that ${name} ends in a clear line, in time`, async (context) => {
    const startedAt = performance.now();
    const { code, codes, findings } = await checkJson(context, { near, args: BOUNDED });
    assert.deepEqual([codes, code], [expected, 1]);
    assert.match(findings[0].says, words);
    assert.ok(performance.now() - startedAt < BOUND_MS);
  });
}

test('a redirect that never comes twice to the same place ends after as many as a browser follows', async (context) => {
  let asked = 0;
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(`HTTP/1.1 302 Found\r\nLocation: /${++asked}\r\nContent-Length: 0\r\n\r\n`));
  });
  const { findings } = await withRawEdge(context, server);
  assert.match(findings.find(({ code }) => code === 'REDIRECTS').says, /more than 20 times/);
});

test('an edge that hangs at every step still ends in the time of the run', async (context) => {
  const startedAt = performance.now();
  const { code } = await checkJson(context, { every: { fault: 'silent' }, map: { latencyMs: 500 }, args: BOUNDED });
  assert.equal(code, 2);
  assert.ok(performance.now() - startedAt < BOUND_MS);
});

test('when the time of the run is over, what was not checked is said to be so', async (context) => {
  // none of its requests is at its own limit, a quarter of that
  const slow = { rules: [{ path: 'ts/', latencyMs: 700 }] };
  const { codes, json } = await checkJson(context, { every: slow, args: ['--timeout', '4'], map: { latencyMs: 700 } });
  assert.ok(codes.includes('NOT_CHECKED'), codes.join());
  assert.notEqual(json.exitCode, 0);
});

/** @param {net.Server} server listens where one of the edges should be */
async function withRawEdge(context, server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const world = await worldToCheck(context);
  const { port } = server.address();
  await world.patch({
    nameservers: {
      map: {
        zones: {
          '_http._tcp.origin.localhost': [{ type: 'SRV', target: 'eu1.token.localhost' }],
          'eu1.token.localhost': [
            { type: 'SRV', target: 'raw.localhost', port },
            { type: 'SRV', target: 'edge:far' },
          ],
        },
      },
    },
  });
  const ended = await checkWorld(world, { args: BOUNDED });
  assert.equal(ended.err, '');
  return { ...ended, ...foundIn((await checkWorld(world, { args: [...BOUNDED, '--json'] })).out) };
}

/** What comes over the connection, whatever is asked. */
const RAW = [
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'BROKEN'],
  ['nothing, and closes', '', 'BROKEN'],
  ['half a head', 'HTTP/1.1 200 OK\r\nContent-', 'BROKEN'],
  ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`, 'BROKEN'],
  ['an escape in a header', 'HTTP/1.1 200 OK\r\nContent-Type: \u001b[31mred\r\nContent-Length: 1\r\n\r\nx', 'BROKEN'],
];

for (const [name, text, expected] of RAW) {
  test(`an edge that answers with ${name} ends in a clear line`, async (context) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(text));
    });
    const { code, codes, out } = await withRawEdge(context, server);
    assert.deepEqual([code, codes], [1, [expected]]);
    assert.ok(!out.includes('\u001b'));
  });
}

test('an edge whose manifest never ends is read as far as a manifest may be long, and no further', async (context) => {
  let sentBytes = 0;
  const server = net.createServer((socket) => {
    const pump = () => {
      while (!socket.destroyed && socket.write('#'.repeat(65_536))) sentBytes += 65_536;
    };
    socket.on('error', () => undefined);
    socket.on('drain', pump);
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\r\n#EXTM3U\n');
      pump();
    });
  });
  const { codes } = await withRawEdge(context, server);
  assert.ok(codes.includes('TOO_LONG'), codes.join());
  // two runs, each with up to five requests: what the kernel holds of each comes on top
  assert.ok(sentBytes < 256 * MEBIBYTE, `${sentBytes} bytes`);
});

/** CSI as one byte of ISO 8859-1, which HTTP lets through; a mark that turns the direction of writing, in a record. */
const EVIL = '\u009b31mred\u009b0m';

test('terminal escapes in what servers say are shown as text, in the table and in JSON', async (context) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    const head = `HTTP/1.1 200 OK\r\nContent-Type: ${EVIL}\r\nAccess-Control-Allow-Origin: ${EVIL}\r\nContent-Length: 1\r\n\r\nx`;
    socket.once('data', () => socket.end(Buffer.from(head, 'latin1')));
  });
  const { out, findings, json } = await withRawEdge(context, server);
  assert.ok(out.includes('\ufffd31mred\ufffd0m'), 'it is shown');
  for (const text of [out, JSON.stringify(findings), JSON.stringify(json)]) {
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
  }
});

test('terminal escapes in the words of the command are shown as text too', async () => {
  const { code, err } = await run(['check', '\u001b[31mred', '--nameserver', 'http://localhost', '--origin', PAGE]);
  assert.equal(code, 2);
  assert.doesNotMatch(err.replaceAll('\n', ''), /\p{Cc}/u);
});
