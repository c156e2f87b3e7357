import QUnit from 'qunit';
import type { Question, Resolver } from '../../src/resolver.js';
import type { State } from '../../src/switch.js';
import { answers, conduct, SETTLED_MS, type Conducting, type Sent } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';
import { answer } from './given.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const B = 'https://b.example';
const MAIN = '/live/main.m3u8';
/** The last look for what the browser measured is due this long after an answer. */
const LAST_LOOK_MS = 100;
/** A question belongs to the page, since another source may ask the same: it ends by itself, after `lookupTimeoutMs` twice. */
const LOOKUP_END_MS = 6000;
/** The TTL of all answers, half of it for chance, and a little. */
const ASKED_AGAIN_MS = 91_000;

/** How to come there. @returns the requests that are under way */
type Way = (all: Conducting) => Promise<readonly Sent[]>;

async function played(all: Conducting): Promise<void> {
  answers(all.fake, { a: 20, b: 60, video: 5 });
  await all.select();
}

const WAYS: Readonly<Record<string, { readonly state: State['kind']; readonly way: Way }>> = {
  idle: { state: 'idle', way: () => Promise.resolve([]) },
  'selecting, with a request that is held': {
    state: 'selecting',
    async way({ fake, conducting, send }) {
      fake.expect(/[ab]\.example/);
      conducting.begin();
      await fake.flush();
      const sent = send(MAIN);
      await fake.advance(50);
      return [sent];
    },
  },
  'selecting, with the origin in the race': {
    state: 'selecting',
    async way({ fake, conducting, send }) {
      fake.expect(/^GET /);
      conducting.begin();
      await fake.flush();
      const sent = send(MAIN);
      await fake.advance(200);
      return [sent];
    },
  },
  'selecting, with an edge that leads already': {
    state: 'selecting',
    async way({ fake, conducting, send }) {
      answers(fake, { a: 20 });
      fake.expect(B);
      conducting.begin();
      await fake.flush();
      const sent = send(MAIN);
      await fake.advance(22);
      return [sent, send('/live/0.ts')];
    },
  },
  steady: {
    state: 'steady',
    async way(all) {
      await played(all);
      return [];
    },
  },
  'steady, in the middle of an answer': {
    state: 'steady',
    async way(all) {
      await played(all);
      all.fake.expect(`GET ${A}`);
      const sent = all.send('/live/0.ts', { timeoutMs: 3000 });
      all.fake
        .last(`GET ${A}`)
        .respondStream({ headers: { 'content-length': '6' } })
        .chunk('abc');
      await all.fake.advance(300);
      return [sent];
    },
  },
  'steady, in an answer that goes on at another edge': {
    state: 'steady',
    async way(all) {
      await played(all);
      const { fake, send } = all;
      fake.expect(/GET https:\/\/[ab]\.example/);
      const sent = send('/live/0.ts');
      fake
        .last(`GET ${A}`)
        .respondStream({ headers: { 'content-length': '6' } })
        .chunk('abc');
      await fake.advance(700);
      const headers = { 'content-range': 'bytes 0-5/6', 'content-length': '6' };
      fake.last(`GET ${B}`).respondStream({ status: 206, headers }).chunk('abcd');
      await fake.flush();
      return [sent];
    },
  },
  'steady, while nobody answers': {
    state: 'steady',
    async way(all) {
      await played(all);
      all.fake.expect(/^GET /);
      const sent = all.send('/live/0.ts');
      await all.fake.advance(1200);
      return [sent];
    },
  },
  'steady, between two rounds of asking all': {
    state: 'steady',
    async way(all) {
      await played(all);
      all.fake.respond(/^GET /, 'fail');
      const sent = all.send('/live/0.ts');
      await all.fake.advance(200);
      return [sent];
    },
  },
  'steady, while a silent edge has its last chance': {
    state: 'steady',
    async way(all) {
      await played(all);
      all.fake.expect(`GET ${A}`);
      const sent = all.send('/live/0.ts');
      await all.fake.advance(700);
      return [sent];
    },
  },
  'steady, with the map to look up': {
    state: 'steady',
    async way(all) {
      await played(all);
      Object.assign(all.resolver, NEVER);
      await all.fake.advance(ASKED_AGAIN_MS - SETTLED_MS);
      return [];
    },
  },
  'steady, while an edge that was out is probed': {
    state: 'steady',
    async way(all) {
      await played(all);
      all.shared.failed(B);
      all.fake.expect(`HEAD ${B}`);
      await all.fake.advance(61_000);
      return [];
    },
  },
  'steady, before a second look around': {
    state: 'steady',
    async way(all) {
      await played(all);
      Object.assign(all.resolver, {
        resolve: ({ lookup }: Question) => (lookup === 'tokens' ? TOKENS : SERVERS),
      });
      await all.fake.advance(ASKED_AGAIN_MS);
      return [];
    },
  },
  'reselecting, because the edge must go': {
    state: 'reselecting',
    async way(all) {
      await played(all);
      all.fake.respond(`GET ${A}`, { status: 503 });
      all.fake.expect('HEAD ');
      const sent = all.send('/live/0.ts');
      await all.fake.advance(100);
      return [sent];
    },
  },
  'reselecting, with the map to look up': {
    state: 'reselecting',
    async way(all) {
      await played(all);
      Object.assign(all.resolver, NEVER);
      await all.fake.advance(ASKED_AGAIN_MS - SETTLED_MS);
      all.conducting.reselect('a test');
      await all.fake.flush();
      return [];
    },
  },
  bypassed: {
    state: 'bypassed',
    async way({ fake, conducting, send }) {
      answers(fake, { video: 50 });
      fake.respond(/[ab]\.example/, { status: 503 });
      conducting.begin();
      await fake.flush();
      const sent = send(MAIN);
      await fake.advance(SETTLED_MS);
      return [sent, send('/live/0.ts')];
    },
  },
};

