import QUnit from 'qunit';
import type { EdgeSelectOptions, Selection } from '../../src/index.js';
import { closePages, testPage } from './page.js';
import {
  all,
  cleanUp,
  engine,
  hls,
  network,
  once,
  ORIGIN,
  playedTo,
  testPlayer,
  testWorld,
  type World,
} from './tools.js';
import { edge, EDGES_ALONE, nameserver, ranked, requests } from './worlds.js';

const { module, test } = QUnit;

module('race', {
  afterEach: async () => {
    closePages();
    sessionStorage.clear();
    await cleanUp();
  },
});

interface Raced {
  readonly player: ReturnType<typeof testPlayer>;
  readonly selection: Selection;
  /** The edge of this name as the race left it, such as `ok 200`. */
  readonly outcome: (name: string) => string;
}

async function raceOf(
  world: World,
  options: Partial<EdgeSelectOptions> = {},
  path?: string,
  player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE, ...options }),
): Promise<Raced> {
  const raced = once(player, 'edgeselect:raced');
  player.src(hls(world, path));
  const { selection } = await raced;
  const outcome = (name: string): string => {
    const probe = selection.probes.find((one) => one.edge.origin === edge(world, name));
    return probe ? `${probe.outcome} ${String(probe.status)}` : 'did not run';
  };
  return { player, selection, outcome };
}

const MANIFEST = '/ts/main.m3u8';

test('a race by GET costs the winner nothing: the manifest that it raced with is the one that is played', async (assert) => {
  const world = await testWorld(network({ a: { latencyMs: 400 }, b: {} }));
  const { player, selection } = await raceOf(world);
  assert.strictEqual(selection.chosen.origin, edge(world, 'b'));
  await playedTo(player, 0.5);
  assert.deepEqual(await requests(world, 'b', MANIFEST), [`GET ${MANIFEST}`]);
  assert.deepEqual(await requests(world, 'a'), [`GET ${MANIFEST}`], 'the other one ran, and that is all');
  assert.deepEqual(await requests(world, ORIGIN), [], 'the origin was not needed');
});

/** What the browser sends before it sends OPTIONS to another origin is an OPTIONS too. */
const METHODS = [
  { preflight: 'HEAD', ran: [`HEAD ${MANIFEST}`], path: MANIFEST },
  { preflight: 'OPTIONS', ran: [`OPTIONS ${MANIFEST}`, `OPTIONS ${MANIFEST}`], path: MANIFEST },
  { preflight: 'auto', ran: [`HEAD ${MANIFEST}?ticket=1`], path: `${MANIFEST}?ticket=1` },
] as const;
for (const { preflight, ran, path } of METHODS) {
  const what = path === MANIFEST ? '' : ', for a URL with a query string,';
  test(`a race by ${preflight}${what} asks each edge so, and the winner alone for the manifest`, async (assert) => {
    const world = await testWorld(network({ a: { latencyMs: 400 }, b: {} }));
    const { player, selection } = await raceOf(world, { preflight }, path.slice(1));
    assert.strictEqual(selection.chosen.origin, edge(world, 'b'));
    await playedTo(player, 0.3);
    assert.deepEqual(await requests(world, 'a'), [...ran]);
    assert.deepEqual(await requests(world, 'b', MANIFEST), [...ran, `GET ${path}`]);
  });
}

test('a URL with a query string is raced by GET where the site says so', async (assert) => {
  const world = await testWorld(network({ a: {}, b: {} }));
  const path = `${MANIFEST}?ticket=1`;
  await raceOf(world, { preflight: 'GET' }, path.slice(1));
  for (const name of ['a', 'b']) assert.deepEqual(await requests(world, name, MANIFEST), [`GET ${path}`]);
});

test('where no edge answers OPTIONS the race is run once more by HEAD, with a warning', async (assert) => {
  const noOptions = { rules: [{ method: 'OPTIONS', status: 405 }] };
  const world = await testWorld(network({ a: { ...noOptions, latencyMs: 400 }, b: noOptions }));
  const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE, preflight: 'OPTIONS' });
  const warnings = all(player, 'edgeselect:warned');
  const { selection } = await raceOf(world, {}, undefined, player);
  assert.strictEqual(selection.chosen.origin, edge(world, 'b'));
  assert.true((await requests(world, 'a')).includes(`HEAD ${MANIFEST}`));
  assert.deepEqual(
    warnings.map(({ text }) => text),
    ['no edge gave a readable answer to OPTIONS; trying HEAD'],
  );
});

test('only the best class runs while an edge in it answers', async (assert) => {
  const world = await testWorld(
    ranked({ slow: { srv: { priority: 1 }, edge: { latencyMs: 400 } }, quick: { srv: { priority: 2 } } }),
  );
  const { selection } = await raceOf(world);
  assert.strictEqual(selection.chosen.origin, edge(world, 'slow'));
  assert.deepEqual(await requests(world, 'quick'), []);
});

