import QUnit from 'qunit';
import { account, type Account } from '../../src/account.js';
import { directory, type Directory } from '../../src/directory.js';
import type { EdgeSelectEvent, FailureKind } from '../../src/events.js';
import type { Edge } from '../../src/servers.js';
import type { Lane, Outcome, Parked } from '../../src/transport/attempt.js';
import type { MediaRequest, Try } from '../../src/transport/route.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';

const { module, test } = QUnit;

const edge = (name: string): Edge => ({ origin: `https://${name}.example`, rank: 0, weight: 1 });
const [A, B] = [edge('a'), edge('b')];
const REQUEST: MediaRequest = {
  ...{ url: 'https://video.example/0.ts', method: 'GET', headers: {}, withCredentials: false },
  ...{ requestType: 'segment', timeoutMs: 3000, binary: true },
};
const DELIVERED: Outcome = {
  kind: 'delivered',
  firstByteMs: 40,
  elapsedMs: 1000,
  bytes: 1_000_000,
  isMedia: true,
  moveAway: false,
};
const FAILED: Outcome = {
  ...{ kind: 'failed', because: 'silent', status: 0, bytes: 0, elapsedMs: 600, opened: null, parked: null },
};

const tried = (at: Edge | null, because: FailureKind, more: Partial<Try> = {}): Try => ({
  ...{ edge: at, because, status: 0, bytes: 0, elapsedMs: 600 },
  ...more,
});
const laneOf = (at: Edge | null): Lane => ({
  ...{ edge: at, url: `${at?.origin ?? 'https://video.example'}/0.ts`, opened: null, guarded: false, patienceMs: 600 },
  ...{ checksLength: true, resumes: true, limitMs: 0, isTooSlow: () => false, rateShown: (rate) => rate },
});

interface Accounting {
  readonly fake: FakePlatform;
  readonly page: Directory;
  readonly books: Account;
  readonly events: EdgeSelectEvent[];
  readonly lost: string[];
  out(): string[];
}

/** The books of a source that plays from a. */
function accounting(assert: Assert): Accounting {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  const events: EdgeSelectEvent[] = [];
  const lost: string[] = [];
  const books = account({
    platform: fake.platform,
    directory: page,
    tell: (event) => events.push(event),
    chosen: () => A,
    onLost: ({ origin }, because) => lost.push(`${origin} ${because}`),
  });
  const out = (): string[] => [A, B].map(({ origin }) => origin).filter((origin) => page.record(origin).isOut);
  return { fake, page, books, events, lost, out };
}

const parked = (spoke: boolean, aborted: string[] = []): Parked => ({
  spoke: () => spoke,
  abort: () => aborted.push('it'),
});

module('account', nothingLeft);

/** What an edge did before another delivered, and whether it is charged for that at once. */
const FAULTS: Readonly<Record<string, { readonly one: Try; readonly charged: boolean }>> = {
  'refused or reset the connection': { one: tried(A, 'refused'), charged: true },
  'broke off its body': { one: tried(A, 'short', { bytes: 1000, status: 200 }), charged: true },
  'answered 503': { one: tried(A, 'status', { status: 503 }), charged: true },
  'answered 429': { one: tried(A, 'status', { status: 429 }), charged: true },
  'answered a page': { one: tried(A, 'notmedia', { status: 200 }), charged: true },
  'took no Range': { one: tried(A, 'range', { status: 200 }), charged: true },
  'had no such file': { one: tried(A, 'status', { status: 404 }), charged: false },
  'was silent': { one: tried(A, 'silent'), charged: false },
  'stopped in its body': { one: tried(A, 'stalled', { bytes: 1000, status: 200 }), charged: false },
};

test.each('when another delivers, an edge that', FAULTS, (assert, { one, charged }) => {
  const { books, lost, out } = accounting(assert);
  books.ended(REQUEST, [one], laneOf(B), DELIVERED);
  assert.deepEqual(out(), charged ? [A.origin] : []);
  assert.deepEqual(lost, charged ? [`${A.origin} ${one.because}`] : [], 'the edge in use is lost');
});

