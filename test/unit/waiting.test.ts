import QUnit from 'qunit';
import { directory, type Directory } from '../../src/directory.js';
import type { EdgeSelectOptions } from '../../src/options.js';
import { permit } from '../../src/permit.js';
import type { Win } from '../../src/preflight.js';
import type { Contest, Search } from '../../src/search.js';
import { waiting, type Waited, type Waiting } from '../../src/waiting.js';
import type { MediaRequest } from '../../src/transport/route.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';
import { settings, SOURCE } from './given.js';

const { module, test } = QUnit;

const EDGE = { origin: 'https://a.example', rank: 0, weight: 1 };
const KEY = 'a key';

interface Room {
  readonly fake: FakePlatform;
  readonly page: Directory;
  readonly room: Waiting;
  readonly search: Search;
  readonly warnings: readonly string[];
  /** What was to be raced. */
  readonly contests: Contest[];
  /** The lookups have ended. */
  found(): void;
  win(edge: Win | null): void;
  wait(request?: Partial<MediaRequest>): Promise<Waited> | null;
}

function roomOf(assert: Assert, options: EdgeSelectOptions = {}): Room {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  const own = settings({ originAfterMs: 150, lookupStaggerMs: 250, ...options });
  const rules = permit(SOURCE, own);
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const room = waiting(KEY, rules.plainRequest(false), own, rules, { directory: page, platform: fake.platform, warn });
  const contests: Contest[] = [];
  let isLookingUp = true;
  let win: (edge: Win | null) => void = () => undefined;
  const search: Search = {
    win: new Promise((resolve) => {
      win = resolve;
    }),
    leaders: () => [],
    lookingUp: () => isLookingUp,
    startedAt: fake.platform.now(),
    run: (contest) => contests.push(contest) === 1,
    abort: () => undefined,
  };
  return {
    ...{ fake, page, room, search, contests, warnings },
    found() {
      isLookingUp = false;
    },
    win(edge) {
      win(edge);
    },
    wait: (request = {}) => room.hold({ ...PLAYLIST, ...request }, search, new AbortController().signal),
  };
}

const PLAYLIST: MediaRequest = {
  ...{ url: SOURCE.src, method: 'GET', headers: {}, withCredentials: false, requestType: 'hls-playlist' },
  ...{ timeoutMs: 0, binary: false },
};

module('waiting', nothingLeft);

test('asks the servers of a later race for the playlist as it is, and not to hold the request until there is more', (assert) => {
  const { room } = roomOf(assert);
  room.saw({ ...PLAYLIST, url: `${SOURCE.src}?sign=1&_HLS_msn=7&_HLS_part=1` });
  assert.strictEqual(room.lastAsked().url, `${SOURCE.src}?sign=1`);
});

test('holds the first playlist until an edge has won', async (assert) => {
  const { fake, found, win, wait } = roomOf(assert);
  const held = wait();
  found();
  await fake.advance(40);
  win({ edge: EDGE, opened: null });
  const { edge, waitedMs } = (await held) ?? {};
  assert.deepEqual([edge, waitedMs], [EDGE, 40]);
});

test('holds it no longer than `originAfterMs`', async (assert) => {
  const { fake, wait, win } = roomOf(assert, { preflight: 'HEAD' });
  const held = wait();
  await fake.advance(150);
  const { edge, waitedMs } = (await held) ?? {};
  assert.deepEqual([edge, waitedMs], [null, 150]);
  win(null);
});

test('lets the second of two requests wait for no longer than both together may', async (assert) => {
  const { fake, found, wait, win } = roomOf(assert, { preflight: 'HEAD' });
  found();
  const first = wait();
  await fake.advance(100);
  const second = wait({ url: 'https://video.example/live/low.m3u8' });
  await fake.advance(50);
  assert.deepEqual([(await first)?.edge, (await second)?.waitedMs], [null, 50]);
  await fake.advance(1);
  assert.strictEqual(wait(), null, 'a third one does not wait at all');
  win(null);
  await fake.flush();
});

