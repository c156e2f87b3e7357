import QUnit from 'qunit';
import videojs from 'video.js';
import {
  asked,
  cleanUp,
  hls,
  network,
  ORIGIN,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  type HookOptions,
  type TestPlayer,
  type VhsXhr,
  type World,
} from './tools.js';

const { module, test } = QUnit;

/** Video.js types it as anything. */
const globalXhr = (): VhsXhr => (videojs as unknown as { Vhs: { xhr: VhsXhr } }).Vhs.xhr;

/** Undoes what a test did to the page. */
const undo: (() => void)[] = [];

module('hooks', {
  async afterEach() {
    for (const run of undo.splice(0)) run();
    await cleanUp();
  },
});

type Hook = (options: HookOptions) => unknown;

/** Every way in which a site can have a hook. */
const WAYS: Readonly<Record<string, (player: TestPlayer, hook: Hook) => void>> = {
  'a global hook': (_player, hook) => {
    globalXhr().onRequest(hook);
    undo.push(() => {
      globalXhr().offRequest(hook);
    });
  },
  "a player's hook": (player, hook) => {
    onHooksReady(player, (xhr) => {
      xhr.onRequest(hook);
    });
  },
  'the old beforeRequest of the page': (_player, hook) => {
    globalXhr().beforeRequest = hook;
    undo.push(() => {
      delete globalXhr().beforeRequest;
    });
  },
  'the old beforeRequest of the player': (player, hook) => {
    onHooksReady(player, (xhr) => {
      xhr.beforeRequest = hook;
    });
  },
};

/** What a hook may return. */
const RETURNS: Readonly<Record<string, Hook>> = {
  'changes the options in place and returns them': (options) => {
    options.uri += '?viewer=1';
    return options;
  },
  'returns a changed copy': (options) => ({ ...options, uri: `${options.uri}?viewer=1` }),
  'changes the options in place and returns nothing': (options) => {
    options.uri += '?viewer=1';
  },
};

function onHooksReady(player: TestPlayer, run: (xhr: VhsXhr) => void): void {
  player.on('xhr-hooks-ready', () => {
    const { vhs } = player.tech(true);
    if (vhs) run(vhs.xhr);
  });
}

const WAYS_AND_RETURNS = Object.fromEntries(
  Object.keys(WAYS).flatMap((way) =>
    Object.keys(RETURNS).map((returns) => [`${way} that ${returns}`, { way, returns }] as const),
  ),
);

test.each(
  'runs as without the plugin, and the edge still serves',
  WAYS_AND_RETURNS,
  async (assert, { way, returns }) => {
    const world = await testWorld(network({ a: {} }));
    const player = testPlayer(patient(world));
    WAYS[way]?.(player, RETURNS[returns] ?? fail);
    player.src(hls(world));
    await playedTo(player, 0.1);
    const urls = (await asked(world, 'a')).map(({ url }) => url);
    assert.true(urls.length > 2, 'playlists and segments');
    assert.deepEqual(
      urls.filter((url) => !/^[^?]+\?viewer=1$/.test(url)),
      [],
      'each was changed by the hook, once',
    );
    assert.deepEqual(await asked(world, ORIGIN), []);
  },
);

test("leaves the page's hook out for a player that has its own, as VHS does", async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  WAYS['a global hook']?.(player, (options) => ({ ...options, uri: `${options.uri}?global` }));
  WAYS["a player's hook"]?.(player, (options) => ({ ...options, uri: `${options.uri}?own` }));
  player.src(hls(world));
  await playedTo(player, 0.1);
  const queries = (await asked(world, 'a')).map(({ url }) => url.replace(/^[^?]*/, ''));
  assert.deepEqual([...new Set(queries)], ['?own']);
});