test('nobody is charged for silence, refusal or reset when nobody delivers', (assert) => {
  const { books, lost, out } = accounting(assert);
  for (const because of ['silent', 'stalled', 'refused', 'short'] as const) {
    books.ended(REQUEST, [tried(A, because), tried(B, because)], null, FAILED);
  }
  assert.deepEqual([out(), lost], [[], []]);
  assert.true(books.isAllSilent());
});

test('an answer that blames an edge does so even when nobody delivers', (assert) => {
  const { books, out } = accounting(assert);
  books.ended(REQUEST, [tried(A, 'status', { status: 500 })], null, { ...FAILED, because: 'status', status: 500 });
  assert.deepEqual(out(), [A.origin]);
});

test('an edge that says nothing for another 250 ms, while others deliver, is deaf', async (assert) => {
  const { fake, books, lost, out } = accounting(assert);
  const silent = tried(A, 'silent');
  const aborted: string[] = [];
  books.ended(REQUEST, [silent], laneOf(B), DELIVERED);
  assert.true(books.isSilent(A.origin), 'requests avoid it meanwhile');
  books.prove(new Map([[silent, parked(false, aborted)]]));
  await fake.advance(249);
  assert.deepEqual([out(), aborted], [[], []]);
  await fake.advance(1);
  assert.deepEqual([out(), aborted, lost], [[A.origin], ['it'], [`${A.origin} silent`]]);
  assert.false(books.isSilent(A.origin));
});

test('an edge that spoke after all was cut off together with the others', async (assert) => {
  const { fake, books, lost, out } = accounting(assert);
  const silent = tried(A, 'stalled');
  books.ended(REQUEST, [silent], laneOf(B), DELIVERED);
  books.prove(new Map([[silent, parked(true)]]));
  await fake.advance(250);
  assert.deepEqual([out(), lost], [[], []]);
  assert.false(books.isSilent(A.origin));
});

test('gives up what is still open when it is disposed, and charges nobody', (assert) => {
  const { books, out } = accounting(assert);
  const aborted: string[] = [];
  books.prove(new Map([[tried(A, 'silent'), parked(false, aborted)]]));
  books.dispose();
  books.prove(new Map([[tried(B, 'silent'), parked(false, aborted)]]));
  assert.deepEqual([aborted, out()], [['it', 'it'], []]);
});

/** Rates in bytes per millisecond. */
const SPEEDS = {
  'gained a quarter: it is the edge’s fault': { before: 100, after: 125, charged: true },
  'gained less: it is the viewer’s line': { before: 100, after: 124, charged: false },
};

test.each('leaving a slow edge', SPEEDS, (assert, { before, after, charged }) => {
  const { page, books, out } = accounting(assert);
  const slow = tried(A, 'slow', { bytes: before * 1000, elapsedMs: 1000, status: 200 });
  books.ended(REQUEST, [slow], laneOf(B), { ...DELIVERED, bytes: after * 1000, elapsedMs: 1000 });
  assert.deepEqual(out(), charged ? [A.origin] : []);
  assert.strictEqual(page.isLineSlow(), !charged);
});

test('that the line is slow is forgotten after 10 min, the next time after 20, at most 1 h', async (assert) => {
  const { fake, page } = accounting(assert);
  for (const minutes of [10, 20, 40, 60, 60]) {
    page.lineSeemsSlow();
    await fake.advance(minutes * 60_000 - 1);
    assert.true(page.isLineSlow(), `${minutes} min`);
    await fake.advance(1);
    assert.false(page.isLineSlow(), `${minutes} min`);
  }
});

test('edges that were suspected by a race are charged when somebody else delivers', (assert) => {
  const { books, out } = accounting(assert);
  books.suspect(A);
  books.ended(REQUEST, [], laneOf(B), DELIVERED);
  assert.deepEqual(out(), [A.origin]);
});

test('nobody is charged when one of them delivers: it was the line', (assert) => {
  const { books, out } = accounting(assert);
  books.suspect(A);
  books.suspect(B);
  books.ended(REQUEST, [], laneOf(B), DELIVERED);
  assert.deepEqual(out(), []);
});

