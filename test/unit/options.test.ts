import QUnit from 'qunit';
import type { ErrorDetails } from '../../src/errors.js';
import { DEFAULTS, readOptions, type EdgeSelectOptions, type Settings } from '../../src/options.js';
import { failureOf, MAP, settings } from './given.js';

const { module, test } = QUnit;

const nothing = (): void => undefined;
const aList = (): Promise<[]> => Promise.resolve([]);
const resolver = { resolve: () => Promise.reject(new Error('never asked')) };

/** What each option takes and what it refuses; `undefined` is always "not given". */
const TABLE: { readonly [K in keyof EdgeSelectOptions]-?: { right: readonly unknown[]; wrong: readonly unknown[] } } = {
  nameserver: {
    right: [
      MAP,
      'http://127.0.0.1:8053/dns-query',
      'https://map.example/dns-query{?dns,id}',
      [MAP, 'https://b.example/'],
    ],
    wrong: ['map.example', 'ftp://map.example/', 'https://', '', 7, null, [], [MAP, 'b.example'], {}],
  },
  secondNameserver: {
    right: [MAP, [MAP, 'https://b.example/']],
    wrong: ['map.example', '', 7, null, [], [MAP, ''], {}],
  },
  service: { right: ['_https._tcp.video.example', () => null], wrong: ['', 7, null, [], {}, true] },
  hosts: { right: [[], ['cdn.example']], wrong: ['cdn.example', [''], [7], null, {}] },
  origins: {
    right: [[], ['https://media.example', 'http://media.example:8080']],
    wrong: ['https://media.example', ['media.example'], [7], null, {}],
  },
  client: {
    right: [
      {},
      { id: 'a person' },
      { id: false },
      { id: 'box-7', idAs: 'label' },
      { id: 'a'.repeat(63), idAs: 'label' },
      { id: 'a person', idAs: 'query' },
      { idAs: 'edns' },
      { subnet: '198.51.100.0/24' },
      { subnet: '198.0.0.0/8' },
      { subnet: '2001:db8:1::/56' },
    ],
    wrong: [
      null,
      'a person',
      { id: 7 },
      { id: true },
      { id: 'a person', idAs: 'label' },
      { id: 'a'.repeat(64), idAs: 'label' },
      { idAs: 'header' },
      { subnet: '198.51.100.7/32' },
      { subnet: '198.51.100.0/25' },
      { subnet: '2001:db8::/57' },
      { subnet: '198.51.100.0' },
      { subnet: 'here/24' },
      { subnet: '198.51.100/24' },
      { subnet: '198.51.100.256/24' },
      { subnet: '2001:db8:::/32' },
      { subnet: '2001::db8::/32' },
      { subnet: 7 },
    ],
  },
  tokens: { right: ['SRV', 'TXT'], wrong: ['A', 'srv', '', 7, null] },
  servers: {
    right: [
      { type: 'SRV' },
      { type: 'A', url: 'https://ip-{dashed}.edge.example:8443' },
      { type: 'AAAA', url: 'https://{address}' },
    ],
    wrong: [
      'SRV',
      null,
      {},
      { type: 'TXT' },
      { type: 'A' },
      { type: 'A', url: 'https://edge.example' },
      { type: 'A', url: 'ip-{dashed}.edge.example' },
      { type: 'AAAA', url: 7 },
    ],
  },
  maxTokens: { right: [1, 2, 16], wrong: [0, 17, 1.5, -1, NaN, Infinity, '2', null] },
  maxEdges: { right: [1, 4, 16], wrong: [0, 17, 1.5, -1, NaN, Infinity, '4', null] },
  preflight: { right: ['auto', 'GET', 'HEAD', 'OPTIONS'], wrong: ['get', 'POST', '', null, true] },
  originAfterMs: { right: [0, 150, 60_000], wrong: [-1, 60_001, 1.5, NaN, '150', null] },
  preflightTimeoutMs: { right: [0, 1500, 60_000], wrong: [-1, 60_001, 1.5, '1500', null] },
  lookupStaggerMs: { right: [0, 250, 60_000], wrong: [-1, 60_001, 1.5, '250', null] },
  lookupTimeoutMs: { right: [0, 3000, 60_000], wrong: [-1, 60_001, 1.5, '3000', null] },
  stallMs: { right: [100, 600, 60_000], wrong: [0, 99, 60_001, 1.5, '600', null] },
  acceptable: {
    right: [{}, { drainMs: 4000 }, { thinning: { amount: 0.3 } }, { stalls: {} }, { thinning: undefined }],
    wrong: [null, 'all', 1, true, []],
  },
  refreshMinMs: { right: [1000, 60_000, 3_600_000], wrong: [999, 3_600_001, 1500.5, '60000', null] },
  refreshMaxMs: { right: [1000, 600_000, 3_600_000], wrong: [0, 999, 3_600_001, 1.5, '600000', null] },
  minDwellMs: { right: [0, 20_000, 3_600_000], wrong: [-1, 3_600_001, 1.5, '20000', null] },
  edgeUrl: { right: [(url: string) => url], wrong: ['https://{edge}', null, {}] },
  serviceUrl: { right: [(url: string) => url], wrong: ['https://{edge}', null, {}] },
  allowedHosts: {
    right: [[], ['edge.example']],
    wrong: ['edge.example', [''], [null], ['https://edge.example'], ['edge.example:80'], {}],
  },
  remember: { right: [true, false], wrong: ['yes', 1, null, {}] },
  report: {
    right: [true, false, {}, { path: '/r' }, { edges: 'chosen' }, { edges: 'anonymous' }, { fields: () => ({}) }],
    wrong: [null, 'all', 1, { path: 'r' }, { path: 7 }, { edges: 'none' }, { fields: {} }],
  },
  resolver: { right: [resolver], wrong: [{}, nothing, 'doh', null] },
  discover: { right: [aList], wrong: [{}, 'edges', null, true] },
};
const OPTIONS = Object.keys(TABLE) as (keyof EdgeSelectOptions)[];
const shown = (value: unknown): string => (typeof value === 'function' ? 'a function' : JSON.stringify(value));