const NEVER: Resolver = { resolve: () => new Promise(() => undefined) };
const record = { type: 'SRV', priority: 10, weight: 10, port: 443 } as const;
const TOKENS = Promise.resolve(answer([{ ...record, target: 'other.token.example' }]));
const SERVERS = Promise.resolve(answer([{ ...record, target: 'c.example' }]));

module('conductor, disposed of', nothingLeft);

test.each(
  'leaves nothing behind:',
  Object.fromEntries(Object.entries(WAYS).map(([title, found]) => [title, { ...found, title }])),
  async (assert, { title, state, way }) => {
    const all = conduct(assert);
    const { fake, conducting, events } = all;
    const sent = await way(all);
    assert.strictEqual(conducting.state().kind, state, title);
    // a player that is disposed of aborts what it asked for
    for (const one of sent) one.abort();
    conducting.dispose();
    await fake.advance(title.includes('look up') ? LOOKUP_END_MS : LAST_LOOK_MS);
    const told = events.length;
    const asked = fake.fetches.length;
    assert.strictEqual(fake.liveTimers(), 0, 'no timer');
    assert.deepEqual(
      fake.fetches.filter((one) => one.pending()).map(({ method, url }) => `${method} ${url}`),
      [],
      'no request',
    );
    await fake.advance(600_000);
    assert.deepEqual([events.length, fake.fetches.length], [told, asked], 'nothing happens any more');
  },
);

test.each(
  'leaves a request of a player that plays on to its end:',
  [
    'steady, in an answer that goes on at another edge',
    'steady, while a silent edge has its last chance',
    'steady, while nobody answers',
  ],
  async (assert, title) => {
    const all = conduct(assert);
    const { fake, conducting } = all;
    const sent = (await WAYS[title]?.way(all)) ?? [];
    conducting.dispose();
    answers(fake, { a: 20, b: 60, video: 5 });
    for (const one of fake.all('/live/0.ts')) if (one.pending()) one.respond({ body: 'abcdef' });
    await fake.advance(LAST_LOOK_MS);
    // what has begun and says no more ends with VHS's own limit
    for (const one of sent) if (one.end === undefined) one.abort();
    await fake.advance(LAST_LOOK_MS);
    assert.strictEqual(fake.liveTimers(), 0);
  },
);
