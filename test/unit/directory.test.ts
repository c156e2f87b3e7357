import QUnit from 'qunit';
import { directory, type Directory } from '../../src/directory.js';
import { EdgeSelectError } from '../../src/errors.js';
import type { EdgeSelectOptions, Settings } from '../../src/options.js';
import type { Answer, Question, Resolver } from '../../src/resolver.js';
import type { Selection } from '../../src/selection.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';
import { answer, failureOf, MAP, question, settings, SOURCE, srv } from './given.js';
import { reply } from './oracle.js';

const { module, test } = QUnit;

/** A page, and a resolver that says what the test wants and counts. */
interface Scene {
  readonly fake: FakePlatform;
  readonly page: Directory;
  readonly asked: Question[];
  readonly settings: Settings;
}

function scene(assert: Assert, says: () => Promise<Answer>, options: EdgeSelectOptions = {}): Scene {
  const fake = fakePlatform(assert);
  const asked: Question[] = [];
  const resolver: Resolver = {
    resolve(one) {
      asked.push(one);
      return says();
    },
  };
  return { fake, page: directory(fake.platform), asked, settings: settings({ resolver, ...options }) };
}
const saying = (ttlSeconds: number) => () => Promise.resolve(answer([srv('a.token')], ttlSeconds));
const refusing = (code: 'LOOKUP_NXDOMAIN' | 'LOOKUP_NODATA', ttlSeconds: number) => () =>
  Promise.reject(new EdgeSelectError(code, { lookup: 'tokens', ttlSeconds }));

module('directory, answers', nothingLeft);

test('an answer serves for `refreshMaxMs` at most, so that a repeated question reaches the map', async (assert) => {
  const { fake, page, asked, settings: own } = scene(assert, saying(3600), { refreshMaxMs: 600_000 });
  assert.strictEqual((await page.ask(question(), own)).ttlSeconds, 600);
  await fake.advance(599_999);
  await page.ask(question(), own);
  assert.strictEqual(asked.length, 1);
  await fake.advance(1);
  await page.ask(question(), own);
  assert.strictEqual(asked.length, 2);
});

test('an answer serves until its TTL has run out, and not a moment longer', async (assert) => {
  const { fake, page, asked, settings: own } = scene(assert, saying(20));
  await page.ask(question(), own);
  await fake.advance(19_999);
  await page.ask(question(), own);
  assert.strictEqual(asked.length, 1);
  await fake.advance(1);
  await page.ask(question(), own);
  assert.strictEqual(asked.length, 2);
});

test('who asks later gets the TTL that is left', async (assert) => {
  const { fake, page, settings: own } = scene(assert, saying(20));
  assert.strictEqual((await page.ask(question(), own)).ttlSeconds, 20);
  await fake.advance(12_500);
  assert.strictEqual((await page.ask(question(), own)).ttlSeconds, 7.5);
});

const BOUNDS: readonly [given: number, used: number][] = [
  [0, 5],
  [4, 5],
  [5, 5],
  [3600, 3600],
  [86_400, 3600],
];
for (const [given, used] of BOUNDS) {
  test(`a TTL of ${given} s is taken as ${used} s`, async (assert) => {
    const { fake, page, asked, settings: own } = scene(assert, saying(given), { refreshMaxMs: 3_600_000 });
    assert.strictEqual((await page.ask(question(), own)).ttlSeconds, used);
    await fake.advance(used * 1000 - 1);
    await page.ask(question(), own);
    assert.strictEqual(asked.length, 1);
    await fake.advance(1);
    await page.ask(question(), own);
    assert.strictEqual(asked.length, 2);
  });
}

for (const code of ['LOOKUP_NXDOMAIN', 'LOOKUP_NODATA'] as const) {
  test(`${code} is remembered for its own TTL (RFC 2308)`, async (assert) => {
    const { fake, page, asked, settings: own } = scene(assert, refusing(code, 30));
    assert.strictEqual((await failureOf(page.ask(question(), own))).code, code);
    await fake.advance(29_999);
    assert.strictEqual((await failureOf(page.ask(question(), own))).code, code);
    assert.strictEqual(asked.length, 1);
    await fake.advance(1);
    await failureOf(page.ask(question(), own));
    assert.strictEqual(asked.length, 2);
  });
}

