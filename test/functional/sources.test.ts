import QUnit from 'qunit';
import {
  all,
  asked,
  cleanUp,
  hls,
  network,
  ORIGIN,
  once,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  type World,
} from './tools.js';

const { module, test } = QUnit;

const HLS = 'application/x-mpegURL';

module('sources', { afterEach: cleanUp });

test('looks nothing up for a source of a foreign host', async (assert) => {
  const world = await withElsewhere();
  const player = testPlayer(patient(world));
  player.src(hls(world));
  await playedTo(player, 0.1);
  player.src(elsewhere(world));
  await once(player, 'loadeddata');
  await playedTo(player, 0.1);
  assert.deepEqual(await services(world), ['_http._tcp.origin.localhost']);
  assert.true((await asked(world, 'elsewhere', /\.ts$/)).length > 0, 'it plays from its own host');
  assert.strictEqual(player.edgeSelect().state, 'idle');
});

test('looks a foreign host up that the site names in `hosts`', async (assert) => {
  const world = await withElsewhere();
  const player = testPlayer(patient(world, { hosts: ['elsewhere.localhost'] }));
  player.src(hls(world));
  await playedTo(player, 0.1);
  const bypassed = once(player, 'edgeselect:bypassed');
  player.src(elsewhere(world));
  await once(player, 'loadeddata');
  await playedTo(player, 0.1);
  assert.deepEqual(await services(world), ['_http._tcp.origin.localhost', '_http._tcp.elsewhere.localhost']);
  assert.strictEqual((await bypassed).error.code, 'LOOKUP_NXDOMAIN');
  assert.true((await asked(world, 'elsewhere', /\.ts$/)).length > 0, 'it plays from its own host');
});

test('goes on to the next source of a list when the first fails', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world, { originAfterMs: 50 }), { retryOnError: true });
  const list = [hls(world, 'none/main.m3u8'), hls(world, 'fmp4/main.m3u8')];
  player.src(list);
  // until then Video.js shows an error for a moment, as it does without the plugin
  await once(player, 'loadeddata');
  await playedTo(player, 0.1);
  assert.strictEqual(player.currentSrc(), list[1]?.src);
  assert.strictEqual((await asked(world, 'a', /fmp4\/low-0\.m4s/)).length, 1);
  assert.strictEqual((await asked(world, ORIGIN, /fmp4\/low-0\.m4s/)).length, 0);
});

test('leaves a source alone that says `edgeSelect: false`', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  player.src({ ...hls(world), edgeSelect: false });
  await playedTo(player, 0.1);
  assert.deepEqual(
    (await world.log()).filter(({ server }) => server !== 'edge:origin'),
    [],
  );
});

test("takes a source's own options over the player's", async (assert) => {
  const world = await testWorld(network({ a: {}, b: { latencyMs: 100 } }));
  const player = testPlayer(patient(world, { preflight: 'HEAD' }));
  const raced = once(player, 'edgeselect:raced');
  player.src({ ...hls(world), edgeSelect: { preflight: 'OPTIONS' } });
  const { selection } = await raced;
  assert.deepEqual(
    selection.probes.map(({ method }) => method),
    ['OPTIONS', 'OPTIONS'],
  );
});

test('says so when an option of a source is wrong, and plays it', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  const bypassed = once(player, 'edgeselect:bypassed');
  player.src({ ...hls(world), edgeSelect: { preflight: 'PUT' } });
  await playedTo(player, 0.1);
  assert.strictEqual((await bypassed).error.code, 'OPTIONS_INVALID');
  assert.deepEqual(await asked(world, 'a'), []);
});

module('sources: ads', { afterEach: cleanUp });

test('an ad before the content is not ours, and the content is', async (assert) => {
  const world = await withElsewhere();
  const player = testPlayer(patient(world));
  let inAdBreak = true;
  player.ads = { inAdBreak: () => inAdBreak };
  player.src(elsewhere(world));
  await playedTo(player, 0.1);
  assert.deepEqual(await services(world), [], 'the ad caused no lookup');
  inAdBreak = false;
  const selected = once(player, 'edgeselect:selected');
  player.src(hls(world));
  assert.strictEqual((await selected).selection.service, '_http._tcp.origin.localhost');
});

test('an ad from the host of the content is not ours, and the content is when it comes back', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  let inAdBreak = false;
  player.ads = { inAdBreak: () => inAdBreak };
  player.src(hls(world));
  await playedTo(player, 0.1);
  inAdBreak = true;
  player.src(hls(world, 'fmp4/main.m3u8'));
  await once(player, 'loadeddata');
  await playedTo(player, 0.1);
  assert.deepEqual(await asked(world, 'a', /fmp4/), [], 'the ad plays from its own host');
  const selected = once(player, 'edgeselect:selected');
  // contrib-ads sets the content again while the break lasts
  player.src(hls(world));
  assert.strictEqual((await selected).selection.reason, 'known');
});

module('sources: set while another resolves', { afterEach: cleanUp });

