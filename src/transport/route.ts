/**
 * Where a request goes next. In: the request, the edges in order, and what became of it so far. Out: a stop.
 * Pure.
 */
import type { FailureKind } from '../events.js';
import { isServersFault } from '../probe.js';
import type { Edge } from '../servers.js';

/** One media request as VHS and the site's hooks made it, at the moment of its `send()`. */
export interface MediaRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly withCredentials: boolean;
  /** VHS's word for it: `hls-playlist`, `dash-manifest`, `segment`, `segment-key`...; empty for a container's start. */
  readonly requestType: string;
  /** VHS's own limit for the whole request, in ms; 0 for none. */
  readonly timeoutMs: number;
  /** The body is binary: it has a length that can be checked. */
  readonly binary: boolean;
}

/** What became of a request at one server. `edge` is null for the service origin. */
export interface Try {
  readonly edge: Edge | null;
  readonly because: FailureKind;
  /** HTTP status, 0 without one. */
  readonly status: number;
  /** How many it gave. */
  readonly bytes: number;
  readonly elapsedMs: number;
}

/** The next server: an edge, the service origin, or nobody. */
export type Stop = { readonly edge: Edge | null } | null;

/** Asked of the origin first: they are small, rare, and the one thing that must not come from a wrong server. */
const ORIGIN_FIRST = ['segment-key', 'dash-clock-sync', 'content-steering-manifest'];
/** The fault may be the URL's and not the edge's: the origin knows. */
const DENIALS = [401, 403, 404, 410];

/**
 * @param edges  those that may serve this request, best first
 * @param tries  in the order they were made
 * @param isOriginDown  it failed a while ago: nobody waits for it first
 */
export function nextStop(
  { requestType }: Pick<MediaRequest, 'requestType'>,
  edges: readonly Edge[],
  tries: readonly Try[],
  isOriginDown = false,
): Stop {
  // VHS's own limit for the whole request is over: the next try is VHS's to make, at another rate
  if (tries.some(({ because }) => because === 'late')) return null;
  const originTried = tries.some(({ edge }) => edge === null);
  const left = edges.find(({ origin }) => !tries.some(({ edge }) => edge?.origin === origin));
  const denials = tries.filter((one) => one.edge !== null && isDenial(one)).length;
  // two edges that are too slow: the origin tells whether it is them or the viewer's line
  const areSlow = tries.filter(({ because }) => because === 'slow').length >= 2;
  const isFirst = isOriginFirst({ requestType }) && !isOriginDown;
  const originNow = isFirst || denials >= Math.min(2, edges.length) || areSlow || !left;
  if (!originTried && originNow) return { edge: null };
  // once the origin has denied a URL there is nobody better to ask
  const denied = tries.some((one) => one.edge === null && isDenial(one));
  return left && !denied && (!originTried || isOriginFirst({ requestType })) ? { edge: left } : null;
}

/** Whether the origin is asked before any edge. */
function isOriginFirst({ requestType }: Pick<MediaRequest, 'requestType'>): boolean {
  return ORIGIN_FIRST.includes(requestType);
}

/** Whether what is asked for lists media. */
export function isPlaylist({ requestType }: Pick<MediaRequest, 'requestType'>): boolean {
  return requestType === 'hls-playlist' || requestType === 'dash-manifest';
}

/** Whether a server may be silent on purpose, until there is something new (RFC 8216bis, section 6.2.5.2). */
export function isBlocking({ url }: Pick<MediaRequest, 'url'>): boolean {
  return /[?&]_HLS_msn=/.test(url);
}

/** The URL without the delivery directives that begin so (RFC 8216bis, section 6.2.5). */
export function withoutDirectives(url: string, prefix = '_HLS_'): string {
  if (!url.includes(prefix)) return url;
  return url.replace(/\?([^#]*)/, (_, query: string) => {
    const left = query.split('&').filter((one) => !one.startsWith(prefix));
    return left.length > 0 ? `?${left.join('&')}` : '';
  });
}

/** The edge itself is to blame, whatever the viewer's line is like. */
export function blames({ because, status }: Try): boolean {
  return because === 'status' ? isServersFault(status) : because === 'notmedia';
}

/** 401 or 403 at an edge that the origin answers: the edge lacks what the URL needs, and so will it for the next. */
export function isForbidden({ edge, status }: Try): boolean {
  return edge !== null && (status === 401 || status === 403);
}

/** The fault may be the URL's and not the edge's. */
export function isDenial({ status }: Pick<Try, 'status'>): boolean {
  return DENIALS.includes(status);
}

/** The origin that a request goes to. */
export function nameOf({ url }: MediaRequest, edge: Edge | null): string {
  return edge?.origin ?? new URL(url).origin;
}
