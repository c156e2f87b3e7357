import QUnit from 'qunit';
import { EdgeSelectError, type ErrorDetails } from '../../src/errors.js';
import type { EdgeSelectOptions } from '../../src/options.js';
import type { Answer, DnsRecord, Question } from '../../src/resolver.js';
import { discovered, isAllowedHost, servers, type Edge, type EdgeRules, type Servers } from '../../src/servers.js';
import type { Token, Tokens } from '../../src/tokens.js';
import { address, answer, failureOf, settings, SOURCE, srv } from './given.js';

const { module, test } = QUnit;

const token = (name: string, weight = 10, priority = 10): Token => ({ name, weight, priority });
const given = (...classes: Token[][]): Tokens => ({ classes, ttlSeconds: 60 });
const ONE = given([token('eu1')]);
const RULES: EdgeRules = { secure: true, cooling: () => false };

interface Case {
  readonly options?: EdgeSelectOptions;
  readonly rules?: Partial<EdgeRules>;
  readonly source?: typeof SOURCE;
  readonly asked?: Question[];
}

/** The second lookup, with what each token's nameserver says: records, an answer, or an error. */
function find(
  tokens: Tokens,
  says: Readonly<Record<string, readonly DnsRecord[] | Answer | Error>>,
  { options = {}, rules = {}, source = SOURCE, asked = [] }: Case = {},
): Promise<Servers> {
  const ask = (question: Question): Promise<Answer> => {
    asked.push(question);
    const said = says[question.name];
    if (!said) throw new Error(`nobody was to ask for ${question.name}`);
    if (said instanceof Error) return Promise.reject(said);
    return Promise.resolve('ttlSeconds' in said ? said : answer(said));
  };
  return servers(tokens, source, settings(options), { ...RULES, ...rules }, { ask });
}
const originsOf = (edges: readonly Edge[]): string[] => edges.map(({ origin }) => origin);
const noData = new EdgeSelectError('LOOKUP_NODATA', { lookup: 'servers', ttlSeconds: 5 });
const dead = new EdgeSelectError('LOOKUP_SERVFAIL', { lookup: 'servers' });

module('servers, the question');

test('asks with the token as the name, and tells nothing of the client', async (assert) => {
  const asked: Question[] = [];
  await find(ONE, { eu1: [srv('a.example')] }, { asked, options: { client: { id: 'me', subnet: '198.51.100.0/24' } } });
  assert.deepEqual(asked, [{ lookup: 'servers', name: 'eu1', type: 'SRV' }]);
});

test('asks side by side with up to `maxTokens` tokens of the best class', async (assert) => {
  const asked: Question[] = [];
  const tokens = given([token('t1'), token('t2'), token('t3')], [token('t4', 10, 20)]);
  await find(tokens, { t1: [srv('a.example')], t2: [srv('b.example')] }, { asked });
  assert.deepEqual(
    asked.map(({ name }) => name),
    ['t1', 't2'],
  );
});

test('asks with tokens of the next class when this one gives nothing', async (assert) => {
  const { edges } = await find(given([token('t1')], [token('t2')]), { t1: noData, t2: [srv('b.example')] });
  assert.deepEqual(originsOf(edges), ['https://b.example']);
});

test('asks with tokens of the next class when all edges of this one are in their cool-down', async (assert) => {
  const { edges } = await find(
    given([token('t1')], [token('t2')]),
    { t1: [srv('a.example')], t2: [srv('b.example', { priority: 0 })] },
    { rules: { cooling: (origin) => origin === 'https://a.example' } },
  );
  assert.deepEqual(
    edges.map(({ origin, rank }) => [origin, rank]),
    [
      ['https://a.example', 0],
      ['https://b.example', 1],
    ],
  );
});

module('servers, the answer');

test('an SRV record is an edge: its target and port, by the scheme of the source', async (assert) => {
  const { edges } = await find(ONE, { eu1: [srv('a.example', { port: 8443 })] });
  assert.deepEqual(edges, [{ origin: 'https://a.example:8443', rank: 0, weight: 65_535 }]);
});

test('the usual port of the scheme is not written', async (assert) => {
  assert.deepEqual(originsOf((await find(ONE, { eu1: [srv('a.example')] })).edges), ['https://a.example']);
  const source = { ...SOURCE, scheme: 'http' } as const;
  const rules = { secure: false };
  assert.deepEqual(originsOf((await find(ONE, { eu1: [srv('a.example', { port: 80 })] }, { source, rules })).edges), [
    'http://a.example',
  ]);
});

