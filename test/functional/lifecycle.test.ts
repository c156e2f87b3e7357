import QUnit from 'qunit';
import videojs from 'video.js';
import {
  all,
  asked,
  cleanUp,
  hls,
  loadedToTheEnd,
  logged,
  network,
  ORIGIN,
  once,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  until,
  type TestPlayer,
  type World,
} from './tools.js';

const { module, test } = QUnit;

/** 16 kB of a segment take 0.7 s, so that there are segments left when playback has begun. */
const SLOW = { bitsPerSecond: 200_000 };
const SEGMENT = /\.ts$/;

module('lifecycle: how the plugin is put on a player', { afterEach: cleanUp });

const WAYS: Readonly<Record<string, (world: World) => TestPlayer>> = {
  'called before the source is set'(world) {
    const player = testPlayer(patient(world));
    player.src(hls(world));
    return player;
  },
  'called just after the source is set'(world) {
    const player = testPlayer();
    player.src(hls(world));
    player.edgeSelect(patient(world));
    return player;
  },
  'named in `plugins`'(world) {
    const player = testPlayer(null, { plugins: { edgeSelect: patient(world) } });
    player.src(hls(world));
    return player;
  },
  'named in `plugins`, with the source'(world) {
    return testPlayer(null, { plugins: { edgeSelect: patient(world) }, sources: [hls(world)] });
  },
  'named in `data-setup`'(world) {
    const element = document.createElement('video-js');
    element.dataset.setup = JSON.stringify({ plugins: { edgeSelect: patient(world) } });
    const player = testPlayer(null, {}, element);
    player.src(hls(world));
    return player;
  },
};

test.each('serves from the first request on when it is', WAYS, async (assert, make) => {
  const world = await testWorld(network({ a: {} }));
  const player = make(world);
  await playedTo(player, 0.1);
  assert.strictEqual(player.edgeSelect().state, 'steady');
  assert.true((await asked(world, 'a', SEGMENT)).length > 0);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('a second call returns the same thing, and changes nothing', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer();
  const first = player.edgeSelect(patient(world));
  assert.strictEqual(player.edgeSelect(), first);
  assert.strictEqual(player.edgeSelect({ nameserver: 'http://nowhere.localhost/' }), first);
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.strictEqual(first.selection?.chosen.origin, world.edges.a);
});

test('called while a source plays, it takes over what is left to load, and reloads nothing', async (assert) => {
  const world = await testWorld(network({ a: {} }, { origin: SLOW }));
  const player = testPlayer();
  player.src(hls(world));
  await playedTo(player, 0.1);
  const atOrigin = (await asked(world, ORIGIN)).length;
  const seen = heard(player, ['loadstart', 'seeking', 'emptied', 'sourceset']);
  const selected = once(player, 'edgeselect:selected');
  player.edgeSelect(patient(world));
  const lastSegment = until(player, 'edgeselect:served', ({ url }) => url.endsWith('-5.ts'));
  await selected;
  const { edge } = await lastSegment;
  assert.strictEqual(edge, world.edges.a);
  assert.deepEqual(seen, []);
  assert.true((await asked(world, ORIGIN)).length <= atOrigin + 1, 'the origin ended what was under way');
  assert.deepEqual(await asked(world, 'a', /main\.m3u8/), []);
  await playedTo(player, 0.5);
  assert.deepEqual(seen, []);
});

module('lifecycle: taken off a player', { afterEach: cleanUp });

test('playback goes on from the origin, and no event comes any more', async (assert) => {
  const world = await testWorld(network({ a: SLOW }));
  const player = testPlayer();
  const plugin = player.edgeSelect(patient(world));
  player.src(hls(world));
  await playedTo(player, 0.1);
  const seen = heard(player, ['loadstart', 'seeking', 'emptied', ...OURS]);
  plugin.dispose();
  plugin.dispose();
  await Promise.all([loadedToTheEnd(player), playedTo(player, 0.5)]);
  assert.deepEqual(seen, []);
  assert.true((await asked(world, ORIGIN, /-5\.ts$/)).length === 1);
  assert.strictEqual(player.currentSrc(), hls(world).src);
});

test('it can be put on again', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer();
  const first = player.edgeSelect(patient(world));
  first.dispose();
  const second = player.edgeSelect(patient(world));
  assert.notStrictEqual(second, first);
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.strictEqual(second.selection?.chosen.origin, world.edges.a);
});

const requested: string[] = [];
const { fetch: realFetch } = window;

module('lifecycle: the player is disposed of', {
  beforeEach() {
    requested.length = 0;
    videojs.log.history.clear();
    // looks on only: each request is made
    window.fetch = (input, init) => {
      requested.push(input instanceof Request ? input.url : String(input));
      return realFetch(input, init);
    };
  },
  async afterEach() {
    window.fetch = realFetch;
    await cleanUp();
  },
});

/** The moment, and what of the network is slow enough for it to be met. */
const MOMENTS: Readonly<
  Record<
    string,
    { readonly map?: object; readonly a?: object; until(player: TestPlayer, world: World): Promise<unknown> }
  >
> = {
  'before its source is set': { until: () => Promise.resolve() },
  'during the lookups': {
    map: { latencyMs: 200 },
    until: (_player, world) => logged(world, ({ server }) => server === 'nameserver:map'),
  },
  'during the race': {
    a: { latencyMs: 300 },
    until: (_player, world) => logged(world, ({ server }) => server === 'edge:a'),
  },
  'when an edge is selected': { until: (player) => once(player, 'edgeselect:selected') },
  'during the first segment': {
    a: { rules: [{ path: SEGMENT.source, stallAfterBytes: 2000 }] },
    until: (_player, world) => logged(world, ({ url, bytes }) => url.endsWith('.ts') && bytes > 0),
  },
  'while an edge is silent': {
    a: { rules: [{ path: SEGMENT.source, silent: true }] },
    until: (_player, world) => logged(world, ({ url }) => url.endsWith('.ts')),
  },
  'while it plays': { a: SLOW, until: (player) => playedTo(player, 0.1) },
};

