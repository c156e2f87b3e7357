/**
 * Which request may go where. In: a request as it stands. Out: whether edges may have it, and what of it a race may show.
 * Pure. Cookies and headers of the site go to its own host and to those it allows; headers are never stripped from a request.
 */
import type { Settings } from './options.js';
import type { RaceRequest } from './probe.js';
import { isAllowedHost, type Edge } from './servers.js';
import type { EdgeSource } from './source.js';
import type { MediaRequest } from './transport/route.js';

/** Headers that VHS sets itself; any other is the site's own, and may be a secret. */
const OWN_HEADERS = ['range'];

/** The rules for one source. */
export interface Permit {
  /** Whether the URL is one of the service, or of the `origins` beside it. */
  isOurs(url: string): boolean;
  /** Whether the request carries what only the service and allowed hosts may see. */
  isGuarded(request: MediaRequest): boolean;
  mayServe(request: MediaRequest): (edge: Edge) => boolean;
  /** Whether any edge may have cookies. */
  readonly allowsCredentials: boolean;
  /** The request as a race may show it: with the site's headers only where every edge is a host that may have them. */
  raceRequest(request: MediaRequest): RaceRequest;
  /** A race for the source itself, when nothing was asked for yet. */
  plainRequest(withCredentials: boolean): RaceRequest;
}

/** The rules that follow from the settings. */
export function permit(source: EdgeSource, { origins, allowedHosts }: Settings): Permit {
  const ours = [source.origin, ...origins.map((origin) => new URL(origin).origin)];
  const allowsCredentials = allowedHosts.length > 0;
  const isOurs = (url: string): boolean => /^https?:/.test(url) && ours.includes(new URL(url).origin);
  const isGuarded = ({ withCredentials, headers }: MediaRequest): boolean =>
    withCredentials || Object.keys(headers).some((name) => !OWN_HEADERS.includes(name.toLowerCase()));
  return {
    isOurs,
    isGuarded,
    allowsCredentials,
    mayServe(request) {
      if (!isOurs(request.url)) return () => false;
      if (!isGuarded(request)) return () => true;
      return ({ origin }) => isAllowedHost(new URL(origin).hostname, allowedHosts);
    },
    raceRequest(request) {
      const { url, headers, withCredentials } = request;
      return { url, headers: allowsCredentials ? headers : {}, withCredentials, guarded: isGuarded(request) };
    },
    plainRequest: (withCredentials) => ({
      ...{ url: source.src, headers: {}, withCredentials, guarded: withCredentials },
      media: !/mpegurl|dash/i.test(source.type),
    }),
  };
}
