/**
 * What can go wrong, each thing with one stable name. In: the facts of a failure. Out: one class of error.
 * Never holds a token: what a code needs of one is its place in the answer, not its text.
 */

/** A step of the method: the first lookup (the map), or the second one (a token). */
export type Lookup = 'tokens' | 'servers';

/** What a failed lookup tells: which of the two it was, and the origin of the nameserver's URL where there is one. */
export interface LookupDetails {
  readonly lookup: Lookup;
  readonly nameserver?: string;
}

/** A negative answer also has a time for which it stays true (RFC 2308, section 5). */
export interface NegativeDetails extends LookupDetails {
  readonly ttlSeconds: number;
}

/** An edge and what became of it, without its probe's timings. */
export interface EdgeFailure {
  readonly origin: string;
  readonly outcome: string;
  readonly status?: number;
}

/**
 * The codes and what each carries. In every one of them the viewer sees the stream play from the source's own host,
 * as it would without the plugin. A code is never renamed and never used again for another thing.
 */
export interface ErrorDetails {
  /** An option is wrong. Raised when the plugin is called, or when a source with options of its own is set. */
  OPTIONS_INVALID: { readonly option: string; readonly value: string; readonly allowed: string };
  /** No nameserver could be reached: refused, reset, unknown host, no CORS header, or all of them are passed over. */
  LOOKUP_UNREACHABLE: LookupDetails;
  /** No answer within `lookupTimeoutMs`. */
  LOOKUP_TIMEOUT: LookupDetails;
  /** The page's Content Security Policy forbids the nameserver (`connect-src`). */
  LOOKUP_BLOCKED: LookupDetails;
  /** The nameserver answered with an HTTP status outside 200-299. */
  LOOKUP_STATUS: LookupDetails & { readonly status: number };
  /** The nameserver answered with another media type than was asked for, a login page for example. */
  LOOKUP_TYPE: LookupDetails & { readonly type: string };
  /** The bytes are not a DNS message, or not an answer to the question, or larger than 64 KiB. */
  LOOKUP_GARBLED: LookupDetails;
  /** The answer is cut (TC); over HTTPS there is no larger transport to ask again on. */
  LOOKUP_TRUNCATED: LookupDetails;
  /** The name does not exist (RCODE 3). */
  LOOKUP_NXDOMAIN: NegativeDetails;
  /** The name exists and has no record of the type asked for. */
  LOOKUP_NODATA: NegativeDetails;
  /** The nameserver could not answer this question (RCODE 2). */
  LOOKUP_SERVFAIL: LookupDetails;
  /** Any other RCODE: FORMERR, NOTIMP, REFUSED and so on; `rcode` is its number. */
  LOOKUP_RCODE: LookupDetails & { readonly rcode: number };
  /** The resolver cannot ask for this type of record; doh-js-client cannot ask for SRV. */
  LOOKUP_UNSUPPORTED: LookupDetails & { readonly type: string };
  /** A resolver or `discover` of the site threw something that is none of these; see `cause`. */
  LOOKUP_FAILED: LookupDetails;
  /** The map answered, and no record in it can be a token: none, or only `.` (RFC 2782: no service here). */
  TOKENS_EMPTY: Record<string, never>;
  /** No token led to a server that this page may use. `refused` counts those it may not (scheme, name, port). */
  SERVERS_EMPTY: { readonly refused: number };
  /** Every edge failed a short while ago and is in its cool-down. */
  EDGES_COOLING: { readonly edges: number };
  /** No edge gave a readable answer of 200-299 in time; `edges` tells what each of them did. */
  EDGES_FAILED: { readonly edges: readonly EdgeFailure[] };
  /** Every edge answered, none with the CORS header that lets the page read it. */
  EDGES_UNREADABLE: { readonly edges: readonly EdgeFailure[] };
  /** The page's Content Security Policy forbids every edge (`connect-src`). */
  EDGES_BLOCKED: { readonly edges: readonly EdgeFailure[] };
  /** The source is asked for with credentials, and `allowedHosts` names no host that may have them. */
  CREDENTIALS_NOT_ALLOWED: Record<string, never>;
  /**
   * No request can be given to us: the site put its own function in place of `videojs.Vhs.xhr`, or adds to XMLHttpRequest
   * what its server wants, or VHS (before Video.js 8.12) does not say what a request is for.
   */
  VHS_REPLACED: Record<string, never>;
}

/** One of the codes of {@link ErrorDetails}. */
export type ErrorCode = keyof ErrorDetails;

/** The one class of error of this package. `cause` is what was caught, where something was. */
export class EdgeSelectError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'EdgeSelectError';
  declare readonly code: C;
  declare readonly details: ErrorDetails[C];
  declare readonly cause: unknown;

  constructor(code: C, details: ErrorDetails[C], cause?: unknown) {
    super(`${code} ${JSON.stringify(details)}`);
    this.code = code;
    this.details = details;
    this.cause = cause;
  }
}

/** Whether `thing` is an error of ours, and, if a code is given, of that code. */
export function isError<C extends ErrorCode>(thing: unknown, ...codes: C[]): thing is EdgeSelectError<C> {
  return thing instanceof EdgeSelectError && (codes.length === 0 || codes.includes(thing.code as C));
}
