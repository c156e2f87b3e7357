import QUnit from 'qunit';
import { answers, conduct, SETTLED_MS, type Change, type Conducting } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const ORIGIN = 'https://video.example';
/** Long enough for an answered probe to end, and short of the next look. */
const PROBE_MS = 200;

/** a is chosen, or known to the page; b is farther away, the origin near. */
async function playing(assert: Assert, change: Change = {}): Promise<Conducting> {
  const all = conduct(assert, change);
  answers(all.fake, { a: 20, b: 60, video: 5 });
  await all.select();
  return all;
}

/** Sends a segment's request. @returns who served it */
async function served({ fake, send }: Conducting, name: string): Promise<string> {
  const sent = send(`/live/${name}.ts`);
  await fake.advance(100);
  return sent.body;
}

/** a answers whoever asks for headers alone, and no segment. */
function breakA({ fake }: Conducting): void {
  fake.respond(`GET ${A}`, { status: 503 });
}

const probesOf = ({ fake }: Conducting): number => fake.all(`HEAD ${A}`).length;

module('conductor, an edge that was out', nothingLeft);

test('is asked for nothing before a probe of it has been answered, however long ago it failed', async (assert) => {
  const all = await playing(assert, { edges: ['a'] });
  const { fake } = all;
  breakA(all);
  assert.strictEqual(await served(all, '0'), 'video');
  answers(fake, { a: 20 });
  fake.expect(`HEAD ${A}`);
  await fake.advance(61_000);
  assert.true(fake.last(`HEAD ${A}`).pending(), 'its time is over, and it is asked');
  assert.strictEqual(await served(all, '1'), 'video', 'but has not answered');
  fake.last(`HEAD ${A}`).respond();
  await fake.advance(PROBE_MS);
  assert.strictEqual(await served(all, '2'), 'a');
});

test('is left for twice as long each time it fails again, up to 5 min, though its probes are answered', async (assert) => {
  const all = await playing(assert, { edges: ['a'] });
  const { fake, shared } = all;
  for (const seconds of [60, 120, 240, 300, 300]) {
    breakA(all);
    assert.strictEqual(await served(all, 'bad'), 'video');
    assert.strictEqual(shared.record(A).coolUntil, shared.record(A).failedAt + seconds * 1000);
    answers(fake, { a: 20 });
    await fake.advance(shared.record(A).coolUntil - fake.platform.now() - PROBE_MS);
    assert.strictEqual(await served(all, 'early'), 'video', `${seconds} s are not over`);
    await fake.advance(2000);
    assert.strictEqual(await served(all, 'good'), 'a', `after ${seconds} s`);
  }
});

test('is probed by one player of the page, and comes back for both', async (assert) => {
  const first = await playing(assert, { edges: ['a'] });
  const second = await playing(assert, { edges: ['a'], page: first });
  const { fake } = first;
  assert.deepEqual([await served(first, '0'), await served(second, '0')], ['a', 'a']);
  breakA(first);
  assert.strictEqual(await served(first, '1'), 'video');
  const asked = fake.all(`GET ${A}`).length;
  assert.strictEqual(await served(second, '1'), 'video');
  assert.strictEqual(fake.all(`GET ${A}`).length, asked, 'what one player saw the other knows');
  answers(fake, { a: 20 });
  fake.respond(`HEAD ${A}`, { afterMs: 1200 });
  const probes = probesOf(first);
  await fake.advance(63_000);
  assert.strictEqual(probesOf(first), probes + 1);
  assert.deepEqual([await served(first, '2'), await served(second, '2')], ['a', 'a']);
  first.conducting.dispose();
  assert.strictEqual(await served(second, '3'), 'a');
});

test('is probed by another player of the page, when the one that probes it is disposed of', async (assert) => {
  const first = await playing(assert, { edges: ['a'] });
  const second = await playing(assert, { edges: ['a'], page: first });
  const { fake } = first;
  breakA(first);
  await served(first, '0');
  answers(fake, { a: 20 });
  fake.expect(`HEAD ${A}`);
  await fake.advance(61_000);
  const probe = fake.last(`HEAD ${A}`);
  first.conducting.dispose();
  await fake.flush();
  assert.true(probe.aborted());
  fake.respond(`HEAD ${A}`, { afterMs: 20 });
  await fake.advance(2000);
  assert.strictEqual(await served(second, '1'), 'a');
});

