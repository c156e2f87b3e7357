/**
 * The same media told in the way each peer knows several servers by. In: a folder made by media.js or fault-media.js, and
 * the edges in an order. Out: text, to be answered by a rule of the pretend servers.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the specification says a steering manifest lives for when it says nothing (RFC 8216bis, section 7.1). */
const STEERING_TTL_SECONDS = 300;
const TIMESCALE = 1_000_000;

/** @typedef {{name: string, url: string}} NamedEdge */
/** @typedef {{attributes: string, bitsPerSecond: number, width: number, height: number, codecs: string, file: string}} Variant */

/** @param {string} folder @returns {{variants: Variant[], hasSound: boolean}} `hasSound`: apart, in `audio.m3u8` */
export function readMain(folder) {
  const text = readFileSync(join(folder, 'main.m3u8'), 'utf8');
  const variants = [...text.matchAll(/#EXT-X-STREAM-INF:(.*)\n(.*)\n/g)].map(([, attributes = '', file = '']) => {
    const of = (/** @type {RegExp} */ pattern) => pattern.exec(attributes)?.[1] ?? '';
    return {
      // said, or Shaka fetches two more segments to look for captions
      attributes: `${attributes.replace(/,AUDIO="a"/, '')},CLOSED-CAPTIONS=NONE`,
      bitsPerSecond: Number(of(/BANDWIDTH=(\d+)/)),
      width: Number(of(/RESOLUTION=(\d+)/)),
      height: Number(of(/RESOLUTION=\d+x(\d+)/)),
      codecs: of(/CODECS="([^"]*)"/),
      file,
    };
  });
  return { variants, hasSound: text.includes('#EXT-X-MEDIA:TYPE=AUDIO') };
}

/**
 * All variants at the first edge, then all at the second and so on; each edge has its own group of sound.
 *
 * @param {string} folder
 * @param {readonly NamedEdge[]} edges
 * @param {string | null} steeringUrl null: plain redundant variants
 */
export function hlsMain(folder, edges, steeringUrl) {
  const { variants, hasSound } = readMain(folder);
  const first = edges[0]?.name ?? '';
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7'];
  if (steeringUrl) lines.push(`#EXT-X-CONTENT-STEERING:SERVER-URI="${steeringUrl}",PATHWAY-ID="${first}"`);
  for (const { name, url } of edges) {
    if (!hasSound) continue;
    const group = `TYPE=AUDIO,GROUP-ID="${name}",NAME="one",DEFAULT=YES,AUTOSELECT=YES`;
    lines.push(`#EXT-X-MEDIA:${group},URI="${url}/audio.m3u8"`);
  }
  for (const { name, url } of edges) {
    const sound = hasSound ? `,AUDIO="${name}"` : '';
    const pathway = steeringUrl ? `,PATHWAY-ID="${name}"` : '';
    for (const { attributes, file } of variants) {
      lines.push(`#EXT-X-STREAM-INF:${attributes}${sound}${pathway}`, `${url}/${file}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** @param {readonly NamedEdge[]} edges the best first */
export function steeringManifest(edges) {
  const priority = edges.map(({ name }) => name);
  return JSON.stringify({ VERSION: 1, TTL: STEERING_TTL_SECONDS, 'PATHWAY-PRIORITY': priority });
}

/**
 * An MPD over the fMP4 segments of the HLS playlists, with one BaseURL for each edge (ISO/IEC 23009-1, 5.6).
 *
 * @param {string} folder
 * @param {readonly NamedEdge[]} edges
 */
export function dashManifest(folder, edges) {
  const { variants } = readMain(folder);
  const [videoCodec = '', audioCodec = ''] = (variants[0]?.codecs ?? '').split(',');
  const durations = durationsOf(folder, variants[0]?.file ?? '');
  const seconds = durations.reduce((sum, duration) => sum + duration, 0) / TIMESCALE;
  const pictures = variants.map(({ file, bitsPerSecond, width, height }) => {
    const id = file.replace('.m3u8', '');
    return `<Representation id="${id}" bandwidth="${bitsPerSecond}" width="${width}" height="${height}" codecs="${videoCodec}"/>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" mediaPresentationDuration="PT${seconds}S" minBufferTime="PT2S">
${edges.map(({ name, url }) => `<BaseURL serviceLocation="${name}">${url}/</BaseURL>`).join('\n')}
<Period id="0" start="PT0S">
<AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
${template(durations)}
${pictures.join('\n')}
</AdaptationSet>
<AdaptationSet contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
${template(durationsOf(folder, 'audio.m3u8'))}
<Representation id="audio" bandwidth="70000" audioSamplingRate="44100" codecs="${audioCodec}"/>
</AdaptationSet>
</Period>
</MPD>
`;
}

/** @param {readonly number[]} durations */
function template(durations) {
  const timeline = durations.map((duration, i) => `<S${i === 0 ? ' t="0"' : ''} d="${duration}"/>`).join('');
  const names = 'initialization="$RepresentationID$-init.mp4" media="$RepresentationID$-$Number%02d$.m4s"';
  return `<SegmentTemplate timescale="${TIMESCALE}" startNumber="0" ${names}><SegmentTimeline>${timeline}</SegmentTimeline></SegmentTemplate>`;
}

/** @param {string} folder @param {string} file a media playlist */
function durationsOf(folder, file) {
  const text = readFileSync(join(folder, file), 'utf8');
  return [...text.matchAll(/#EXTINF:([\d.]+)/g)].map(([, seconds]) => Math.round(Number(seconds) * TIMESCALE));
}
