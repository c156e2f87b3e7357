import QUnit from 'qunit';
import { all, asked, ORIGIN, once, patient, playedTo, testPlayer, testWorld, network } from './tools.js';
import { answersToVhs, failover, leave, playBent, starts, STREAMS, untrue } from './truth.js';

const { module, test } = QUnit;
const { ts } = STREAMS;

module('resume: from the beginning', { afterEach: leave });

/** How the quicker edge fails before it has sent a byte. */
const SILENT_BEFORE = {
  'resets the connection': { rule: { reset: true }, because: 'refused' },
  'answers 503': { rule: { status: 503 }, because: 'status' },
  'answers 429': { rule: { status: 429 }, because: 'status' },
  'has no such file': { rule: { status: 404 }, because: 'status' },
  'never answers': { rule: { silent: true }, because: 'silent' },
  'answers after 3 s': { rule: { latencyMs: 3000 }, because: 'silent' },
  'answers a page of HTML': { rule: { html: true }, because: 'notmedia' },
  'sends its page no CORS header any more': { rule: { cors: false }, because: 'refused' },
  'sends to a foreign host that does not answer': { rule: { redirect: 'http://localhost:1/' }, because: 'refused' },
};

test.each('asks the next edge for all of a segment when one', SILENT_BEFORE, async (assert, { rule, because }) => {
  const played = await playBent(ts, { quick: rule });
  assert.deepEqual(played.failed, [['quick', 'slow', because]]);
  assert.deepEqual(await starts(played, 'slow', ts), [null], 'it asked once, and for the whole');
  assert.deepEqual(await untrue(played, ts), []);
  assert.strictEqual(played.player.error(), null);
});

test('leaves a silent request open until another edge has sent something', async (assert) => {
  const played = await playBent(ts, { quick: { silent: true } });
  const [parked] = await played.of('quick');
  const [taken] = await played.of('slow');
  assert.true(parked?.aborted, 'it was given up in the end');
  const heldMs = (parked?.tEnd ?? 0) - (taken?.tFirst ?? Infinity);
  assert.true(heldMs >= 0, `${heldMs} ms after the first byte of the other`);
});

test('plays on when the edge in use dies with all its connections', async (assert) => {
  // half a second for a segment: one is under way when it dies
  const world = await testWorld(
    network({ quick: { bitsPerSecond: 900_000 }, slow: { latencyMs: 150 } }, { media: ts.media }),
  );
  const answers = answersToVhs();
  const player = testPlayer(patient(world, { stallMs: 1200 }));
  const events = all(player, 'edgeselect:failedover');
  player.src({ src: `${world.edges[ORIGIN] ?? ''}${ts.path}`, type: ts.type });
  await playedTo(player, 0.1);
  const left = once(player, 'edgeselect:failedover');
  await world.patch({ edges: { quick: { fault: 'refuse' } } });
  await left;
  await playedTo(player, player.currentTime() + 2);
  for (const event of events) {
    const [from, to, because] = failover(world, event);
    assert.deepEqual([from, to], ['quick', 'slow']);
    assert.true(['refused', 'short'].includes(because), because);
  }
  assert.deepEqual(await untrue({ answers }, ts), []);
  assert.strictEqual(player.error(), null);
});

/** Redirects of a segment that arrive: no failure of anybody. */
const REDIRECTS = { 'inside the edge': 'quick', 'to a foreign host': ORIGIN };

test.each('follows a redirect of a segment', REDIRECTS, async (assert, to) => {
  const world = await testWorld(network({ quick: {}, slow: { latencyMs: 150 } }, { media: ts.media }));
  const redirect = `${world.edges[to] ?? ''}${ts.bent}?moved`;
  await world.patch({ edges: { quick: { rules: [{ path: '180p-01', redirect, times: 1 }] } } });
  const answers = answersToVhs();
  const player = testPlayer(patient(world));
  const failed = all(player, 'edgeselect:failedover');
  player.src({ src: `${world.edges[ORIGIN] ?? ''}${ts.path}`, type: ts.type });
  await playedTo(player, ts.playTo);
  assert.deepEqual(failed, []);
  assert.strictEqual((await asked(world, to, /180p-01\.ts\?moved/)).length, 1);
  assert.deepEqual(await untrue({ answers }, ts), []);
});
