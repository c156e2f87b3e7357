import QUnit from 'qunit';
import videojs from 'video.js';
import type { EdgeSelectOptions, ErrorCode } from '../../src/index.js';
import { closePages, testPage } from './page.js';
import {
  all,
  cleanUp,
  hls,
  once,
  ORIGIN,
  playedTo,
  testPlayer,
  testWorld,
  type TestPlayer,
  type World,
} from './tools.js';
import { asked, edge, nameserver, requests, SERVICE, srv, TOKEN } from './worlds.js';

const { module, test } = QUnit;

module('failopen', {
  afterEach: async () => {
    closePages();
    await cleanUp();
  },
});

/** Long enough to need a segment, which is what shows who serves. */
const PLAYED_SECONDS = 0.5;

interface Row {
  /** The end of the title. */
  readonly when: string;
  readonly code: ErrorCode;
  readonly map?: object;
  /** What both edges are like. */
  readonly edges?: object;
  readonly options?: Partial<EdgeSelectOptions>;
  readonly source?: object;
}

const zones = (tokens: readonly object[], servers?: readonly object[]): object => ({
  zones: { [SERVICE]: tokens, ...(servers && { [TOKEN]: servers }) },
});
const brief = { lookupTimeoutMs: 300, preflightTimeoutMs: 300 };
const REFUSED_BY_STATUS = [401, 403, 404, 429, 500, 503];

const ROWS: readonly Row[] = [
  { when: 'the nameserver is silent', code: 'LOOKUP_TIMEOUT', map: { fault: 'swallow' }, options: brief },
  { when: 'the nameserver never ends its answer', code: 'LOOKUP_TIMEOUT', map: { fault: 'slowbody' }, options: brief },
  { when: 'the nameserver refuses connections', code: 'LOOKUP_UNREACHABLE', map: { fault: 'refuse' } },
  { when: 'the nameserver lacks CORS headers', code: 'LOOKUP_UNREACHABLE', map: { fault: 'noCors' } },
  { when: 'the nameserver answers 500', code: 'LOOKUP_STATUS', map: { fault: 'http500' } },
  { when: 'a captive portal answers for the nameserver', code: 'LOOKUP_TYPE', map: { fault: 'html' } },
  { when: 'the answer has the wrong media type', code: 'LOOKUP_TYPE', map: { fault: 'wrongtype' } },
  { when: 'the service does not exist', code: 'LOOKUP_NXDOMAIN', map: { fault: 'nxdomain' } },
  { when: 'the service has no SRV record', code: 'LOOKUP_NODATA', map: { fault: 'nodata' } },
  { when: 'the nameserver fails', code: 'LOOKUP_SERVFAIL', map: { fault: 'servfail' } },
  { when: 'the nameserver declines to answer', code: 'LOOKUP_RCODE', map: { fault: 'refused' } },
  { when: 'the answer is truncated', code: 'LOOKUP_TRUNCATED', map: { fault: 'truncated' } },
  { when: 'the answer is garbage', code: 'LOOKUP_GARBLED', map: { fault: 'garbage' } },
  { when: 'a name in the answer points to itself', code: 'LOOKUP_GARBLED', map: { fault: 'pointerloop' } },
  { when: 'the map says that the service is not there (".")', code: 'TOKENS_EMPTY', map: zones([srv('.')]) },
  { when: 'no such token is known', code: 'LOOKUP_NXDOMAIN', map: zones([srv(TOKEN)]) },
  { when: 'the token has no server', code: 'SERVERS_EMPTY', map: zones([srv(TOKEN)], []) },
  { when: 'the token says that no server is there (".")', code: 'SERVERS_EMPTY', map: zones([srv(TOKEN)], [srv('.')]) },
  {
    when: 'the only server has a name that is none of a host',
    code: 'SERVERS_EMPTY',
    map: zones([srv(TOKEN)], [srv('bad_name.localhost', { port: 80 })]),
  },
  { when: 'no server is of an allowed host', code: 'SERVERS_EMPTY', options: { allowedHosts: ['cdn.example'] } },
  { when: 'every edge refuses connections', code: 'EDGES_FAILED', edges: { fault: 'refuse' } },
  { when: 'every edge resets connections', code: 'EDGES_FAILED', edges: { fault: 'reset' } },
  { when: 'every edge is silent', code: 'EDGES_FAILED', edges: { fault: 'silent' }, options: brief },
  { when: 'every edge lacks CORS headers', code: 'EDGES_UNREADABLE', edges: { cors: false } },
  ...REFUSED_BY_STATUS.map((status): Row => ({
    when: `every edge answers ${String(status)}`,
    code: 'EDGES_FAILED',
    edges: { fault: `status:${String(status)}` },
  })),
  {
    when: 'the resolver of the site throws',
    code: 'LOOKUP_FAILED',
    options: { resolver: { resolve: () => Promise.reject(new Error('out of order')) } },
  },
  {
    when: '`discover` of the site throws',
    code: 'LOOKUP_FAILED',
    options: {
      discover: () => {
        throw new Error('out of order');
      },
    },
  },
  { when: '`discover` finds nothing', code: 'SERVERS_EMPTY', options: { discover: () => Promise.resolve([]) } },
  {
    when: 'the source wants credentials and no host is allowed to have them',
    code: 'CREDENTIALS_NOT_ALLOWED',
    source: { withCredentials: true },
  },
  { when: 'an option is wrong', code: 'OPTIONS_INVALID', options: { originAfterMs: -1 } },
  {
    when: 'an option of the source is wrong',
    code: 'OPTIONS_INVALID',
    source: { edgeSelect: { preflight: 'POST' } },
  },
];

