import QUnit from 'qunit';
import type { ErrorCode } from '../../src/errors.js';
import type { Answer, Question } from '../../src/resolver.js';
import { decodeAnswer, doh, encodeQuery } from '../../src/resolvers/doh.js';
import { fakePlatform, nothingLeft, type FakeAnswer, type FakePlatform, type Script } from '../support/platform.js';
import { failureOf, MAP, question, srv } from './given.js';
import { bytes, fromBase64Url, readQuery, reply, soa } from './oracle.js';

const { module, test } = QUnit;
const SERVER = 'https://map.example';
const ASKED = question();
const TYPE = { 'content-type': 'application/dns-message' };
const SRV_ANSWER = {
  name: ASKED.name,
  type: 'SRV',
  ttl: 60,
  data: { priority: 10, weight: 10, port: 443, target: 'eu1.token.example' },
};

const decode = (message: Uint8Array, asked: Question = ASKED): Answer => decodeAnswer(message, asked, SERVER);

/** The data of the OPT record's options in a query, by their code. */
function ednsOf(query: Uint8Array): Record<number, Uint8Array> {
  const opt = readQuery(query).additionals.find(({ type }) => type === 'OPT');
  const options = opt && 'options' in opt ? opt.options : [];
  return Object.fromEntries(options.map(({ code, data }) => [code, new Uint8Array(data)]));
}

/** Asks with a network that gives one answer. */
function ask(
  fake: FakePlatform,
  given: Script,
  { url = MAP, asked = ASKED }: { url?: string; asked?: Question } = {},
): Promise<Answer> {
  fake.respond('GET', given);
  return doh(url).resolve(asked, { platform: fake.platform, signal: new AbortController().signal });
}

module('resolvers/doh, the query');

test('a query holds one question, id 0 and recursion desired, and no more', (assert) => {
  const { id, flag_rd, type, questions, answers, authorities, additionals } = readQuery(encodeQuery(ASKED));
  assert.deepEqual([id, flag_rd, type], [0, true, 'query']);
  assert.deepEqual(questions, [{ name: '_https._tcp.video.example', type: 'SRV', class: 'IN' }]);
  assert.deepEqual([answers, authorities, additionals], [[], [], []]);
});

for (const type of ['SRV', 'TXT', 'A', 'AAAA'] as const) {
  test(`asks for ${type}`, (assert) => {
    assert.strictEqual(readQuery(encodeQuery(question({ type }))).questions[0]?.type, type);
  });
}

test('the bytes of the client id are those of EDNS option 65001', (assert) => {
  for (const id of ['a', '0123456789abcdef0123456789abcdef', 'Zürich ☕', 'x'.repeat(200)]) {
    const options = ednsOf(encodeQuery(question({ client: { id, idAs: 'edns' } })));
    assert.deepEqual(Object.keys(options), ['65001']);
    assert.strictEqual(new TextDecoder().decode(options[65_001]), id);
  }
});

const SUBNETS: readonly [subnet: string, option: string][] = [
  ['198.51.100.0/24', '00 01 18 00 c6 33 64'],
  ['198.51.100.7/24', '00 01 18 00 c6 33 64'],
  ['198.51.111.7/20', '00 01 14 00 c6 33 60'],
  ['198.51.0.0/16', '00 01 10 00 c6 33'],
  ['198.0.0.0/8', '00 01 08 00 c6'],
  ['2001:db8:1:2200::/56', '00 02 38 00 20 01 0d b8 00 01 22'],
  ['2001:db8:1:22ff:1::7/56', '00 02 38 00 20 01 0d b8 00 01 22'],
  ['2001:db8:ffff::/33', '00 02 21 00 20 01 0d b8 80'],
  ['2001:db8::/32', '00 02 20 00 20 01 0d b8'],
];
for (const [subnet, option] of SUBNETS) {
  test(`the subnet ${subnet} goes as EDNS Client Subnet: family, prefix, and no more of the address (RFC 7871)`, (assert) => {
    const query = encodeQuery(question({ client: { idAs: 'edns', subnet } }));
    assert.deepEqual(Array.from(ednsOf(query)[8] ?? []), Array.from(bytes(option)));
  });
}