module('options');

for (const option of OPTIONS) {
  test(`takes for '${option}' what it says it takes`, (assert) => {
    for (const value of TABLE[option].right) {
      const read = settings({ [option]: value });
      assert.true(option in read, shown(value));
    }
  });

  test(`refuses for '${option}' anything else, and says what is allowed`, async (assert) => {
    for (const value of TABLE[option].wrong) {
      const error = await failureOf(() => settings({ [option]: value }));
      const details = error.details as ErrorDetails['OPTIONS_INVALID'];
      assert.strictEqual(error.code, 'OPTIONS_INVALID', shown(value));
      assert.true(`${details.option}.`.startsWith(`${option}.`), `${details.option}: ${shown(value)}`);
      assert.notStrictEqual(details.allowed, '', shown(value));
    }
  });

  test(`takes undefined for '${option}' as not given`, (assert) => {
    const bare = readOptions({ resolver, discover: aList }, nothing);
    const read = readOptions({ resolver, discover: aList, nameserver: MAP, [option]: undefined }, nothing);
    if (!['nameserver', 'secondNameserver', 'resolver', 'discover'].includes(option)) {
      assert.strictEqual(shown(read[option]), shown(bare[option]));
    } else assert.true(option in read);
  });
}

test('the error names option, value and what is allowed', async (assert) => {
  const { code, details, message } = await failureOf(() => settings({ maxEdges: 99 }));
  assert.deepEqual(
    [code, details],
    ['OPTIONS_INVALID', { option: 'maxEdges', value: '99', allowed: 'a whole number from 1 to 16' }],
  );
  assert.true(message.includes('maxEdges') && message.includes('99') && message.includes('from 1 to 16'));
});

test('one bound of the time between two questions moves the other where that is not given', async (assert) => {
  const of = (given: object): number[] => {
    const { refreshMinMs, refreshMaxMs } = settings(given);
    return [refreshMinMs, refreshMaxMs];
  };
  assert.deepEqual(of({ refreshMaxMs: 5000 }), [5000, 5000]);
  assert.deepEqual(of({ refreshMinMs: 900_000 }), [900_000, 900_000]);
  assert.deepEqual(of({ refreshMinMs: 1000 }), [1000, 600_000]);
  const { details } = await failureOf(() => settings({ refreshMinMs: 60_000, refreshMaxMs: 30_000 }));
  assert.deepEqual(details, { option: 'refreshMaxMs', value: '30000', allowed: 'at least `refreshMinMs`' });
});

