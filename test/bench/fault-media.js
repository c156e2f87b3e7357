/**
 * Media of the fault benchmark, made by ffmpeg once (some 20 s, 620 MB) and not committed: 150 s in 0.4, 1.2, 2.5 and 4.5 Mbit/s, sound
 * included. Each rendition is encoded once and then only cut: 2 s and 6 s segments, MPEG-TS with the sound inside and fMP4
 * with the sound apart. `long.m3u8` is five times the same, for ten minutes and more.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.media/faults', import.meta.url));
const SECONDS = 150;
const TIMES_IN_LONG = 5;
const AUDIO_KBPS = 64;
// small pictures: several players share the machine, and what counts is the rate
const LADDER = [
  { name: '0.4M', kbps: 400, size: '160x90' },
  { name: '1.2M', kbps: 1200, size: '256x144' },
  { name: '2.5M', kbps: 2500, size: '320x180' },
  { name: '4.5M', kbps: 4500, size: '480x270' },
];

/** @typedef {'ts' | 'fmp4'} Container */

/**
 * Makes what is missing.
 *
 * @returns {boolean} false where there is no ffmpeg
 */
export function makeFaultMedia() {
  if (existsSync(join(FOLDER, 'complete'))) return true;
  if (spawnSync('ffmpeg', ['-version']).error) return false;
  console.log(`Making ${SECONDS} s of media for the fault benchmark (once)`);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const sound = encoded('audio', 'sine=frequency=220', ['-c:a', 'aac', '-b:a', `${AUDIO_KBPS}k`, '-ac', '2']);
  const pictures = LADDER.map(({ name, kbps, size }) => {
    const rate = `${kbps - AUDIO_KBPS}k`;
    // noise, so that every segment needs its whole rate, and not by filling
    return encoded(name, `testsrc2=size=${size}:rate=25,noise=alls=60:allf=t`, [
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p'],
      ...['-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', `${(kbps - AUDIO_KBPS) / 2}k`],
      ...['-g', '50', '-keyint_min', '50', '-sc_threshold', '0'],
    ]);
  });
  for (const seconds of [2, 6]) {
    const ts = begun('ts', seconds);
    LADDER.forEach(({ name }, i) => cut(ts, name, seconds, 'mpegts', [pictures[i] ?? '', sound]));
    describe(ts, null);
    const fmp4 = begun('fmp4', seconds);
    LADDER.forEach(({ name }, i) => cut(fmp4, name, seconds, 'fmp4', [pictures[i] ?? '']));
    cut(fmp4, 'audio', seconds, 'fmp4', [sound]);
    describe(fmp4, 'audio');
  }
  for (const file of [sound, ...pictures]) rmSync(file);
  writeFileSync(join(FOLDER, 'complete'), '');
  return true;
}

/** @param {Container} container @param {number} seconds of a segment @returns {string} the folder of `main.m3u8` */
export function faultMedia(container, seconds) {
  return join(FOLDER, `${container}-${seconds}s`);
}

/** @param {Container} container @param {number} seconds */
function begun(container, seconds) {
  const folder = faultMedia(container, seconds);
  mkdirSync(folder);
  return folder;
}

/** @param {string} name @param {string} source of lavfi @param {readonly string[]} codec @returns {string} the file */
function encoded(name, source, codec) {
  const file = join(FOLDER, `${name}.mp4`);
  ffmpeg(['-f', 'lavfi', '-i', source, '-t', `${SECONDS}`, ...codec, file]);
  return file;
}

/**
 * @param {string} folder
 * @param {string} name of the rendition
 * @param {number} seconds of a segment
 * @param {'mpegts' | 'fmp4'} type
 * @param {readonly string[]} inputs
 */
function cut(folder, name, seconds, type, inputs) {
  const ending = type === 'fmp4' ? 'm4s' : 'ts';
  ffmpeg([
    ...inputs.flatMap((file) => ['-i', file]),
    ...inputs.flatMap((_, i) => ['-map', `${i}`]),
    ...['-c', 'copy', '-f', 'hls', '-hls_time', `${seconds}`, '-hls_playlist_type', 'vod', '-hls_segment_type', type],
    ...['-hls_fmp4_init_filename', `${name}-init.mp4`, '-hls_segment_filename', join(folder, `${name}-%02d.${ending}`)],
    join(folder, `${name}.m3u8`),
  ]);
  const playlist = readFileSync(join(folder, `${name}.m3u8`), 'utf8');
  const at = playlist.search(/#EXT-X-MAP|#EXTINF/);
  const [head, body] = [playlist.slice(0, at), playlist.slice(at).replace('#EXT-X-ENDLIST\n', '')];
  // another URL each time, or the browser would play the second round from its cache
  const rounds = Array.from({ length: TIMES_IN_LONG }, (_, round) =>
    body.replace(/\.(ts|m4s)$/gm, `.$1?round=${round}`),
  );
  writeFileSync(join(folder, `${name}-long.m3u8`), `${head}${rounds.join('#EXT-X-DISCONTINUITY\n')}#EXT-X-ENDLIST\n`);
}

/** @param {string} folder @param {string | null} audio name of the rendition that holds the sound */
function describe(folder, audio) {
  const group = audio ? ',AUDIO="a"' : '';
  for (const [main, suffix] of [
    ['main', ''],
    ['long', '-long'],
  ]) {
    const variants = LADDER.map(({ name, size }) => {
      const [rate, soundRate] = [meanRate(folder, name), audio ? meanRate(folder, audio) : 0];
      const attributes = `BANDWIDTH=${rate + soundRate},RESOLUTION=${size},CODECS="avc1.42c01e,mp4a.40.2"${group}`;
      return `#EXT-X-STREAM-INF:${attributes}\n${name}${suffix}.m3u8\n`;
    });
    const sound = `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="one",DEFAULT=YES,AUTOSELECT=YES,URI="${audio}${suffix}.m3u8"\n`;
    writeFileSync(join(folder, `${main}.m3u8`), `#EXTM3U\n#EXT-X-VERSION:7\n${audio ? sound : ''}${variants.join('')}`);
  }
}

/** @param {string} folder @param {string} name @returns {number} bits per second of its segments, packing included */
function meanRate(folder, name) {
  const segments = readdirSync(folder).filter((file) => new RegExp(`^${name}-\\d+\\.`).test(file));
  const bytes = segments.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  return Math.round((bytes * 8) / SECONDS);
}

/** @param {readonly string[]} args */
function ffmpeg(args) {
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ffmpeg failed: ${stderr}`);
}
