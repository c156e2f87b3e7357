import QUnit from 'qunit';
import type { ErrorCode } from '../../src/errors.js';
import type { Answer, DnsRecord, Question } from '../../src/resolver.js';
import { dohJson } from '../../src/resolvers/doh-json.js';
import { fakePlatform, nothingLeft, type FakeAnswer, type FakePlatform } from '../support/platform.js';
import { failureOf, question, srv } from './given.js';

const { module, test } = QUnit;
const URL_ = 'https://map.example/resolve';
const SERVER = 'https://map.example';
const NUMBERS = { A: 1, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, SRV: 33 } as const;

/** One record as public resolvers write it. */
function record(type: keyof typeof NUMBERS, data: unknown, more: object = {}): object {
  return { name: '_https._tcp.video.example.', type: NUMBERS[type], TTL: 60, data, ...more };
}
const json = (message: unknown): FakeAnswer => ({
  headers: { 'content-type': 'application/dns-json' },
  body: JSON.stringify(message),
});

function ask(fake: FakePlatform, given: FakeAnswer, asked: Question = question(), url = URL_): Promise<Answer> {
  fake.respond('GET', given);
  return dohJson(url).resolve(asked, { platform: fake.platform, signal: new AbortController().signal });
}

module('resolvers/doh-json', nothingLeft);

const ONE = json({ Status: 0, TC: false, Answer: [record('SRV', '10 10 443 eu1.token.example.')] });

test('asks by name and type, with no header but Accept', async (assert) => {
  const fake = fakePlatform(assert);
  await ask(fake, ONE);
  const { url, headers, init } = fake.last('GET');
  assert.strictEqual(url, `${URL_}?name=_https._tcp.video.example&type=SRV`);
  assert.deepEqual(headers, { accept: 'application/dns-json' });
  assert.deepEqual([init.cache, init.credentials], ['no-store', 'omit']);
});

const URLS: readonly [url: string, asked: string][] = [
  [`${URL_}?key=7`, `${URL_}?key=7&name=a.example&type=TXT&edns_client_subnet=198.51.100.0%2F24&id=7f`],
  [`${URL_}{?name,type,id}`, `${URL_}?name=a.example&type=TXT&id=7f`],
  ['https://map.example/{type}/{name}', 'https://map.example/TXT/a.example'],
];
for (const [url, expanded] of URLS) {
  test(`expands ${url}`, async (assert) => {
    const fake = fakePlatform(assert);
    const client = { id: '7f', idAs: 'query', subnet: '198.51.100.0/24' } as const;
    const answer = json({ Status: 0, Answer: [record('TXT', '"t"', { name: 'a.example' })] });
    await ask(fake, answer, question({ name: 'a.example', type: 'TXT', client }), url);
    assert.strictEqual(fake.last('GET').url, expanded);
  });
}

test('reads an answer of which a polyfill of fetch has no stream, if it is not too long', async (assert) => {
  const { records } = await ask(fakePlatform(assert), { ...ONE, unstreamed: true });
  assert.deepEqual(records, [srv('eu1.token.example')]);
  const long = { ...ONE, body: `${String(ONE.body)}${' '.repeat(65_536)}`, unstreamed: true };
  assert.strictEqual((await failureOf(ask(fakePlatform(assert), long))).code, 'LOOKUP_GARBLED');
});

test('an id that is meant for EDNS is not sent: JSON has no place for it', async (assert) => {
  const fake = fakePlatform(assert);
  await ask(fake, ONE, question({ client: { id: 'person', idAs: 'edns' } }));
  assert.false(fake.last('GET').url.includes('person'));
});

test('reads an SRV record, its target as a bare name in lower case', async (assert) => {
  const message = json({ Status: 0, Answer: [record('SRV', '1 2 8443 EU1.Token.Example.')] });
  const { records, ttlSeconds } = await ask(fakePlatform(assert), message);
  assert.deepEqual(records, [srv('eu1.token.example', { priority: 1, weight: 2, port: 8443 })]);
  assert.strictEqual(ttlSeconds, 60);
});

