import QUnit from 'qunit';
import { isLive, newerOf } from '../../src/transport/playlist.js';

const { module, test } = QUnit;

/** A live window: its first segment, how many there are, and the parts of the next one. */
function live(first: number, count: number, parts = 0, end = ''): string {
  const segments = Array.from({ length: count }, (_, i) => `#EXTINF:2,\n${first + i}.ts\n`);
  const part = Array.from({ length: parts }, (_, i) => `#EXT-X-PART:DURATION=0.5,URI="p${i}.ts"\n`);
  return `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${first}\n${[...segments, ...part].join('')}${end}`;
}

const CASES: Readonly<Record<string, readonly [seen: string | undefined, text: string, newer: 'seen' | 'text']>> = {
  'the first': [undefined, live(3, 4), 'text'],
  'one that goes further': [live(3, 4), live(4, 4), 'text'],
  'the same again': [live(3, 4), live(3, 4), 'text'],
  'one of an edge that is behind': [live(5, 4), live(3, 4), 'seen'],
  'a longer window that goes as far': [live(5, 4), live(3, 6), 'text'],
  'a longer window that does not go as far': [live(5, 4), live(1, 7), 'seen'],
  'one of an encoder that began anew': [live(5000, 4), live(0, 4), 'text'],
  'one with fewer parts': [live(5, 4, 3), live(5, 4, 1), 'seen'],
  'one with a further segment in place of parts': [live(5, 4, 3), live(5, 5), 'text'],
  'the last: the stream has ended': [live(5, 4), live(3, 4, 0, '#EXT-X-ENDLIST'), 'text'],
  'one of a stream that had ended': [live(5, 4, 0, '#EXT-X-ENDLIST'), live(3, 4), 'text'],
  'a main playlist': [live(5, 4), '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8', 'text'],
  'no playlist at all': [live(5, 4), '<html>', 'text'],
};

module('playlist');

test.each('of two playlists the newer is shown:', CASES, (assert, [seen, text, newer]) => {
  assert.strictEqual(newerOf(seen, text), newer === 'text' ? text : seen);
});

test('only a media playlist without an end changes', (assert) => {
  assert.true(isLive(live(0, 3)));
  assert.false(isLive(live(0, 3, 0, '#EXT-X-ENDLIST')));
  assert.false(isLive('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8'));
});
