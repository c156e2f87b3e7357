// Where a manifest leads: the reading of HLS and DASH that the check does.
import { buildSync } from 'esbuild';
import assert from 'node:assert/strict';
import { test } from 'node:test';

const { outputFiles } = buildSync({
  entryPoints: ['src/check/manifest.ts'],
  bundle: true,
  format: 'esm',
  write: false,
});
const { readManifest } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const BASE = 'https://v.example/live/main';
const mpd = (inside, type = 'static') => `<?xml version="1.0"?><MPD type="${type}"><Period>${inside}</Period></MPD>`;

/** Each: what it is, its text, and where it leads. */
const PLACES = [
  ['HLS main', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhigh.m3u8\n', 'https://v.example/live/high.m3u8'],
  ['HLS main with CRLF, a mark and a comment', '\ufeff#EXTM3U\r\n#EXT-X-STREAM-INF:BANDWIDTH=1\r\n# a\r\n/h.m3u8\r\n', 'https://v.example/h.m3u8'],
  ['HLS', '#EXTM3U\n#EXTINF:2,\n0.ts\n#EXTINF:2,\n1.ts\n#EXT-X-ENDLIST', 'https://v.example/live/0.ts'],
  ['HLS live: the middle', '#EXTM3U\n#EXTINF:2,\n0.ts\n#EXTINF:2,\n1.ts\n#EXTINF:2,\n2.ts\n', 'https://v.example/live/1.ts'],
  ['HLS byte range', '#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:100@50\na.mp4\n#EXT-X-ENDLIST', 'https://v.example/live/a.mp4 50-149'],
  ['HLS byte range from 0', '#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:100\na.mp4\n#EXT-X-ENDLIST', 'https://v.example/live/a.mp4 0-99'],
  ['HLS byte range of an unknown offset', '#EXTM3U\n#EXT-X-BYTERANGE:9@1\na\n#EXT-X-BYTERANGE:9\na\n', null],
  ['HLS without a segment', '#EXTM3U\n', null],
  ['HLS of a strange scheme', '#EXTM3U\n#EXTINF:2,\ndata:,x\n#EXT-X-ENDLIST', null],
  ['DASH template by number', mpd('<AdaptationSet><SegmentTemplate media="v-$RepresentationID$-$Number%03d$.m4s" startNumber="7"/><Representation id="a" bandwidth="1"/></AdaptationSet>'), 'https://v.example/live/v-a-007.m4s'],
  ['DASH template by time', mpd('<AdaptationSet><Representation id="a"><SegmentTemplate media="$Time$.m4s"><SegmentTimeline><S t="90" d="2"/><S d="2"/></SegmentTimeline></SegmentTemplate></Representation></AdaptationSet>'), 'https://v.example/live/90.m4s'],
  ['DASH live: what initialises it', mpd('<AdaptationSet><SegmentTemplate media="$Number$.m4s" initialization="i-$Bandwidth$$$.mp4"/><Representation id="a" bandwidth="5"/></AdaptationSet>', 'dynamic'), 'https://v.example/live/i-5$.mp4'],
  ['DASH template of the level above', mpd('<SegmentTemplate media="$Number$.m4s"/><AdaptationSet><SegmentTemplate startNumber="4"/><Representation id="a"/></AdaptationSet>'), 'https://v.example/live/4.m4s'],
  ['DASH base URLs', mpd('<BaseURL>https://c.example/x/</BaseURL><AdaptationSet><BaseURL>y/</BaseURL><Representation id="a"><BaseURL>v.mp4?a&amp;b</BaseURL></Representation></AdaptationSet>'), 'https://c.example/x/y/v.mp4?a&b'],
  ['DASH base URL of a sibling', mpd('<AdaptationSet><BaseURL>no/</BaseURL></AdaptationSet><AdaptationSet><SegmentTemplate media="1.m4s"/><Representation id="a"/></AdaptationSet>'), 'https://v.example/live/1.m4s'],
  ['DASH one file', mpd('<AdaptationSet><Representation id="a"><BaseURL>v.mp4</BaseURL><SegmentBase indexRange="9-99"><Initialization range="0-8"/></SegmentBase></Representation></AdaptationSet>'), 'https://v.example/live/v.mp4 0-8'],
  ['DASH list', mpd('<AdaptationSet><Representation id="a"><SegmentList><SegmentURL media="1.m4s" mediaRange="5-9"/></SegmentList></Representation></AdaptationSet>'), 'https://v.example/live/1.m4s 5-9'],
  ['DASH in a comment', mpd('<!-- <AdaptationSet><Representation/> --><AdaptationSet><SegmentTemplate media=\'1.m4s\'/><Representation id="a"/></AdaptationSet>'), 'https://v.example/live/1.m4s'],
  ['DASH without a Representation', mpd(''), null],
  ['DASH without addressing', mpd('<AdaptationSet><Representation id="a"/></AdaptationSet>'), null],
]; // prettier-ignore

for (const [name, text, expected] of PLACES) {
  test(`${name} leads to ${expected ?? 'nothing'}`, () => {
    const manifest = readManifest(text, BASE);
    assert.ok(name.startsWith(manifest.kind));
    const { url, range } = manifest.segment ?? { url: manifest.playlist ?? null, range: null };
    assert.equal(range ? `${url} ${range.join('-')}` : url, expected);
  });
}

test('what is neither HLS nor DASH is no manifest', () => {
  for (const text of ['', '<!doctype html><p>MPD', 'EXTM3U', '<svg></svg>'])
    assert.equal(readManifest(text, BASE), null);
});

/** Two million letters that a careless pattern would read again and again. */
const MEAN = [
  '<!--',
  '<a ',
  '<a b=',
  `<a b="`,
  '<MPD ',
  '<BaseURL>',
  '<S t="1"',
  ' ',
  'a',
  '<a:',
  '#EXT-X-BYTERANGE:1\n',
];

for (const part of MEAN) {
  test(`two million letters of "${part.trim()}" are read in time that grows with the text alone`, () => {
    const startedAt = performance.now();
    for (const start of ['<MPD>', '#EXTM3U\n', '<MPD><a'])
      readManifest(start + part.repeat(2_000_000 / part.length), BASE);
    assert.ok(performance.now() - startedAt < 5000);
  });
}