const RECORDS: readonly [type: 'A' | 'AAAA' | 'TXT', data: string, read: DnsRecord][] = [
  ['A', '192.0.2.7', { type: 'A', address: '192.0.2.7' }],
  ['AAAA', '2001:db8::7', { type: 'AAAA', address: '2001:db8::7' }],
  ['TXT', 'eu1.token.example', { type: 'TXT', text: 'eu1.token.example' }],
  ['TXT', '"eu1.token.example"', { type: 'TXT', text: 'eu1.token.example' }],
  ['TXT', '"eu1." "token.example"', { type: 'TXT', text: 'eu1.token.example' }],
];
for (const [type, data, read] of RECORDS) {
  test(`reads ${type} ${data}`, async (assert) => {
    const { records } = await ask(
      fakePlatform(assert),
      json({ Status: 0, Answer: [record(type, data)] }),
      question({ type }),
    );
    assert.deepEqual(records, [read]);
  });
}

test('follows CNAMEs and takes the least TTL', async (assert) => {
  const message = json({
    Status: 0,
    Answer: [
      record('CNAME', 'map.cdn.example.', { TTL: 9 }),
      record('SRV', '10 10 443 eu1.token.example.', { name: 'map.cdn.example.' }),
    ],
  });
  const answer = await ask(fakePlatform(assert), message);
  assert.deepEqual(answer, { records: [srv('eu1.token.example')], ttlSeconds: 9 });
});

const SOA = record('SOA', 'ns.example. hostmaster.example. 1 3600 600 86400 30', { TTL: 900 });
const FAILURES: readonly [name: string, message: unknown, code: ErrorCode, more: object][] = [
  ['Status is 3', { Status: 3, Authority: [SOA] }, 'LOOKUP_NXDOMAIN', { ttlSeconds: 30 }],
  ['there is no record', { Status: 0, Authority: [SOA] }, 'LOOKUP_NODATA', { ttlSeconds: 30 }],
  ['there is no SOA either', { Status: 0 }, 'LOOKUP_NODATA', { ttlSeconds: 0 }],
  ['Status is 2', { Status: 2 }, 'LOOKUP_SERVFAIL', {}],
  ['Status is 5', { Status: 5 }, 'LOOKUP_RCODE', { rcode: 5 }],
  ['it is cut', { Status: 0, TC: true }, 'LOOKUP_TRUNCATED', {}],
  ['there is no Status', { Answer: [] }, 'LOOKUP_GARBLED', {}],
  ['it is null', null, 'LOOKUP_GARBLED', {}],
  ['it is a text', 'NOERROR', 'LOOKUP_GARBLED', {}],
  ['Answer is no list', { Status: 0, Answer: {} }, 'LOOKUP_GARBLED', {}],
  ['a record has no data', { Status: 0, Answer: [record('SRV', undefined)] }, 'LOOKUP_GARBLED', {}],
  ['an SRV record lacks a number', { Status: 0, Answer: [record('SRV', '10 443 eu1.')] }, 'LOOKUP_GARBLED', {}],
  ['an SRV record holds words', { Status: 0, Answer: [record('SRV', 'a b c eu1.')] }, 'LOOKUP_GARBLED', {}],
  ['the SOA record has no data', { Status: 3, Authority: [{ type: 6 }] }, 'LOOKUP_GARBLED', {}],
];
for (const [name, message, code, more] of FAILURES) {
  test(`says ${code} when ${name}`, async (assert) => {
    const error = await failureOf(ask(fakePlatform(assert), json(message)));
    assert.strictEqual(error.code, code);
    assert.deepEqual(error.details, { lookup: 'tokens', nameserver: SERVER, ...more });
  });
}

test('says LOOKUP_GARBLED when the body is no JSON', async (assert) => {
  const { code } = await failureOf(ask(fakePlatform(assert), { ...ONE, body: '{"Status": 0,' }));
  assert.strictEqual(code, 'LOOKUP_GARBLED');
});

test('takes application/json too, which is what dns.google answers with', async (assert) => {
  const { records } = await ask(fakePlatform(assert), {
    ...ONE,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  });
  assert.strictEqual(records.length, 1);
});

test('says LOOKUP_TYPE when a login page answers', async (assert) => {
  const page = { headers: { 'content-type': 'text/html' }, body: '<html>' };
  const { code, details } = await failureOf(ask(fakePlatform(assert), page));
  assert.strictEqual(code, 'LOOKUP_TYPE');
  assert.deepEqual(details, { lookup: 'tokens', nameserver: SERVER, type: 'text/html' });
});