test('the next class runs when nobody in the best one answers', async (assert) => {
  const world = await testWorld(
    ranked({ dead: { srv: { priority: 1 }, edge: { fault: 'refuse' } }, alive: { srv: { priority: 2 } } }),
  );
  const { selection, outcome } = await raceOf(world);
  assert.strictEqual(selection.chosen.origin, edge(world, 'alive'));
  assert.strictEqual(outcome('dead'), 'unreachable null');
});

test('of more edges than may run, weights decide who does', async (assert) => {
  const world = await testWorld(
    ranked({ heavy: { srv: { weight: 100 }, edge: { latencyMs: 400 } }, none: { srv: { weight: 0 } } }),
  );
  const { selection } = await raceOf(world, { maxEdges: 1 });
  assert.strictEqual(selection.chosen.origin, edge(world, 'heavy'));
  assert.deepEqual(await requests(world, 'none'), []);
  assert.strictEqual(selection.edges.length, 2, 'the other one is known all the same');
});

const LOSERS: readonly (readonly [what: string, edge: object, outcome: string, rules?: object])[] = [
  ['a quick 429', { fault: 'status:429' }, 'status 429'],
  ['a quick 503', { fault: 'status:503' }, 'status 503'],
  ['an edge that refuses connections', { fault: 'refuse' }, 'unreachable null'],
  ['an edge that resets connections', { fault: 'reset' }, 'unreachable null'],
  ['a quick edge without CORS headers', { cors: false }, 'unreachable null'],
  ['a silent edge', { fault: 'silent' }, 'late null', { preflightTimeoutMs: 1200 }],
];
for (const [what, bad, expected, options] of LOSERS) {
  test(`${what} never wins, and is recorded as ${expected}`, async (assert) => {
    const world = await testWorld(network({ bad, good: { latencyMs: 400 } }));
    const { player, selection, outcome } = await raceOf(world, options);
    assert.strictEqual(selection.chosen.origin, edge(world, 'good'));
    assert.strictEqual(outcome('bad'), expected);
    assert.strictEqual(outcome('good'), 'ok 200');
    await playedTo(player, 0.3);
    assert.deepEqual(await requests(world, 'bad', '.ts'), []);
  });
}

const NO_MANIFEST = {
  'a login page': { html: true },
  'an empty body': { body: '', type: 'application/vnd.apple.mpegurl' },
  'an error in JSON': { body: '{"error":"no such zone"}', type: 'application/json' },
  'nothing, which is a success': { status: 204 },
} as const;
for (const [what, rule] of Object.entries(NO_MANIFEST)) {
  test(`a quick edge that gives ${what} in place of the manifest is left for the next`, async (assert) => {
    const world = await testWorld(network({ broken: { rules: [rule] }, good: { latencyMs: 400 } }));
    const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE });
    const failures = all(player, 'edgeselect:failedover');
    player.src(hls(world));
    await playedTo(player, 0.5);
    assert.propContains(failures[0], { from: edge(world, 'broken'), to: edge(world, 'good'), because: 'notmedia' });
    assert.notDeepEqual(await requests(world, 'good', '.ts'), []);
  });
}

const MOVE_AWAY = { 'CMSD-Dynamic': '"a";du' };
const ASKED_TO_MOVE = [
  ['the quickest edge wins', {}, 'a'],
  ['the quickest edge loses when it asks its clients to move away (CMSD `du`)', { headers: MOVE_AWAY }, 'b'],
  ['an edge that does not expose its CMSD header is not heard', { headers: MOVE_AWAY, expose: 'Date' }, 'a'],
] as const;
for (const [title, quick, winner] of ASKED_TO_MOVE) {
  test(title, async (assert) => {
    // b answers within as long again as a took, and well after it
    const world = await testWorld(network({ a: { latencyMs: 500, ...quick }, b: { latencyMs: 750 } }));
    const { selection } = await raceOf(world);
    assert.strictEqual(selection.chosen.origin, edge(world, winner));
  });
}

test('an edge that asks to move away serves where it is the only one', async (assert) => {
  const world = await testWorld(network({ a: { headers: MOVE_AWAY } }));
  const { selection } = await raceOf(world);
  assert.strictEqual(selection.chosen.origin, edge(world, 'a'));
  assert.strictEqual(selection.reason, 'only');
  assert.true(selection.probes[0]?.capabilities.moveAway);
});

test('what edges tell of themselves, and what the browser measured, is in the selection', async (assert) => {
  const headers = { 'CMSD-Dynamic': '"a";etp=20000;mb=5000;rd=3', 'Server-Timing': 'cache;desc=hit' };
  const world = await testWorld(network({ a: { headers, latencyMs: 100 } }));
  const { selection } = await raceOf(world);
  const [probe] = selection.probes;
  assert.propContains(probe, {
    method: 'GET',
    outcome: 'ok',
    status: 200,
    capabilities: {
      protocol: 'http/1.1',
      ranges: true,
      serverTiming: 'cache;desc=hit',
      etpKbps: 20_000,
      maxBitrateKbps: 5000,
      responseDelayMs: 3,
    },
  });
  const { length = 0 } = probe?.capabilities ?? {};
  assert.true(length > 0, 'the length of the manifest');
  assert.true((probe?.elapsedMs ?? 0) >= 100 && (probe?.requestMs ?? 0) >= 100, 'both clocks saw the latency');
});

