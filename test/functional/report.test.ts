import QUnit from 'qunit';
import type { EdgeSelectOptions } from '../../src/index.js';
import {
  cleanUp,
  hls,
  network,
  once,
  ORIGIN,
  playedTo,
  testPlayer,
  testWorld,
  type Entry,
  type World,
} from './tools.js';
import { asked, edge, EDGES_ALONE, nameserver, requests, SERVICE, srv, TOKEN } from './worlds.js';

const { module, test } = QUnit;

module('report', { afterEach: cleanUp });

const PATH = '/.well-known/edge-select';
/** `b` wins. */
const EDGES = { a: { latencyMs: 400 }, b: {}, c: { fault: 'status:503' } };

interface Reported {
  readonly player: ReturnType<typeof testPlayer>;
  readonly accepted: boolean;
}

async function reportOf(world: World, options: Partial<EdgeSelectOptions> = {}): Promise<Reported> {
  const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE, ...options });
  const reported = once(player, 'edgeselect:reported');
  player.src(hls(world));
  const { accepted } = await reported;
  return { player, accepted };
}

/** What an edge's own log holds of reports. */
async function posts(world: World, name = 'b', path = PATH): Promise<Entry[]> {
  return (await world.of(`edge:${name}`)).filter(({ url }) => url.startsWith(path));
}

interface Report {
  readonly v: number;
  readonly session: string;
  readonly tokens: readonly string[];
  readonly edges: readonly Readonly<Record<string, unknown>>[];
  readonly [member: string]: unknown;
}
const read = (entry: Entry | undefined): Report => JSON.parse(String(entry?.body)) as Report;

test('the chosen edge gets one report, as a POST of plain text that needs no CORS preflight', async (assert) => {
  const world = await testWorld(network(EDGES));
  const { player, accepted } = await reportOf(world);
  await playedTo(player, 0.3);
  assert.true(accepted);
  const entries = await posts(world);
  assert.deepEqual(
    entries.map(({ method, url, status, headers }) => [method, url, status, headers['content-type']]),
    [['POST', PATH, 204, 'text/plain']],
  );
  for (const other of ['a', 'c', ORIGIN]) assert.deepEqual(await posts(world, other), [], other);
});

test('it holds the service, the choice and its reason, and every edge with its probe', async (assert) => {
  const world = await testWorld(network(EDGES));
  await reportOf(world);
  const report = read((await posts(world))[0]);
  assert.propContains(report, { v: 1, service: SERVICE, chosen: edge(world, 'b'), reason: 'quickest' });
  assert.true(/^[\da-f]{32}$/.test(report.session), report.session);
  const byOrigin = (name: string) => report.edges.find(({ origin }) => origin === edge(world, name));
  assert.strictEqual(report.edges.length, 3);
  assert.propContains(byOrigin('a'), { rank: 0, method: 'GET', outcome: 'ok', status: 200 });
  assert.propContains(byOrigin('b'), { outcome: 'ok', capabilities: { protocol: 'http/1.1', ranges: true } });
  assert.propContains(byOrigin('c'), { outcome: 'status', status: 503 });
  assert.true(Number(byOrigin('a')?.elapsedMs) >= 400, 'with times');
});

test('it tells the token by its digest alone, and the client by another number than the map knows', async (assert) => {
  const world = await testWorld(network(EDGES));
  await reportOf(world);
  const [entry] = await posts(world);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(TOKEN));
  const hex = Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  assert.deepEqual(read(entry).tokens, [hex]);
  const [question] = await asked(world);
  assert.strictEqual(question?.idFrom, 'edns');
  assert.false(String(entry?.body).includes(question?.id ?? ''));
  const ofServers = (await world.log()).filter(({ server }) => server.startsWith('edge:'));
  assert.false(JSON.stringify(ofServers).includes(TOKEN), 'no edge and no origin is told a token, in any request');
});

