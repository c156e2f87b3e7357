import QUnit from 'qunit';
import type { EdgeSelectOptions } from '../../src/index.js';
import { closePages, testPage } from './page.js';
import { cleanUp, hls, network, once, ORIGIN, testPlayer, testWorld } from './tools.js';
import { asked, edge, nameserver, SERVICE, srv, type Asked } from './worlds.js';

const { module, test } = QUnit;

module('identify', {
  afterEach: async () => {
    closePages();
    await cleanUp();
  },
});

/** A map that has a token, and so an edge, for each kind of client. */
const MAP_BY_CLIENT = {
  nameservers: {
    map: {
      zones: {
        [SERVICE]: [
          srv('everyone.token.localhost'),
          srv('gold.token.localhost', { for: { id: 'gold' } }),
          srv('north.token.localhost', { for: { subnet: '198.51.100.0/24' } }),
          srv('six.token.localhost', { for: { subnet: '2001:db8::/32' } }),
        ],
        'everyone.token.localhost': [srv('edge:a')],
        'gold.token.localhost': [srv('edge:b')],
        'north.token.localhost': [srv('edge:c')],
        'six.token.localhost': [srv('edge:d')],
      },
    },
  },
  edges: { a: {}, b: {}, c: {}, d: {}, [ORIGIN]: {} },
};

interface Row {
  readonly title: string;
  readonly client: NonNullable<EdgeSelectOptions['client']>;
  readonly query: Partial<Asked>;
  readonly token: string;
  readonly edge: string;
}

const NORTH = { family: 'ipv4', address: '198.51.100.0', prefixLength: 24 };
const ROWS: readonly Row[] = [
  {
    title: 'an id of the site goes as an EDNS option, and the map answers it with another token',
    client: { id: 'gold' },
    query: { name: SERVICE, id: 'gold', idFrom: 'edns', subnet: null },
    token: 'gold.token.localhost',
    edge: 'b',
  },
  {
    title: 'an id can go as the leftmost labels of the name',
    client: { id: 'gold', idAs: 'label' },
    query: { name: `gold.id.${SERVICE}`, id: 'gold', idFrom: 'label', subnet: null },
    token: 'gold.token.localhost',
    edge: 'b',
  },
  {
    title: 'an id can go in the URL of the nameserver',
    client: { id: 'gold', idAs: 'query' },
    query: { name: SERVICE, id: 'gold', idFrom: 'url', subnet: null },
    token: 'gold.token.localhost',
    edge: 'b',
  },
  {
    title: 'a subnet goes as EDNS Client Subnet, and the map answers it with another token',
    client: { id: false, subnet: '198.51.100.0/24' },
    query: { name: SERVICE, id: null, idFrom: null, subnet: NORTH },
    token: 'north.token.localhost',
    edge: 'c',
  },
  {
    title: 'a subnet of IPv6 goes the same way',
    client: { id: false, subnet: '2001:db8:7:100::/56' },
    query: { id: null, subnet: { family: 'ipv6', address: '2001:db8:7:100::', prefixLength: 56 } },
    token: 'six.token.localhost',
    edge: 'd',
  },
  {
    title: 'an id and a subnet go in one query',
    client: { id: 'silver', subnet: '198.51.100.0/24' },
    query: { id: 'silver', idFrom: 'edns', subnet: NORTH },
    token: 'north.token.localhost',
    edge: 'c',
  },
  {
    title: '`id: false` sends nothing that identifies the client',
    client: { id: false },
    query: { name: SERVICE, id: null, idFrom: null, subnet: null },
    token: 'everyone.token.localhost',
    edge: 'a',
  },
];

for (const row of ROWS) {
  test(row.title, async (assert) => {
    const world = await testWorld(MAP_BY_CLIENT);
    const player = testPlayer({ nameserver: nameserver(world), client: row.client });
    const selected = once(player, 'edgeselect:selected');
    player.src(hls(world));
    const { selection } = await selected;
    assert.deepEqual(selection.tokens, [row.token]);
    assert.strictEqual(selection.chosen.origin, edge(world, row.edge));
    const [first, second] = await asked(world);
    assert.propContains(first, { type: 'SRV', ...row.query });
    assert.deepEqual(
      second,
      { name: row.token, type: 'SRV', id: null, idFrom: null, subnet: null },
      'the token is the name of the next question, which says nothing of the client',
    );
  });
}

test('an RFC 6570 template says where in the URL the id goes', async (assert) => {
  const world = await testWorld(MAP_BY_CLIENT);
  const template = `${nameserver(world)}{?id,dns}`;
  const player = testPlayer({ nameserver: template, client: { id: 'gold', idAs: 'query' } });
  const selected = once(player, 'edgeselect:selected');
  player.src(hls(world));
  await selected;
  const [first, second] = await world.of('nameserver:map');
  assert.true(first?.url.startsWith('/dns-query?id=gold&dns='), first?.url);
  assert.true(second?.url.startsWith('/dns-query?dns='), second?.url);
});

test('without an id of the site, one random id serves all queries of a page, and another the next page', async (assert) => {
  const worlds = [await testWorld(network({ a: {} })), await testWorld(network({ a: {} }))];
  const idOf = async (world: (typeof worlds)[number], player: ReturnType<typeof testPlayer>): Promise<string> => {
    const selected = once(player, 'edgeselect:selected');
    player.src(hls(world));
    await selected;
    const last = (await asked(world)).filter(({ name }) => name === SERVICE).at(-1);
    return `${last?.idFrom ?? 'nowhere'} ${last?.id ?? 'none'}`;
  };
  const ids: string[] = [];
  for (const world of worlds) ids.push(await idOf(world, testPlayer({ nameserver: nameserver(world) })));
  const [world] = worlds;
  const page = await testPage();
  if (world) ids.push(await idOf(world, page.player({ nameserver: nameserver(world) })));
  const [here, againHere, there] = ids;
  assert.true(/^edns [\da-f]{32}$/.test(here ?? ''), here);
  assert.strictEqual(againHere, here);
  assert.true(/^edns [\da-f]{32}$/.test(there ?? ''), there);
  assert.notStrictEqual(there, here);
});

test('queries are CORS-simple: a GET whose only header is Accept, and no preflight', async (assert) => {
  const world = await testWorld(MAP_BY_CLIENT);
  const player = testPlayer({ nameserver: nameserver(world), client: { id: 'gold', subnet: '198.51.100.0/24' } });
  const selected = once(player, 'edgeselect:selected');
  player.src(hls(world));
  await selected;
  for (const { method, headers } of await world.of('nameserver:map')) {
    assert.strictEqual(method, 'GET');
    assert.strictEqual(headers.accept, 'application/dns-message');
    assert.strictEqual(headers['content-type'], undefined);
    assert.strictEqual(headers.cookie, undefined);
  }
});
