import QUnit from 'qunit';
import type { Resolver } from '../../src/resolver.js';
import type { Lane } from '../../src/transport/attempt.js';
import { answers, conduct, lookups, SETTLED_MS } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const MAIN = '/live/main.m3u8';

module('conductor', nothingLeft);

test('holds the first playlist, races it itself, and delivers the body of the winner', async (assert) => {
  const { fake, conducting, send, names, of } = conduct(assert);
  answers(fake, { a: 20, b: 60 });
  conducting.begin();
  assert.strictEqual(conducting.state().kind, 'selecting');
  await fake.flush();
  assert.strictEqual(fake.fetches.length, 0, 'no race without a request');
  const sent = send(MAIN);
  await fake.advance(30);
  assert.deepEqual([sent.end, sent.status, sent.body], ['answered', 200, 'a']);
  await fake.advance(SETTLED_MS);
  assert.deepEqual(
    fake.fetches.map(({ method, url }) => `${method} ${url}`),
    [`GET ${A}${MAIN}`, `GET https://b.example${MAIN}`, `POST ${A}/.well-known/edge-select`],
  );
  assert.deepEqual(names(), ['served', 'selected', 'raced', 'reported']);
  assert.strictEqual(of('edgeselect:selected')[0]?.selection.chosen.origin, A);
  assert.strictEqual(of('edgeselect:served')[0]?.edge, A);
});

test('sends the requests that follow to the chosen edge, and holds none', async (assert) => {
  const { fake, send, select } = conduct(assert);
  answers(fake, { a: 20, b: 60 });
  await select();
  const before = fake.fetches.length;
  const sent = send('/live/0.ts', { headers: { Range: 'bytes=0-' } });
  await fake.flush();
  assert.strictEqual(fake.fetches[before]?.url, `${A}/live/0.ts`, 'asked at once');
  fake.respond('0.ts', { status: 206, body: 'bytes' });
  await fake.advance(SETTLED_MS);
  assert.strictEqual(sent.end, 'answered');
});

test('holds a playlist that comes late no longer than another, though all is looked up again', async (assert) => {
  const { fake, conducting, resolver, send } = conduct(assert);
  answers(fake, { a: 20, b: 25, video: 30 });
  conducting.begin();
  await fake.advance(120_000);
  Object.assign(resolver, { resolve: () => new Promise(() => undefined) });
  const sent = send(MAIN);
  await fake.advance(149);
  assert.deepEqual(fake.fetches, []);
  await fake.advance(31);
  assert.strictEqual(sent.body, 'video');
  await fake.advance(2 * SETTLED_MS);
  assert.strictEqual(conducting.state().kind, 'bypassed');
});

test('lets the origin serve the first request when no edge is quick, and the edges those that follow', async (assert) => {
  const { fake, conducting, send } = conduct(assert);
  answers(fake, { a: 400, b: 500, video: 30 });
  conducting.begin();
  await fake.flush();
  const first = send(MAIN);
  await fake.advance(180);
  assert.strictEqual(first.body, 'video');
  const second = send('/live/low.m3u8');
  await fake.advance(30);
  assert.strictEqual(second.body, 'video', 'it is not held once more');
  await fake.advance(SETTLED_MS);
  const third = send('/live/0.ts');
  await fake.advance(400);
  assert.strictEqual(third.body, 'a');
});

test('holds no request when the lookups are out for longer than a nameserver has for its head start', async (assert) => {
  const resolver = { resolve: () => new Promise<never>(() => undefined) };
  const { fake, conducting, send } = conduct(assert, { options: { resolver } });
  answers(fake, { video: 0 });
  conducting.begin();
  await fake.advance(251);
  const sent = send(MAIN);
  await fake.flush();
  assert.strictEqual(sent.body, 'video');
  await fake.advance(10_000);
});

test('holds no first request that is no playlist, and races by HEAD behind it', async (assert) => {
  const { fake, conducting, send } = conduct(assert);
  answers(fake, { a: 20, b: 60, video: 5 });
  conducting.begin();
  await fake.flush();
  const sent = send('/live/0.ts');
  await fake.advance(5);
  assert.strictEqual(sent.body, 'video');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(conducting.selection()?.chosen.origin, A);
  assert.strictEqual(fake.all('GET https://a.example').length, 0);
});

test('asks with HEAD where the URL has a query string, and the winner serves the request once', async (assert) => {
  const { fake, conducting, send } = conduct(assert);
  answers(fake, { a: 20, b: 60 });
  conducting.begin();
  await fake.flush();
  const sent = send(`${MAIN}?session=new`);
  await fake.advance(50);
  assert.strictEqual(sent.body, 'a');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(fake.all(/^GET .*main/).length, 1);
  assert.strictEqual(fake.all(/^HEAD .*main.m3u8\?session=new/).length, 2);
});

test('holds nothing where the page knows a selection, and measures again behind when it is 10 s old', async (assert) => {
  const first = conduct(assert);
  answers(first.fake, { a: 20, b: 60 });
  await first.select();
  const { fake } = first;
  const before = fake.fetches.length;
  const second = conduct(assert, { page: first });
  second.conducting.begin();
  assert.strictEqual(second.of('edgeselect:selected')[0]?.selection.reason, 'known');
  const sent = second.send(MAIN);
  await fake.advance(20);
  assert.strictEqual(sent.body, 'a');
  assert.deepEqual(
    fake.fetches
      .slice(before)
      .map(({ method, url }) => `${method} ${new URL(url).host}`)
      .sort(),
    ['GET a.example', 'POST a.example'],
  );
  await fake.advance(10_000);
  const third = conduct(assert, { page: first });
  third.conducting.begin();
  assert.strictEqual(third.conducting.state().kind, 'reselecting');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(third.conducting.state().kind, 'steady');
  assert.true(fake.all('HEAD ').length >= 2, 'a race behind');
});

