import QUnit from 'qunit';
import { newerOf } from '../../src/transport/playlist.js';

const { module, test } = QUnit;

/** How a live window differs from: two seconds a segment, named by its number, without parts, dates or an end. */
interface Change {
  readonly parts?: number;
  readonly header?: string;
  /** Before the number in each segment's URI. */
  readonly run?: string;
  /** After it. */
  readonly query?: string;
  /** The date of segment 0. */
  readonly date?: string;
  readonly end?: string;
}

/** A live window: its first segment, and how many there are. */
function live(first: number, count: number, change: Change = {}): string {
  const { parts = 0, header = '', run = '', query = '', date, end = '' } = change;
  const dated = (i: number): string =>
    date === undefined ? '' : `#EXT-X-PROGRAM-DATE-TIME:${new Date(Date.parse(date) + i * 2000).toISOString()}\n`;
  const segments = Array.from({ length: count }, (_, i) => first + i).map(
    (i) => `${dated(i)}#EXTINF:2,\n${run}${i}.ts${query}\n`,
  );
  const part = Array.from({ length: parts }, (_, i) => `#EXT-X-PART:DURATION=0.5,URI="p${i}.ts"\n`);
  return `#EXTM3U\n${header}#EXT-X-MEDIA-SEQUENCE:${first}\n${[...segments, ...part].join('')}${end}`;
}

const ENDED = { end: '#EXT-X-ENDLIST' };
const NOON = { date: '2026-01-01T12:00:00Z' };
const discontinuities = (count: number): Change => ({ header: `#EXT-X-DISCONTINUITY-SEQUENCE:${count}\n` });

const mpd = (at: string, attributes = 'type="dynamic"'): string =>
  `<?xml version="1.0"?><!-- (c) --><MPD ${attributes} publishTime="2026-01-01T12:00:${at}Z"><Period/></MPD>`;

const CASES: Readonly<Record<string, readonly [seen: string, text: string, newer: 'seen' | 'text']>> = {
  'one that goes further': [live(3, 4), live(4, 4), 'text'],
  'the same again': [live(3, 4), live(3, 4), 'text'],
  'one of an edge that is behind': [live(5, 4), live(3, 4), 'seen'],
  'a longer window that goes as far': [live(5, 4), live(3, 6), 'text'],
  'a longer window that does not go as far': [live(5, 4), live(1, 7), 'seen'],
  'one with fewer parts': [live(5, 4, { parts: 3 }), live(5, 4, { parts: 1 }), 'seen'],
  'one with a further segment in place of parts': [live(5, 4, { parts: 3 }), live(5, 5), 'text'],
  'one behind that is signed by its edge': [live(5, 4, { query: '?s=1' }), live(3, 4, { query: '?s=2' }), 'seen'],
  'one behind that names the host of its edge': [
    live(5, 4, { run: '//a/' }),
    live(3, 4, { run: 'https://b/' }),
    'seen',
  ],
  'one behind whose segments have the same dates': [live(5, 4, NOON), live(3, 4, NOON), 'seen'],
  'one behind, from before a discontinuity': [live(5, 4, discontinuities(2)), live(3, 4, discontinuities(1)), 'seen'],
  'the last: the stream has ended': [live(5, 4), live(3, 4, ENDED), 'text'],
  'one of a stream that had ended': [live(5, 4, ENDED), live(3, 4), 'text'],
  'a main playlist': [live(5, 4), '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8', 'text'],
  'an MPD that was published later': [mpd('02'), mpd('04'), 'text'],
  'an MPD that was published before': [mpd('04.5'), mpd('02'), 'seen'],
  'an MPD of a recording': [mpd('04'), mpd('02', "type='static'"), 'text'],
  'an MPD that does not tell when it was published': [mpd('04'), '<MPD type="dynamic"><Period/></MPD>', 'text'],
  'no playlist at all': [live(5, 4), '<html>', 'text'],
};

/** An encoder that began anew. */
const RESTARTS: typeof CASES = {
  'far from where it was': [live(5000, 4), live(0, 4), 'text'],
  'at the same numbers, with other names': [live(0, 6, { run: 'one-' }), live(0, 2, { run: 'two-' }), 'text'],
  'within its old window, with other names': [live(2, 6, { run: 'one/' }), live(0, 4, { run: 'two/' }), 'text'],
  'with the same names, at another date': [live(0, 6, NOON), live(0, 2, { date: '2026-01-01T12:01:00Z' }), 'text'],
  'with the same names, after a discontinuity': [live(0, 6), live(0, 2, discontinuities(1)), 'text'],
  'an event that was long': [live(0, 900, { run: 'one-' }), live(0, 5, { run: 'two-' }), 'text'],
};

/** What VHS is shown, so many ms after the first of them. */
function shown(seen: string, text: string, afterMs: number): string {
  return newerOf(newerOf(undefined, seen, 0) ?? undefined, text, afterMs)?.text ?? text;
}

module('playlist');

test.each('of two playlists the newer is shown:', CASES, (assert, [seen, text, newer]) => {
  assert.strictEqual(shown(seen, text, 2000), newer === 'text' ? text : seen);
});

test.each('the new one is shown when the encoder began anew', RESTARTS, (assert, [seen, text]) => {
  assert.strictEqual(shown(seen, text, 2000), text);
});

test('an edge is behind for three target durations at most, and for 6 s where they are shorter', (assert) => {
  for (const [seconds, boundMs] of [
    [1, 6000],
    [2, 6000],
    [4, 12_000],
    [10, 30_000],
  ] as const) {
    const header = `#EXT-X-TARGETDURATION:${seconds}\n`;
    const [seen, text] = [live(5, 4, { header }), live(4, 4, { header })];
    assert.strictEqual(shown(seen, text, boundMs), seen);
    assert.strictEqual(shown(seen, text, boundMs + 1), text, `${seconds} s`);
  }
});

test('that time begins anew with each playlist that goes further, and with no other', (assert) => {
  const first = newerOf(undefined, live(5, 4), 0) ?? undefined;
  assert.strictEqual(newerOf(first, live(4, 4), 4000), first);
  assert.strictEqual(newerOf(first, live(5, 4), 4000)?.movedAt, 0);
  const moved = newerOf(first, live(6, 4), 4000) ?? undefined;
  assert.strictEqual(moved?.movedAt, 4000);
  assert.strictEqual(newerOf(moved, live(5, 4), 10_000), moved);
});

test('only a media playlist without an end is remembered', (assert) => {
  assert.notStrictEqual(newerOf(undefined, live(0, 3), 0), null);
  assert.strictEqual(newerOf(undefined, live(0, 3, ENDED), 0), null);
  assert.strictEqual(newerOf(undefined, '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8', 0), null);
});
