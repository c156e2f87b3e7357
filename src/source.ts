/**
 * Is this source ours? In: a Video.js source, the site's rules. Out: an `EdgeSource`, or null for a source that is
 * none of our business. Never looks anything up, and never changes the source.
 */

/** The members of a Video.js source object that matter here. */
export interface SourceObject {
  readonly src: string;
  readonly type?: string;
  /** VHS sends cookies with the requests of this source. */
  readonly withCredentials?: boolean;
  /** `false`: leave this source alone. An object: options for this source, over those of the player. */
  readonly edgeSelect?: unknown;
}

/** A source for which the method runs. */
export interface EdgeSource {
  /** The URL that the site gave; it stays the player's `currentSrc()`. */
  readonly src: string;
  readonly type: string;
  /** Scheme, host and port of `src`: the service origin, and the last resort of every request. */
  readonly origin: string;
  readonly scheme: 'http' | 'https';
  /** The owner name of the first lookup, such as `_https._tcp.video.example`. */
  readonly service: string;
}

/** What the site says of its sources; the settings hold it. */
export interface SourceRules {
  readonly service: string | ((source: SourceObject) => string | null) | null;
  readonly hosts: readonly string[];
}

/** What decides beside the source itself. */
export interface SourceContext {
  /** URL of the page, against which a relative `src` is resolved. */
  readonly page: string;
  /** Host of the player's first source, once it had one. */
  readonly firstHost: string | null;
}

/**
 * @returns null when `src` is no http(s) URL, or has a password; when `service` gives no name for it (an IP address has
 *          none by itself); or when its host is neither the player's first one nor in `hosts`: an ad or a foreign clip
 *          causes no lookup and leaks no name
 * @see RFC 2782, "The format of the SRV RR": `_service._proto.name`
 */
export function edgeSource(source: SourceObject, rules: SourceRules, context: SourceContext): EdgeSource | null {
  const url = httpUrl(source.src, context.page);
  if (!url || source.edgeSelect === false) return null;
  const service = serviceName(source, url, rules, context);
  if (!service) return null;
  return {
    src: url.href,
    type: source.type ?? '',
    origin: url.origin,
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    service: service.toLowerCase().replace(/\.$/, ''),
  };
}

/** The host of a source's URL, or null where it has none. */
export function hostOf(src: string, page: string): string | null {
  return httpUrl(src, page)?.hostname ?? null;
}

function serviceName(
  source: SourceObject,
  url: URL,
  { service, hosts }: SourceRules,
  { firstHost }: SourceContext,
): string | null {
  if (typeof service === 'function') return service(source);
  const host = url.hostname;
  if (host !== (firstHost ?? host) && !hosts.includes(host)) return null;
  if (service) return service;
  // a service has a name: an address cannot own SRV records of its own
  return /^[\d.]+$|^\[/.test(host) ? null : `_${url.protocol.slice(0, -1)}._tcp.${host}`;
}

function httpUrl(src: string, page: string): URL | null {
  try {
    const url = new URL(src, page);
    // fetch refuses URLs that hold a name and a password
    return /^https?:$/.test(url.protocol) && !url.username && !url.password ? url : null;
  } catch {
    return null;
  }
}