test.each(
  'holds nothing but a playlist that may be raced:',
  {
    'a segment': { requestType: 'segment', binary: true },
    'a key': { requestType: 'segment-key', binary: true },
    'a HEAD request': { method: 'HEAD' },
    'a request with cookies': { withCredentials: true },
    'a request with a header of the site': { headers: { authorization: 'secret' } },
  } as const,
  (assert, request) => {
    const { wait, contests } = roomOf(assert);
    assert.strictEqual(wait(request), null);
    assert.deepEqual(
      contests.map(({ held, method, request: { headers } }) => [held(), method, headers]),
      [[false, 'HEAD', {}]],
    );
  },
);

test('waits for lookups where all nameservers are asked at once, too', async (assert) => {
  const { fake, wait, win } = roomOf(assert, { lookupStaggerMs: 0, preflight: 'HEAD' });
  await fake.advance(40);
  const held = wait();
  win({ edge: EDGE, opened: null });
  assert.strictEqual((await held)?.edge, EDGE);
});

test('waits for no lookup that is out for longer than a second nameserver would have had to wait', async (assert) => {
  const { fake, wait } = roomOf(assert);
  await fake.advance(251);
  assert.strictEqual(wait(), null);
});

test('does not wait again, for any source of the page, where it has once waited in vain for the lookups', async (assert) => {
  const { fake, page, wait, win } = roomOf(assert, { preflight: 'HEAD' });
  const held = wait();
  await fake.advance(150);
  await held;
  assert.true(page.waitedInVain.has(KEY));
  assert.strictEqual(wait(), null);
  win(null);
});

test.each(
  'races the held request itself only where that is safe:',
  [
    { url: SOURCE.src, preflight: 'auto', method: 'GET' },
    { url: `${SOURCE.src}?signed=1`, preflight: 'auto', method: 'HEAD' },
    { url: `${SOURCE.src}?signed=1`, preflight: 'GET', method: 'GET' },
    { url: SOURCE.src, preflight: 'OPTIONS', method: 'OPTIONS' },
  ] as const,
  async (assert, { url, preflight, method }) => {
    const { fake, wait, contests, win } = roomOf(assert, { preflight });
    const held = wait({ url });
    assert.deepEqual([contests[0]?.method, contests[0]?.request.url], [method, url]);
    win({ edge: EDGE, opened: null });
    assert.strictEqual((await held)?.edge, EDGE);
    await fake.flush();
  },
);

test('remembers the last playlist for later races, and no media', (assert) => {
  const { room } = roomOf(assert);
  assert.strictEqual(room.lastAsked().url, SOURCE.src);
  room.saw({ ...PLAYLIST, url: 'https://video.example/live/low.m3u8' });
  room.saw({ ...PLAYLIST, url: 'https://video.example/live/0.ts', requestType: 'segment' });
  assert.strictEqual(room.lastAsked().url, 'https://video.example/live/low.m3u8');
});

test.each(
  'later races ask for what a media element loads, as it loads it,',
  { 'while there is a search': true, 'and where there is none': false },
  async (assert, isSearching) => {
    const { fake, room, search, contests, win } = roomOf(assert, { preflight: 'OPTIONS' });
    const picked = room.pick(isSearching ? search : null, null, new AbortController().signal);
    win({ edge: EDGE, opened: null });
    await fake.flush();
    assert.strictEqual(await picked, isSearching ? EDGE : null);
    const { url, opaque, media } = room.lastAsked();
    assert.deepEqual([url, opaque, media], [SOURCE.src, true, true]);
    assert.deepEqual(
      contests.map(({ request, method }) => [request, method]),
      isSearching ? [[room.lastAsked(), 'HEAD']] : [],
    );
  },
);

test.each(
  'says once when no edge may have a request with headers of the site:',
  { 'no host is allowed': [[], 1], 'one is': [['cdn.example'], 0] } as const,
  (assert, [allowedHosts, times]) => {
    const { room, warnings } = roomOf(assert, { allowedHosts });
    const segment = { ...PLAYLIST, url: 'https://video.example/live/0.ts', requestType: 'segment' };
    room.saw(PLAYLIST);
    room.saw({ ...segment, headers: { Range: 'bytes=0-9' } });
    room.saw({ ...segment, withCredentials: true });
    assert.strictEqual(warnings.length, 0);
    for (let i = 0; i < 3; i += 1) room.saw({ ...segment, headers: { authorization: 'secret' } });
    assert.strictEqual(warnings.length, times);
    assert.false(warnings.join().includes('secret'));
  },
);
