import QUnit from 'qunit';
import type { EdgeSelectOptions, Selection } from '../../src/index.js';
import { cleanUp, hls, network, once, ORIGIN, testPlayer, testWorld, zones, type World } from './tools.js';
import { asked, edge, fetched, nameserver, requests, selectionOf, SERVICE, srv, TOKEN } from './worlds.js';

const { module, test } = QUnit;

module('nameservers', { afterEach: cleanUp });

/** Two nameservers with the same zones, of which the first has a fault. */
const twoNameservers = (first: object): object => ({
  nameservers: { first: { zones: zones(['a']), ...first }, second: { zones: zones(['a']) } },
  edges: { a: {}, [ORIGIN]: {} },
});
const both = (world: World): string[] => [nameserver(world, 'first'), nameserver(world, 'second')];

const select = (world: World, options: Partial<EdgeSelectOptions>): Promise<Selection> =>
  selectionOf(testPlayer(options), world);

const FALLBACKS: readonly (readonly [why: string, fault: string])[] = [
  ['refuses connections', 'refuse'],
  ['answers 500', 'http500'],
  ['is a captive portal', 'html'],
  ['lacks CORS headers', 'noCors'],
  ['fails (SERVFAIL)', 'servfail'],
  ['sends garbage', 'garbage'],
  ['is silent', 'swallow'],
  ['stops in the middle of its answer', 'slowbody'],
];
for (const [why, fault] of FALLBACKS) {
  test(`the next nameserver is asked when the first ${why}`, async (assert) => {
    const world = await testWorld(twoNameservers({ fault }));
    const selection = await select(world, { nameserver: both(world), lookupStaggerMs: 100 });
    assert.strictEqual(selection.chosen.origin, edge(world, 'a'));
    assert.deepEqual(
      (await asked(world, 'second')).map(({ name }) => name),
      [SERVICE, TOKEN],
    );
  });
}

test('the next nameserver is left in peace while the first answers', async (assert) => {
  const world = await testWorld(twoNameservers({}));
  await select(world, { nameserver: both(world), lookupStaggerMs: 10_000 });
  assert.deepEqual(await asked(world, 'second'), []);
});

test('"there is no such name" is an answer: the next nameserver is not asked', async (assert) => {
  const world = await testWorld(twoNameservers({ fault: 'nxdomain' }));
  const player = testPlayer({ nameserver: both(world), lookupStaggerMs: 10_000 });
  const bypassed = once(player, 'edgeselect:bypassed');
  player.src(hls(world));
  assert.strictEqual((await bypassed).error.code, 'LOOKUP_NXDOMAIN');
  assert.deepEqual(await asked(world, 'second'), []);
});

test('a nameserver that failed is passed over by the second lookup, and by the next player of the page', async (assert) => {
  const world = await testWorld(twoNameservers({ fault: 'http500' }));
  await select(world, { nameserver: both(world), lookupStaggerMs: 10_000, client: { id: 'one' } });
  // another id is another question, so that no cache answers it
  await select(world, { nameserver: both(world), lookupStaggerMs: 10_000, client: { id: 'two' } });
  assert.deepEqual(
    (await asked(world, 'first')).map(({ id }) => id),
    ['one'],
  );
  assert.deepEqual(
    (await asked(world, 'second')).map(({ name, id }) => `${name} ${id ?? '-'}`),
    [`${SERVICE} one`, `${TOKEN} -`, `${SERVICE} two`],
  );
});

for (const [fault, code] of [
  ['http500', 'LOOKUP_STATUS'],
  ['swallow', 'LOOKUP_TIMEOUT'],
]) {
  test(`when the only nameserver failed a while ago (${String(code)}), the next player does not ask it`, async (assert) => {
    const world = await testWorld(network({ a: {} }, { map: { fault } }));
    const codes: string[] = [];
    for (const id of ['one', 'two']) {
      const player = testPlayer({ nameserver: nameserver(world), client: { id }, lookupTimeoutMs: 300 });
      const bypassed = once(player, 'edgeselect:bypassed');
      player.src(hls(world));
      codes.push((await bypassed).error.code);
    }
    assert.deepEqual(codes, [code, 'LOOKUP_UNREACHABLE']);
    assert.strictEqual((await asked(world)).length, 1);
  });
}

