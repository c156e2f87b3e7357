// The map (PowerDNS behind dnsdist) and the second level (BIND behind nginx), as real clients see them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { ask, get } from '../../demo/stack/ask.js';
import { EDGES, startStack } from '../../demo/stack/stack.js';

const SERVICE = '_https._tcp.origin.localhost';
const RIM = ['lisbon', 'warsaw'];
/** @type {import('../../demo/stack/stack.js').Stack} */
let stack;
/** @type {Buffer} */
let ca;
before(async () => {
  stack = await startStack({ media: 'demo/media' });
  ca = readFileSync(stack.authority);
});
after(() => stack?.stop());

/** `priority weight token`, in order. */
async function tokensOf(name = SERVICE, /** @type {import('../../demo/stack/ask.js').As} */ as = {}) {
  const { rcode, answers } = await ask(stack.https.nameserver, name, 'SRV', { ca, ...as });
  assert.equal(rcode, 'NOERROR');
  return answers.map(({ data }) => `${data.priority} ${data.weight} ${data.target}`).sort();
}
const labels = (/** @type {readonly string[]} */ tokens) =>
  tokens.map((token) => /^\d+ \d+ (\w+)\./.exec(token)?.[1]).sort();

test('two subnets get different tokens, with the priorities and weights of their rows', async () => {
  assert.deepEqual(await tokensOf(SERVICE, { subnet: '198.51.100.0/24' }), [
    '10 40 frankfurt.token.example',
    '10 60 amsterdam.token.example',
    '20 100 lisbon.token.example',
  ]);
  assert.deepEqual(labels(await tokensOf(SERVICE, { subnet: '203.0.113.0/24' })), [...EDGES].sort());
});

test('an IPv6 client gets the row of its network, or that of all others', async () => {
  assert.deepEqual(await tokensOf(SERVICE, { subnet: '2001:db8:7::/48' }), [
    '10 40 lisbon.token.example',
    '10 60 warsaw.token.example',
    '20 100 frankfurt.token.example',
  ]);
  assert.deepEqual(labels(await tokensOf(SERVICE, { subnet: '2a00:1:2::/48' })), [...EDGES].sort());
});

test('two ids get different tokens by EDNS', async () => {
  assert.deepEqual(labels(await tokensOf(SERVICE, { id: 'trial-7' })), RIM);
  assert.deepEqual(labels(await tokensOf(SERVICE, { id: '5b0c8e1f' })), [...EDGES].sort());
});

test('two ids get different tokens by label, and each the row of its network', async () => {
  assert.deepEqual(labels(await tokensOf(`trial-7.id.${SERVICE}`)), RIM);
  const own = await tokensOf(`5b0c8e1f.id.${SERVICE}`, { subnet: '198.51.100.0/24' });
  assert.deepEqual(labels(own), ['amsterdam', 'frankfurt', 'lisbon']);
});

test('an id and a subnet in one query are both heard', async () => {
  assert.deepEqual(labels(await tokensOf(SERVICE, { id: 'x', subnet: '198.51.100.0/24' })), [
    'amsterdam',
    'frankfurt',
    'lisbon',
  ]);
});

test('the map answers over HTTP/1.1 with what a page must be allowed to see', async () => {
  for (const [scheme, trusted] of /** @type {const} */ ([
    ['http', undefined],
    ['https', ca],
  ])) {
    const { status, headers } = await ask(stack[scheme].nameserver, SERVICE, 'SRV', { ca: trusted });
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/dns-message');
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['timing-allow-origin'], '*');
    assert.equal(headers['cache-control'], 'max-age=5');
  }
});

test('what is not of the service is refused, and a name that is not there is remembered for a minute', async () => {
  assert.equal((await ask(stack.http.nameserver, 'www.example', 'A')).rcode, 'REFUSED');
  assert.equal((await ask(stack.http.nameserver, '_ftp._tcp.origin.localhost', 'SRV')).rcode, 'NXDOMAIN');
});

test('the second level knows the servers of a token, and its address', async () => {
  const { secondNameserver, origins } = stack.https;
  const servers = await ask(secondNameserver, 'amsterdam.token.example', 'SRV', { ca });
  assert.deepEqual(
    servers.answers.map(({ data }) => `https://${data.target}:${data.port}`),
    [origins['amsterdam']],
  );
  const addresses = await ask(secondNameserver, 'amsterdam.token.example', 'A', { ca });
  assert.deepEqual(
    addresses.answers.map(({ data }) => data),
    ['127.0.0.11'],
  );
  const plain = await ask(stack.http.secondNameserver, 'amsterdam.plain.token.example', 'SRV');
  assert.deepEqual(
    plain.answers.map(({ data }) => `http://${data.target}:${data.port}`),
    [stack.http.origins['amsterdam']],
  );
});

test('the second level answers pages: CORS on answers, errors and preflights', async () => {
  const { secondNameserver } = stack.http;
  const { headers } = await ask(secondNameserver, 'amsterdam.token.example', 'SRV');
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal(headers['timing-allow-origin'], '*');
  assert.equal(headers['access-control-allow-methods'], undefined);
  const broken = await get(`${secondNameserver}?dns=AAAA`);
  assert.deepEqual([broken.status, broken.headers['access-control-allow-origin']], [400, '*']);
  const preflight = await get(secondNameserver, { method: 'OPTIONS' });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-methods'], 'GET, POST, OPTIONS');
  assert.equal(preflight.headers['access-control-allow-headers'], 'Content-Type');
});

test('a token that is not there is no such name', async () => {
  assert.equal((await ask(stack.http.secondNameserver, 'nobody.token.example', 'SRV')).rcode, 'NXDOMAIN');
});