test('runs several hooks of a player one after the other', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  for (const letter of ['x', 'y']) {
    WAYS["a player's hook"]?.(player, (options) => ({ ...options, uri: `${options.uri}?${letter}` }));
  }
  player.src(hls(world));
  await playedTo(player, 0.1);
  const queries = (await asked(world, 'a')).map(({ url }) => url.replace(/^[^?]*/, ''));
  assert.deepEqual([...new Set(queries)], ['?x?y']);
});

test('goes where a hook sends a request, past every edge', async (assert) => {
  const { edges, ...rest } = network({ a: {} }) as { edges: object };
  const world = await testWorld({ ...rest, edges: { ...edges, elsewhere: {} } });
  const player = testPlayer(patient(world));
  WAYS['a global hook']?.(player, (options) => ({
    ...options,
    uri: options.uri.endsWith('.ts')
      ? options.uri.replace(serverOf(world, ORIGIN), serverOf(world, 'elsewhere'))
      : options.uri,
  }));
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.true((await asked(world, 'elsewhere', /\.ts/)).length > 0);
  assert.deepEqual(await asked(world, 'a', /\.ts/), []);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test.each('gives response hooks the request as the service answered it', ['page', 'player'], async (assert, whose) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  const seen: { readonly uri: string; readonly url: string; readonly status: number; readonly hasHeaders: boolean }[] =
    [];
  const hook = (request: XMLHttpRequest & { uri: string }, error: unknown, response: object): void => {
    assert.notOk(error);
    const hasHeaders = 'headers' in response && request.getResponseHeader('content-type') !== null;
    seen.push({ uri: request.uri, url: request.responseURL, status: request.status, hasHeaders });
  };
  if (whose === 'page') {
    globalXhr().onResponse(hook);
    undo.push(() => {
      globalXhr().offResponse(hook);
    });
  } else {
    onHooksReady(player, (xhr) => {
      xhr.onResponse(hook);
    });
  }
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.true(seen.some(({ url }) => url.endsWith('/ts/main.m3u8')) && seen.some(({ url }) => url.endsWith('.ts')));
  for (const { uri, url, status, hasHeaders } of seen) {
    assert.strictEqual(url, uri);
    assert.true(url.startsWith(serverOf(world, ORIGIN)), url);
    assert.strictEqual(status, 200);
    assert.true(hasHeaders);
  }
});

/** Ways to put a header on a request. */
const HEADERS: Readonly<Record<string, Hook>> = {
  'the options': (options) => ({ ...options, headers: { ...options.headers, Authorization: 'Bearer secret' } }),
  beforeSend: (options) => ({
    ...options,
    beforeSend(xhr: XMLHttpRequest) {
      xhr.setRequestHeader('Authorization', 'Bearer secret');
    },
  }),
};

test.each(
  "sends a site's own header to the origin alone, where no host is allowed it",
  HEADERS,
  async (assert, hook) => {
    const world = await testWorld(network({ a: {} }));
    const player = testPlayer(patient(world));
    WAYS['a global hook']?.(player, hook);
    player.src(hls(world));
    await playedTo(player, 0.1);
    assert.deepEqual(await authorizations(world, ORIGIN), ['Bearer secret']);
    assert.deepEqual((await asked(world, 'a')).length, 0, 'no request went to the edge without its header');
    const atEdge = (await world.of('edge:a')).filter(({ headers }) => headers.authorization !== undefined);
    assert.deepEqual(atEdge, [], 'and no probe with it');
  },
);

test.each("sends a site's own header to an allowed edge", HEADERS, async (assert, hook) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world, { allowedHosts: ['a.localhost'] }));
  WAYS['a global hook']?.(player, hook);
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.deepEqual(await authorizations(world, 'a'), ['Bearer secret']);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

/** What the requests carried, each value once. */
async function authorizations(world: World, server: string): Promise<unknown[]> {
  return [...new Set((await asked(world, server)).map(({ headers }) => headers.authorization))];
}

function serverOf(world: World, name: string): string {
  return world.edges[name] ?? fail();
}

function fail(): never {
  throw new Error('the test is wrong: no such thing');
}