test('an answer that comes after the time-out serves the next player', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 600 } }));
  const options = { nameserver: nameserver(world), lookupTimeoutMs: 400 };
  const first = testPlayer(options);
  const bypassed = once(first, 'edgeselect:bypassed');
  first.src(hls(world));
  assert.strictEqual((await bypassed).error.code, 'LOOKUP_TIMEOUT');
  await fetched(nameserver(world));
  await world.patch({ nameservers: { map: { latencyMs: 0 } } });
  const selection = await select(world, options);
  assert.deepEqual(selection.tokens, [TOKEN]);
  assert.deepEqual(
    (await asked(world)).map(({ name }) => name),
    [SERVICE, TOKEN],
  );
});

test('tokens are asked of the second-level nameserver alone, and the service of the map alone', async (assert) => {
  const world = await testWorld({
    nameservers: { map: { zones: { [SERVICE]: [srv(TOKEN)] } }, second: { zones: { [TOKEN]: [srv('edge:a')] } } },
    edges: { a: {}, [ORIGIN]: {} },
  });
  const selection = await select(world, {
    nameserver: nameserver(world),
    secondNameserver: nameserver(world, 'second'),
  });
  assert.strictEqual(selection.chosen.origin, edge(world, 'a'));
  assert.deepEqual(
    (await asked(world)).map(({ name }) => name),
    [SERVICE],
  );
  assert.deepEqual(
    (await asked(world, 'second')).map(({ name }) => name),
    [TOKEN],
  );
});

test('aliases are followed in both lookups', async (assert) => {
  const world = await testWorld({
    nameservers: {
      map: {
        zones: {
          [SERVICE]: [{ type: 'CNAME', target: 'map.cdn.localhost' }],
          'map.cdn.localhost': [srv(TOKEN)],
          [TOKEN]: [{ type: 'CNAME', target: 'pop.cdn.localhost' }],
          'pop.cdn.localhost': [srv('edge:a')],
        },
      },
    },
    edges: { a: {}, [ORIGIN]: {} },
  });
  const selection = await select(world, { nameserver: nameserver(world) });
  assert.deepEqual(selection.tokens, [TOKEN]);
  assert.strictEqual(selection.chosen.origin, edge(world, 'a'));
});

test('the tokens of a class are resolved side by side, and their edges run in one race', async (assert) => {
  const world = await testWorld({
    nameservers: {
      map: {
        zones: {
          [SERVICE]: [srv('one.token.localhost'), srv('two.token.localhost')],
          'one.token.localhost': [srv('edge:a')],
          'two.token.localhost': [srv('edge:b')],
        },
      },
    },
    edges: { a: { latencyMs: 400 }, b: {}, [ORIGIN]: {} },
  });
  const selection = await select(world, { nameserver: nameserver(world) });
  assert.deepEqual([...selection.tokens].sort(), ['one.token.localhost', 'two.token.localhost']);
  assert.deepEqual(selection.edges.map(({ origin }) => origin).sort(), [edge(world, 'a'), edge(world, 'b')].sort());
  assert.strictEqual(selection.chosen.origin, edge(world, 'b'));
});

test('a token of the next class is resolved only when the best class gives no edge', async (assert) => {
  const tokens = [srv('best.token.localhost', { priority: 1 }), srv('next.token.localhost', { priority: 2 })];
  const next = { 'next.token.localhost': [srv('edge:b')] };
  const map = (best: object): object => ({ map: { zones: { [SERVICE]: tokens, ...next, ...best } } });
  const edges = { a: {}, b: {}, [ORIGIN]: {} };
  const full = await testWorld({ nameservers: map({ 'best.token.localhost': [srv('edge:a')] }), edges });
  assert.strictEqual((await select(full, { nameserver: nameserver(full) })).chosen.origin, edge(full, 'a'));
  const names = (await asked(full)).map(({ name }) => name);
  assert.deepEqual(names, [SERVICE, 'best.token.localhost']);
  const empty = await testWorld({ nameservers: map({}), edges });
  assert.strictEqual((await select(empty, { nameserver: nameserver(empty) })).chosen.origin, edge(empty, 'b'));
});

test('two sources within the time to live make one query', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer({ nameserver: nameserver(world), hosts: [] });
  await selectionOf(player, world);
  const again = await selectionOf(player, world, 'fmp4/main.m3u8');
  assert.strictEqual(again.reason, 'known');
  // another client is another question to the map, and the same token
  await select(world, { nameserver: nameserver(world), client: { id: 'gold' } });
  assert.deepEqual(
    (await asked(world)).map(({ name }) => name),
    [SERVICE, TOKEN, SERVICE],
  );
  assert.true((await requests(world, 'a', 'fmp4/main.m3u8')).includes('GET /fmp4/main.m3u8'));
});
