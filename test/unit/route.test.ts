import QUnit from 'qunit';
import type { FailureKind } from '../../src/events.js';
import type { Edge } from '../../src/servers.js';
import { blames, isForbidden, nextStop, withoutDirectives, type Try } from '../../src/transport/route.js';

const { module, test } = QUnit;

const edge = (name: string): Edge => ({ origin: `https://${name}.example`, rank: 0, weight: 1 });
const edges = [edge('a'), edge('b'), edge('c')];
const nameOf = ({ origin }: Edge): string => origin.slice(8, 9);

/** `a silent` or `a 404`; `origin 403`. */
function tried(text: string): Try {
  const [who = '', what = ''] = text.split(' ');
  const status = Number(what);
  const because = Number.isNaN(status) ? (what as FailureKind) : 'status';
  return {
    edge: edges.find((one) => nameOf(one) === who) ?? null,
    because,
    status: status || 0,
    bytes: 0,
    elapsedMs: 0,
  };
}

/** Everybody who is asked, in order, when each fails as `failures` says (default: silent), until nobody is left. */
function way(requestType: string, known: readonly Edge[], failures: Readonly<Record<string, string>> = {}): string[] {
  const tries: Try[] = [];
  const asked: string[] = [];
  // one more than there are servers: a way that never ends would otherwise hang the test
  while (asked.length <= known.length + 1) {
    const stop = nextStop({ requestType }, known, tries);
    if (!stop) return asked;
    const who = stop.edge ? nameOf(stop.edge) : 'origin';
    asked.push(who);
    tries.push(tried(`${who} ${failures[who] ?? 'silent'}`));
  }
  return [...asked, '...'];
}

module('route');

test.each(
  'asks the edges in their order, then the origin, then nobody',
  {
    'three edges': [edges, ['a', 'b', 'c', 'origin']],
    'one edge': [edges.slice(0, 1), ['a', 'origin']],
    'no edge': [[], ['origin']],
  } satisfies Record<string, [Edge[], string[]]>,
  (assert, [known, expected]) => {
    assert.deepEqual(way('segment', known), expected);
  },
);

test.each(
  'asks the origin first for what is small, rare and must be right, and edges only when it fails',
  ['segment-key', 'dash-clock-sync', 'content-steering-manifest'],
  (assert, requestType) => {
    assert.deepEqual(way(requestType, edges), ['origin', 'a', 'b', 'c']);
  },
);

test.each(
  'asks the origin first for nothing else',
  ['hls-playlist', 'dash-manifest', 'segment', 'segment-media-initialization', ''],
  (assert, requestType) => {
    assert.deepEqual(way(requestType, edges), ['a', 'b', 'c', 'origin']);
  },
);

test.each('takes a denial of the origin for a key as the last word', ['401', '403', '404', '410'], (assert, status) => {
  assert.deepEqual(way('segment-key', edges, { origin: status }), ['origin']);
});

test.each(
  'asks edges for a key that the origin fails to give',
  ['500', '429', 'refused', 'silent'],
  (assert, failure) => {
    assert.deepEqual(way('segment-key', edges, { origin: failure }), ['origin', 'a', 'b', 'c']);
  },
);

test('goes nowhere else once the whole time that VHS gives is over', (assert) => {
  assert.deepEqual(way('segment', edges, { a: 'late' }), ['a']);
  assert.deepEqual(way('segment-key', edges, { origin: 'late' }), ['origin']);
});

test.each('asks the origin once when two edges deny a URL', ['401', '403', '404', '410'], (assert, status) => {
  assert.deepEqual(way('segment', edges, { a: status, b: status }), ['a', 'b', 'origin']);
});

test.each(
  'counts denials of edges alone, of whatever kind, and in whatever order',
  {
    'a denial and a failure': [{ a: '404', b: 'silent' }, ['a', 'b', 'c', 'origin']],
    'a failure between two denials': [{ a: '404', b: '503', c: '403' }, ['a', 'b', 'c', 'origin']],
    'two kinds of denial': [{ a: '403', b: '404' }, ['a', 'b', 'origin']],
    'other statuses of 400-499 are no denials': [{ a: '400', b: '416' }, ['a', 'b', 'c', 'origin']],
    'statuses of 500-599 are none': [{ a: '500', b: '503' }, ['a', 'b', 'c', 'origin']],
  } satisfies Record<string, [Record<string, string>, string[]]>,
  (assert, [failures, expected]) => {
    assert.deepEqual(way('segment', edges, failures), expected);
  },
);

test('asks the origin when two edges were too slow', (assert) => {
  assert.deepEqual(way('segment', edges, { a: 'slow', b: 'slow' }), ['a', 'b', 'origin']);
});

test('asks the origin at once when the only edge denies a URL', (assert) => {
  assert.deepEqual(way('segment', edges.slice(0, 1), { a: '404' }), ['a', 'origin']);
});

test('never asks a server twice, even when its place in the order has changed', (assert) => {
  const tries = [tried('b silent')];
  const next = nextStop({ requestType: 'segment' }, edges, tries);
  assert.strictEqual(next?.edge?.origin, edges[0]?.origin);
  const after = nextStop({ requestType: 'segment' }, edges, [...tries, tried('a refused')]);
  assert.strictEqual(after?.edge?.origin, edges[2]?.origin);
});

test('knows an edge by its origin, not by its object', (assert) => {
  const again = edges.map((one) => ({ ...one }));
  assert.strictEqual(nextStop({ requestType: 'segment' }, again, [tried('a silent')])?.edge, again[1]);
});

test.each(
  'blames the edge for what it answered, and nobody yet for silence',
  [
    ['a 500', true],
    ['a 503', true],
    ['a 599', true],
    ['a 429', true],
    ['a notmedia', true],
    ['a 404', false],
    ['a 403', false],
    ['a 416', false],
    ['a refused', false],
    ['a silent', false],
    ['a stalled', false],
    ['a slow', false],
    ['a short', false],
    ['a range', false],
  ] as const,
  (assert, [failure, isBlamed]) => {
    assert.strictEqual(blames(tried(failure)), isBlamed, failure);
  },
);

test.each(
  'finds that an edge lacks a permission from its 401 or 403 alone',
  [
    ['a 401', true],
    ['a 403', true],
    ['a 404', false],
    ['a 410', false],
    ['a silent', false],
    ['origin 403', false],
  ] as const,
  (assert, [failure, denied]) => {
    assert.strictEqual(isForbidden(tried(failure)), denied, failure);
  },
);

test.each(
  'takes delivery directives out of a URL, and leaves all else as it is',
  [
    ['https://v.example/a.m3u8?_HLS_msn=7&_HLS_part=2', 'https://v.example/a.m3u8'],
    ['https://v.example/a.m3u8?s=%2f&_HLS_msn=7&e=1#t=3', 'https://v.example/a.m3u8?s=%2f&e=1#t=3'],
    ['https://v.example/a.m3u8?', 'https://v.example/a.m3u8?'],
    ['https://v.example/_HLS_/a.m3u8?my_HLS_=1', 'https://v.example/_HLS_/a.m3u8?my_HLS_=1'],
  ] as const,
  (assert, [url, without]) => {
    assert.strictEqual(withoutDirectives(url), without);
    assert.strictEqual(withoutDirectives(url, '_HLS_skip='), url);
  },
);