test('plays the second of two sources, and the first one changes nothing', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 200 } }));
  const player = testPlayer(patient(world));
  const selected = all(player, 'edgeselect:selected');
  player.src(hls(world));
  player.src(hls(world, 'fmp4/main.m3u8'));
  await playedTo(player, 0.1);
  assert.strictEqual(selected.length, 1);
  assert.strictEqual(player.currentSrc(), hls(world, 'fmp4/main.m3u8').src);
  assert.deepEqual(await asked(world, 'a', /\/ts\//), []);
  assert.deepEqual(await asked(world, ORIGIN, /\/ts\//), []);
});

test('a second service is not given what the first one finds', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 200 } }));
  const player = testPlayer(patient(world, { service: ({ src }) => (src.includes('/ts/') ? SERVICE : OTHER) }));
  const selected = all(player, 'edgeselect:selected');
  const bypassed = once(player, 'edgeselect:bypassed');
  player.src(hls(world));
  player.src(hls(world, 'fmp4/main.m3u8'));
  await playedTo(player, 0.1);
  assert.strictEqual((await bypassed).error.code, 'LOOKUP_NXDOMAIN');
  assert.deepEqual(selected, []);
  assert.deepEqual(await asked(world, 'a'), []);
});

test('a reset during the lookups revives nothing', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 200 } }));
  const player = testPlayer(patient(world));
  const told: string[] = [];
  for (const name of ['selected', 'bypassed', 'served']) {
    player.on(`edgeselect:${name}`, () => {
      told.push(name);
    });
  }
  player.src(hls(world));
  await once(player, 'loadstart');
  assert.strictEqual(player.edgeSelect().state, 'selecting');
  player.reset();
  // it waits for the same answers, and has been given them when it plays
  const other = testPlayer(patient(world));
  other.src(hls(world, 'fmp4/main.m3u8'));
  await playedTo(other, 0.1);
  assert.deepEqual(told, []);
  assert.strictEqual(player.currentSrc(), '');
  assert.strictEqual(player.edgeSelect().state, 'idle');
  assert.deepEqual(await asked(world, 'a', /\/ts\//), []);
});

module('sources: what the site sees', { afterEach: cleanUp });

test('its own URL and source objects, while an edge serves', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  const list = [hls(world), hls(world, 'fmp4/main.m3u8')];
  player.src(list);
  await playedTo(player, 0.1);
  assert.strictEqual(player.currentSrc(), list[0]?.src);
  assert.strictEqual(player.src(), list[0]?.src);
  assert.deepEqual(player.currentSource(), list[0]);
  assert.deepEqual(player.currentSources(), list);
  assert.true((await asked(world, 'a', /\.ts$/)).length > 0);
});

test('the same after load(), which looks nothing up and plays from the edge again', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  const selected = all(player, 'edgeselect:selected');
  player.src(hls(world));
  await playedTo(player, 0.1);
  const before = (await asked(world, 'a', /main\.m3u8$/)).length;
  player.load();
  await once(player, 'loadedmetadata');
  await playedTo(player, 0.1);
  assert.strictEqual(player.currentSrc(), hls(world).src);
  assert.deepEqual(await services(world), [SERVICE]);
  assert.strictEqual(selected.length, 1);
  assert.strictEqual((await asked(world, 'a', /main\.m3u8$/)).length, before + 1);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('events in the order of cause and effect', async (assert) => {
  const world = await testWorld(network({ a: {}, b: { latencyMs: 100 } }));
  const player = testPlayer(patient(world));
  const names: string[] = [];
  for (const name of ['selected', 'raced', 'reported', 'bypassed', 'failedover', 'switched', 'warned']) {
    player.on(`edgeselect:${name}`, () => {
      names.push(name);
    });
  }
  const reported = once(player, 'edgeselect:reported');
  player.src(hls(world));
  await reported;
  await playedTo(player, 0.1);
  assert.deepEqual(names, ['selected', 'raced', 'reported']);
});

const SERVICE = '_http._tcp.origin.localhost';
const OTHER = '_http._tcp.other.localhost';

/** `service`, and the name that is asked for a source of `elsewhere`. */
const SERVICES = {
  'a name': { service: SERVICE, asked: [SERVICE] },
  'a function that gives a name': { service: () => SERVICE, asked: [SERVICE] },
  'a function that gives none': { service: () => null, asked: [] },
};

test.each('`service` is', SERVICES, async (assert, { service, asked: expected }) => {
  const world = await withElsewhere();
  const player = testPlayer(patient(world, { service }));
  player.src(elsewhere(world));
  await playedTo(player, 0.1);
  assert.deepEqual(await services(world), expected);
  const isOurs = expected.length > 0;
  assert.strictEqual((await asked(world, 'a', /\.ts$/)).length > 0, isOurs);
  assert.strictEqual((await asked(world, 'elsewhere', /\.ts$/)).length > 0, !isOurs);
});

/** The map knows the origin's edge `a`; `elsewhere` is a host that it does not know. */
function withElsewhere(): Promise<World> {
  const { edges, ...rest } = network({ a: {} }) as { edges: object };
  return testWorld({ ...rest, edges: { ...edges, elsewhere: {} } });
}

function elsewhere(world: World): { src: string; type: string } {
  return { src: `${world.edges.elsewhere ?? ''}/ts/main.m3u8`, type: HLS };
}

/** The names that the map was asked for, tokens apart. */
async function services(world: World): Promise<string[]> {
  const names = (await world.of('nameserver:map')).map(({ body }) => (body as { name: string }).name);
  return names.filter((name) => name.startsWith('_'));
}