for (const { when, code, map, edges, options, source } of ROWS) {
  test(`the stream plays on from the origin when ${when}: ${code}`, async (assert) => {
    const world = await networkOf(map, edges);
    const player = testPlayer({ nameserver: nameserver(world), ...options });
    await playsFromOrigin(assert, player, world, code, source);
  });
}

test('the stream plays on from the origin when the site replaced `videojs.Vhs.xhr`: VHS_REPLACED', async (assert) => {
  const world = await networkOf();
  const { Vhs, xhr } = videojs as unknown as { Vhs: { xhr: unknown }; xhr(...args: unknown[]): unknown };
  const own = Vhs.xhr;
  const seen: string[] = [];
  Vhs.xhr = (options: { uri: string }, done: unknown) => {
    seen.push(options.uri);
    return xhr(options, done);
  };
  try {
    const player = testPlayer({ nameserver: nameserver(world) });
    await playsFromOrigin(assert, player, world, 'VHS_REPLACED');
    assert.strictEqual(seen[0], hls(world).src, 'the function of the site is in use');
  } finally {
    Vhs.xhr = own;
  }
});

test('the stream plays on from the origin when VHS has no request hooks, as before Video.js 8.5: VHS_REPLACED', async (assert) => {
  const world = await networkOf();
  const player = testPlayer({ nameserver: nameserver(world) });
  const trigger = player.trigger.bind(player);
  Object.assign(player, {
    trigger(...event: Parameters<typeof trigger>) {
      if (event[0] !== 'xhr-hooks-ready') trigger(...event);
      else delete (player.tech(true).vhs?.xhr as { onRequest?: unknown } | undefined)?.onRequest;
    },
  });
  await playsFromOrigin(assert, player, world, 'VHS_REPLACED');
});

test("the stream plays on from the origin when the page's policy forbids the nameserver: LOOKUP_BLOCKED", async (assert) => {
  const world = await networkOf();
  const page = await testPage([edge(world, ORIGIN), edge(world, 'a'), edge(world, 'b')]);
  await playsFromOrigin(assert, page.player({ nameserver: nameserver(world) }), world, 'LOOKUP_BLOCKED');
  assert.deepEqual(await asked(world), []);
});

test("the stream plays on from the origin when the page's policy forbids every edge: EDGES_BLOCKED", async (assert) => {
  const world = await networkOf();
  const page = await testPage([edge(world, ORIGIN), new URL(nameserver(world)).origin]);
  await playsFromOrigin(assert, page.player({ nameserver: nameserver(world) }), world, 'EDGES_BLOCKED');
  assert.deepEqual([...(await requests(world, 'a')), ...(await requests(world, 'b'))], []);
});

test('the stream plays on from the origin when every edge failed a short while ago: EDGES_COOLING', async (assert) => {
  const world = await networkOf(undefined, { fault: 'status:503' });
  const first = testPlayer({ nameserver: nameserver(world) });
  await playsFromOrigin(assert, first, world, 'EDGES_FAILED');
  const before = await requests(world, 'a');
  await playsFromOrigin(assert, testPlayer({ nameserver: nameserver(world) }), world, 'EDGES_COOLING');
  assert.deepEqual(await requests(world, 'a'), before, 'an edge in its cool-down is not asked');
});

/** A map that leads to two edges that work, unless it is told otherwise. */
function networkOf(map: object = {}, edges: object = {}): Promise<World> {
  return testWorld({
    nameservers: { map: { ...zones([srv(TOKEN)], [srv('edge:a'), srv('edge:b')]), ...map } },
    // credentials: for the source that is asked for with them
    edges: { a: edges, b: edges, [ORIGIN]: { credentials: true } },
  });
}

async function playsFromOrigin(
  assert: Assert,
  player: TestPlayer,
  world: World,
  code: ErrorCode,
  source: object = {},
): Promise<void> {
  const bypasses = all(player, 'edgeselect:bypassed');
  const served = all(player, 'edgeselect:served');
  const bypassed = once(player, 'edgeselect:bypassed');
  player.src({ ...hls(world), ...source });
  await playedTo(player, PLAYED_SECONDS);
  await bypassed;
  assert.deepEqual(
    bypasses.map(({ error }) => error.code),
    [code],
    'one event names the code',
  );
  const told = bypasses.map(({ error }) => `${error.message} ${JSON.stringify(error.details)}`).join();
  assert.false(told.includes(TOKEN), 'and no token');
  assert.strictEqual(player.edgeSelect().state, 'bypassed');
  assert.strictEqual(player.edgeSelect().selection, null);
  assert.strictEqual(player.error(), null);
  const elsewhere = served.filter(({ edge: by }) => by !== edge(world, ORIGIN));
  assert.deepEqual(elsewhere, [], 'nobody else served');
  assert.deepEqual([...(await requests(world, 'a', '.ts')), ...(await requests(world, 'b', '.ts'))], []);
  assert.notDeepEqual(await requests(world, ORIGIN, '.ts'), []);
}