test('id and subnet go side by side, each whole', (assert) => {
  const options = ednsOf(
    encodeQuery(question({ client: { id: 'a person', idAs: 'edns', subnet: '198.51.111.7/20' } })),
  );
  assert.strictEqual(new TextDecoder().decode(options[65_001]), 'a person');
  assert.deepEqual(Array.from(options[8] ?? []), Array.from(bytes('00 01 14 00 c6 33 60')));
});

test('an id that goes in the URL is not in the message', (assert) => {
  const query = encodeQuery(question({ client: { id: 'a person', idAs: 'query' } }));
  assert.deepEqual(readQuery(query).additionals, []);
});

module('resolvers/doh, the request', nothingLeft);

test('is a GET with Accept alone, so that it needs no CORS preflight, and passes every cache', async (assert) => {
  const fake = fakePlatform(assert);
  await ask(fake, { headers: TYPE, body: reply(ASKED, { answers: [SRV_ANSWER] }) });
  const { method, headers, init } = fake.last(MAP);
  assert.deepEqual([method, headers], ['GET', { accept: 'application/dns-message' }]);
  assert.deepEqual([init.cache, init.credentials, init.body], ['no-store', 'omit', undefined]);
});

test('the query is in `dns`, as base64url without padding (RFC 8484)', async (assert) => {
  const fake = fakePlatform(assert);
  await ask(fake, { headers: TYPE, body: reply(ASKED, { answers: [SRV_ANSWER] }) });
  const { search, searchParams } = new URL(fake.last(MAP).url);
  const dns = searchParams.get('dns') ?? '';
  assert.true(/^\?dns=[\w-]+$/.test(search), search);
  assert.deepEqual(fromBase64Url(dns), encodeQuery(ASKED));
});

const URLS: readonly [url: string, begins: string, ends: string][] = [
  [MAP, `${MAP}?dns=`, ''],
  [`${MAP}{?dns,id}`, `${MAP}?dns=`, '&id=a%20person'],
  [`${MAP}{?dns}`, `${MAP}?dns=`, ''],
  [`${MAP}?key=7`, `${MAP}?key=7&dns=`, '&id=a%20person'],
  ['https://map.example/{id}/q{?dns}', 'https://map.example/a%20person/q?dns=', ''],
];
for (const [url, begins, ends] of URLS) {
  test(`expands ${url}`, async (assert) => {
    const fake = fakePlatform(assert);
    const asked = question({ client: { id: 'a person', idAs: 'query' } });
    await ask(fake, { headers: TYPE, body: reply(ASKED, { answers: [SRV_ANSWER] }) }, { url, asked });
    const got = fake.last('GET').url;
    assert.true(got.startsWith(begins) && got.endsWith(ends), got);
  });
}

test('an id that goes as an EDNS option is not in the URL', async (assert) => {
  const fake = fakePlatform(assert);
  const asked = question({ client: { id: 'person', idAs: 'edns' } });
  await ask(fake, { headers: TYPE, body: reply(ASKED, { answers: [SRV_ANSWER] }) }, { asked, url: `${MAP}{?dns,id}` });
  assert.strictEqual(new URL(fake.last(MAP).url).searchParams.get('id'), null);
});

const FAILURES: readonly [name: string, answer: FakeAnswer | 'fail', code: ErrorCode, more: object][] = [
  ['nobody is there', 'fail', 'LOOKUP_UNREACHABLE', {}],
  ['the status is 500', { status: 500, headers: TYPE }, 'LOOKUP_STATUS', { status: 500 }],
  ['the status is 404, with an answer', { status: 404, headers: TYPE }, 'LOOKUP_STATUS', { status: 404 }],
  ['a login page answers', { headers: { 'content-type': 'text/html' } }, 'LOOKUP_TYPE', { type: 'text/html' }],
  ['there is no media type', {}, 'LOOKUP_TYPE', { type: '' }],
  ['the body is empty', { headers: TYPE }, 'LOOKUP_GARBLED', {}],
  ['the body is noise', { headers: TYPE, body: 'noise, where a message is due' }, 'LOOKUP_GARBLED', {}],
];
for (const [name, given, code, more] of FAILURES) {
  test(`says ${code} when ${name}`, async (assert) => {
    const error = await failureOf(ask(fakePlatform(assert), given));
    assert.strictEqual(error.code, code);
    assert.deepEqual(error.details, { lookup: 'tokens', nameserver: SERVER, ...more });
  });
}