test('suspicion is dropped when nobody delivers', (assert) => {
  const { books, out } = accounting(assert);
  books.suspect(A);
  books.ended(REQUEST, [tried(B, 'refused')], null, FAILED);
  books.ended(REQUEST, [], laneOf(B), DELIVERED);
  assert.deepEqual(out(), []);
});

test('tells each server that was left, then who served', (assert) => {
  const { books, events } = accounting(assert);
  books.ended(REQUEST, [tried(A, 'refused'), tried(B, 'short', { status: 200 })], laneOf(null), DELIVERED);
  const url = REQUEST.url;
  const origin = 'https://video.example';
  assert.deepEqual(events, [
    { type: 'edgeselect:failedover', url, from: A.origin, to: B.origin, because: 'refused', status: 0 },
    { type: 'edgeselect:failedover', url, from: B.origin, to: origin, because: 'short', status: 200 },
    {
      ...{ type: 'edgeselect:served', url, edge: origin, requestType: 'segment' },
      ...{ bytes: 1_000_000, firstByteMs: 40, elapsedMs: 1000 },
    },
  ]);
});

test('learns how quick who served is, and keeps count of what each did', (assert) => {
  const { page, books } = accounting(assert);
  books.ended(REQUEST, [tried(A, 'short', { bytes: 500 })], laneOf(B), DELIVERED);
  books.ended(REQUEST, [], laneOf(B), DELIVERED);
  assert.deepEqual(books.seen(B.origin), { bytes: 2_000_000, requests: 2, failures: 0, bitsPerSecond: 8_000_000 });
  assert.deepEqual(books.seen(A.origin), { bytes: 500, requests: 1, failures: 1, bitsPerSecond: null });
  assert.strictEqual(page.record(B.origin).firstByteMs, 40);
});

test('nobody is to blame for what the origin has not either', (assert) => {
  const { books, out } = accounting(assert);
  books.ended(REQUEST, [tried(A, 'notmedia', { status: 200 })], laneOf(null), { ...DELIVERED, isMedia: false });
  assert.deepEqual(out(), []);
});

test('keeps who asked its clients to move away when it answered last', (assert) => {
  const { books } = accounting(assert);
  const told = [books.movesAway(A.origin)];
  for (const moveAway of [true, false]) {
    books.ended(REQUEST, [], laneOf(A), { ...DELIVERED, moveAway });
    told.push(books.movesAway(A.origin));
  }
  assert.deepEqual(told, [null, true, false]);
});

test('a body that was under way when its edge had to go does not bring it back; one that was asked for since does', async (assert) => {
  const { fake, page, books, out } = accounting(assert);
  page.failed(A.origin);
  await fake.advance(999);
  books.ended(REQUEST, [], laneOf(A), DELIVERED);
  assert.deepEqual(out(), [A.origin]);
  assert.strictEqual(page.record(A.origin).firstByteMs, null);
  await fake.advance(1);
  books.ended(REQUEST, [], laneOf(A), DELIVERED);
  assert.deepEqual(out(), []);
});

test('how long a server held a blocking request says nothing of its distance, but that it is there', async (assert) => {
  const { fake, page, books, out } = accounting(assert);
  const blocking = { ...REQUEST, url: 'https://video.example/live.m3u8?_HLS_msn=4', requestType: 'hls-playlist' };
  books.ended(REQUEST, [], laneOf(A), DELIVERED);
  page.failed(A.origin);
  await fake.advance(4000);
  books.ended(blocking, [], laneOf(A), { ...DELIVERED, firstByteMs: 3500, elapsedMs: 3500 });
  assert.deepEqual([page.record(A.origin).firstByteMs, out()], [40, []]);
});

test('servers with other files are strangers, in either order', (assert) => {
  const { books } = accounting(assert);
  books.differs([tried(A, 'stalled', { bytes: 1000 }), tried(null, 'silent')], laneOf(B));
  assert.true(books.areStrangers(A.origin, B.origin));
  assert.true(books.areStrangers(B.origin, A.origin));
  assert.false(books.areStrangers(A.origin, 'https://c.example'));
});

test('all are asked again only where somebody has delivered before, and within the time that is left', (assert) => {
  const { books } = accounting(assert);
  assert.strictEqual(books.again(2900), null, 'a source that never played fails as it would without us');
  books.ended(REQUEST, [], laneOf(B), DELIVERED);
  assert.strictEqual(books.again(2900), 500);
  assert.strictEqual(books.again(100), 100);
  assert.strictEqual(books.again(0), null);
});