test.each('nothing happens any more', MOMENTS, async (assert, moment) => {
  const world = await testWorld(network({ a: moment.a ?? {} }, { map: moment.map ?? {} }));
  const player = testPlayer(patient(world));
  player.src(hls(world));
  await moment.until(player, world);
  player.dispose();
  requested.length = 0;
  const late: unknown[] = [];
  player.trigger = (event) => {
    late.push(event);
  };
  await playElsewhere(world);
  assert.deepEqual(late, [], 'no event');
  assert.deepEqual(
    requested.filter((url) => !url.includes('/fmp4/') && !url.includes('/dns-query') && isOf(world, url)),
    [],
    'no request',
  );
  const open = (await world.log()).filter(({ url, tEnd }) => url.endsWith('.ts') && tEnd === null);
  assert.deepEqual(open, [], 'no request is left open');
  assert.deepEqual(logErrors(), [], 'no error');
});

/** Events in whose listener the site disposes of the player. */
const EVENTS = {
  'edgeselect:selected': {},
  'edgeselect:raced': {},
  'edgeselect:reported': {},
  'edgeselect:served': {},
  'edgeselect:failedover': { a: { rules: [{ path: SEGMENT.source, status: 503 }] } },
  'edgeselect:bypassed': { map: { fault: 'nxdomain' } },
};

test.each('may be done in the event', Object.keys(EVENTS) as (keyof typeof EVENTS)[], async (assert, name) => {
  const { a = {}, map = {} }: { a?: object; map?: object } = EVENTS[name];
  const world = await testWorld(network({ a, b: { latencyMs: 100 } }, { map }));
  const player = testPlayer(patient(world));
  const disposed = new Promise<void>((resolve) => {
    player.one(name, () => {
      player.dispose();
      resolve();
    });
  });
  player.src(hls(world));
  await disposed;
  await playElsewhere(world);
  assert.deepEqual(logErrors(), []);
});

module('lifecycle: several players', { afterEach: cleanUp });

test('two players of one service ask the map once, and each plays from the edge', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const players = [testPlayer(patient(world)), testPlayer(patient(world))];
  const [ts, fmp4] = players;
  ts?.src(hls(world));
  fmp4?.src(hls(world, 'fmp4/main.m3u8'));
  await Promise.all(players.map((player) => playedTo(player, 0.5)));
  const questions = (await world.of('nameserver:map')).map(({ body }) => (body as { name: string }).name);
  assert.deepEqual(questions, ['_http._tcp.origin.localhost', 'eu1.token.localhost']);
  assert.strictEqual((await asked(world, 'a', /ts\/\w+-0\.ts/)).length, 1);
  assert.strictEqual((await asked(world, 'a', /fmp4\/low-0\.m4s/)).length, 1);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('a player that is disposed of during the lookups takes nothing from another', async (assert) => {
  const world = await testWorld(network({ a: {} }, { map: { latencyMs: 150 } }));
  const [first, second] = [testPlayer(patient(world)), testPlayer(patient(world))];
  first.src(hls(world));
  second.src(hls(world, 'fmp4/main.m3u8'));
  await logged(world, ({ server }) => server === 'nameserver:map');
  first.dispose();
  await playedTo(second, 0.1);
  assert.strictEqual(second.edgeSelect().selection?.chosen.origin, world.edges.a);
});

test('a player made again with the same id plays from the edge', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const first = testPlayer(patient(world), { id: 'again' });
  const old = first.edgeSelect();
  first.src(hls(world));
  await playedTo(first, 0.1);
  first.dispose();
  const second = testPlayer(patient(world), { id: 'again' });
  const selected = all(second, 'edgeselect:selected');
  second.src(hls(world, 'fmp4/main.m3u8'));
  await playedTo(second, 0.1);
  assert.notStrictEqual(second.edgeSelect(), old);
  assert.strictEqual(selected.length, 1);
  assert.strictEqual((await asked(world, 'a', /fmp4\/low-0\.m4s/)).length, 1);
});

const OURS = ['selected', 'raced', 'reported', 'failedover', 'served', 'switched', 'bypassed', 'warned'].map(
  (name) => `edgeselect:${name}`,
);

/** The names of these events, as they come from now on. */
function heard(player: TestPlayer, names: readonly string[]): readonly string[] {
  const seen: string[] = [];
  for (const name of names) {
    player.on(name, () => {
      seen.push(name);
    });
  }
  return seen;
}

/** Another player waits for the same answers and uses the same servers: when it has played, they have come. */
async function playElsewhere(world: World): Promise<void> {
  await world.patch({ edges: { a: { rules: [], bitsPerSecond: 0 } } });
  const other = testPlayer(patient(world, { report: false }));
  other.src(hls(world, 'fmp4/main.m3u8'));
  await playedTo(other, 0.1);
}

function isOf(world: World, url: string): boolean {
  return Object.values({ ...world.edges, ...world.nameservers }).some((server) =>
    url.startsWith(new URL(server).origin),
  );
}

/** What Video.js logged as an error. */
function logErrors(): unknown[] {
  return (videojs.log.history() as unknown[][]).filter((entry) => entry.includes('ERROR:'));
}
