/**
 * Makes test/media/thick: segments that are large enough to be cut in the middle, which those of make-media.sh are not. Of each
 * stream only the second segment is: the others only have to be there. Needs ffmpeg with libx264 and the built-in AAC
 * encoder, and what make-media.sh has made.
 *
 *   node demo/make-thick-media.js
 *
 *   video*, audio*   CMAF, the sound apart; whole, and cut up: HLS, HLS of byte ranges, and both kinds of DASH
 *   padded-1.ts      ts/low-1.ts with null packets in its middle; other-1.ts: the same length, and another picture
 *   leading-1.ts     ts/low-1.ts behind null packets
 *   aes-1.ts         padded-1.ts, encrypted with the key of aes/
 *   free-1.m4s       two fragments with a `free` box between them; other-free-1.m4s: the same length, and another picture
 */
import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MEDIA = fileURLToPath(new URL('../test/media/', import.meta.url));
const THICK = join(MEDIA, 'thick');
const PACKET_BYTES = 188;
/** More than the 16 KiB by which a resumed request overlaps what it goes on from. */
const NULL_PACKETS = 130;
const FREE_BYTES = NULL_PACKETS * PACKET_BYTES;
const CLEAN = ['-map_metadata', '-1', '-fflags', '+bitexact', '-flags', '+bitexact'];

const scratch = mkdtempSync(join(tmpdir(), 'thick-'));
rmSync(THICK, { recursive: true, force: true });
mkdirSync(THICK);
try {
  const video = track('video', 'color=c=0x1b4f72:s=128x72:r=15:d=6,noise=alls=28:allf=t:enable=gte(t\\,2)*lt(t\\,4)', [
    ...['-c:v', 'libx264', '-threads', '1', '-profile:v', 'main', '-level', '1.3', '-pix_fmt', 'yuv420p', '-bf', '0'],
    ...['-crf', '30', '-g', '30', '-keyint_min', '30', '-sc_threshold', '0', '-bsf:v', 'filter_units=remove_types=6'],
  ]);
  const audio = track('audio', 'aevalsrc=(random(0)-0.5)*gte(t\\,2)*lt(t\\,4):s=48000:d=5.98', [
    ...['-c:a', 'aac', '-b:a', '96k', '-ac', '1'],
  ]);
  playlists(video, audio);
  manifests(video);
  padded();
  freed();
} finally {
  rmSync(scratch, { recursive: true });
}

/** Encodes one track, and writes it whole, and cut into a head and segments. */
function track(name, source, codec) {
  const out = ['-f', 'dash', '-seg_duration', '2', '-single_file', '1', '-global_sidx', '1'];
  ff('-f', 'lavfi', '-i', source, ...codec, ...CLEAN, ...out, '-single_file_name', `${name}.mp4`, 'made.mpd');
  const whole = readFileSync(join(scratch, `${name}.mp4`));
  const [, codecs = ''] = /codecs="([^"]+)"/.exec(readFileSync(join(scratch, 'made.mpd'), 'utf8')) ?? [];
  const boxes = boxesOf(whole);
  const sidx = boxes.find(({ kind }) => kind === 'sidx');
  const firsts = boxes.filter(({ kind, at }) => kind === 'moof' && at > sidx.at);
  // ffmpeg puts a `styp` before some fragments: what stands before a fragment belongs to it
  const starts = firsts.map(({ at }, i) => (i === 0 ? sidx.at + sidx.bytes : endOfMedia(boxes, firsts[i - 1].at, at)));
  const seconds = durations(whole.subarray(sidx.at, sidx.at + sidx.bytes));
  const segments = starts.map((at, i) => ({ at, bytes: (starts[i + 1] ?? whole.length) - at, seconds: seconds[i] }));
  write(`${name}.mp4`, whole);
  write(`${name}-init.mp4`, whole.subarray(0, sidx.at));
  segments.forEach(({ at, bytes }, i) => write(`${name}-${i}.m4s`, whole.subarray(at, at + bytes)));
  return { name, codecs, sidx, segments };
}

