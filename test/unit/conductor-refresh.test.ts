import QUnit from 'qunit';
import { EdgeSelectError } from '../../src/errors.js';
import { answers, conduct, lookups, seeing, SETTLED_MS, type Change, type Conducting } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';
import { srv } from './given.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const B = 'https://b.example';
/** The TTL of all answers, half of it for chance, and a little. */
const ASKED_AGAIN_MS = 91_000;

/** From now on the map gives these edges. */
function moveMap({ resolver }: Conducting, edges: Parameters<typeof lookups>[0]): void {
  Object.assign(resolver, lookups(edges));
}

/** From now on the map is dead, or says this. */
function breakMap({ resolver }: Conducting, error: Error): void {
  Object.assign(resolver, { resolve: () => Promise.reject(error) });
}

/** What a race behind sees: the time of the request alone. */
function measured({ fake }: Conducting, ms: Readonly<Record<string, number>>): void {
  for (const [name, requestMs] of Object.entries(ms)) {
    fake.timing(`${name}.example`, { requestStart: 1, responseStart: 1 + requestMs });
  }
}

async function selected(assert: Assert, change: Change = {}): Promise<Conducting> {
  const all = conduct(assert, change);
  answers(all.fake, { a: 20, b: 60, c: 30, d: 40, video: 5 });
  await all.select();
  return all;
}

/** Names of servers asked for this path, in order. */
const askedFor = ({ fake }: Conducting, path: string): string[] =>
  fake.all(path).map(({ url }) => new URL(url).hostname.split('.')[0] ?? '');

module('conductor, the map moves', nothingLeft);

test.each(
  'plays on from a server that only the repeated query named, when those before it die',
  [true, false],
  async (assert, isMapAlive) => {
    const all = await selected(assert);
    const { fake, send, of } = all;
    moveMap(all, ['c', 'd']);
    await fake.advance(ASKED_AGAIN_MS);
    fake.respond(/[ab]\.example/, 'fail');
    if (!isMapAlive) breakMap(all, new Error('dead'));
    const sent = send('/live/0.ts');
    await fake.advance(SETTLED_MS);
    assert.strictEqual(sent.body, 'c');
    assert.deepEqual(askedFor(all, '/live/0.ts'), ['a', 'c'], 'whom the map names no more is not asked before');
    const next = send('/live/1.ts');
    await fake.advance(100);
    assert.strictEqual(next.body, 'c');
    assert.deepEqual(askedFor(all, '/live/1.ts'), ['c'], 'it is the edge in use now');
    assert.deepEqual(
      of('edgeselect:switched').map(({ from, selection }) => [from, selection.chosen.origin]),
      [[A, 'https://c.example']],
    );
  },
);

test('plays on by the token that is held, when the map dies first and the edge in use then', async (assert) => {
  const all = await selected(assert);
  const { fake, send } = all;
  breakMap(all, new Error('dead'));
  await fake.advance(10 * ASKED_AGAIN_MS);
  fake.respond(A, 'fail');
  const sent = send('/live/0.ts');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(sent.body, 'b');
  assert.strictEqual(all.conducting.selection()?.chosen.origin, B);
});

test('goes to a better edge once it was better twice, and not before `minDwellMs`', async (assert) => {
  const all = await selected(assert, { edges: ['a'], options: { minDwellMs: 120_000 } });
  const { fake, of, names } = all;
  measured(all, { a: 200, b: 20 });
  moveMap(all, ['a', 'b']);
  const asked = (): number => fake.all(`HEAD ${B}`).length;
  await fake.advance(115_000 - SETTLED_MS);
  assert.deepEqual([asked(), of('edgeselect:selected').length], [0, 1], 'the dwell is not over');
  await fake.advance(7000);
  assert.deepEqual(
    of('edgeselect:selected').map(({ selection }) => [selection.chosen.origin, selection.reason]),
    [
      [A, 'only'],
      [A, 'stayed'],
    ],
    'once may be chance',
  );
  assert.deepEqual(of('edgeselect:switched'), []);
  await fake.advance(7000);
  assert.deepEqual(
    of('edgeselect:switched').map(({ from, selection, because }) => [from, selection.chosen.origin, because]),
    [[A, B, 'the map moved: a second look']],
  );
  const told = names().filter((name) => name !== 'served');
  assert.deepEqual(told, [
    'selected',
    'raced',
    'reported',
    'selected',
    'raced',
    'reported',
    'selected',
    'switched',
    'raced',
    'reported',
  ]);
  const report = of('edgeselect:reported').at(-1)?.report ?? {};
  assert.deepEqual(
    [report.from, report.left],
    [A, { because: 'the map moved: a second look', bytes: 12, requests: 1, failures: 0, bitsPerSecond: null }],
  );
});

