/**
 * The first segment of a stream. In: a manifest's text and URL. Out: what kind it is, and what it leads to.
 * Pure. Reads just enough of HLS (RFC 8216) and DASH (ISO/IEC 23009-1), line by line and tag by tag, in time that grows
 * with the text alone: a manifest is the text of others.
 */

/** Where something is. */
export interface Place {
  readonly url: string;
  /** First and last byte, where it is a part of a file. */
  readonly range: readonly [first: number, last: number] | null;
}

/** What a manifest leads to; null where no segment is named in a way that is understood here. */
export type Manifest =
  | { readonly kind: 'HLS main'; readonly playlist: string | null }
  | { readonly kind: 'HLS' | 'DASH'; readonly segment: Place | null };

/** @returns null when it is no manifest */
export function readManifest(text: string, url: string): Manifest | null {
  if (text.replace(/^\ufeff/, '').startsWith('#EXTM3U')) return readHls(text.split(/\r?\n/), url);
  return /<(?:[\w-]+:)?MPD[\s>]/.test(text.slice(0, 4096)) ? readDash(text, url) : null;
}

function readHls(lines: readonly string[], url: string): Manifest {
  const isMain = lines.some((line) => line.startsWith('#EXT-X-STREAM-INF'));
  if (isMain) {
    const after = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF')) + 1;
    const uri = lines.slice(after).find((line) => line !== '' && !line.startsWith('#'));
    return { kind: 'HLS main', playlist: resolved(uri, url) };
  }
  const segments: { uri: string; range: string | undefined }[] = [];
  let range: string | undefined;
  for (const line of lines) {
    if (line.startsWith('#EXT-X-BYTERANGE:')) range = line.slice('#EXT-X-BYTERANGE:'.length);
    if (line === '' || line.startsWith('#')) continue;
    segments.push({ uri: line, range });
    range = undefined;
  }
  // of a live window the middle: neither gone when it is asked for, nor still on its way to other edges
  const ended = lines.some((line) => line.startsWith('#EXT-X-ENDLIST'));
  const chosen = segments[ended ? 0 : segments.length >> 1];
  const place = resolved(chosen?.uri, url);
  const [, bytes, from] = /^(\d+)(?:@(\d+))?/.exec(chosen?.range ?? '') ?? [];
  // without an offset it follows the one before: then only the first of a file is known to begin at 0
  const first = from === undefined && chosen !== segments[0] ? null : Number(from ?? 0);
  if (!place || (bytes !== undefined && first === null)) return { kind: 'HLS', segment: null };
  return {
    kind: 'HLS',
    segment: { url: place, range: bytes === undefined ? null : spanOf(first ?? 0, Number(bytes)) },
  };
}

/** What a level of an MPD hands down to those below. */
interface Level {
  readonly base: string;
  readonly template: Readonly<Record<string, string>>;
}

/** One tag of XML: closing or not, name, attributes, closed at once, text behind it. */
const TAG = /<(\/?)(?:[\w-]+:)?(\w+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>([^<]*)/g;

/** The first Representation: its first segment, or what it is initialised with, or its file. */
function readDash(text: string, url: string): Manifest {
  const levels: Level[] = [{ base: url, template: {} }];
  let representation: Readonly<Record<string, string>> = {};
  let listed: Place | null = null;
  let time: string | undefined;
  let isLive = false;
  for (const [, closing, name = '', attributes = '', closed, behind = ''] of withoutComments(text).matchAll(TAG)) {
    const level = levels.at(-1) ?? { base: url, template: {} };
    const given = attributesOf(attributes);
    const change = (to: Partial<Level>): void => {
      levels[levels.length - 1] = { ...level, ...to };
    };
    if (name === 'MPD') isLive = given.type === 'dynamic';
    if (closing) {
      if (name === 'Representation') return { kind: 'DASH', segment: listed ?? fromTemplate(level) };
      if (isLevel(name)) levels.pop();
    } else if (isLevel(name)) {
      levels.push(level);
      if (name === 'Representation') representation = given;
      if (name === 'Representation' && closed) return { kind: 'DASH', segment: fromTemplate(level) };
      if (closed) levels.pop();
    } else if (name === 'BaseURL' && behind.trim() !== '') {
      change({ base: resolved(unescaped(behind.trim()), level.base) ?? level.base });
    } else if (name === 'SegmentTemplate') {
      time = undefined;
      change({ template: { ...level.template, ...given } });
    } else if (name === 'S') time ??= given.t ?? '0';
    else if (name === 'Initialization' || name === 'SegmentURL') {
      const place = resolved(given.media ?? given.sourceURL ?? level.base, level.base);
      const [first, last] = (given.mediaRange ?? given.range ?? '').split('-').map(Number);
      if (place) listed ??= { url: place, range: last === undefined ? null : [first ?? 0, last] };
    }
  }
  return { kind: 'DASH', segment: null };

  function fromTemplate({ base, template }: Level): Place | null {
    const { media, initialization, startNumber = '1' } = template;
    // which number or time a live stream is at is a matter of clocks; what initialises it is always there
    const pattern = isLive || !media || (media.includes('$Time') && time === undefined) ? initialization : media;
    const values: Readonly<Record<string, string | undefined>> = {
      ...{
        RepresentationID: representation.id,
        Bandwidth: representation.bandwidth,
        Number: startNumber,
        Time: time,
      },
    };
    const filled = pattern?.replace(/\$(\w*)(?:%0(\d{1,2})d)?\$/g, (_, name: string, width = '0') =>
      name === '' ? '$' : (values[name] ?? '').padStart(Number(width), '0'),
    );
    const place = resolved(filled ?? base, base);
    // a Representation without any addressing is a file, if a BaseURL names it
    return place && place !== url ? { url: place, range: null } : null;
  }
}

/** By hand: a pattern would look for the end of each of many comments that have none. */
function withoutComments(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const begin = text.indexOf('<!--', at);
    parts.push(text.slice(at, begin < 0 ? text.length : begin));
    const end = begin < 0 ? -1 : text.indexOf('-->', begin);
    at = end < 0 ? text.length : end + 3;
  }
  return parts.join('');
}

function isLevel(name: string): boolean {
  return ['Period', 'AdaptationSet', 'Representation'].includes(name);
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g);
  return Object.fromEntries(
    [...pairs].map(([, name = '', double, single]) => [name, unescaped(double ?? single ?? '')]),
  );
}

function unescaped(text: string): string {
  return text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&');
}

function spanOf(first: number, bytes: number): readonly [number, number] {
  return [first, first + bytes - 1];
}

/** @returns null when it is no http(s) URL */
function resolved(uri: string | undefined, base: string): string | null {
  if (uri === undefined || !URL.canParse(uri.trim(), base)) return null;
  const url = new URL(uri.trim(), base);
  return /^https?:$/.test(url.protocol) ? url.href : null;
}