test('a message of 65535 bytes is read, and one of a byte more is not (RFC 1035, section 4.2.2)', async (assert) => {
  const ofLength = (length: number): FakeAnswer => {
    const body = new Uint8Array(length);
    body.set(reply(ASKED, { answers: [SRV_ANSWER] }));
    return { headers: TYPE, body };
  };
  assert.strictEqual((await ask(fakePlatform(assert), ofLength(65_535))).records.length, 1);
  assert.strictEqual((await failureOf(ask(fakePlatform(assert), ofLength(65_536)))).code, 'LOOKUP_GARBLED');
});

test('a body without an end is given up as soon as it is longer than that', async (assert) => {
  const fake = fakePlatform(assert);
  const asked = failureOf(ask(fake, 'wait'));
  const body = fake.last(MAP).respondStream({ headers: TYPE });
  for (let i = 0; i < 2; i += 1) body.chunk(new Uint8Array(40_000));
  assert.strictEqual((await asked).code, 'LOOKUP_GARBLED');
  assert.true(fake.last(MAP).cancelled());
});

test('tells a nameserver that the page forbids from one that is not there', async (assert) => {
  const fake = fakePlatform(assert);
  fake.block(SERVER);
  assert.strictEqual((await failureOf(ask(fake, {}))).code, 'LOOKUP_BLOCKED');
});

test('a body that breaks off is a nameserver that cannot be reached', async (assert) => {
  const fake = fakePlatform(assert);
  const asked = failureOf(ask(fake, 'wait'));
  const body = fake.last(MAP).respondStream({ headers: TYPE });
  body.chunk(new Uint8Array(3));
  await fake.flush();
  body.fail();
  assert.strictEqual((await asked).code, 'LOOKUP_UNREACHABLE');
});

test('the request ends with the signal', async (assert) => {
  const fake = fakePlatform(assert);
  fake.expect(MAP);
  const controller = new AbortController();
  const asked = failureOf(doh(MAP).resolve(ASKED, { platform: fake.platform, signal: controller.signal }));
  controller.abort();
  await asked;
  assert.true(fake.last(MAP).aborted());
});

module('resolvers/doh, the answer');

test('reads an SRV record, its target as a bare name in lower case', (assert) => {
  const data = { priority: 1, weight: 2, port: 8443, target: 'EU1.Token.Example' };
  const message = reply(ASKED, { answers: [{ ...SRV_ANSWER, data }] });
  const target = srv('eu1.token.example', { priority: 1, weight: 2, port: 8443 });
  assert.deepEqual(decode(message), { records: [target], ttlSeconds: 60 });
});

test('a target of "." is an empty name', (assert) => {
  const message = reply(ASKED, { answers: [{ ...SRV_ANSWER, data: { ...SRV_ANSWER.data, target: '.' } }] });
  assert.deepEqual(decode(message).records, [srv('')]);
});

test('reads addresses of both families', (assert) => {
  for (const [type, text] of [
    ['A', '192.0.2.7'],
    ['AAAA', '2001:db8::7'],
  ] as const) {
    const asked = question({ type });
    const message = reply(asked, { answers: [{ name: asked.name, type, ttl: 60, data: text }] });
    assert.deepEqual(decode(message, asked).records, [{ type, address: text }]);
  }
});

test('joins the character-strings of a TXT record', (assert) => {
  const asked = question({ type: 'TXT' });
  const message = reply(asked, {
    answers: [{ name: asked.name, type: 'TXT', ttl: 60, data: ['eu1.', 'tokën.example'] }],
  });
  assert.deepEqual(decode(message, asked).records, [{ type: 'TXT', text: 'eu1.tokën.example' }]);
});

test('follows CNAMEs and takes the least TTL', (assert) => {
  const message = reply(ASKED, {
    answers: [
      { name: ASKED.name, type: 'CNAME', ttl: 9, data: 'map.cdn.example' },
      { ...SRV_ANSWER, name: 'MAP.cdn.example', ttl: 300 },
    ],
  });
  assert.deepEqual(decode(message), { records: [srv('eu1.token.example')], ttlSeconds: 9 });
});