test('keeps a playlist that moves back from VHS, until it is a while since anybody had a newer one', async (assert) => {
  const { fake, books } = accounting(assert);
  const window = (first: number): string => `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${first}\n#EXTINF:2,\n${first}.ts\n`;
  const url = 'https://video.example/live.m3u8';
  assert.strictEqual(books.newest(url, window(5), A.origin), window(5));
  assert.strictEqual(books.newest(url, window(4), A.origin), window(5));
  assert.strictEqual(
    books.newest(`${url}?_HLS_msn=4`, window(4), A.origin),
    window(4),
    'an answer to what was asked for',
  );
  await fake.advance(7000);
  assert.strictEqual(books.newest(url, window(4), A.origin), window(5), 'the very one that was old');
  assert.strictEqual(books.newest(url, window(3), A.origin), window(3));
  assert.strictEqual(books.newest(url, '<html>', A.origin), '<html>');
});

test('knows for a while whose live playlist stands still, and for longer whose is old beside that of another', async (assert) => {
  const { fake, books } = accounting(assert);
  const url = 'https://video.example/live.m3u8';
  const lag = ({ origin }: Edge): string | null => {
    const known = books.lag(url, origin);
    return known && (known.isOld ? 'old' : 'still');
  };
  const give = (edge: Edge, first: number): (string | null)[] => {
    const head = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}`;
    books.newest(url, `${head}\n#EXTINF:2,\n${first}.ts\n`, edge.origin);
    return [A, B].map(lag);
  };
  give(A, 5);
  await fake.advance(4000);
  assert.deepEqual(give(A, 5), [null, null], 'it is due');
  await fake.advance(1);
  assert.deepEqual(give(A, 5), ['still', null], 'and overdue');
  await fake.advance(60_000);
  assert.strictEqual(lag(A), 'still', 'nobody has a newer one');
  give(A, 5);
  assert.deepEqual(give(B, 7), ['still', null], 'whoever has a newer one has no part in it');
  assert.strictEqual(books.lag(`${url}?other`, A.origin), null);
  await fake.advance(5000);
  assert.strictEqual(lag(A), null, 'it may have been the encoder');
  give(B, 9);
  assert.deepEqual(give(A, 5), ['old', null]);
  await fake.advance(29_000);
  assert.strictEqual(lag(A), 'old');
  await fake.advance(1000);
  give(B, 24);
  assert.deepEqual(give(A, 5), ['old', null], 'asked again');
  assert.deepEqual(give(A, 40), [null, null]);
});

test('has servers with an old playlist asked again one at a time', async (assert) => {
  const { fake, books } = accounting(assert);
  const url = 'https://video.example/live.m3u8';
  const origins = [A.origin, B.origin, 'https://c.example'];
  const window = (first: number): string => `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${first}\n#EXTINF:2,\n${first}.ts\n`;
  books.newest(url, window(9), 'https://video.example');
  for (const origin of origins) books.newest(url, window(8), origin);
  const old = (): number => origins.filter((origin) => books.lag(url, origin)).length;
  const seen = [old()];
  for (let i = 0; i < 3; i += 1) {
    await fake.advance(30_000);
    seen.push(old());
  }
  assert.deepEqual(seen, [3, 2, 1, 0]);
});

test('keeps no more playlists than may be played, those that were asked for last', (assert) => {
  const { books } = accounting(assert);
  const window = (first: number): string => `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${first}\n#EXTINF:2,\n${first}.ts\n`;
  const ask = (query: number, first: number): string =>
    books.newest(`https://video.example/live.m3u8?t=${query}`, window(first), A.origin);
  ask(0, 5);
  for (let query = 1; query < 16; query += 1) ask(query, 5);
  assert.strictEqual(ask(0, 4), window(5));
  ask(16, 5);
  assert.strictEqual(ask(1, 4), window(4), 'the oldest is forgotten');
  assert.strictEqual(ask(0, 4), window(5), 'and not that which was asked for again');
});
