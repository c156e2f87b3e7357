import QUnit from 'qunit';
import { answers, conduct, PLAYLIST, seeing, SETTLED_MS, type Conducting, type Sent } from '../support/conducting.js';
import { nothingLeft, type FakeAnswer, type FakeFetch } from '../support/platform.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const B = 'https://b.example';
const EVERYBODY = /^(GET|HEAD) /;

/** a is chosen, b is there as well, and the origin is known to answer. */
async function selected(assert: Assert): Promise<Conducting> {
  const all = conduct(assert);
  answers(all.fake, { a: 20, b: 60, video: 30 });
  await all.select();
  return all;
}

/** Everybody holds their tongue. @returns lets them go on with what they were asked, and answer what comes later */
function hush({ fake }: Conducting): (segment?: FakeAnswer) => Promise<void> {
  const before = fake.fetches.length;
  fake.expect(EVERYBODY);
  return async (segment) => {
    answers(fake, { a: 20, b: 60, video: 30 });
    if (segment) fake.respond('0.ts', segment);
    for (const one of fake.fetches.slice(before)) if (one.pending()) one.respond({ afterMs: 30, body: nameOf(one) });
    await fake.advance(SETTLED_MS);
  };
}

const nameOf = ({ url }: FakeFetch): string =>
  (url.includes('.m3u8') ? PLAYLIST : '') + (new URL(url).hostname.split('.')[0] ?? '');

/** What it must not come to. */
function blamed({ of, shared }: Conducting): readonly string[] {
  const out = [A, B].filter((edge) => shared.record(edge).isOut).map((edge) => `${edge} is out`);
  return [...out, ...of('edgeselect:switched').map(({ because }) => `switched: ${because}`)];
}

module("conductor, what is nobody's fault", nothingLeft);

test.each('everybody is silent for 2 s, and nobody is blamed', [700, 1000, 2000, 4000], async (assert, ms) => {
  const all = await selected(assert);
  const speak = hush(all);
  const sent = all.send('/live/0.ts');
  await all.fake.advance(ms);
  assert.strictEqual(sent.end, undefined, 'there is nobody to answer');
  await speak();
  assert.strictEqual(sent.end, 'answered');
  assert.true(['a', 'b', 'video'].includes(sent.body), sent.body);
  assert.deepEqual(blamed(all), []);
});

test.each(
  'everybody is silent for 2 s in the middle of an answer, and nobody is blamed',
  [1000, 2000, 3000],
  async (assert, ms) => {
    const all = await selected(assert);
    const { fake, send } = all;
    fake.expect(`GET ${A}`);
    const sent = send('/live/0.ts');
    const begun = fake.last(`GET ${A}`).respondStream({ headers: { 'content-length': '6' } });
    begun.chunk('abc');
    await fake.advance(200);
    const speak = hush(all);
    await fake.advance(ms);
    assert.true(fake.all(`GET ${B}/live/0.ts`).length > 0, 'the others are asked meanwhile');
    begun.chunk('def');
    begun.end();
    for (const one of fake.all('0.ts').filter((other) => other.pending())) one.respond({ body: 'abcdef' });
    await speak({ body: 'abcdef' });
    assert.deepEqual([sent.end, sent.body], ['answered', 'abcdef']);
    assert.deepEqual(blamed(all), []);
  },
);

test.each(
  'everybody is silent for 2 s while several requests come, and nobody is blamed',
  [0, 400],
  async (assert, apartMs) => {
    const all = await selected(assert);
    all.conducting.watch(seeing(() => LOOK));
    const speak = hush(all);
    const sent: Sent[] = [];
    for (const path of ['/live/0.ts', '/sound/0.ts', '/live/low.m3u8', '/text/0.vtt']) {
      sent.push(all.send(path));
      await all.fake.advance(apartMs);
    }
    await all.fake.advance(2000 - 4 * apartMs);
    await speak();
    assert.deepEqual(ends(sent), ['answered', 'answered', 'answered', 'answered']);
    await all.fake.advance(30_000);
    assert.deepEqual(blamed(all), []);
    assert.deepEqual(all.of('edgeselect:judged'), []);
  },
);

test("a buffer that falls after the last segment came is nobody's fault: none is waited for", async (assert) => {
  const all = await selected(assert);
  let position = 0;
  const bufferAheadMs = (): number => 14_000 - Math.max(0, position - 4000);
  all.conducting.watch(seeing(() => ({ ...LOOK, position: (position += 1000), bufferAheadMs: bufferAheadMs() })));
  all.fake.respond('/live/0.ts', { afterMs: 100, body: '#'.repeat(100_000) });
  all.send('/live/0.ts');
  await all.fake.advance(16_000);
  assert.deepEqual(all.of('edgeselect:judged'), []);
});