test('ranks follow priority', async (assert) => {
  const records = [
    srv('c.example', { priority: 30 }),
    srv('a.example', { priority: 1 }),
    srv('b.example', { priority: 2 }),
  ];
  const { edges } = await find(ONE, { eu1: records });
  assert.deepEqual(
    edges.map(({ origin, rank }) => [origin, rank]),
    [
      ['https://a.example', 0],
      ['https://b.example', 1],
      ['https://c.example', 2],
    ],
  );
});

test('weights are shares of their class', async (assert) => {
  const records = [srv('a.example', { weight: 3 }), srv('b.example', { weight: 1 })];
  const { edges } = await find(ONE, { eu1: records });
  assert.deepEqual(
    edges.map(({ weight }) => weight),
    [Math.round(0.75 * 65_535), Math.round(0.25 * 65_535)],
  );
});

test('weights that are all 0 are equal shares', async (assert) => {
  const { edges } = await find(ONE, { eu1: [srv('a.example', { weight: 0 }), srv('b.example', { weight: 0 })] });
  assert.deepEqual(
    edges.map(({ weight }) => weight),
    [32_768, 32_768],
  );
});

test("a token's weight multiplies the weights of its edges, however large the numbers of each answer", async (assert) => {
  const tokens = given([token('t1', 30), token('t2', 10)]);
  const { edges } = await find(tokens, {
    t1: [srv('a.example', { weight: 1 })],
    t2: [srv('b.example', { weight: 60_000 })],
  });
  assert.deepEqual(
    edges.map(({ weight }) => weight),
    [Math.round(0.75 * 65_535), Math.round(0.25 * 65_535)],
  );
});

test('an edge that two tokens name is one edge, with both shares', async (assert) => {
  const tokens = given([token('t1'), token('t2')]);
  const { edges } = await find(tokens, { t1: [srv('a.example')], t2: [srv('a.example'), srv('b.example')] });
  assert.deepEqual(
    edges.map(({ origin, weight }) => [origin, weight]),
    [
      ['https://a.example', Math.round(0.75 * 65_535)],
      ['https://b.example', Math.round(0.25 * 65_535)],
    ],
  );
});

test('an edge that is in two classes is in the better one', async (assert) => {
  const { edges } = await find(ONE, { eu1: [srv('a.example', { priority: 20 }), srv('a.example', { priority: 10 })] });
  assert.deepEqual(edges, [{ origin: 'https://a.example', rank: 0, weight: 65_535 }]);
});

test('the TTL is the least of the answers that were used', async (assert) => {
  const tokens = given([token('t1'), token('t2')]);
  const says = { t1: answer([srv('a.example')], 30), t2: answer([srv('b.example')], 7) };
  assert.strictEqual((await find(tokens, says)).ttlSeconds, 7);
});

const ADDRESSES: readonly [type: 'A' | 'AAAA', url: string, text: string, origin: string][] = [
  ['A', 'https://ip-{dashed}.edge.example:8443', '192.0.2.7', 'https://ip-192-0-2-7.edge.example:8443'],
  ['AAAA', 'https://ip-{dashed}.edge.example', '2001:db8::7', 'https://ip-2001-db8--7.edge.example'],
  ['A', 'https://{address}:8443', '192.0.2.7', 'https://192.0.2.7:8443'],
  ['AAAA', 'https://{address}:8443', '2001:db8::7', 'https://[2001:db8::7]:8443'],
];
for (const [type, url, text, origin] of ADDRESSES) {
  test(`an address is an edge by the template: ${text} in ${url}`, async (assert) => {
    const asked: Question[] = [];
    const { edges } = await find(ONE, { eu1: [address(text)] }, { asked, options: { servers: { type, url } } });
    assert.strictEqual(asked[0]?.type, type);
    assert.deepEqual(originsOf(edges), [origin]);
  });
}

module('servers, what this page may use');

const REFUSED: readonly [name: string, record: DnsRecord][] = [
  ['a target of "."', srv('')],
  ['port 0', srv('a.example', { port: 0 })],
  ['a port that is none', srv('a.example', { port: 65_536 })],
  ['a target with a user', srv('user@a.example')],
  ['a target with a path', srv('a.example/x?')],
  ['a target with an underscore', srv('_a.example')],
  ['a target that begins with a hyphen', srv('-a.example')],
  ['a target that is no address, though it looks like one', srv('10.0.0.999')],
  ['an address where SRV is due', address('192.0.2.7')],
];
for (const [name, record] of REFUSED) {
  test(`refuses ${name}, and counts it`, async (assert) => {
    const { code, details } = await failureOf(find(ONE, { eu1: [record] }));
    assert.strictEqual(code, 'SERVERS_EMPTY');
    assert.strictEqual((details as ErrorDetails['SERVERS_EMPTY']).refused, 1);
  });
}

