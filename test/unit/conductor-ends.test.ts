import QUnit from 'qunit';
import type { FailureKind } from '../../src/events.js';
import { answers, conduct, SETTLED_MS } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';
import { srv } from './given.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const MAIN = '/live/main.m3u8';
/** The browser's timings come late: the last look for them is due this long after the headers. */
const LAST_LOOK_MS = 100;

module('conductor, reports', nothingLeft);

test('reports once for a selection, to the chosen edge, when the race has ended', async (assert) => {
  const { fake, of, send, select } = conduct(assert);
  answers(fake, { a: 20, b: 60 });
  await select();
  send('/live/0.ts');
  send('/live/1.ts');
  await fake.advance(SETTLED_MS);
  assert.deepEqual(
    fake.all('POST ').map(({ url }) => url),
    [`${A}/.well-known/edge-select`],
  );
  assert.deepEqual(
    of('edgeselect:reported').map(({ edge, accepted }) => [edge, accepted]),
    [[A, true]],
  );
  const sent = JSON.parse(fake.last('POST ').init.body as string) as Record<string, unknown>;
  assert.deepEqual(
    sent,
    JSON.parse(JSON.stringify(of('edgeselect:reported')[0]?.report)),
    'the event shows what was sent',
  );
});

test.each(
  'sends no more reports to an edge that has refused one, for any player of the page',
  { 'with a status': { status: 404 }, 'without CORS': 'fail' } as const,
  async (assert, script) => {
    const first = conduct(assert);
    answers(first.fake, { a: 20, b: 60 });
    first.fake.respond('POST ', script);
    await first.select();
    assert.false(first.of('edgeselect:reported')[0]?.accepted);
    const second = conduct(assert, { page: first });
    await second.select();
    assert.strictEqual(second.conducting.state().kind, 'steady');
    assert.strictEqual(first.fake.all('POST ').length, 1);
    assert.strictEqual(second.of('edgeselect:reported').length, 0);
  },
);

test('names the edge that was left and what was seen of it, and not who served before that', async (assert) => {
  const all = conduct(assert, { edges: ['a', 'b', 'd', srv('c.example', { priority: 20 })] });
  const { fake, conducting, of } = all;
  const leave = (because: FailureKind): void => {
    const chosen = conducting.selection()?.chosen;
    if (chosen) conducting.edgeFailed(chosen, because, false);
  };
  answers(fake, { a: 10, b: 30, c: 20, d: 40 });
  await all.select();
  answers(fake, { d: 9000 });
  leave('refused');
  await fake.advance(1000);
  assert.strictEqual(conducting.selection()?.chosen.origin, 'https://b.example', 'd is still in the race');
  leave('stalled');
  await fake.advance(SETTLED_MS);
  const [, last] = of('edgeselect:reported');
  assert.propContains(last?.report, {
    from: 'https://b.example',
    left: { because: 'https://b.example failed: stalled' },
  });
});

test('names the edge before in the report of a switch', async (assert) => {
  const { fake, conducting, select } = conduct(assert);
  answers(fake, { a: 20, b: 60 });
  await select();
  fake.timing('a.example', { requestStart: 1000, responseStart: 1500 });
  fake.timing('b.example', { requestStart: 1000, responseStart: 1010 });
  conducting.reselect('asked for');
  await fake.advance(SETTLED_MS);
  const report = JSON.parse(fake.last('POST https://b.example').init.body as string) as Record<string, unknown>;
  assert.strictEqual(report.from, A);
});

test('sends none when the site wants none', async (assert) => {
  const { fake, names, select } = conduct(assert, { options: { report: false } });
  answers(fake, { a: 20, b: 60 });
  await select();
  assert.deepEqual(names(), ['served', 'selected', 'raced']);
});

module('conductor, dispose', nothingLeft);

const MOMENTS: Record<string, number> = {
  'while it looks up': -1,
  'before the race': 0,
  'in the race': 10,
  'in a tie': 22,
  'when there is a winner': 30,
  'when the race has ended': 62,
  'while the timings are looked for': 90,
  'while the report is under way': 150,
  'when all is done': SETTLED_MS,
};

test.each('leaves no timer, and tells nothing more, at any moment:', MOMENTS, async (assert, atMs) => {
  const { fake, conducting, events, send } = conduct(assert);
  answers(fake, { a: 20, b: 60, video: 5 });
  fake.respond('POST ', { status: 204, afterMs: 50 });
  conducting.begin();
  if (atMs >= 0) await fake.flush();
  const sent = send(MAIN);
  if (atMs >= 0) await fake.advance(atMs);
  conducting.dispose();
  conducting.dispose();
  const told = events.length;
  await fake.advance(LAST_LOOK_MS);
  assert.strictEqual(sent.end, 'answered', 'the request goes on');
  assert.strictEqual(fake.liveTimers(), 0);
  await fake.advance(SETTLED_MS);
  assert.strictEqual(events.length, told);
  assert.strictEqual(conducting.state().kind, 'disposed');
});

