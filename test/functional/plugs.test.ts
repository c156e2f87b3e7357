import QUnit from 'qunit';
import { dohJson, type EdgeSelectOptions, type Question, type Selection } from '../../src/index.js';
import { all, cleanUp, hls, network, ORIGIN, playedTo, testPlayer, testWorld, type World } from './tools.js';
import { asked, edge, nameserver, selectionOf, SERVICE, srv, TOKEN } from './worlds.js';

const { module, test } = QUnit;

module('plugs', { afterEach: cleanUp });

const select = (world: World, options: Partial<EdgeSelectOptions>): Promise<Selection> =>
  selectionOf(testPlayer(options), world);

const ADDRESSES = [
  { type: 'A', address: '198.51.100.7', host: 'ip-198-51-100-7.localhost' },
  { type: 'AAAA', address: '2001:db8::7', host: 'ip-2001-db8--7.localhost' },
] as const;
for (const { type, address, host } of ADDRESSES) {
  test(`tokens from TXT and servers from ${type} records, through the JSON form of DoH`, async (assert) => {
    const world = await testWorld({
      nameservers: { map: { zones: { [SERVICE]: [{ type: 'TXT', text: TOKEN }], [TOKEN]: [{ type, address }] } } },
      edges: { a: {}, [ORIGIN]: {} },
    });
    const { port } = new URL(edge(world, 'a'));
    const player = testPlayer({
      resolver: dohJson(nameserver(world)),
      tokens: 'TXT',
      servers: { type, url: `http://ip-{dashed}.localhost:${port}` },
      originAfterMs: 5000,
    });
    const selection = await selectionOf(player, world);
    assert.deepEqual(selection.tokens, [TOKEN]);
    assert.strictEqual(selection.chosen.origin, `http://${host}:${port}`);
    assert.deepEqual(
      (await asked(world)).map((question) => `${question.type} ${question.name}`),
      [`TXT ${SERVICE}`, `${type} ${TOKEN}`],
    );
    await playedTo(player, 0.3);
    const [served] = await world.of('edge:a');
    assert.strictEqual(served?.headers.host, `${host}:${port}`);
  });
}

test('addresses from DNS messages give the same edges', async (assert) => {
  const world = await testWorld({
    nameservers: {
      map: { zones: { [SERVICE]: [srv(TOKEN)], [TOKEN]: [{ type: 'AAAA', address: '2001:db8::7' }] } },
    },
    edges: { a: {}, [ORIGIN]: {} },
  });
  const { port } = new URL(edge(world, 'a'));
  const servers = { type: 'AAAA', url: `http://ip-{dashed}.localhost:${port}` } as const;
  const selection = await select(world, { nameserver: nameserver(world), servers });
  assert.strictEqual(selection.chosen.origin, `http://ip-2001-db8--7.localhost:${port}`);
});

test('through the JSON form a client is identified by the URL and by its subnet', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  await select(world, {
    resolver: dohJson(nameserver(world)),
    client: { id: 'gold', idAs: 'query', subnet: '198.51.100.0/24' },
  });
  const [first, second] = await asked(world);
  assert.propContains(first, { id: 'gold', idFrom: 'url', subnet: { address: '198.51.100.0', prefixLength: 24 } });
  assert.propContains(second, { name: TOKEN, id: null, subnet: null });
});

test('a resolver of the site takes the place of DoH for both lookups', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const { hostname, port } = new URL(edge(world, 'a'));
  const questions: Question[] = [];
  const resolver = {
    resolve: (question: Question) => {
      questions.push(question);
      const target = question.lookup === 'tokens' ? 'mine.token.localhost' : hostname;
      const record = { type: 'SRV', priority: 0, weight: 0, port: Number(port), target } as const;
      return Promise.resolve({ records: [record], ttlSeconds: 60 });
    },
  };
  const selection = await select(world, { resolver, client: { id: 'gold' } });
  assert.deepEqual(selection.tokens, ['mine.token.localhost']);
  assert.strictEqual(selection.chosen.origin, edge(world, 'a'));
  assert.deepEqual(questions, [
    { lookup: 'tokens', name: SERVICE, type: 'SRV', client: { idAs: 'edns', id: 'gold' } },
    { lookup: 'servers', name: 'mine.token.localhost', type: 'SRV' },
  ]);
  assert.deepEqual(await asked(world), []);
});

test('`discover` takes the place of both lookups', async (assert) => {
  const world = await testWorld(network({ a: { latencyMs: 400 }, b: {} }));
  const source = hls(world);
  const given: string[] = [];
  const discover: NonNullable<EdgeSelectOptions['discover']> = ({ src }) => {
    given.push(src);
    return Promise.resolve([{ origin: edge(world, 'a') }, { origin: edge(world, 'b') }]);
  };
  const player = testPlayer({ discover });
  const served = all(player, 'edgeselect:served');
  const selection = await selectionOf(player, world);
  assert.deepEqual(given, [source.src]);
  assert.deepEqual(selection.tokens, []);
  assert.strictEqual(selection.chosen.origin, edge(world, 'b'));
  await playedTo(player, 0.3);
  assert.strictEqual(served.at(-1)?.edge, edge(world, 'b'));
  assert.deepEqual(await asked(world), []);
});
