import QUnit from 'qunit';
import type { EdgeSelectEvents, EdgeSelectOptions } from '../../src/index.js';
import {
  all,
  asked,
  cleanUp,
  logged,
  network,
  once,
  ORIGIN,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  until,
  type TestPlayer,
  type World,
} from './tools.js';

const { module, test } = QUnit;

/** A segment of 3 s takes 1.4 s, so that there is something left to load for twenty seconds. */
const RATE = { bitsPerSecond: 300_000 };
const SERVICE = '_http._tcp.origin.localhost';

module('refresh', { afterEach: cleanUp });

/** The map's answer: it runs out as soon as the plugin lets one run out, which is after 5 s. */
function map(edges: readonly string[], token = 'eu1.token.localhost'): object {
  const srv = { type: 'SRV', ttl: 1, priority: 10, weight: 10 };
  return {
    [SERVICE]: [{ ...srv, port: 8053, target: token }],
    [token]: edges.map((edge) => ({ ...srv, target: `edge:${edge}` })),
  };
}

/** Edges by name, of which the map gives the first ones. */
async function moving(edges: Readonly<Record<string, object>>, first: readonly string[]): Promise<World> {
  return testWorld(network(edges, { media: 'demo/media', map: { zones: map(first) } }));
}

/** Plays, with every event that would tell of a new source. */
async function playing(
  world: World,
  options: Partial<EdgeSelectOptions> = {},
): Promise<{ readonly player: TestPlayer; readonly seen: readonly string[]; readonly src: string }> {
  const player = testPlayer(patient(world, { stallMs: 1200, refreshMinMs: 1000, ...options }));
  const src = `${world.edges[ORIGIN] ?? ''}/hls/180p.m3u8`;
  const reported = once(player, 'edgeselect:reported');
  player.src({ src, type: 'application/x-mpegURL' });
  // the end of the first selection
  await Promise.all([reported, playedTo(player, 0.2)]);
  const seen: string[] = [];
  for (const name of ['seeking', 'loadstart', 'emptied', 'sourceset', 'error']) {
    player.on(name, () => {
      seen.push(name);
    });
  }
  return { player, seen, src };
}

/** Once the map has been asked for the servers of this token. */
function resolved(world: World, token: string): Promise<void> {
  return logged(
    world,
    ({ server, body }) => server === 'nameserver:map' && (body as { name?: string } | null)?.name === token,
  );
}

const isSegment = ({ url }: EdgeSelectEvents['edgeselect:served']): boolean => url.endsWith('.ts');

test.each(
  'plays on from a server that only the repeated query named, when those before it die',
  { 'and the map lives': null, 'and the map dies with them': 'refuse' },
  async (assert, fault) => {
    const world = await moving({ a: RATE, b: { ...RATE, latencyMs: 100 }, c: RATE, d: RATE }, ['a', 'b']);
    const { player, seen, src } = await playing(world);
    assert.strictEqual(player.edgeSelect().selection?.chosen.origin, world.edges.a);
    const moved = map(['c', 'd'], 'eu2.token.localhost');
    await world.patch({ nameservers: { map: { zones: moved } } });
    await resolved(world, 'eu2.token.localhost');
    const failed = all(player, 'edgeselect:failedover');
    // whatever the race finds out meanwhile: the edge in use is one of the old ones, or of the new ones already
    await world.patch({ nameservers: { map: { fault } }, edges: { a: { fault: 'refuse' }, b: { fault: 'refuse' } } });
    const { edge } = await until(player, 'edgeselect:served', ({ url }) => failed.some((one) => one.url === url));
    assert.true([world.edges.c, world.edges.d].includes(edge), edge);
    await playedTo(player, player.currentTime() + 3);
    const chosen = player.edgeSelect().selection?.chosen.origin;
    assert.true([world.edges.c, world.edges.d].includes(chosen), chosen);
    assert.deepEqual(await asked(world, ORIGIN), [], 'the origin serves nothing');
    assert.deepEqual(seen, [], 'no seek, no reload');
    assert.strictEqual(player.currentSrc(), src);
    assert.strictEqual(player.currentSource().src, src);
  },
);

test('goes to a better edge only once it was better twice, and tells each step and why', async (assert) => {
  const world = await moving({ a: { ...RATE, latencyMs: 400 }, b: RATE }, ['a']);
  const { player, seen, src } = await playing(world, { minDwellMs: 1000, stallMs: 20_000 });
  const steps: string[] = [];
  for (const name of ['selected', 'switched', 'raced', 'reported'] as const) {
    player.on(`edgeselect:${name}`, () => {
      steps.push(name);
    });
  }
  const selected = all(player, 'edgeselect:selected');
  const switched = once(player, 'edgeselect:switched');
  await world.patch({ nameservers: { map: { zones: map(['a', 'b']) } } });
  const { from, selection, because } = await switched;
  assert.deepEqual([from, selection.chosen.origin], [world.edges.a, world.edges.b]);
  assert.strictEqual(because, 'the map moved: a second look');
  assert.deepEqual(
    selected.map(({ selection: { chosen, reason } }) => [chosen.origin, reason]),
    [
      [world.edges.a, 'stayed'],
      [world.edges.b, 'quickest'],
    ],
    'once may be chance',
  );
  const { report } = await until(player, 'edgeselect:reported', ({ edge }) => edge === world.edges.b);
  assert.deepEqual(steps, ['selected', 'raced', 'reported', 'selected', 'switched', 'raced', 'reported']);
  const [posted] = (await world.of('edge:b')).filter(({ method }) => method === 'POST');
  assert.deepEqual(JSON.parse(String(posted?.body)), report, 'the edge got what the event shows');
  const left = report.left as Readonly<Record<string, unknown>>;
  assert.deepEqual([report.from, left.because, left.failures], [world.edges.a, because, 0]);
  assert.true(Number(left.bytes) > 50_000, `${String(left.bytes)} bytes`);
  const { edge } = await until(player, 'edgeselect:served', isSegment);
  assert.true([from, selection.chosen.origin].includes(edge), 'what was under way ends where it began');
  assert.strictEqual((await until(player, 'edgeselect:served', isSegment)).edge, world.edges.b);
  assert.deepEqual(await asked(world, ORIGIN), []);
  assert.deepEqual([seen, player.currentSrc()], [[], src]);
});
