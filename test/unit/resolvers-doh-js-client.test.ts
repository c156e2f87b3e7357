import { DoH } from 'doh-js-client';
import QUnit from 'qunit';
import { dohJsClient } from '../../src/resolvers/doh-js-client.js';
import type { Answer, RecordType, Resolver } from '../../src/resolver.js';
import { cleanUp, testWorld, type World } from '../functional/tools.js';
import { fakePlatform } from '../support/platform.js';
import { address, failureOf, question } from './given.js';

const { module, test } = QUnit;
const TOKEN = 'eu1.token.localhost';

const ZONES = {
  '_http._tcp.origin.localhost': [
    { type: 'TXT', text: TOKEN, ttl: 40 },
    { type: 'TXT', text: 'eu2.token.localhost', ttl: 20 },
    { type: 'SRV', priority: 10, weight: 10, port: 8053, target: TOKEN },
  ],
  [TOKEN]: [
    { type: 'A', address: '192.0.2.7', ttl: 30 },
    { type: 'A', address: '192.0.2.8', ttl: 90 },
    { type: 'AAAA', address: '2001:db8::7', ttl: 30 },
  ],
};

/** The real package, pointed at a nameserver of the pretend network: its own list of servers is fixed. */
async function given(nameserver: object = {}): Promise<{ resolver: Resolver; world: World }> {
  const world = await testWorld({ nameservers: { map: { zones: ZONES, answerOptions: true, ...nameserver } } });
  const client = new DoH('google');
  client.uri = world.nameservers.map ?? '';
  return { resolver: dohJsClient(client), world };
}

function ask(assert: Assert, resolver: Resolver, name: string, type: RecordType): Promise<Answer> {
  const { platform } = fakePlatform(assert);
  const asked = question({ name, type, client: { id: 'a person', idAs: 'edns' } });
  return resolver.resolve(asked, { platform, signal: new AbortController().signal });
}

module('resolvers/doh-js-client, with the real package', { afterEach: cleanUp });

test('gives tokens in TXT records, and the least of their TTLs', async (assert) => {
  const { resolver } = await given();
  const { records, ttlSeconds } = await ask(assert, resolver, '_http._tcp.origin.localhost', 'TXT');
  assert.deepEqual(records, [
    { type: 'TXT', text: TOKEN },
    { type: 'TXT', text: 'eu2.token.localhost' },
  ]);
  assert.strictEqual(ttlSeconds, 20);
});

test('gives servers in A and in AAAA records', async (assert) => {
  const { resolver } = await given();
  const four = await ask(assert, resolver, TOKEN, 'A');
  assert.deepEqual(four, { records: [address('192.0.2.7'), address('192.0.2.8')], ttlSeconds: 30 });
  const six = await ask(assert, resolver, TOKEN, 'AAAA');
  assert.deepEqual(
    six.records.map((record) => record.type),
    ['AAAA'],
  );
});

test('says that it cannot ask for SRV, and asks for nothing: the package would ask for A instead', async (assert) => {
  const { resolver, world } = await given();
  const { code, details } = await failureOf(ask(assert, resolver, '_http._tcp.origin.localhost', 'SRV'));
  assert.strictEqual(code, 'LOOKUP_UNSUPPORTED');
  assert.deepEqual(details, { lookup: 'tokens', type: 'SRV' });
  assert.deepEqual(await world.log(), []);
});

test('says LOOKUP_NODATA for a name that is not there: the package tells no more', async (assert) => {
  const { resolver } = await given();
  const { code, details } = await failureOf(ask(assert, resolver, 'nobody.localhost', 'A'));
  assert.strictEqual(code, 'LOOKUP_NODATA');
  assert.deepEqual(details, { lookup: 'tokens', ttlSeconds: 0 });
});

test('sends nothing of the client: the package has no place for it', async (assert) => {
  const { resolver, world } = await given();
  await ask(assert, resolver, TOKEN, 'A');
  const [entry] = (await world.of('nameserver:map')).filter(({ method }) => method === 'GET');
  assert.strictEqual(entry?.url.includes('person'), false);
});

test('an HTTP error of the package is thrown on, for the nameservers room to name', async (assert) => {
  const { resolver } = await given({ fault: 'http500' });
  await assert.rejects(ask(assert, resolver, TOKEN, 'A'));
});

test('each call takes the package one CORS preflight, which is why it is not the default', async (assert) => {
  const { resolver, world } = await given();
  await ask(assert, resolver, TOKEN, 'A');
  const methods = (await world.of('nameserver:map')).map(({ method }) => method);
  assert.deepEqual(methods, ['OPTIONS', 'GET']);
});