/** Another source of a page on which a failed 2 min ago, and was asked by nobody since. */
async function later(assert: Assert, change: Change = {}): Promise<Conducting> {
  const before = await playing(assert);
  before.shared.failed(A);
  before.conducting.dispose();
  await before.fake.advance(120_000);
  const all = conduct(assert, { ...change, page: before });
  all.fake.respond(/b\.example/, 'wait');
  all.conducting.begin();
  await all.fake.flush();
  return all;
}

test('serves from its answer in a race on, while others are still silent', async (assert) => {
  const all = await later(assert);
  const playlist = all.send('/live/main.m3u8');
  await all.fake.advance(100);
  assert.strictEqual(playlist.body, 'a');
  assert.strictEqual(await served(all, '0'), 'a');
  all.conducting.dispose();
  await all.fake.advance(SETTLED_MS);
});

test('is what a media element is given when it wins', async (assert) => {
  const all = await later(assert, { source: { type: 'video/mp4', src: `${ORIGIN}/clip.mp4` } });
  const picked = all.conducting.pick('anonymous');
  await all.fake.advance(SETTLED_MS);
  assert.strictEqual((await picked)?.edge.origin, A);
});

module('conductor, every edge is out', nothingLeft);

test('an edge is asked all the same when the origin says nothing', async (assert) => {
  const all = await playing(assert);
  const { fake, shared, send } = all;
  for (const origin of [A, 'https://b.example']) shared.failed(origin);
  await served(all, '0');
  fake.respond(`GET ${ORIGIN}`, 'wait');
  const sent = send('/live/1.ts');
  await fake.advance(1300);
  assert.strictEqual(sent.body, 'a');
  await fake.advance(SETTLED_MS);
});

/** a and b are both out. */
async function alone(assert: Assert): Promise<Conducting> {
  const all = await playing(assert);
  all.shared.failed(A);
  all.shared.failed('https://b.example');
  await all.fake.advance(SETTLED_MS);
  return all;
}

test('the origin serves at once, and nothing is held', async (assert) => {
  const all = await alone(assert);
  const { fake, send } = all;
  const edgesAsked = fake.all(/[ab]\.example/).length;
  for (const path of ['/live/0.ts', '/live/low.m3u8']) {
    const sentAt = fake.platform.now();
    const sent = send(path);
    await fake.flush();
    assert.strictEqual(fake.last(`GET ${ORIGIN}${path}`).startedAt, sentAt);
    await fake.advance(5);
    assert.strictEqual(sent.body, 'video');
  }
  assert.strictEqual(fake.all(/[ab]\.example/).length, edgesAsked);
});

test('a source that begins meanwhile is served by the origin at once as well', async (assert) => {
  const first = await alone(assert);
  const { fake } = first;
  const second = conduct(assert, { page: first });
  second.conducting.begin();
  await fake.flush();
  const sent = second.send('/live/main.m3u8');
  await fake.advance(5);
  assert.strictEqual(sent.body, 'video');
  assert.strictEqual(second.of('edgeselect:bypassed')[0]?.error.code, 'EDGES_COOLING');
});

test.each(
  'all of them are asked again only when the origin fails too',
  { 'without an answer': 'fail', 'with 503': { status: 503 } } as const,
  async (assert, script) => {
    const all = await alone(assert);
    const { fake, send, of } = all;
    fake.respond(ORIGIN, script);
    fake.respond(`GET ${A}`, { status: 503 });
    const sent = send('/live/0.ts');
    await fake.advance(SETTLED_MS);
    assert.deepEqual([sent.end, sent.body], ['answered', 'b']);
    assert.deepEqual(
      fake.all('/live/0.ts').map(({ url }) => new URL(url).origin),
      [ORIGIN, A, 'https://b.example'],
    );
    assert.deepEqual(
      of('edgeselect:failedover').map(({ from }) => from),
      [ORIGIN, A],
    );
  },
);
