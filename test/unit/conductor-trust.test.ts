import QUnit from 'qunit';
import { answers, conduct, SETTLED_MS } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';
import { SOURCE } from './given.js';

const { module, test } = QUnit;
const A = 'https://a.example';

module('conductor, whom it trusts and whom it blames', nothingLeft);

test('no edge gets cookies where the site named none that may have them, whoever asks', async (assert) => {
  const { fake, conducting, events } = conduct(assert, { withCredentials: true });
  conducting.begin();
  conducting.adopt();
  assert.strictEqual(await conducting.pick('use-credentials'), null);
  conducting.reselect('asked for');
  await fake.advance(SETTLED_MS);
  assert.deepEqual(fake.fetches, []);
  assert.strictEqual(conducting.state().kind, 'bypassed');
  assert.true(
    events.some((event) => event.type === 'edgeselect:bypassed' && event.error.code === 'CREDENTIALS_NOT_ALLOWED'),
  );
});

test('a media element that loads with cookies is a source with credentials', async (assert) => {
  const { fake, conducting } = conduct(assert);
  conducting.begin();
  assert.strictEqual(await conducting.pick('use-credentials'), null);
  await fake.advance(SETTLED_MS);
  assert.strictEqual(conducting.state().kind, 'bypassed');
});

test('an edge that may have no request of the site is no secret: the site is told, once', async (assert) => {
  const { fake, conducting, send, of } = conduct(assert);
  answers(fake, { a: 10, b: 20, video: 5 });
  conducting.begin();
  await fake.flush();
  for (const path of ['/live/main.m3u8', '/live/0.ts', '/live/1.ts']) {
    send(path, { headers: { authorization: 'secret' } });
    await fake.advance(SETTLED_MS);
  }
  assert.deepEqual([...new Set(of('edgeselect:served').map(({ edge }) => edge))], [SOURCE.origin]);
  assert.strictEqual(of('edgeselect:warned').length, 1);
});

test('a race that nothing waits for carries the headers of the playlist, where they are allowed', async (assert) => {
  const { fake, conducting, send } = conduct(assert, { options: { allowedHosts: ['example'] } });
  answers(fake, { a: 10, b: 20, video: 5 });
  conducting.begin();
  await fake.flush();
  send('/live/main.m3u8', { headers: { authorization: 'secret' } });
  await fake.advance(SETTLED_MS);
  conducting.reselect('asked for');
  await fake.advance(SETTLED_MS);
  const heads = fake.fetches.filter(({ method }) => method === 'HEAD');
  assert.true(heads.length >= 2);
  for (const { headers } of heads) assert.strictEqual(new Headers(headers).get('authorization'), 'secret');
});

test('an edge that denies one URL in a race is not put in cool-down', async (assert) => {
  const { fake, select, shared } = conduct(assert);
  fake.respond(/a\.example/, { afterMs: 10, status: 403 });
  fake.respond(/b\.example/, { afterMs: 20, status: 503 });
  fake.respond(SOURCE.origin, { afterMs: 5 });
  await select();
  assert.false(shared.cooling(A));
  assert.true(shared.cooling('https://b.example'));
});

test('nobody is charged for what nobody delivered: it was the viewer’s line', async (assert) => {
  const { fake, send, select, shared } = conduct(assert);
  answers(fake, { a: 10, b: 20, video: 5 });
  await select();
  fake.respond(/-1\.ts/, 'fail');
  const sent = send('/live/low-1.ts');
  await fake.advance(SETTLED_MS);
  sent.abort();
  send('/live/low-2.ts');
  await fake.advance(SETTLED_MS);
  assert.false(shared.cooling(A));
  assert.false(shared.cooling('https://b.example'));
});

test('what the whole race measured is known to the next player of the page', async (assert) => {
  const first = conduct(assert);
  answers(first.fake, { a: 10, b: 400, video: 5 });
  await first.select();
  const second = conduct(assert, { page: first });
  second.conducting.begin();
  const outcomes = second.conducting.selection()?.probes.map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ['ok', 'ok']);
  await first.fake.advance(SETTLED_MS);
});

test('an edge in use is measured again, however many others the draw would take', async (assert) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const { fake, conducting, select } = conduct(assert, { edges: names, options: { maxEdges: 1 } });
  answers(fake, { a: 10, b: 10, c: 10, d: 10, e: 10, video: 5 });
  await select();
  const chosen = conducting.selection()?.chosen.origin ?? '-';
  for (let i = 0; i < 5; i += 1) {
    const before = fake.fetches.length;
    conducting.reselect('asked for');
    await fake.advance(SETTLED_MS);
    const raced = fake.fetches.slice(before).filter(({ method }) => method === 'HEAD');
    assert.true(raced.some(({ url }) => url.startsWith(chosen)));
  }
  assert.strictEqual(conducting.selection()?.chosen.origin, chosen);
});

test('after lengths turn out to be those of encoded bodies, none is taken for short', async (assert) => {
  const { fake, of, send, select } = conduct(assert);
  answers(fake, { a: 10, b: 20, video: 5 });
  await select();
  fake.respond(/\.key/, { afterMs: 5, body: '0123456789abcdef', headers: { 'content-length': '36' } });
  const sent = send('/live/low-1.key');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(sent.body, '0123456789abcdef', 'the origin’s word is taken as it is');
  const failures = of('edgeselect:failedover').length;
  send('/live/low-2.key');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(of('edgeselect:failedover').length, failures);
});

test('a source that was bypassed looks again without waiting for a request, and never races media', async (assert) => {
  let fails = true;
  const { fake, conducting, resolver } = conduct(assert);
  const { resolve } = resolver;
  Object.assign(resolver, {
    resolve: (...given: Parameters<typeof resolve>) => (fails ? Promise.reject(new Error()) : resolve(...given)),
  });
  answers(fake, { a: 10, b: 20 });
  conducting.begin();
  await fake.advance(SETTLED_MS);
  assert.strictEqual(conducting.state().kind, 'bypassed');
  fails = false;
  conducting.reselect('asked for');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(conducting.state().kind, 'steady');
  assert.deepEqual(
    [...new Set(fake.fetches.filter(({ method }) => method === 'HEAD').map(({ url }) => new URL(url).pathname))],
    [new URL(SOURCE.src).pathname],
  );
});
