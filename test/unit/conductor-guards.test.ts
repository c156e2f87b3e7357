import QUnit from 'qunit';
import { EdgeSelectError, type ErrorCode } from '../../src/errors.js';
import type { EdgeSelectOptions } from '../../src/options.js';
import { answers, conduct, lookups, SETTLED_MS, TOKEN, type Conducting } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';
import { answer, srv } from './given.js';

const { module, test } = QUnit;

const MAIN = '/live/main.m3u8';

module('conductor, what may go where', nothingLeft);

test('bypasses itself when a source has credentials and no host is allowed to have them', async (assert) => {
  const { fake, conducting, send, of, select } = conduct(assert, { withCredentials: true });
  answers(fake, { video: 5 });
  await select();
  assert.deepEqual(
    of('edgeselect:bypassed').map(({ error }) => error.code),
    ['CREDENTIALS_NOT_ALLOWED'],
  );
  assert.strictEqual(conducting.state().kind, 'bypassed');
  assert.strictEqual(fake.last('video.example').init.credentials, 'include');
  send('/live/0.ts');
  await fake.advance(5);
  assert.strictEqual(fake.all(/[ab]\.example/).length, 0, 'no edge was asked anything');
});

test('sends credentials to hosts that are allowed to have them, and follows no redirect there', async (assert) => {
  const { fake, select } = conduct(assert, { withCredentials: true, options: { allowedHosts: ['example'] } });
  answers(fake, { a: 20, b: 60 });
  await select();
  const { init } = fake.last('GET https://a.example');
  assert.deepEqual([init.credentials, init.redirect], ['include', 'error']);
  assert.strictEqual(fake.last('POST ').init.credentials, 'omit', 'but not with a report');
});

test.each(
  "sends a site's own headers to the origin, and to allowed hosts; VHS's range to any edge",
  [
    { headers: { Authorization: 'secret' }, allowedHosts: [], server: 'video' },
    { headers: { Authorization: 'secret' }, allowedHosts: ['a.example'], server: 'a' },
    { headers: { 'X-Trace': '1', Range: 'bytes=0-' }, allowedHosts: [], server: 'video' },
    { headers: { Range: 'bytes=0-' }, allowedHosts: [], server: 'a' },
    { headers: { range: 'bytes=0-' }, allowedHosts: [], server: 'a' },
  ],
  async (assert, { headers, allowedHosts, server }) => {
    const { fake, send, select } = conduct(assert, { options: { allowedHosts } });
    answers(fake, { a: 20, b: 60, video: 5 });
    await select();
    fake.respond('0.ts', { status: 206, body: 'bytes' });
    const sent = send('/live/0.ts', { headers });
    await fake.flush();
    assert.strictEqual(sent.end, 'answered');
    assert.deepEqual(
      fake.all('0.ts').map(({ url }) => new URL(url).hostname),
      [`${server}.example`],
    );
    const { init } = fake.last('0.ts');
    assert.strictEqual(
      init.redirect,
      server === 'a' && !('range' in headers || 'Range' in headers) ? 'error' : 'follow',
    );
  },
);

test("races without a site's headers, and holds nothing, when the edges may not have them", async (assert) => {
  const { fake, conducting, send } = conduct(assert);
  answers(fake, { a: 20, b: 60, video: 5 });
  fake.timing('.example', { requestStart: 1000, responseStart: 1010 });
  conducting.begin();
  await fake.flush();
  const sent = send(MAIN, { headers: { Authorization: 'secret' } });
  await fake.advance(5);
  assert.strictEqual(sent.body, 'video');
  await fake.advance(SETTLED_MS);
  assert.deepEqual(
    fake.all(/[ab]\.example\/live/).map(({ method, headers }) => [method, headers]),
    [
      ['HEAD', {}],
      ['HEAD', {}],
    ],
  );
});

module('conductor, when it fails', nothingLeft);