function playlists(video, audio) {
  const head = (version) => `#EXTM3U\n#EXT-X-VERSION:${version}\n`;
  const media = (version, map, lines) =>
    `${head(version)}#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n${map}${lines.join('')}#EXT-X-ENDLIST\n`;
  const inf = (seconds) => `#EXTINF:${seconds.toFixed(6)},\n`;
  for (const { name, segments } of [video, audio]) {
    const lines = segments.map(({ seconds }, i) => `${inf(seconds)}${name}-${i}.m4s\n`);
    write(`${name}.m3u8`, media(7, `#EXT-X-MAP:URI="${name}-init.mp4"\n`, lines));
  }
  const ranges = video.segments.map(
    ({ at, bytes, seconds }) => `${inf(seconds)}#EXT-X-BYTERANGE:${bytes}@${at}\nvideo.mp4\n`,
  );
  const map = `#EXT-X-MAP:URI="video.mp4",BYTERANGE="${video.sidx.at}@0"\n`;
  write('byterange.m3u8', media(7, map, ranges));
  write(
    'sound.m3u8',
    `${head(7)}#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="One",DEFAULT=YES,AUTOSELECT=YES,URI="audio.m3u8"\n` +
      `#EXT-X-STREAM-INF:BANDWIDTH=250000,RESOLUTION=128x72,CODECS="${video.codecs},${audio.codecs}",AUDIO="sound"\nvideo.m3u8\n`,
  );
  const among = (second, folder = '../ts', key = '') =>
    media(
      6,
      key,
      [0, 1, 2].map((i) => `${inf(2)}${i === 1 ? second : `${folder}/low-${i}.ts`}\n`),
    );
  write('padded.m3u8', among('padded-1.ts'));
  write('leading.m3u8', among('leading-1.ts'));
  const key = '#EXT-X-KEY:METHOD=AES-128,URI="../aes/key.bin",IV=0x00000000000000000000000000000000\n';
  write('aes.m3u8', among('aes-1.ts', '../aes', key));
  const free = [`${inf(2)}../fmp4/low-0.m4s\n`, `${inf(4)}free-1.m4s\n`, `${inf(2)}../fmp4/low-3.m4s\n`];
  const freeMap = '#EXT-X-MAP:URI="../fmp4/low-init.mp4"\n';
  write('free.m3u8', media(7, freeMap, free).replace('DURATION:2', 'DURATION:4'));
}

function manifests({ codecs, sidx, segments }) {
  const manifest = (profile, inside) => `<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:${profile}:2011" type="static" mediaPresentationDuration="PT6.0S" minBufferTime="PT4.0S">
	<Period id="0" start="PT0.0S">
		<AdaptationSet id="0" contentType="video" segmentAlignment="true" startWithSAP="1">
			<Representation id="video" mimeType="video/mp4" codecs="${codecs}" bandwidth="150000" width="128" height="72">
${inside}
			</Representation>
		</AdaptationSet>
	</Period>
</MPD>
`;
  const template =
    '\t\t\t\t<SegmentTemplate timescale="1" duration="2" startNumber="0" initialization="$RepresentationID$-init.mp4" media="$RepresentationID$-$Number$.m4s" />';
  const last = sidx.at + sidx.bytes - 1;
  const base = `\t\t\t\t<BaseURL>video.mp4</BaseURL>\n\t\t\t\t<SegmentBase indexRange="${sidx.at}-${last}"><Initialization range="0-${sidx.at - 1}" /></SegmentBase>`;
  if (segments.length !== 3) throw new Error(`${segments.length} segments, not 3`);
  write('template.mpd', manifest('isoff-live', template));
  write('sidx.mpd', manifest('isoff-on-demand', base));
}

function padded() {
  const padding = Buffer.concat(Array.from({ length: NULL_PACKETS }, nullPacket));
  const low = readFileSync(join(MEDIA, 'ts/low-1.ts'));
  const high = readFileSync(join(MEDIA, 'ts/high-1.ts'));
  // both have their padding where the other has it, and `low` some more at its end, for the same length
  const middle = PACKET_BYTES * 34;
  const more = Buffer.concat(Array.from({ length: (high.length - low.length) / PACKET_BYTES }, nullPacket));
  const thick = Buffer.concat([low.subarray(0, middle), padding, low.subarray(middle), more]);
  write('padded-1.ts', thick);
  write('other-1.ts', Buffer.concat([high.subarray(0, middle), padding, high.subarray(middle)]));
  write('leading-1.ts', Buffer.concat([padding, low]));
  const cipher = createCipheriv('aes-128-cbc', readFileSync(join(MEDIA, 'aes/key.bin')), Buffer.alloc(16));
  write('aes-1.ts', Buffer.concat([cipher.update(thick), cipher.final()]));
}

