/**
 * One GET to a nameserver. In: a URL and the media types that will do. Out: the body, or the error that says why not.
 * A GET whose only header is `Accept` needs no CORS preflight; a POST or a `Content-Type` would.
 */
import { EdgeSelectError, type Lookup } from '../errors.js';
import { readerOf } from '../platform.js';
import type { ResolverTools } from '../resolver.js';

/** A DNS message has at most 65535 bytes (RFC 1035, section 4.2.2). */
const MAX_MESSAGE_BYTES = 65_535;

/**
 * @param mediaTypes  the first is asked for; an answer may be of any
 * @throws {EdgeSelectError} `LOOKUP_UNREACHABLE`, `LOOKUP_BLOCKED`, `LOOKUP_STATUS`, `LOOKUP_TYPE`, `LOOKUP_GARBLED`
 * @see RFC 8484, section 4.1; Fetch, "CORS-safelisted request-header"
 */
export async function getMessage(
  url: string,
  mediaTypes: readonly [string, ...string[]],
  lookup: Lookup,
  { platform, signal }: ResolverTools,
): Promise<Uint8Array> {
  const where = { lookup, nameserver: new URL(url).origin };
  const since = platform.now();
  let response: Response;
  let body: Uint8Array;
  try {
    // the answer's own TTL rules, in a cache of ours: a question that is asked must reach the nameserver
    response = await platform.fetch(url, {
      headers: { accept: mediaTypes[0] },
      cache: 'no-store',
      credentials: 'omit',
      signal,
    });
    if (!response.ok) throw new EdgeSelectError('LOOKUP_STATUS', { ...where, status: response.status });
    const type = response.headers.get('content-type') ?? '';
    if (!mediaTypes.some((one) => type.startsWith(one))) throw new EdgeSelectError('LOOKUP_TYPE', { ...where, type });
    body = await readBody(response);
  } catch (cause) {
    if (cause instanceof EdgeSelectError) throw cause;
    const code = (await platform.blocked(url, since)) ? 'LOOKUP_BLOCKED' : 'LOOKUP_UNREACHABLE';
    throw new EdgeSelectError(code, where, cause);
  }
  if (body.length > MAX_MESSAGE_BYTES) throw new EdgeSelectError('LOOKUP_GARBLED', where);
  return body;
}

/**
 * In pieces, as they come: `arrayBuffer()` tells of its end in a task of its own, behind all that a starting player has
 * queued meanwhile, and has no bound.
 *
 * @returns the whole body, or of one that is too long so much that this can be seen
 */
async function readBody(response: Response): Promise<Uint8Array> {
  const reader = readerOf(response);
  let message = new Uint8Array();
  while (message.length <= MAX_MESSAGE_BYTES) {
    const next = await reader?.read();
    if (!next || next.done) return message;
    const longer = new Uint8Array(message.length + next.value.length);
    longer.set(message);
    longer.set(next.value, message.length);
    message = longer;
  }
  reader?.cancel().catch(() => undefined);
  return message;
}
