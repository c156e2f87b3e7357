/**
 * Media of the start-up benchmark, as sites have it, made once by ffmpeg and not committed: CMAF (fMP4) with the sound apart,
 * 20 s in 0.4, 1.2, 2.5 and 4.5 Mbit/s, 2 s segments. The demo's clip is far thinner, so that a start there is hardly more
 * than its round trips.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.media', import.meta.url));
const SECONDS = 20;
const AUDIO_KBPS = 96;
const LADDER = [
  { name: '0.4M', kbps: 400, size: '320x180' },
  { name: '1.2M', kbps: 1200, size: '480x270' },
  { name: '2.5M', kbps: 2500, size: '640x360' },
  { name: '4.5M', kbps: 4500, size: '960x540' },
];

/** @returns {string | null} the folder of `main.m3u8`, or null where there is no ffmpeg */
export function benchMedia() {
  const main = join(FOLDER, 'main.m3u8');
  if (existsSync(main)) return FOLDER;
  if (spawnSync('ffmpeg', ['-version']).error) return null;
  console.log(`Making ${SECONDS} s of media for the benchmark (once)`);
  mkdirSync(FOLDER, { recursive: true });
  make('audio', 'sine=frequency=220', ['-c:a', 'aac', '-b:a', `${AUDIO_KBPS}k`, '-ac', '2']);
  for (const { name, kbps, size } of LADDER) {
    const rate = `${kbps}k`;
    // noise, so that every segment needs its whole rate
    make(name, `testsrc2=size=${size}:rate=25,noise=alls=40:allf=t`, [
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-pix_fmt', 'yuv420p'],
      ...['-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', `${kbps / 2}k`, '-nal-hrd', 'cbr'],
      ...['-g', '50', '-keyint_min', '50', '-sc_threshold', '0'],
    ]);
  }
  const variants = LADDER.map(
    ({ name, kbps, size }) =>
      `#EXT-X-STREAM-INF:BANDWIDTH=${(kbps + AUDIO_KBPS) * 1000},RESOLUTION=${size},CODECS="avc1.4d401e,mp4a.40.2",AUDIO="a"\n${name}.m3u8\n`,
  );
  const audio = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="one",DEFAULT=YES,AUTOSELECT=YES,URI="audio.m3u8"\n';
  for (const file of ['main', 'second']) {
    writeFileSync(join(FOLDER, `${file}.m3u8`), `#EXTM3U\n#EXT-X-VERSION:6\n${audio}${variants.join('')}`);
  }
  return FOLDER;
}

/** @param {string} name @param {string} source of lavfi @param {string[]} codec */
function make(name, source, codec) {
  const hls = ['-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'];
  const files = [
    '-hls_fmp4_init_filename',
    `${name}-init.mp4`,
    '-hls_segment_filename',
    join(FOLDER, `${name}-%02d.m4s`),
  ];
  const input = ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, '-t', `${SECONDS}`];
  const args = [...input, ...codec, ...hls, ...files, join(FOLDER, `${name}.m3u8`)];
  const { status, stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ffmpeg could not make ${name}: ${stderr}`);
}