test('a negative answer without a TTL is remembered for 5 s', async (assert) => {
  const { fake, page, asked, settings: own } = scene(assert, refusing('LOOKUP_NXDOMAIN', 0));
  await failureOf(page.ask(question(), own));
  await fake.advance(4999);
  await failureOf(page.ask(question(), own));
  assert.strictEqual(asked.length, 1);
  await fake.advance(1);
  await failureOf(page.ask(question(), own));
  assert.strictEqual(asked.length, 2);
});

test('any other failure is told for one second to all who ask, and then not remembered', async (assert) => {
  const broken = (): Promise<Answer> => Promise.reject(new EdgeSelectError('LOOKUP_SERVFAIL', { lookup: 'tokens' }));
  const { fake, page, asked, settings: own } = scene(assert, broken);
  await failureOf(page.ask(question(), own));
  await fake.advance(999);
  assert.strictEqual((await failureOf(page.ask(question(), own))).code, 'LOOKUP_SERVFAIL');
  assert.strictEqual(asked.length, 1);
  await fake.advance(1);
  await failureOf(page.ask(question(), own));
  assert.strictEqual(asked.length, 2);
});

test('an answer that comes after the time-out serves those who ask later', async (assert) => {
  let give: (given: Answer) => void = () => undefined;
  const late = new Promise<Answer>((resolve) => (give = resolve));
  const { fake, page, asked, settings: own } = scene(assert, () => late, { lookupTimeoutMs: 1000 });
  const first = failureOf(page.ask(question(), own));
  await fake.advance(1000);
  assert.strictEqual((await first).code, 'LOOKUP_TIMEOUT');
  give(answer([srv('a.token')], 60));
  await fake.flush();
  assert.deepEqual((await page.ask(question(), own)).records, [srv('a.token')]);
  assert.strictEqual(asked.length, 1);
});

module('directory, one question for all', nothingLeft);

test('twenty players who ask the same at the same time make one query', async (assert) => {
  const { page, asked, settings: own } = scene(assert, saying(20));
  const answers = await Promise.all(Array.from({ length: 20 }, () => page.ask(question(), own)));
  assert.strictEqual(asked.length, 1);
  assert.strictEqual(new Set(answers.map((one) => JSON.stringify(one))).size, 1);
});

test('all who joined a question hear of its failure', async (assert) => {
  const { page, asked, settings: own } = scene(assert, refusing('LOOKUP_NXDOMAIN', 30));
  const codes = await Promise.all([1, 2, 3].map(async () => (await failureOf(page.ask(question(), own))).code));
  assert.deepEqual(codes, ['LOOKUP_NXDOMAIN', 'LOOKUP_NXDOMAIN', 'LOOKUP_NXDOMAIN']);
  assert.strictEqual(asked.length, 1);
});

const OTHERS: readonly [name: string, other: Question][] = [
  ['another name', question({ name: 'other.example' })],
  ['another type', question({ type: 'TXT' })],
  ['another client id', question({ client: { id: 'b', idAs: 'edns' } })],
  ['another way to send the id', question({ client: { id: 'a', idAs: 'query' } })],
  ['another subnet', question({ client: { id: 'a', idAs: 'edns', subnet: '198.51.100.0/24' } })],
];
for (const [name, other] of OTHERS) {
  test(`a question with ${name} is another question`, async (assert) => {
    const { page, asked, settings: own } = scene(assert, saying(20));
    const one = question({ client: { id: 'a', idAs: 'edns' } });
    await Promise.all([page.ask(one, own), page.ask(other, own)]);
    assert.deepEqual(asked, [one, other]);
  });
}

test('a question to another nameserver, or another resolver, is another question', async (assert) => {
  const { fake, page, asked, settings: own } = scene(assert, saying(20));
  const other = scene(assert, saying(20));
  await Promise.all([page.ask(question(), own), page.ask(question(), other.settings)]);
  assert.deepEqual([asked.length, other.asked.length], [1, 1]);

  fake.respond('GET', () => nameserverSays('a.token'));
  const [a, b] = ['https://a.example/q', 'https://b.example/q'];
  await Promise.all([a, b].map((nameserver) => page.ask(question(), settings({ nameserver }))));
  assert.deepEqual([fake.all(a).length, fake.all(b).length], [1, 1]);
});

test('the first lookup asks the map, the second one asks where tokens are known', async (assert) => {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  fake.respond('GET', () => nameserverSays('a.token'));
  const own = settings({ secondNameserver: 'https://second.example/q' });
  await page.ask(question(), own);
  assert.deepEqual([fake.all(MAP).length, fake.all('second.example').length], [1, 0]);
  await page.ask(question({ lookup: 'servers' }), own);
  assert.deepEqual([fake.all(MAP).length, fake.all('second.example').length], [1, 1]);
});