test('a wrong value that is long, or a function, is shown short', async (assert) => {
  const long = (await failureOf(() => readOptions({ nameserver: 'x'.repeat(5000) }, nothing))).details;
  assert.strictEqual((long as ErrorDetails['OPTIONS_INVALID']).value.length, 80);
  const run = (await failureOf(() => readOptions({ nameserver: nothing }, nothing))).details;
  assert.strictEqual((run as ErrorDetails['OPTIONS_INVALID']).value, 'a function');
});

test('nothing but an object can hold options', async (assert) => {
  for (const given of [undefined, null, 'https://map.example/', 7, nothing]) {
    const { details } = await failureOf(() => readOptions(given, nothing));
    assert.strictEqual((details as ErrorDetails['OPTIONS_INVALID']).option, 'options', String(given));
  }
});

test('a nameserver is due unless there is a resolver or discover', async (assert) => {
  const { details } = await failureOf(() => readOptions({}, nothing));
  assert.strictEqual((details as ErrorDetails['OPTIONS_INVALID']).option, 'nameserver');
  assert.deepEqual(readOptions({ resolver }, nothing).nameserver, []);
  assert.deepEqual(readOptions({ discover: aList }, nothing).nameserver, []);
});

test('an option that does not exist is told with the nearest one that does, and ignored', (assert) => {
  const cases = [
    ['maxEdge', 'maxEdges'],
    ['namserver', 'nameserver'],
    ['preflightTimeout', 'preflightTimeoutMs'],
    ['allowedhosts', 'allowedHosts'],
    ['secondNameServer', 'secondNameserver'],
    ['reports', 'report'],
  ];
  for (const [wrong = '', near = ''] of cases) {
    const warnings: string[] = [];
    const read = readOptions({ nameserver: MAP, [wrong]: 3 }, (text) => warnings.push(text));
    assert.deepEqual(warnings, [`there is no option '${wrong}'; did you mean '${near}'?`]);
    assert.strictEqual(read.maxEdges, DEFAULTS.maxEdges);
  }
});

test('what is not said has the default', (assert) => {
  const read = settings();
  for (const [option, value] of Object.entries(DEFAULTS)) {
    if (option !== 'report' && typeof value !== 'function') {
      assert.deepEqual(read[option as keyof Settings], value, option);
    }
  }
  assert.strictEqual(
    read.edgeUrl('https://v.example/a?b', { origin: 'https://e.example:8443' }),
    'https://e.example:8443/a?b',
  );
  assert.deepEqual(read.client, { id: '', idAs: 'edns', subnet: '' });
  assert.strictEqual(read.report?.path, '/.well-known/edge-select');
  assert.strictEqual(read.report?.edges, 'all');
  assert.deepEqual(read.report?.fields(), {});
});

test('hosts are compared in lower case, as a URL has them', (assert) => {
  assert.deepEqual(settings({ hosts: ['CDN.example'] }).hosts, ['cdn.example']);
  assert.deepEqual(settings({ allowedHosts: ['*.CDN.example'] }).allowedHosts, ['cdn.example']);
});

test('a function of the site that throws is said, and playback goes on as if it were not there', (assert) => {
  const said: string[] = [];
  const fail = (): never => {
    throw new Error('of the site');
  };
  const given = { nameserver: MAP, service: fail, edgeUrl: fail, serviceUrl: fail, report: { fields: fail } };
  const read = readOptions(given, (text) => said.push(text));
  const edge = { origin: 'https://e.example' };
  assert.strictEqual(typeof read.service === 'function' && read.service({ src: 'https://v.example/' }), null);
  for (let i = 0; i < 2; i += 1) {
    assert.strictEqual(read.edgeUrl('https://v.example/a', edge), 'https://e.example/a', 'as without it');
  }
  assert.strictEqual(read.serviceUrl?.('https://e.example/a', edge), 'https://e.example/a');
  assert.deepEqual(read.report?.fields(), {});
  assert.deepEqual(
    said.map((text) => /'(.*)' threw: Error: of the site/.exec(text)?.[1]),
    ['service', 'edgeUrl', 'serviceUrl', 'report.fields'],
    'each is said once',
  );
});

