/** A live HLS playlist made of a recorded one, by the wall clock: a window that slides over an endless loop. */
import { posix } from 'node:path';

const DEFAULT_WINDOW_SEGMENTS = 4;

/**
 * @typedef {object} Segment
 * @property {number} seconds
 * @property {string} uri absolute path
 * @property {string} inf the EXTINF line
 * @property {string | null} byteRange `length@offset`
 * @property {string | null} map the EXT-X-MAP line that holds for it
 * @property {boolean} discontinuity
 *
 * @typedef {object} Recording
 * @property {Segment[]} segments
 * @property {number} targetSeconds
 * @property {number} version
 */

/**
 * @param {string} text of a recorded media playlist
 * @param {string} path of it, for what its URIs are relative to
 * @returns {Recording}
 */
export function readRecording(text, path) {
  const folder = posix.dirname(posix.join('/', path));
  const absolute = (/** @type {string} */ uri) => posix.resolve(folder, uri);
  /** @type {Recording} */
  const recording = { segments: [], targetSeconds: 0, version: 3 };
  /** @type {string | null} */
  let map = null;
  let inf = '';
  let discontinuity = false;
  /** @type {string | null} */
  let byteRange = null;
  let nextOffset = 0;

  for (const line of text.split(/\r?\n/)) {
    const [, tag = '', value = ''] = /^#(EXT[A-Z-]*[A-Z])(?::(.*))?$/.exec(line) ?? [];
    if (tag === 'EXT-X-VERSION') recording.version = Number(value);
    else if (tag === 'EXT-X-TARGETDURATION') recording.targetSeconds = Number(value);
    else if (tag === 'EXT-X-MAP') map = line.replace(/URI="([^"]*)"/, (_, uri) => `URI="${absolute(uri)}"`);
    else if (tag === 'EXT-X-DISCONTINUITY') discontinuity = true;
    else if (tag === 'EXTINF') inf = line;
    else if (tag === 'EXT-X-BYTERANGE') {
      const [length = 0, offset = nextOffset] = value.split('@').map(Number);
      // an offset left out goes on from the segment before, which may have left the window
      byteRange = `${length}@${offset}`;
      nextOffset = offset + length;
    } else if (tag === 'EXT-X-KEY' && value !== 'METHOD=NONE') {
      throw new Error('a live playlist is not made of encrypted media: its keys count segments');
    } else if (line !== '' && !line.startsWith('#')) {
      const seconds = Number.parseFloat(inf.slice('#EXTINF:'.length));
      recording.segments.push({ seconds, uri: absolute(line), inf, byteRange, map, discontinuity });
      byteRange = null;
      discontinuity = false;
    }
  }
  if (recording.segments.length === 0) throw new Error(`${path} is not a media playlist with segments`);
  return recording;
}

/**
 * At `startAtMs` the first window is complete; then it slides by a segment every `segmentSeconds`.
 *
 * @param {Recording} recording
 * @param {import('./description.js').LiveDescription} live
 * @param {number} startAtMs where `live` does not say
 * @param {number} nowMs
 * @returns {string}
 */
export function livePlaylist(recording, live, startAtMs, nowMs) {
  const { segments, version, targetSeconds } = recording;
  const { windowSegments = DEFAULT_WINDOW_SEGMENTS, skewSegments = 0 } = live;
  const recordedSeconds = segments.reduce((sum, { seconds }) => sum + seconds, 0);
  const segmentSeconds = live.segmentSeconds ?? recordedSeconds / segments.length;
  const untilMs = Math.min(nowMs, live.endAtMs ?? Infinity);
  const slid = Math.floor((untilMs - (live.startAtMs ?? startAtMs)) / (segmentSeconds * 1000));
  const newest = Math.max(0, slid + windowSegments - 1 - skewSegments);
  const oldest = Math.max(0, newest - windowSegments + 1);

  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${targetSeconds}`,
    `#EXT-X-MEDIA-SEQUENCE:${oldest}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitiesBefore(segments, oldest)}`,
  ];
  /** @type {string | null} */
  let map = null;
  for (let sequence = oldest; sequence <= newest; sequence++) {
    const segment = /** @type {Segment} */ (segments[sequence % segments.length]);
    const atLoop = sequence > 0 && sequence % segments.length === 0;
    if (atLoop || segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.map !== null && segment.map !== map) lines.push(segment.map);
    map = segment.map;
    lines.push(segment.inf);
    if (segment.byteRange !== null) lines.push(`#EXT-X-BYTERANGE:${segment.byteRange}`);
    lines.push(segment.uri);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * How many discontinuities have left the window, each with the segment it stood before.
 *
 * @param {Segment[]} segments
 * @param {number} oldest
 */
function discontinuitiesBefore(segments, oldest) {
  const before = (/** @type {number} */ count) =>
    segments.slice(0, count).filter(({ discontinuity }, index) => discontinuity || index === 0).length;
  const loops = Math.floor(oldest / segments.length);
  const total = loops * before(segments.length) + before(oldest % segments.length);
  // the very first segment follows no loop
  return oldest > 0 && !segments[0]?.discontinuity ? total - 1 : total;
}