test('it carries no cookie, and nothing of the query string', async (assert) => {
  const world = await testWorld(network({ b: { credentials: true } }));
  // an edge on the host of the page, whose cookies hold for every port
  const { port } = new URL(edge(world, 'b'));
  const zones = { [SERVICE]: [srv(TOKEN)], [TOKEN]: [srv('localhost', { port: Number(port) })] };
  await world.patch({ nameservers: { map: { zones } } });
  document.cookie = 'viewer=7';
  const url = `http://localhost:${port}/ts/low.m3u8`;
  await fetch(url, { credentials: 'include' });
  const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE });
  const reported = once(player, 'edgeselect:reported');
  player.src(hls(world, 'ts/main.m3u8?viewer=seven'));
  await reported;
  document.cookie = 'viewer=; max-age=0';
  const [first] = await world.of('edge:b');
  assert.strictEqual(first?.headers.cookie, 'viewer=7', 'the browser has one for this edge');
  const entry = (await posts(world))[0];
  assert.deepEqual([entry?.method, entry?.headers.cookie], ['POST', undefined]);
  assert.false(String(entry?.body).includes('seven'));
});

test("`edges: 'anonymous'` hides the names of the other edges, and what they told of themselves", async (assert) => {
  const world = await testWorld(network(EDGES));
  await reportOf(world, { report: { edges: 'anonymous' } });
  const [entry] = await posts(world);
  const { edges } = read(entry);
  assert.strictEqual(edges.length, 3);
  assert.deepEqual(
    edges.flatMap(({ origin }) => origin ?? []),
    [edge(world, 'b')],
  );
  assert.strictEqual(edges.filter((one) => 'capabilities' in one).length, 1);
  for (const name of ['a', 'c']) assert.false(String(entry?.body).includes(edge(world, name)), name);
});

test("`edges: 'chosen'` tells the chosen edge of itself alone", async (assert) => {
  const world = await testWorld(network(EDGES));
  await reportOf(world, { report: { edges: 'chosen' } });
  assert.deepEqual(
    read((await posts(world))[0]).edges.map(({ origin }) => origin),
    [edge(world, 'b')],
  );
});

test('the site may add members and choose the path', async (assert) => {
  const world = await testWorld(network({ b: { reportPath: '/reports' } }));
  await reportOf(world, { report: { path: '/reports', fields: () => ({ campaign: 'spring' }) } });
  assert.strictEqual(read((await posts(world, 'b', '/reports'))[0]).campaign, 'spring');
  assert.deepEqual(await posts(world), []);
});

test('`report: false` sends none', async (assert) => {
  const world = await testWorld(network(EDGES));
  const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE, report: false });
  const raced = once(player, 'edgeselect:raced');
  player.src(hls(world));
  await raced;
  await playedTo(player, 0.5);
  assert.deepEqual(await posts(world), []);
});

const REFUSALS = [
  ['refused', { rules: [{ method: 'POST', status: 403 }] }],
  ['answered without CORS headers', { rules: [{ method: 'POST', cors: false }] }],
  ['not answered at all', { rules: [{ method: 'POST', reset: true }] }],
] as const;
for (const [how, rules] of REFUSALS) {
  test(`a report that is ${how} is the last that this edge gets from the page, and playback goes on`, async (assert) => {
    const world = await testWorld(network({ b: rules }));
    const { player, accepted } = await reportOf(world);
    assert.false(accepted);
    await playedTo(player, 0.3);
    assert.strictEqual(player.edgeSelect().state, 'steady');
    const before = (await posts(world)).length;
    const other = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE, client: { id: 'another' } });
    const raced = once(other, 'edgeselect:raced');
    other.src(hls(world));
    assert.strictEqual((await raced).selection.chosen.origin, edge(world, 'b'));
    await playedTo(other, 0.3);
    assert.strictEqual((await posts(world)).length, before);
    assert.notDeepEqual(await requests(world, 'b', '.ts'), []);
  });
}

test('a report that is never answered is not in the way of playback', async (assert) => {
  const world = await testWorld(network({ b: { rules: [{ method: 'POST', silent: true }] } }));
  const player = testPlayer({ nameserver: nameserver(world), ...EDGES_ALONE });
  player.src(hls(world));
  await playedTo(player, 2.5);
  assert.strictEqual((await posts(world)).length, 1);
  assert.strictEqual(player.edgeSelect().state, 'steady');
});

test('after a switch the new edge gets a report that names the one before', async (assert) => {
  const world = await testWorld(network({ a: { latencyMs: 400 }, b: { rules: [{ path: '\\.ts$', status: 503 }] } }));
  const { player } = await reportOf(world);
  const switched = once(player, 'edgeselect:switched');
  const reported = once(player, 'edgeselect:reported');
  await Promise.all([playedTo(player, 0.3), switched, reported]);
  const [entry] = await posts(world, 'a');
  assert.propContains(read(entry), { chosen: edge(world, 'a'), from: edge(world, 'b') });
});