test('the browser is offline for 5 s, and nobody is blamed', async (assert) => {
  const all = await selected(assert);
  const { fake, send } = all;
  all.conducting.watch(seeing(() => LOOK));
  fake.expect(`GET ${A}`);
  const cut = send('/live/0.ts');
  const body = fake.last(`GET ${A}`).respondStream({ headers: { 'content-length': '6' } });
  body.chunk('abc');
  await fake.advance(200);
  fake.setOnline(false);
  fake.respond(EVERYBODY, 'fail');
  body.fail();
  const sent = [send('/live/low.m3u8'), send('/sound/0.ts')];
  await fake.advance(5000);
  assert.deepEqual(ends([cut, ...sent]), [undefined, undefined, undefined]);
  fake.setOnline(true);
  answers(fake, { a: 20, b: 60, video: 30 });
  fake.respond('GET https://a.example/live/0.ts', { body: 'abcdef' });
  await fake.advance(SETTLED_MS);
  assert.deepEqual(ends([cut, ...sent]), ['answered', 'answered', 'answered']);
  assert.deepEqual([cut.body, ...sent.map(({ body: got }) => got)], ['abcdef', 'a', 'a']);
  await fake.advance(30_000);
  assert.deepEqual(blamed(all), []);
  assert.deepEqual(all.of('edgeselect:judged'), []);
});

test('VHS ends a request while the browser is offline, as it would without us, and the next one goes to the edge', async (assert) => {
  const all = await selected(assert);
  const { fake, send } = all;
  fake.setOnline(false);
  fake.respond(EVERYBODY, 'fail');
  const sent = send('/live/0.ts', { timeoutMs: 3000 });
  await fake.advance(2900);
  assert.strictEqual(sent.end, undefined);
  await fake.advance(200);
  assert.strictEqual(sent.end, 'timeout');
  fake.setOnline(true);
  answers(fake, { a: 20, b: 60, video: 30 });
  const next = send('/live/0.ts', { timeoutMs: 3000 });
  await fake.advance(100);
  assert.strictEqual(next.body, 'a');
  assert.deepEqual(blamed(all), []);
});

test('the page is hidden for 60 s, and nothing is asked or blamed', async (assert) => {
  const all = await selected(assert);
  const { fake } = all;
  // the browser shows nothing, and hands over no timers in time: so it looks from here
  all.conducting.watch(seeing(() => ({ ...LOOK, bufferAheadMs: 0 })));
  fake.setHidden(true);
  const before = fake.fetches.length;
  await fake.advance(60_000);
  fake.setHidden(false);
  assert.strictEqual(fake.fetches.length, before);
  assert.deepEqual(blamed(all), []);
  assert.deepEqual(all.of('edgeselect:judged'), []);
});

module('conductor, an edge that is silent while another is not', nothingLeft);

test.each(
  'is charged once another has delivered, however short the silence of all was',
  [0, 500, 2000],
  async (assert, ms) => {
    const all = await selected(assert);
    const { fake, send } = all;
    fake.expect(EVERYBODY);
    const sent = send('/live/0.ts');
    await fake.advance(ms);
    answers(fake, { b: 60, video: 30 });
    for (const one of fake.all('0.ts')) if (one.pending() && nameOf(one) !== 'a') one.respond({ body: nameOf(one) });
    await fake.advance(SETTLED_MS);
    assert.strictEqual(sent.end, 'answered');
    assert.deepEqual(blamed(all), [`${A} is out`, `switched: ${A} failed: silent`]);
  },
);

test('is left when it is silent again and again, though each time it speaks in the end', async (assert) => {
  const all = await selected(assert);
  const { fake, send, of } = all;
  all.conducting.watch(seeing(() => LOOK));
  fake.respond(`GET ${A}`, { afterMs: 750, body: 'a' });
  for (let i = 0; i < 4; i += 1) {
    send(`/live/${i}.ts`);
    await fake.advance(4000);
  }
  assert.deepEqual(
    of('edgeselect:judged').map(({ edge, because, seen }) => [edge, because, seen]),
    [[A, 'failures', 3]],
  );
});

/** Nothing is wrong with playback. */
const LOOK = {
  ...{ paused: false, seeking: false, position: 0, bufferAheadMs: 12_000, complete: false, playbackRate: 1 },
  ...{ playing: null, loading: null, best: null, droppedShare: 0, segmentMs: 2000 },
};

function ends(sent: readonly Sent[]): readonly Sent['end'][] {
  return sent.map(({ end }) => end);
}
