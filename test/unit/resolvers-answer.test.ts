import QUnit from 'qunit';
import type { ErrorCode } from '../../src/errors.js';
import { bareName, readAnswer, type Message, type RawRecord } from '../../src/resolvers/answer.js';
import { address, failureOf, question, srv } from './given.js';

const { module, test } = QUnit;
const SERVER = 'https://map.example';
const ASKED = question();

const record = (data: RawRecord['data'], more: Partial<RawRecord> = {}): RawRecord => ({
  name: ASKED.name,
  ttlSeconds: 60,
  data,
  ...more,
});
const alias = (name: string, to: string, ttlSeconds = 60): RawRecord => ({ name, ttlSeconds, data: { alias: to } });
const message = (answers: readonly RawRecord[], more: Partial<Message> = {}): Message => ({
  rcode: 0,
  truncated: false,
  answers,
  negativeTtlSeconds: 30,
  ...more,
});

module('resolvers/answer');

test('gives the records that were asked for, and the least of their TTLs', (assert) => {
  const answers = [record(srv('a.token'), { ttlSeconds: 300 }), record(srv('b.token'), { ttlSeconds: 20 })];
  assert.deepEqual(readAnswer(message(answers), ASKED, SERVER), {
    records: [srv('a.token'), srv('b.token')],
    ttlSeconds: 20,
  });
});

test('leaves out records of other names and other types, and their TTLs', (assert) => {
  const answers = [
    record(srv('a.token')),
    record(srv('b.token'), { name: 'other.example', ttlSeconds: 1 }),
    record(address('192.0.2.7'), { ttlSeconds: 1 }),
    record(null, { ttlSeconds: 1 }),
  ];
  assert.deepEqual(readAnswer(message(answers), ASKED, SERVER), { records: [srv('a.token')], ttlSeconds: 60 });
});

test('compares names without regard to case and to the last dot (RFC 1035)', (assert) => {
  const answers = [record(srv('a.token'), { name: '_HTTPS._tcp.Video.Example.' })];
  assert.strictEqual(readAnswer(message(answers), ASKED, SERVER).records.length, 1);
  assert.strictEqual(bareName('Video.Example.'), 'video.example');
});

test('follows a chain of aliases in any order; the TTL is the least of chain and records', (assert) => {
  const answers = [
    record(srv('a.token'), { name: 'two.example', ttlSeconds: 300 }),
    alias('One.Example', 'two.example.', 7),
    alias(ASKED.name, 'one.example.', 100),
  ];
  assert.deepEqual(readAnswer(message(answers), ASKED, SERVER), { records: [srv('a.token')], ttlSeconds: 7 });
});

test('records of the alias itself do not count once it points elsewhere', (assert) => {
  const answers = [alias(ASKED.name, 'one.example'), record(srv('a.token'))];
  assert.throws(() => readAnswer(message(answers), ASKED, SERVER), /LOOKUP_NODATA/);
});

test('aliases in a circle end, as an answer without data', async (assert) => {
  const answers = [alias(ASKED.name, 'one.example'), alias('one.example', ASKED.name)];
  assert.strictEqual((await failureOf(() => readAnswer(message(answers), ASKED, SERVER))).code, 'LOOKUP_NODATA');
});

test('an alias to nowhere is an answer without data', async (assert) => {
  const { code } = await failureOf(() => readAnswer(message([alias(ASKED.name, 'one.example')]), ASKED, SERVER));
  assert.strictEqual(code, 'LOOKUP_NODATA');
});

test('more than 64 records are not read', (assert) => {
  const answers = Array.from({ length: 100 }, (_, i) => record(srv(`t${i}.token`)));
  const { records } = readAnswer(message(answers), ASKED, SERVER);
  assert.strictEqual(records.length, 64);
  assert.deepEqual(records.at(-1), srv('t63.token'));
});

const CODES: readonly [rcode: number, code: ErrorCode, more: object][] = [
  [1, 'LOOKUP_RCODE', { rcode: 1 }],
  [2, 'LOOKUP_SERVFAIL', {}],
  [3, 'LOOKUP_NXDOMAIN', { ttlSeconds: 30 }],
  [4, 'LOOKUP_RCODE', { rcode: 4 }],
  [5, 'LOOKUP_RCODE', { rcode: 5 }],
  [9, 'LOOKUP_RCODE', { rcode: 9 }],
];
for (const [rcode, code, more] of CODES) {
  test(`RCODE ${rcode} is ${code}, whatever the answer section holds`, async (assert) => {
    const error = await failureOf(() => readAnswer(message([record(srv('a.token'))], { rcode }), ASKED, SERVER));
    assert.strictEqual(error.code, code);
    assert.deepEqual(error.details, { lookup: 'tokens', nameserver: SERVER, ...more });
  });
}

test('a cut answer is not used, even if records are left in it', async (assert) => {
  const cut = message([record(srv('a.token'))], { truncated: true });
  assert.strictEqual((await failureOf(() => readAnswer(cut, ASKED, SERVER))).code, 'LOOKUP_TRUNCATED');
});

test('an answer without a record says for how long that stays true', async (assert) => {
  const error = await failureOf(() => readAnswer(message([]), question({ lookup: 'servers' }), SERVER));
  assert.strictEqual(error.code, 'LOOKUP_NODATA');
  assert.deepEqual(error.details, { lookup: 'servers', nameserver: SERVER, ttlSeconds: 30 });
});