test('what a function of the site gives in place of a URL is said, and is nowhere asked for', (assert) => {
  const said: string[] = [];
  const read = readOptions({ nameserver: MAP, edgeUrl: () => 'nope' }, (text) => said.push(text));
  assert.strictEqual(read.edgeUrl('https://v.example/a', { origin: 'https://e.example' }), 'https://e.example/a');
  assert.deepEqual(said, ["'edgeUrl' threw: TypeError: no http(s) URL"]);
});

test('members of groups have names of their own: one that does not exist is said, one that is wrong is named', async (assert) => {
  const said: string[] = [];
  const given = { nameserver: MAP, client: { ID: 'x' }, report: { edge: 'all' } };
  readOptions(given, (text) => said.push(text));
  assert.deepEqual(said, [
    "there is no option 'client.ID'; did you mean 'client.id'?",
    "there is no option 'report.edge'; did you mean 'report.edges'?",
  ]);
  const { details } = await failureOf(() => settings({ client: { subnet: '10.0.0.1/32' } }));
  assert.deepEqual(details, {
    ...{ option: 'client.subnet', value: '10.0.0.1/32' },
    allowed: 'a network such as 192.0.2.0/24, of 24 bits at most (IPv6: 56)',
  });
});

test('the caller owns what it gave: nothing is written there, even into a frozen object', (assert) => {
  const given = Object.freeze({
    nameserver: Object.freeze([MAP]),
    client: Object.freeze({ id: 'a' }),
    report: Object.freeze({ path: '/r' }),
  });
  const before = JSON.stringify(given);
  readOptions(given, nothing);
  assert.strictEqual(JSON.stringify(given), before);
});

test('what the caller changes later changes nothing', (assert) => {
  const given = { nameserver: MAP, maxEdges: 3, client: { id: 'a' }, report: { path: '/r' } };
  const read = readOptions(given, nothing);
  Object.assign(given, { maxEdges: 9 });
  given.client.id = 'b';
  given.report.path = '/other';
  assert.strictEqual(read.maxEdges, 3);
  assert.strictEqual(read.client.id, 'a');
  assert.strictEqual(read.report?.path, '/r');
});

test('what comes out is frozen', (assert) => {
  assert.true(Object.isFrozen(settings()));
  assert.throws(() => Object.assign(settings(), { maxEdges: 9 }), TypeError);
});

test('one nameserver and a list of one are the same, and tokens are asked for where the map is', (assert) => {
  assert.deepEqual(settings().nameserver, [MAP]);
  assert.deepEqual(settings({ nameserver: [MAP] }).nameserver, [MAP]);
  assert.deepEqual(settings().secondNameserver, [MAP]);
  assert.deepEqual(settings({ secondNameserver: 'https://b.example/' }).secondNameserver, ['https://b.example/']);
});

test('a report that is only in part said has the defaults of the rest; false is none', (assert) => {
  const { report } = settings({ report: { edges: 'chosen' } });
  assert.strictEqual(report?.edges, 'chosen');
  assert.strictEqual(report?.path, '/.well-known/edge-select');
  assert.strictEqual(settings({ report: false }).report, null);
});

test('the URL at an edge has the origin of the edge and all else of the service', (assert) => {
  const at = settings().edgeUrl('https://video.example:444/a/b.m3u8?x=1#t=2', { origin: 'https://e1.example:8443' });
  assert.strictEqual(at, 'https://e1.example:8443/a/b.m3u8?x=1#t=2');
});

test('an origin that is no URL is refused, and would not stop a source later', async (assert) => {
  for (const origin of ['https://cdn.example:8443x', 'https://host:99999']) {
    const error = await failureOf(() => settings({ origins: [origin] }));
    assert.strictEqual(error.code, 'OPTIONS_INVALID', origin);
  }
});

test('a service() that gives no name makes the source none of ours, and is said', (assert) => {
  const said: string[] = [];
  const service = (() => new URL('https://v.example/')) as never;
  const read = readOptions({ nameserver: MAP, service }, (text) => said.push(text));
  assert.strictEqual(typeof read.service === 'function' && read.service({ src: 'https://v.example/' }), null);
  assert.strictEqual(said.length, 1);
});