test('holds nothing as long as another player goes on with what it knows, though its TTL is short', async (assert) => {
  const inner = lookups(['a', 'b']);
  const resolver: Resolver = {
    async resolve(question, tools) {
      return { ...(await inner.resolve(question, tools)), ttlSeconds: question.lookup === 'tokens' ? 60 : 10 };
    },
  };
  const first = conduct(assert, { options: { resolver } });
  answers(first.fake, { a: 20, b: 60 });
  await first.select();
  await first.fake.advance(50_000);
  const second = conduct(assert, { page: first, options: { resolver } });
  second.conducting.begin();
  assert.strictEqual(second.conducting.state().kind, 'reselecting', 'it is measured behind its back');
  const sent = second.send(MAIN);
  await first.fake.advance(20);
  assert.strictEqual(sent.body, 'a');
  await first.fake.advance(SETTLED_MS);
});

test('remembers the edge, and never a token, for the next page', async (assert) => {
  const options = { remember: true };
  const first = conduct(assert, { options });
  answers(first.fake, { a: 20, b: 60 });
  await first.select();
  assert.deepEqual([...first.fake.stored.values()], [A]);
  const next = conduct(assert, { options });
  answers(next.fake, { a: 20, b: 60 });
  for (const [key, value] of first.fake.stored) next.fake.stored.set(key, value);
  next.conducting.begin();
  const sent = next.send(MAIN);
  await next.fake.advance(20);
  assert.strictEqual(sent.body, 'a', 'nothing was held');
  await next.fake.advance(SETTLED_MS);
  assert.strictEqual(next.conducting.selection()?.chosen.origin, A, 'it was measured behind');
  assert.strictEqual(next.fake.all('HEAD https://b.example').length > 0, true);
});

test('reroutes requests of the service and of the origins named, and no others', (assert) => {
  const { conducting } = conduct(assert, { options: { origins: ['https://media.example'] } });
  const asked = ['https://video.example/x', 'https://media.example/x', 'https://ads.example/x', 'data:text/plain,x'];
  assert.deepEqual(
    asked.map((url) => conducting.isRerouted(url)),
    [true, true, false, false],
  );
});

test('asks the origin first for keys, and an edge when it fails', async (assert) => {
  const { fake, send, select } = conduct(assert);
  answers(fake, { a: 20, b: 60, video: 5 });
  await select();
  const key = send('/live/key.bin', { requestType: 'segment-key' });
  await fake.advance(5);
  assert.strictEqual(key.body, 'video');
  fake.respond('video.example', { status: 503 });
  const second = send('/live/key.bin', { requestType: 'segment-key' });
  await fake.advance(25);
  assert.strictEqual(second.body, 'a');
});

test('keys do not wait each time for an origin that is silent', async (assert) => {
  const { fake, send, select } = conduct(assert);
  answers(fake, { a: 10, b: 30, video: 5 });
  await select();
  fake.expect('GET https://video.example/');
  const waits: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const beganAt = fake.platform.now();
    const key = send(`/live/${i}.key`, { requestType: 'segment-key' });
    while (!key.end) await fake.advance(10);
    waits.push(fake.platform.now() - beganAt);
    await fake.advance(2000);
  }
  assert.true(Math.max(...waits.slice(1)) <= 100, `${waits.join(' ')} ms`);
});

test('keeps a playlist that one edge redirects to another within reach', async (assert) => {
  const { fake, conducting, select } = conduct(assert);
  answers(fake, { a: 10, b: 30, video: 5 });
  await select();
  const asked = 'https://video.example/live/low.m3u8';
  const lane: Lane = {
    ...{ edge: conducting.selection()?.chosen ?? null, url: `${A}/live/low.m3u8`, opened: null, guarded: false },
    ...{
      patienceMs: 0,
      limitMs: 0,
      checksLength: true,
      resumes: true,
      isTooSlow: () => false,
      rateShown: (rate) => rate,
    },
  };
  assert.strictEqual(conducting.serviceUrl('https://b.example/live/low.m3u8', lane, asked), asked);
});

test('shows the URL of the service for a redirect inside an edge, and that of a foreign host as it is', (assert) => {
  const { conducting } = conduct(assert);
  const edge = { origin: A, rank: 0, weight: 1 };
  const lane: Lane = {
    ...{ edge, url: `${A}/0.ts`, opened: null, guarded: false, patienceMs: 0, limitMs: 0, checksLength: true },
    ...{ resumes: true, isTooSlow: () => false, rateShown: (rate) => rate },
  };
  const asked = 'https://video.example/0.ts';
  assert.strictEqual(conducting.serviceUrl(`${A}/moved/0.ts?x`, lane, asked), 'https://video.example/moved/0.ts?x');
  assert.strictEqual(
    conducting.serviceUrl('https://elsewhere.example/0.ts', lane, asked),
    'https://elsewhere.example/0.ts',
  );
});