test('goes where the map wants its players when it gives the edge in use a lower class', async (assert) => {
  const all = await selected(assert);
  moveMap(all, [srv('a.example', { priority: 20 }), srv('b.example', { priority: 10 })]);
  await all.fake.advance(2 * ASKED_AGAIN_MS);
  assert.strictEqual(all.conducting.selection()?.chosen.origin, B);
});

test('stays where another was better once, and then not', async (assert) => {
  const all = await selected(assert, { edges: ['a'] });
  const { fake, of } = all;
  moveMap(all, ['a', 'b']);
  // of the first look around, and not of the second
  fake.timing('a.example', { requestStart: 1, responseStart: 201, startTime: 108_000 });
  fake.timing('b.example', { requestStart: 1, responseStart: 21, startTime: 108_000 });
  await fake.advance(300_000);
  assert.deepEqual(
    of('edgeselect:selected').map(({ selection }) => [selection.chosen.origin, selection.reason]),
    [
      [A, 'only'],
      [A, 'stayed'],
      [A, 'quickest'],
    ],
  );
  assert.deepEqual(of('edgeselect:switched'), []);
});

test('a charge against the edge in use is told before the switch that comes of it', async (assert) => {
  const all = await selected(assert);
  const { fake, conducting, send, of, names, shared } = all;
  shared.delivered('https://a.example', 1_000_000, 1000);
  conducting.watch(seeing(() => STALLED));
  await fake.advance(3000);
  conducting.watch(seeing(() => ({ ...STALLED, position: 1000 })));
  for (let i = 0; i < 10; i += 1) {
    send(`/live/${i}.ts`);
    await fake.advance(2000);
  }
  const told = names().filter((name) => name === 'judged' || name === 'selected' || name === 'switched');
  assert.deepEqual(told.slice(0, 4), ['selected', 'judged', 'selected', 'switched']);
  assert.strictEqual(of('edgeselect:judged')[0]?.because, of('edgeselect:switched')[0]?.because);
});

/** The picture stands still because there is nothing to show. */
const STALLED = {
  ...{ paused: false, seeking: false, position: 0, bufferAheadMs: 0, complete: false, playbackRate: 1 },
  ...{ playing: null, loading: null, best: null, droppedShare: 0, segmentMs: 2000 },
};

module('conductor, bypassed', nothingLeft);

test.each(
  'comes back by itself when the map answers again',
  {
    'and was unreachable': new EdgeSelectError('LOOKUP_UNREACHABLE', { lookup: 'tokens' }),
    'and knew no such name': new EdgeSelectError('LOOKUP_NXDOMAIN', { lookup: 'tokens', ttlSeconds: 60 }),
  },
  async (assert, error) => {
    const all = conduct(assert);
    const { fake, conducting, send, of } = all;
    answers(fake, { a: 20, b: 60, video: 5 });
    breakMap(all, error);
    await all.select();
    assert.strictEqual(conducting.state().kind, 'bypassed');
    assert.false(conducting.isRerouted('https://video.example/live/0.ts'), 'VHS is left to itself');
    // back-off: 60 s, then 120 s
    await fake.advance(70_000);
    assert.strictEqual(conducting.state().kind, 'bypassed');
    moveMap(all, ['a', 'b']);
    await fake.advance(125_000);
    assert.strictEqual(conducting.state().kind, 'steady');
    const sent = send('/live/0.ts');
    await fake.advance(100);
    assert.strictEqual(sent.body, 'a');
    assert.deepEqual([...new Set(of('edgeselect:bypassed').map(({ error: told }) => told.code))], [error.code]);
  },
);

test('comes back by itself when every edge was out', async (assert) => {
  const all = conduct(assert, { edges: ['a'] });
  const { fake, conducting } = all;
  answers(fake, { video: 5 });
  fake.respond(A, { status: 503 });
  await all.select();
  assert.strictEqual(conducting.state().kind, 'bypassed');
  answers(fake, { a: 20 });
  await fake.advance(200_000);
  assert.strictEqual(conducting.selection()?.chosen.origin, A);
});

test('asks the map no more often than the back-off allows while it stays dead', async (assert) => {
  const all = conduct(assert);
  const { fake, resolver } = all;
  answers(fake, { video: 5 });
  let questions = 0;
  Object.assign(resolver, {
    resolve: () => {
      questions += 1;
      return Promise.reject(new Error('dead'));
    },
  });
  await all.select();
  const before = questions;
  await fake.advance(3_600_000);
  assert.true(questions > before, 'it goes on');
  // 1 + 2 + 4 + 8 min, then each 10 min
  assert.true(questions - before <= 10, `${questions - before} in an hour`);
});