test("the browser's own measure is missing where an edge hides it (Timing-Allow-Origin)", async (assert) => {
  const world = await testWorld(network({ a: { timingAllowOrigin: false } }));
  const { selection } = await raceOf(world);
  const [probe] = selection.probes;
  assert.propContains(probe, { outcome: 'ok', requestMs: null });
  assert.strictEqual(probe?.capabilities.protocol, undefined);
});

test('a cached manifest cannot make a dead edge win', async (assert) => {
  const world = await testWorld(network({ cached: {}, alive: { latencyMs: 400 } }));
  const url = edge(world, 'cached') + MANIFEST;
  for (let times = 0; times < 2; times += 1) await (await fetch(url)).text();
  // under its driver WebKitGTK asks again for what it may keep
  const asks = Array.from({ length: engine === 'webkit' ? 2 : 1 }, () => `GET ${MANIFEST}`);
  assert.deepEqual(await requests(world, 'cached'), asks, 'it is in the cache');
  await world.patch({ edges: { cached: { fault: 'refuse' } } });
  const { selection, outcome } = await raceOf(world);
  assert.strictEqual(selection.chosen.origin, edge(world, 'alive'));
  assert.strictEqual(outcome('cached'), 'unreachable null');
});

test('an edge that failed is not raced again by another player of the page within its cool-down', async (assert) => {
  const world = await testWorld(network({ bad: { fault: 'status:503' }, good: { latencyMs: 100 } }));
  await raceOf(world);
  await world.patch({ edges: { bad: { fault: null } } });
  // another client is another search, which finds the same edges
  const { selection, outcome } = await raceOf(world, { client: { id: 'another' } });
  assert.strictEqual(selection.edges.length, 2);
  assert.strictEqual(outcome('bad'), 'did not run');
  assert.deepEqual(await requests(world, 'bad'), [`GET ${MANIFEST}`], 'that of the first race');
});

test('the origin wins a race by GET when it is the first with a good answer', async (assert) => {
  const world = await testWorld(network({ a: { latencyMs: 1000 } }));
  const player = testPlayer({ nameserver: nameserver(world), originAfterMs: 50 });
  const served = all(player, 'edgeselect:served');
  const { selection } = await raceOf(world, {}, undefined, player);
  assert.strictEqual(served[0]?.edge, edge(world, ORIGIN), 'the manifest came from there');
  assert.strictEqual(selection.chosen.origin, edge(world, 'a'), 'what follows goes to the edge');
});

test('with `remember`, the next page asks the chosen edge at once, and no token is kept', async (assert) => {
  const world = await testWorld(network({ a: { latencyMs: 400 }, b: {} }));
  const options = { nameserver: nameserver(world), ...EDGES_ALONE, remember: true };
  const first = await testPage();
  await raceOf(world, {}, undefined, first.player(options));
  assert.false(JSON.stringify(sessionStorage).includes('token'));

  await world.patch({ nameservers: { map: { fault: 'swallow' } } });
  const next = (await testPage()).player(options);
  const served = all(next, 'edgeselect:served');
  next.src(hls(world, 'fmp4/main.m3u8'));
  await playedTo(next, 0.3);
  assert.notStrictEqual(served.length, 0);
  assert.true(
    served.every(({ edge: by }) => by === edge(world, 'b')),
    'though the map does not answer',
  );
  assert.deepEqual(await requests(world, 'a', 'fmp4'), []);
});

test('with `remember`, when the lookups fail, what follows comes from the origin, as the event says', async (assert) => {
  // slow enough that the stream is not loaded yet when the lookup runs out of time
  const world = await testWorld(network({ a: { bitsPerSecond: 200_000 } }));
  const options = { nameserver: nameserver(world), ...EDGES_ALONE, remember: true };
  await raceOf(world, {}, undefined, (await testPage()).player(options));
  await world.patch({ nameservers: { map: { fault: 'swallow' } } });
  const next = (await testPage()).player({ ...options, lookupTimeoutMs: 500 });
  const served = all(next, 'edgeselect:served');
  const bypassed = once(next, 'edgeselect:bypassed');
  next.src(hls(world, 'fmp4/main.m3u8'));
  await playedTo(next, 2);
  assert.strictEqual((await bypassed).error.code, 'LOOKUP_TIMEOUT');
  assert.strictEqual(served[0]?.edge, edge(world, 'a'));
  assert.notDeepEqual(await requests(world, ORIGIN, '.m4s'), []);
});

test('without `remember`, nothing of the choice is kept for the next page', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  await raceOf(world);
  assert.false(JSON.stringify(sessionStorage).includes(edge(world, 'a')));
});