const FAILURES: Record<string, [Partial<EdgeSelectOptions>, ErrorCode]> = {
  'the map is unreachable': [
    failing(new EdgeSelectError('LOOKUP_UNREACHABLE', { lookup: 'tokens' })),
    'LOOKUP_UNREACHABLE',
  ],
  'the map says that there is no such name': [
    failing(new EdgeSelectError('LOOKUP_NXDOMAIN', { lookup: 'tokens', ttlSeconds: 60 })),
    'LOOKUP_NXDOMAIN',
  ],
  'a resolver of the site throws something else': [failing(new Error('boom')), 'LOOKUP_FAILED'],
  'the map gives no token': [{ resolver: { resolve: () => Promise.resolve(answer([srv('')])) } }, 'TOKENS_EMPTY'],
  'a token leads to no server': [{ resolver: lookups([srv('')]) }, 'SERVERS_EMPTY'],
  'discover throws': [{ discover: () => Promise.reject(new Error('boom')) }, 'LOOKUP_FAILED'],
  'every edge refuses': [{}, 'EDGES_FAILED'],
};

test.each('plays on from the origin, and says why, when', FAILURES, async (assert, [options, code]) => {
  const { fake, conducting, send, of, names } = conduct(assert, { options });
  fake.respond(/[ab]\.example/, { status: 403 });
  answers(fake, { video: 5 });
  conducting.begin();
  await fake.flush();
  const sent = send(MAIN);
  await fake.advance(5);
  assert.strictEqual(sent.body, 'video', 'at once');
  await fake.advance(SETTLED_MS);
  assert.deepEqual(
    of('edgeselect:bypassed').map(({ error }) => error.code),
    [code],
  );
  assert.deepEqual(names().sort(), ['bypassed', 'served']);
  assert.strictEqual(conducting.selection(), null);
  const next = send('/live/0.ts');
  await fake.advance(5);
  assert.strictEqual(next.body, 'video');
});

module('conductor, tokens', nothingLeft);

/** All that leaves the conductor, but for the selection, which the site may see. */
function outputOf({ events, fake }: Conducting): string {
  const seen = events.map((event) => {
    if (event.type === 'edgeselect:bypassed') return [event.error.message, event.error.stack, event.error.details];
    return 'selection' in event ? { ...event, selection: null } : event;
  });
  const sent = fake.fetches.map(({ url, headers, init }) => [url, headers, init.body]);
  return JSON.stringify([seen, sent, [...fake.stored]]);
}

test('shows a token in no event but the selection, in no request, and in no storage', async (assert) => {
  const all = conduct(assert, { options: { remember: true } });
  answers(all.fake, { a: 20, b: 60 });
  await all.select();
  all.conducting.reselect('asked for');
  await all.fake.advance(SETTLED_MS);
  const output = outputOf(all);
  assert.true(output.includes('edgeselect:reported'), 'there is something to search');
  assert.false(output.includes('tok-4711'));
  assert.deepEqual(all.conducting.selection()?.tokens, [TOKEN], 'the selection has it');
});

test.each(
  'shows a token in no error, when the lookup of its servers fails',
  {
    'with a code': (name: string) => new EdgeSelectError('LOOKUP_SERVFAIL', { lookup: 'servers' }, name),
    'with something else': (name: string) => new Error(`${name} is not there`),
  },
  async (assert, errorOf) => {
    const known = lookups(['a']);
    const resolver: typeof known = {
      resolve: (question, tools) =>
        question.lookup === 'tokens' ? known.resolve(question, tools) : Promise.reject(errorOf(question.name)),
    };
    const all = conduct(assert, { options: { resolver } });
    answers(all.fake, { video: 5 });
    await all.select();
    const output = outputOf(all);
    assert.true(output.includes('LOOKUP_'), 'there is something to search');
    assert.false(output.includes('tok-4711'));
  },
);

function failing(error: Error): Partial<EdgeSelectOptions> {
  return { resolver: { resolve: () => Promise.reject(error) } };
}
