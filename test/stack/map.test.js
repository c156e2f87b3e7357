// demo/stack/map.js: what an operator may write, and the zone that comes of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFor, placeOf, readMap, rowsZone, tokenRecords } from '../../demo/stack/map.js';

const given = () => ({
  ...{ service: 'video.example', ttlSeconds: 60, witness: '192.0.2.1' },
  tokens: {
    eu1: { address: '192.0.2.11', servers: ['https://edge1.example:8443', 'http://edge1.example'] },
    us1: { address: '2001:db8::11', servers: ['https://edge2.example'] },
  },
  rows: [
    { network: '198.51.100.0/24', answer: [[10, 60, 'eu1'], [20, 10, 'us1']] }, // prettier-ignore
    { network: '2001:db8::/32', answer: [[10, 1, 'us1']] },
    { network: '0.0.0.0/0', answer: [[10, 50, 'eu1'], [10, 0, 'us1']] }, // prettier-ignore
  ],
  trial: [{ network: '0.0.0.0/0', answer: [[10, 1, 'us1']] }],
});
const map = readMap(JSON.stringify(given()));

test('an address belongs to a /24 or a /48, and one sender is an IPv4 address or a /64', () => {
  for (const [address, network, household] of [
    ['198.51.100.7', '198.51.100.0/24', '198.51.100.7'],
    ['::ffff:198.51.100.7', '198.51.100.0/24', '198.51.100.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48', '2001:db8:1:2'],
    ['2001:DB8:0001:0002::9', '2001:db8:1::/48', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0::/48', '2001:db8:0:0'],
    ['2001:db8::a:b:c:d', '2001:db8:0::/48', '2001:db8:0:0'],
    ['::1', '0:0:0::/48', '0:0:0:0'],
  ]) {
    assert.deepEqual(placeOf(String(address)), { network, household }, address);
  }
});

test('what is no address belongs nowhere', () => {
  for (const text of ['', 'unix:', '198.51.100', '198.51.100.256', 'fe80::1%eth0', "1.2.3.4'}", '2001:db8::1.2.3.4']) {
    assert.equal(placeOf(text), null, text);
  }
});

test("the first of the operator's rows that holds a network is its answer", () => {
  for (const [network, first] of [
    ['198.51.100.0/24', [10, 60, 'eu1']],
    ['203.0.113.0/24', [10, 50, 'eu1']],
    ['2001:db8:1::/48', [10, 1, 'us1']],
    ['2a00:1:2::/48', undefined],
  ]) {
    assert.deepEqual(answerFor(map, String(network))[0], first, String(network));
  }
});

test('a map that cannot be is refused by the name of what is wrong, before anything of it is in a zone', () => {
  /** @type {[string, (map: any) => void][]} */
  const cases = [
    ['service', (one) => (one.service = 'video.example; evil')],
    ['ttlSeconds', (one) => (one.ttlSeconds = 0)],
    ['witness', (one) => (one.witness = 'witness.example')],
    ['tokens', (one) => (one.tokens["x'}"] = one.tokens.eu1)],
    ['tokens.eu1.address', (one) => (one.tokens.eu1.address = "1.2.3.4'")],
    ['tokens.eu1.servers', (one) => (one.tokens.eu1.servers = ['https://edge1.example/path'])],
    ['rows', (one) => (one.rows[0].network = '198.51.100.0/33')],
    ['rows: 198.51.100.0/24', (one) => (one.rows[0].answer[0] = [10, 65_536, 'eu1'])],
    ['rows: 198.51.100.0/24', (one) => (one.rows[0].answer[0] = [10, 1, 'nobody'])],
    ['trial: 0.0.0.0/0', (one) => (one.trial[0].answer[0] = [10, 1.5, 'us1'])],
  ];
  for (const [where, spoil] of cases) {
    const spoiled = given();
    spoil(spoiled);
    assert.throws(() => readMap(JSON.stringify(spoiled)), new RegExp(`^Error: map\\.json, ${where}: `), where);
  }
});

test('a learned network has a record of its own, with the operator’s weights times what was learned', () => {
  const learned = {
    '198.51.100.0/24': { at: 0, factors: { eu1: 1.5, us1: 0.25 } },
    '2001:db8:1::/48': { at: 0, factors: { us1: 0.25 } },
    '2001:db8:0::/48': { at: 0, factors: { us1: 4 } },
  };
  const records = recordsOf(rowsZone(map, learned, 7));
  assert.equal(records.get('198-51-100.v4'), "row={ {10,90,'eu1'}, {20,3,'us1'}, } ");
  assert.equal(records.get('20010db80001.v6'), "row={ {10,1,'us1'}, } ", 'a weight of 1 stays: 0 would mean nobody');
  assert.equal(records.get('20010db80000.v6'), "row={ {10,4,'us1'}, } ");
});

test('a weight of 0 is the operator’s word, and nothing that is learned changes it', () => {
  const records = recordsOf(rowsZone(map, { '203.0.113.0/24': { at: 0, factors: { eu1: 1, us1: 4 } } }, 7));
  assert.equal(records.get('203-0-113.v4'), "row={ {10,50,'eu1'}, {10,0,'us1'}, } ");
});

test('a learned network that the operator has no row for has none', () => {
  const zone = rowsZone(map, { '2a00:1:2::/48': { at: 0, factors: { us1: 2 } } }, 7);
  assert.deepEqual([...recordsOf(zone).keys()], ['rows']);
});

test('no string of the zone is longer than a zone transfer takes, and none makes a comment of the rest', () => {
  const many = given();
  many.tokens = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`t${i}`.padEnd(60, 'x'), many.tokens.us1]));
  many.rows = [{ network: '0.0.0.0/0', answer: Object.keys(many.tokens).map((token) => [10, 65_535, token]) }];
  many.trial = [];
  const zone = rowsZone(readMap(JSON.stringify(many)), { '198.51.100.0/24': { at: 0, factors: {} } }, 7);
  const strings = [...zone.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text);
  assert.ok(strings.length > 80);
  for (const text of strings) assert.ok(text.length <= 255 && !text.includes('--'), text);
});

test('a token has its servers by scheme, and its address', () => {
  assert.deepEqual(tokenRecords(map).trim().split(/\n+/), [
    'eu1 IN SRV 10 100 8443 edge1.example.',
    'eu1.plain IN SRV 10 100 80 edge1.example.',
    'eu1 IN A 192.0.2.11',
    'us1 IN SRV 10 100 443 edge2.example.',
    'us1 IN AAAA 2001:db8::11',
  ]);
});

/** Owner -> the Lua of its joined strings. @param {string} zone */
function recordsOf(zone) {
  return new Map(
    [...zone.matchAll(/^(\S+) IN LUA LUA \(\n([^)]*) \)/gm)].map(([, owner = '', parts = '']) => [
      owner,
      [...parts.matchAll(/"([^"]*)"/g)].map(([, text]) => text).join(''),
    ]),
  );
}
