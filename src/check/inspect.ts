/**
 * Everything that one server is asked. In: its origin and what to ask for. Out: its answers, none of them judged.
 * Never throws; asks no more of a server that does not answer the first request.
 */
import type { Place } from './manifest.js';
import { isAnswer, type Asking, type Seen } from './node/http.js';

/** A manifest is some kilobytes; VHS would choke on more than this as well. */
export const MAX_MANIFEST_BYTES = 2 * 1024 * 1024;
/** Enough to tell one file from another, and little enough for sixteen edges over an operator's own line. */
export const MAX_SEGMENT_BYTES = 1024 * 1024;
/** Where the source is a file itself: it may be hours long, and its beginning tells as much. */
const MAX_FILE_BYTES = 65_536;
/** The part that is asked for in the middle of a segment. */
export const PART_BYTES = 1024;
/** Heads, and answers whose bodies nobody reads. */
const MAX_OTHER_BYTES = 65_536;

/** The answers of one server. `null`: it was not asked for that. */
export interface Inspection {
  readonly origin: string;
  readonly manifest: Seen;
  readonly head: Seen | null;
  readonly segment: Seen | null;
  /** A range within the segment, as it is asked for when a request is resumed. */
  readonly part: Seen | null;
  /** First and last byte of {@link part}. */
  readonly partRange: readonly [first: number, last: number] | null;
  readonly options: Seen | null;
  readonly report: Seen | null;
}

/** What the inspector works with. */
export interface InspectTools {
  /** Origin of the page. */
  readonly page: string;
  readonly ask: (url: string, asking: Omit<Asking, 'signal'>) => Promise<Seen>;
}

/** The manifests of all servers, at once: these are the timings that are shown. */
export function askManifest(url: string, { page, ask }: InspectTools): Promise<Seen> {
  const maxBytes = (headers: Headers): number => (isFile(headers) ? MAX_FILE_BYTES : MAX_MANIFEST_BYTES);
  return ask(url, { headers: { origin: page, accept: '*/*' }, maxBytes });
}

/** What a server is asked for beside the manifest. */
export interface Rest {
  readonly origin: string;
  readonly manifest: Seen;
  readonly manifestUrl: string;
  /** Null where it is not known, or where it is not at edges. */
  readonly segment: Place | null;
  /** URL for the report, and its text; null where none is sent. */
  readonly report: { readonly url: string; readonly text: string } | null;
}

/** All else, at once but for the part, which needs to know how long the segment is. */
export async function inspect(rest: Rest, { page, ask }: InspectTools): Promise<Inspection> {
  const { origin, manifest, manifestUrl, segment, report } = rest;
  const nothing = { head: null, segment: null, part: null, partRange: null, options: null, report: null };
  if (!isAnswer(manifest)) return { origin, manifest, ...nothing };
  const headers = { origin: page, accept: '*/*' };
  const other = { headers, maxBytes: MAX_OTHER_BYTES };
  const [head, [whole, part, partRange], options, reported] = await Promise.all([
    ask(manifestUrl, { ...other, method: 'HEAD' }),
    segment ? askSegment(segment) : ([null, null, null] as const),
    ask(segment?.url ?? manifestUrl, {
      ...other,
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': 'GET', 'access-control-request-headers': 'range' },
    }),
    report &&
      ask(report.url, {
        ...other,
        method: 'POST',
        headers: { ...headers, 'content-type': 'text/plain' },
        body: report.text,
      }),
  ]);
  return { origin, manifest, head, segment: whole, part, partRange, options, report: reported };

  async function askSegment({ url, range }: Place): Promise<[Seen, Seen | null, Inspection['partRange']]> {
    const span = range && { range: `bytes=${range[0]}-${range[1]}` };
    const maxBytes = url === manifestUrl ? MAX_FILE_BYTES : MAX_SEGMENT_BYTES;
    const seen = await ask(url, { headers: { ...headers, ...span }, maxBytes });
    if (!isAnswer(seen) || seen.status < 200 || seen.status > 299 || seen.body.length < 2) return [seen, null, null];
    const first = (range?.[0] ?? 0) + (seen.body.length >> 1);
    const last = Math.min(first + PART_BYTES, (range?.[0] ?? 0) + seen.body.length) - 1;
    const part = await ask(url, {
      headers: { ...headers, range: `bytes=${first}-${last}` },
      maxBytes: MAX_SEGMENT_BYTES,
    });
    return [seen, part, [first, last]];
  }
}

/** Surely no manifest, by its type; playlists go as `audio/mpegurl` as well, and as anything. */
function isFile(headers: Headers): boolean {
  return /^((video|audio)\/(?!.*mpegurl)|application\/mp4)/i.test(headers.get('content-type') ?? '');
}
