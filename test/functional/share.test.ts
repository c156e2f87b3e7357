import QUnit from 'qunit';
import { all, cleanUp, hls, network, once, playedTo, testPlayer, testWorld } from './tools.js';
import { asked, edge, EDGES_ALONE, nameserver, requests, SERVICE, TOKEN } from './worlds.js';

const { module, test } = QUnit;

module('share', { afterEach: cleanUp });

const PLAYERS = 20;
test('20 players of one service on a page make one first-level query, and one for its token', async (assert) => {
  const world = await testWorld(network({ a: {}, b: {} }, { map: { latencyMs: 100 } }));
  const players = Array.from({ length: PLAYERS }, () => testPlayer({ nameserver: nameserver(world) }));
  const selected = Promise.all(players.map((player) => once(player, 'edgeselect:selected')));
  for (const player of players) player.src(hls(world));
  const tokens = (await selected).map(({ selection }) => selection.tokens.join());
  assert.deepEqual(tokens, new Array(PLAYERS).fill(TOKEN));
  assert.deepEqual(
    (await asked(world)).map(({ name }) => name),
    [SERVICE, TOKEN],
  );
});

test('the next player of a service holds nothing: its first request goes to the known edge, and no race is run', async (assert) => {
  const world = await testWorld(network({ a: { latencyMs: 400 }, b: {} }));
  const options = { nameserver: nameserver(world), ...EDGES_ALONE };
  const first = testPlayer(options);
  const raced = once(first, 'edgeselect:raced');
  first.src(hls(world));
  await raced;
  const before = await asked(world);

  const next = testPlayer(options);
  const selections = all(next, 'edgeselect:selected');
  const races = all(next, 'edgeselect:raced');
  const served = all(next, 'edgeselect:served');
  next.src(hls(world, 'fmp4/main.m3u8'));
  await playedTo(next, 0.5);
  assert.deepEqual(
    selections.map(({ selection }) => selection.reason),
    ['known'],
  );
  assert.strictEqual(races.length, 0);
  assert.propContains(served[0], { url: hls(world, 'fmp4/main.m3u8').src, edge: edge(world, 'b') });
  assert.deepEqual(await requests(world, 'b', 'fmp4/main.m3u8'), ['GET /fmp4/main.m3u8']);
  assert.deepEqual(await requests(world, 'a', 'fmp4'), []);
  assert.deepEqual(await asked(world), before, 'no nameserver was asked again');
});

test('the next source of a player finds the edge at once, too', async (assert) => {
  const world = await testWorld(network({ a: { latencyMs: 400 }, b: {} }));
  const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE });
  const raced = once(player, 'edgeselect:raced');
  player.src(hls(world));
  await raced;
  const selected = once(player, 'edgeselect:selected');
  player.src(hls(world, 'fmp4/main.m3u8'));
  assert.strictEqual((await selected).selection.reason, 'known');
  await playedTo(player, 0.3);
  assert.deepEqual(await requests(world, 'a', 'fmp4'), []);
  assert.strictEqual((await asked(world)).length, 2);
});

test('players that identify their clients differently do not share an answer of the map', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  for (const id of ['one', 'two']) {
    const player = testPlayer({ nameserver: nameserver(world), client: { id } });
    const selected = once(player, 'edgeselect:selected');
    player.src(hls(world));
    await selected;
  }
  const ofService = (await asked(world)).filter(({ name }) => name === SERVICE);
  assert.deepEqual(
    ofService.map(({ id }) => id),
    ['one', 'two'],
  );
});
