import QUnit from 'qunit';
import type { EdgeSelectOptions } from '../../src/options.js';
import type { Answer, DnsRecord, Question } from '../../src/resolver.js';
import { tokenQuestion, tokens } from '../../src/tokens.js';
import { answer, failureOf, question, settings, SOURCE, srv } from './given.js';

const { module, test } = QUnit;
const PAGE_ID = '0123456789abcdef0123456789abcdef';

const asked = (options: EdgeSelectOptions = {}): Question => tokenQuestion(SOURCE, settings(options), PAGE_ID);
const half = (): number => 0.5;

/** The names of each class, from an answer with these records. */
async function classesOf(records: readonly DnsRecord[], random: () => number = half): Promise<string[][]> {
  const { classes } = await tokens(question(), { ask: () => Promise.resolve(answer(records)), random });
  return classes.map((equals) => equals.map(({ name }) => name));
}

module('tokens, the question');

test('asks for SRV records of the service, with the id of this page load as an EDNS option', (assert) => {
  assert.deepEqual(asked(), {
    lookup: 'tokens',
    type: 'SRV',
    name: '_https._tcp.video.example',
    client: { idAs: 'edns', id: PAGE_ID },
  });
});

test("a site's own id takes the place of the random one", (assert) => {
  assert.deepEqual(asked({ client: { id: 'Box-7' } }).client, { idAs: 'edns', id: 'Box-7' });
});

test('an id can be the leftmost labels of the name; it is then nowhere else', (assert) => {
  const { name, client } = asked({ client: { id: 'Box-7', idAs: 'label' } });
  assert.strictEqual(name, 'box-7.id._https._tcp.video.example');
  assert.deepEqual(client, { idAs: 'edns' });
});

test('the random id can be a label too', (assert) => {
  assert.strictEqual(asked({ client: { idAs: 'label' } }).name, `${PAGE_ID}.id._https._tcp.video.example`);
});

test('an id can go in the URL', (assert) => {
  assert.deepEqual(asked({ client: { id: 'Box-7', idAs: 'query' } }).client, { idAs: 'query', id: 'Box-7' });
});

for (const idAs of ['edns', 'label', 'query'] as const) {
  test(`\`id: false\` sends none, also as ${idAs}`, (assert) => {
    const { name, client } = asked({ client: { id: false, idAs } });
    assert.strictEqual(name, SOURCE.service);
    assert.false('id' in (client ?? {}));
  });
}

test('a subnet goes along only if the site gives one', (assert) => {
  assert.false('subnet' in (asked().client ?? {}));
  assert.strictEqual(asked({ client: { subnet: '198.51.100.0/24' } }).client?.subnet, '198.51.100.0/24');
});

test('tokens can be TXT records', (assert) => {
  assert.strictEqual(asked({ tokens: 'TXT' }).type, 'TXT');
});

module('tokens, the answer');

test('the targets of SRV records are the tokens, and the answer keeps its TTL', async (assert) => {
  const ask = (): Promise<Answer> => Promise.resolve(answer([srv('eu1.token.example')], 42));
  const { classes, ttlSeconds } = await tokens(question(), { ask, random: half });
  assert.deepEqual(classes, [[{ name: 'eu1.token.example', priority: 10, weight: 10 }]]);
  assert.strictEqual(ttlSeconds, 42);
});

test('the port of a token means nothing', async (assert) => {
  const [names = []] = await classesOf([srv('a.token', { port: 0 }), srv('b.token', { port: 9 })]);
  assert.deepEqual([...names].sort(), ['a.token', 'b.token']);
});

test('equal priorities are one class, the lowest number first (RFC 2782)', async (assert) => {
  const records = [
    srv('c.token', { priority: 20 }),
    srv('a.token', { priority: 5 }),
    srv('d.token', { priority: 100 }),
    srv('b.token', { priority: 20 }),
  ];
  const classes = (await classesOf(records)).map((equals) => [...equals].sort());
  assert.deepEqual(classes, [['a.token'], ['b.token', 'c.token'], ['d.token']]);
});

test('a class is in the order of a weighted draw', async (assert) => {
  const records = [srv('light.token', { weight: 1 }), srv('heavy.token', { weight: 99 })];
  assert.deepEqual(await classesOf(records, () => 0.5), [['heavy.token', 'light.token']]);
  assert.deepEqual(await classesOf(records, () => 0), [['light.token', 'heavy.token']]);
});

test('texts of TXT records are tokens of one class, in lower case', async (assert) => {
  const records: DnsRecord[] = [
    { type: 'TXT', text: 'EU1.token.example' },
    { type: 'TXT', text: 'eu2.token.example' },
  ];
  const [only = [], ...more] = await classesOf(records);
  assert.deepEqual([...only].sort(), ['eu1.token.example', 'eu2.token.example']);
  assert.deepEqual(more, []);
});

const LONG = `${'a'.repeat(63)}.`.repeat(4);
const UNUSABLE: readonly [name: string, records: readonly DnsRecord[]][] = [
  ['a target of "." (no such service here)', [srv('')]],
  ['an empty text', [{ type: 'TXT', text: '' }]],
  ['a text that is no name', [{ type: 'TXT', text: 'v=spf1 -all' }]],
  ['a name with an empty label', [srv('eu1..example')]],
  ['a label of 64 letters', [srv(`${'a'.repeat(64)}.example`)]],
  ['a name of more than 253 letters', [srv(`${LONG}a`)]],
  ['a path', [srv('eu1.example/x')]],
  ['addresses alone', [{ type: 'A', address: '192.0.2.7' }]],
];
for (const [name, records] of UNUSABLE) {
  test(`says TOKENS_EMPTY when the answer holds ${name}`, async (assert) => {
    const { code, message } = await failureOf(classesOf(records));
    assert.strictEqual(code, 'TOKENS_EMPTY');
    assert.strictEqual(message, 'TOKENS_EMPTY {}');
  });
}

test('what is no token does not spoil those that are', async (assert) => {
  assert.deepEqual(await classesOf([srv(''), srv('_a-1.token')]), [['_a-1.token']]);
});

test('a lookup that fails is thrown as it is', async (assert) => {
  const failure = new Error('as it is');
  await assert.rejects(
    tokens(question(), { ask: () => Promise.reject(failure), random: half }),
    (error: unknown) => error === failure,
  );
});