function nameserverSays(target: string): { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> } {
  const record = { name: question().name, type: 'SRV', ttl: 60, data: { priority: 1, weight: 1, port: 443, target } };
  return { headers: { 'content-type': 'application/dns-message' }, body: reply(question(), { answers: [record] }) };
}

module('directory, edges', nothingLeft);

test('an edge that failed is in its cool-down for all players of the page', async (assert) => {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  page.failed('https://a.example');
  assert.true(page.cooling('https://a.example'));
  assert.false(page.cooling('https://b.example'));
  await fake.advance(60_000);
  assert.false(page.cooling('https://a.example'));
});

test('an answer ends the cool-down, and teaches how near the edge is', (assert) => {
  const page = directory(fakePlatform(assert).platform);
  page.failed('https://a.example');
  page.answered('https://a.example', 500);
  assert.false(page.cooling('https://a.example'));
  assert.strictEqual(page.record('https://a.example').firstByteMs, 500);
  assert.strictEqual(page.record('https://b.example').firstByteMs, null);
});

module('directory, selections', nothingLeft);

const EDGE = { origin: 'https://a.example', rank: 0, weight: 65_535 };
const selection = (expiresAt: number): Selection => ({
  service: SOURCE.service,
  tokens: [],
  edges: [EDGE],
  expiresAt,
  chosen: EDGE,
  reason: 'only',
  probes: [],
  measuredAt: 0,
});

test('a selection is known until its answers run out', async (assert) => {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  const kept = selection(fake.platform.now() + 1000);
  page.keep('key', kept);
  assert.strictEqual(page.known('key'), kept);
  assert.strictEqual(page.known('other'), null);
  await fake.advance(1000);
  assert.strictEqual(page.known('key'), null);
});

test('a selection is not known while its edge is in a cool-down', async (assert) => {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  page.keep('key', selection(fake.platform.now() + 100_000));
  page.failed(EDGE.origin);
  assert.strictEqual(page.known('key'), null);
  await fake.advance(60_000);
  assert.strictEqual(page.known('key'), null, 'nor before the edge has answered again');
  page.answered(EDGE.origin, 20);
  assert.notStrictEqual(page.known('key'), null);
});

const discover = (): Promise<[]> => Promise.resolve([]);
const DIFFERENT: readonly [name: string, options: EdgeSelectOptions][] = [
  ['nameserver', { nameserver: 'https://b.example/q' }],
  ['secondNameserver', { secondNameserver: 'https://b.example/q' }],
  ['client', { client: { id: 'b' } }],
  ['tokens', { tokens: 'TXT' }],
  ['servers', { servers: { type: 'A', url: 'https://{address}' } }],
  ['allowedHosts', { allowedHosts: ['b.example'] }],
  ['resolver', { resolver: { resolve: saying(20) } }],
  ['discover', { discover }],
];
for (const [name, options] of DIFFERENT) {
  test(`another '${name}' is another search`, (assert) => {
    const page = directory(fakePlatform(assert).platform);
    assert.notStrictEqual(page.key(SOURCE, settings(options)), page.key(SOURCE, settings()));
    assert.strictEqual(page.key(SOURCE, settings(options)), page.key(SOURCE, settings(options)));
  });
}

test('another service or scheme is another search; another URL of the service is not', (assert) => {
  const page = directory(fakePlatform(assert).platform);
  const key = page.key(SOURCE, settings());
  assert.notStrictEqual(page.key({ ...SOURCE, service: '_https._tcp.b.example' }, settings()), key);
  assert.notStrictEqual(page.key({ ...SOURCE, scheme: 'http' }, settings()), key);
  assert.strictEqual(page.key({ ...SOURCE, src: 'https://video.example/other.m3u8' }, settings()), key);
});

test('what `discover` found for one source is nothing that another source knows', (assert) => {
  const page = directory(fakePlatform(assert).platform);
  const key = page.key(SOURCE, settings({ discover }));
  assert.notStrictEqual(page.key({ ...SOURCE, src: 'https://video.example/other.m3u8' }, settings({ discover })), key);
  assert.strictEqual(page.key({ ...SOURCE }, settings({ discover })), key);
});