/** ISO/IEC 13818-1, section 2.4.3.3: PID 0x1fff, payload only. */
function nullPacket() {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  packet.set([0x47, 0x1f, 0xff, 0x10]);
  return packet;
}

function freed() {
  const low = [1, 2].map((i) => readFileSync(join(MEDIA, `fmp4/low-${i}.m4s`)));
  // the same pictures turned green, by the same encoder: the head of the one fits the other
  const codec = [
    '-c:v',
    'libx264',
    '-threads',
    '1',
    '-preset',
    'slow',
    '-profile:v',
    'main',
    '-level',
    '1.3',
    '-bf',
    '0',
  ];
  const rate = ['-b:v', '14k', '-maxrate', '34k', '-bufsize', '34k', '-g', '30', '-keyint_min', '30'];
  const more = ['-sc_threshold', '0', '-x264-params', 'open-gop=0', '-bsf:v', 'filter_units=remove_types=6'];
  const hls = ['-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'];
  const out = ['-hls_fmp4_init_filename', 'other-init.mp4', '-hls_segment_filename', join(scratch, 'other-%d.m4s')];
  const source = ['-i', join(MEDIA, 'clip.mp4'), '-vf', 'hue=h=120', '-map', '0', '-c:a', 'copy'];
  ff(...source, ...codec, ...rate, ...more, ...CLEAN, ...hls, ...out, 'other.m3u8');
  const decoder = (file) => /avcC[^]{30}/.exec(readFileSync(file, 'latin1'))?.[0];
  const own = decoder(join(MEDIA, 'fmp4/low-init.mp4'));
  if (decoder(join(scratch, 'other-init.mp4')) !== own) throw new Error('another head: the two do not fit');
  const other = [1, 2].map((i) => readFileSync(join(scratch, `other-${i}.m4s`)));
  const bytesOf = ([first, second]) => first.length + second.length;
  const total = FREE_BYTES + Math.max(bytesOf(low), bytesOf(other));
  for (const [name, pair] of [
    ['free-1.m4s', low],
    ['other-free-1.m4s', other],
  ]) {
    const free = Buffer.alloc(total - bytesOf(pair));
    free.writeUInt32BE(free.length, 0);
    free.write('free', 4);
    write(name, Buffer.concat([pair[0], free, pair[1]]));
  }
}

function ff(...args) {
  execFileSync('ffmpeg', ['-nostdin', '-hide_banner', '-v', 'error', '-y', ...args], {
    cwd: scratch,
    stdio: 'inherit',
  });
}

function write(name, content) {
  writeFileSync(join(THICK, name), content);
}

/** The boxes of the top level of an MP4 file. */
function boxesOf(bytes) {
  const boxes = [];
  for (let at = 0; at + 8 <= bytes.length; at += boxes.at(-1).bytes) {
    boxes.push({ at, bytes: bytes.readUInt32BE(at), kind: bytes.toString('latin1', at + 4, at + 8) });
  }
  return boxes;
}

/** Where the last `mdat` between two fragments ends. */
function endOfMedia(boxes, from, to) {
  const media = boxes.findLast(({ kind, at }) => kind === 'mdat' && at > from && at < to);
  return media.at + media.bytes;
}

/** What a `sidx` says of each segment (ISO/IEC 14496-12, section 8.16.3), in seconds. */
function durations(box) {
  const at = box[8] === 0 ? 28 : 36;
  const timescale = box.readUInt32BE(16);
  const count = box.readUInt16BE(at + 2);
  return Array.from({ length: count }, (_, i) => box.readUInt32BE(at + 4 + 12 * i + 4) / timescale);
}