test.each('leaves no timer when the held request is aborted as well, at any moment:', MOMENTS, async (assert, atMs) => {
  const { fake, conducting, send } = conduct(assert);
  answers(fake, { a: 20, b: 60, video: 5 });
  conducting.begin();
  if (atMs >= 0) await fake.flush();
  const sent = send(MAIN);
  if (atMs >= 0) await fake.advance(atMs);
  sent.abort();
  conducting.dispose();
  await fake.advance(LAST_LOOK_MS);
  assert.strictEqual(fake.liveTimers(), 0);
});

test('starts nothing after it', async (assert) => {
  const { fake, conducting, events, select } = conduct(assert);
  answers(fake, { a: 20, b: 60 });
  await select();
  conducting.dispose();
  const before = [fake.fetches.length, events.length];
  conducting.reselect('asked for');
  conducting.begin();
  conducting.adopt();
  await fake.advance(SETTLED_MS);
  assert.deepEqual([fake.fetches.length, events.length], before);
});

test('a source that plays already waits for no race', async (assert) => {
  const { fake, conducting, send } = conduct(assert);
  fake.respond(/[ab]\.example/, 'wait');
  answers(fake, { video: 5 });
  conducting.begin();
  conducting.adopt();
  await fake.flush();
  const sent = send('/live/low.m3u8');
  await fake.advance(20);
  assert.strictEqual(sent.body, 'video');
  conducting.dispose();
  await fake.advance(SETTLED_MS);
});

module('conductor, for a media element', nothingLeft);

test('picks the edge, asking it for headers alone, and without CORS where the element has none', async (assert) => {
  const { fake, conducting } = conduct(assert);
  fake.respond('HEAD https://a.example', { afterMs: 20, opaque: true });
  fake.respond('HEAD https://b.example', { afterMs: 60, opaque: true });
  conducting.begin();
  const picked = conducting.pick(null);
  await fake.advance(30);
  assert.strictEqual((await picked)?.url, `${A}${MAIN}`);
  assert.strictEqual(fake.last('a.example').init.mode, 'no-cors');
  await fake.advance(SETTLED_MS);
});

test('picks the origin when no edge is known in time, and the edge the next time', async (assert) => {
  const { fake, conducting } = conduct(assert);
  answers(fake, { a: 400, b: 500 });
  conducting.begin();
  const picked = conducting.pick('anonymous');
  await fake.advance(150);
  assert.strictEqual(await picked, null);
  await fake.advance(SETTLED_MS);
  assert.strictEqual((await conducting.pick('anonymous'))?.edge.origin, A);
});

test('picks another edge after one failed there, and tells it', async (assert) => {
  const { fake, conducting, shared, of, select } = conduct(assert);
  answers(fake, { a: 20, b: 60 });
  await select();
  const picked = await conducting.pick('anonymous');
  if (picked) conducting.edgeFailed(picked.edge, 'refused', false);
  assert.true(shared.cooling(A));
  assert.deepEqual(
    of('edgeselect:failedover').map(({ from, to }) => [from, to]),
    [[A, 'https://b.example']],
  );
  assert.strictEqual((await conducting.pick('anonymous'))?.edge.origin, 'https://b.example');
  await fake.advance(SETTLED_MS);
});

const FILM = { src: 'https://video.example/film.mp4', type: 'video/mp4' };

test.each(
  'no race and no probe asks for the film itself, though no edge answers HEAD any more',
  { 'with CORS': 'anonymous', 'without CORS': null },
  async (assert, crossOrigin) => {
    const all = conduct(assert, { source: FILM });
    const { fake, conducting } = all;
    answers(fake, { a: 20, b: 60 });
    conducting.begin();
    const picked = conducting.pick(crossOrigin);
    await fake.advance(SETTLED_MS);
    fake.respond('HEAD ', { status: 405, afterMs: 20 });
    const { edge } = (await picked) ?? {};
    if (edge) conducting.edgeFailed(edge, 'refused', false);
    await fake.advance(120_000);
    const asked = (): string[] => fake.all('/film.mp4').map(({ method, init }) => `${method} ${init.mode ?? ''}`);
    assert.deepEqual([...new Set(asked())], [crossOrigin ? 'HEAD cors' : 'HEAD no-cors']);
    // to the next player of the page a selection is known, and measured anew before anything is loaded
    const next = conduct(assert, { source: FILM, page: all });
    next.conducting.begin();
    await next.conducting.pick(crossOrigin);
    await fake.advance(120_000);
    assert.false(asked().some((one) => one.startsWith('GET')));
  },
);