/** QR and RD, one question for `a.b` of type SRV, then what a test adds; the name begins at byte 12. */
const HEAD = "00 00 81 80 00 01 00 01 00 00 00 00  01 'a' 01 'b' 00 00 21 00 01";
const A_B = question({ name: 'a.b' });

test('reads names that are compressed to a pointer (RFC 1035, section 4.1.4)', (assert) => {
  // owner: the question's name; target: "t" and then "b" of it
  const message = bytes(`${HEAD} c0 0c 00 21 00 01 00 00 00 3c 00 0a 00 01 00 02 01 bb 01 't' c0 0e`);
  assert.deepEqual(decode(message, A_B).records, [srv('t.b', { priority: 1, weight: 2 })]);
});

const LOOPS: readonly [name: string, message: string][] = [
  ['to itself', `${HEAD} c0 15 00 21 00 01 00 00 00 3c 00 09 00 01 00 02 01 bb 01 't' 00`],
  ['to one that points back', `${HEAD} c0 17 c0 15 00 21 00 01 00 00 00 3c 00 07 00 01 00 02 01 bb 00`],
  ['past the end', `${HEAD} ff ff 00 21 00 01 00 00 00 3c 00 09 00 01 00 02 01 bb 01 't' 00`],
];
for (const [name, message] of LOOPS) {
  test(`a pointer ${name} is garbled and freezes nobody`, async (assert) => {
    assert.strictEqual((await failureOf(() => decode(bytes(message), A_B))).code, 'LOOKUP_GARBLED');
  });
}

test('a message that is cut off anywhere is garbled or has no data, and never an answer', async (assert) => {
  const whole = reply(ASKED, { answers: [SRV_ANSWER] });
  for (let length = 0; length < whole.length; length += 1) {
    const { code } = await failureOf(() => decode(whole.slice(0, length)));
    assert.true(code === 'LOOKUP_GARBLED' || code === 'LOOKUP_NODATA', `${length} bytes: ${code}`);
  }
});

test('the answer to another question is garbled', async (assert) => {
  const message = reply({ name: 'other.example', type: 'SRV' }, { answers: [SRV_ANSWER] });
  assert.strictEqual((await failureOf(() => decode(message))).code, 'LOOKUP_GARBLED');
});

test('a query where an answer is due is garbled', async (assert) => {
  assert.strictEqual((await failureOf(() => decode(encodeQuery(ASKED)))).code, 'LOOKUP_GARBLED');
});

test('the TC bit is LOOKUP_TRUNCATED', async (assert) => {
  const message = reply(ASKED, { truncated: true, answers: [SRV_ANSWER] });
  assert.strictEqual((await failureOf(() => decode(message))).code, 'LOOKUP_TRUNCATED');
});

const RCODES: readonly [rcode: number, code: ErrorCode, more: object][] = [
  [1, 'LOOKUP_RCODE', { rcode: 1 }],
  [2, 'LOOKUP_SERVFAIL', {}],
  [3, 'LOOKUP_NXDOMAIN', { ttlSeconds: 0 }],
  [5, 'LOOKUP_RCODE', { rcode: 5 }],
];
for (const [rcode, code, more] of RCODES) {
  test(`RCODE ${rcode} on the wire is ${code}`, async (assert) => {
    const error = await failureOf(() => decode(reply(ASKED, { rcode })));
    assert.strictEqual(error.code, code);
    assert.deepEqual(error.details, { lookup: 'tokens', nameserver: SERVER, ...more });
  });
}

for (const [ttl, minimum] of [
  [900, 30],
  [30, 900],
] as const) {
  test(`a negative answer stays true for the lesser of SOA TTL ${ttl} and MINIMUM ${minimum} (RFC 2308)`, async (assert) => {
    for (const rcode of [0, 3]) {
      const { details } = await failureOf(() => decode(reply(ASKED, { rcode, authorities: [soa(ttl, minimum)] })));
      assert.strictEqual('ttlSeconds' in details && details.ttlSeconds, 30);
    }
  });
}