test('one record that is none does not spoil the others', async (assert) => {
  const { edges } = await find(ONE, { eu1: [srv('a.example'), srv('10.0.0.999'), srv('b.1')] });
  assert.deepEqual(originsOf(edges), ['https://a.example']);
});

const NO_ADDRESSES = [
  'evil.example/',
  'evil.example',
  '192.0.2.7/',
  '192.0.2',
  '192.0.2.999',
  '::1]/?[',
  'dead:beef',
  '',
];
for (const [url, good] of [
  ['https://{address}.edge.example:8443', 'https://192.0.2.7.edge.example:8443'],
  ['https://ip-{dashed}.edge.example:8443', 'https://ip-192-0-2-7.edge.example:8443'],
  ['https://{address}', 'https://192.0.2.7'],
] as const) {
  test(`nothing but an address comes into a URL: ${url}`, async (assert) => {
    const records = [...NO_ADDRESSES, '192.0.2.7'].map(address);
    const { edges } = await find(ONE, { eu1: records }, { options: { servers: { type: 'A', url } } });
    assert.deepEqual(originsOf(edges), [good]);
  });
}

test('an http edge is no edge for an https page', async (assert) => {
  const source = { ...SOURCE, scheme: 'http' } as const;
  const says = { eu1: [srv('a.example', { port: 80 })] };
  assert.strictEqual((await failureOf(find(ONE, says, { source }))).code, 'SERVERS_EMPTY');
  assert.strictEqual((await find(ONE, says, { source, rules: { secure: false } })).edges.length, 1);
});

test('with `allowedHosts`, only those and what is below them', async (assert) => {
  const records = ['cdn.example', 'e1.cdn.example', 'evilcdn.example', 'cdn.example.evil.example'].map((name) =>
    srv(name),
  );
  const { edges } = await find(ONE, { eu1: records }, { options: { allowedHosts: ['cdn.example'] } });
  assert.deepEqual(originsOf(edges), ['https://cdn.example', 'https://e1.cdn.example']);
});

test('a host is allowed by name, not by how it ends', (assert) => {
  assert.true(isAllowedHost('a.b.example', ['other.example', 'b.example']));
  assert.false(isAllowedHost('ab.example', ['b.example']));
  assert.false(isAllowedHost('b.example', []));
});

module('servers, failures');

test('one token that fails does not spoil the other', async (assert) => {
  const tokens = given([token('t1'), token('t2')]);
  assert.deepEqual(originsOf((await find(tokens, { t1: dead, t2: [srv('b.example')] })).edges), ['https://b.example']);
});

test('when every token fails, the error is that of the last', async (assert) => {
  const failed = find(given([token('t1')], [token('t2')]), { t1: noData, t2: dead });
  assert.strictEqual(await failureOf(failed), dead);
});

test('when no token has data, there is no server: SERVERS_EMPTY, with the cause', async (assert) => {
  const error = await failureOf(find(ONE, { eu1: noData }));
  assert.strictEqual(error.code, 'SERVERS_EMPTY');
  assert.strictEqual(error.cause, noData);
});

test('the text of a token is in no error', async (assert) => {
  const { message } = await failureOf(find(given([token('secret.token')]), { 'secret.token': [srv('')] }));
  assert.false(message.includes('secret'));
});

module('servers, from `discover`');

test('the edges that a site names have priorities and weights as records have', (assert) => {
  const named = [
    { origin: 'https://b.example/', priority: 1 },
    { origin: 'https://a.example:443', weight: 3 },
    { origin: 'https://c.example' },
  ];
  assert.deepEqual(discovered(named, settings(), RULES), [
    { origin: 'https://a.example', rank: 0, weight: Math.round(0.75 * 65_535) },
    { origin: 'https://c.example', rank: 0, weight: Math.round(0.25 * 65_535) },
    { origin: 'https://b.example', rank: 1, weight: 65_535 },
  ]);
});

test('what this page may not use is refused there too', async (assert) => {
  const named = [{ origin: 'http://a.example' }, { origin: 'no URL' }, { origin: 'ftp://a.example' }];
  const { code, details } = await failureOf(() => discovered(named, settings(), RULES));
  assert.deepEqual([code, details], ['SERVERS_EMPTY', { refused: 3 }]);
});
