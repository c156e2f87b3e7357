/**
 * One request, on a connection of its own. In: a URL and a request. Out: the answer's head and as much of its body as may
 * be read, or why there is none. Never throws, and never reads more than it is allowed to.
 */
import http from 'node:http';
import http2 from 'node:http2';
import type { Readable } from 'node:stream';
import { connect, troubleOf, type Connection, type Trouble, type Wire } from './connect.js';

/** What is asked. */
export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is longer is cut there; a function is asked when the headers are known. */
  readonly maxBytes: number | ((headers: Headers) => number);
  readonly signal: AbortSignal;
}

/** An answer. */
export interface Exchange {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  /** The body is longer than what may be read of it. */
  readonly cut: boolean;
  readonly wire: Wire;
  /** From the sending of the request to its headers. */
  readonly firstByteMs: number;
  /** Redirects on the way here, the first one first. */
  readonly hops: readonly Exchange[];
}

/** A request that nobody answered so that it could be read. */
export type Seen = Exchange | Trouble;

interface Head {
  readonly status: number;
  readonly headers: Headers;
}

/** Fetch, "HTTP-redirect fetch": a browser gives up after as many. */
const MAX_REDIRECTS = 20;

/** Whether there is an answer. */
export function isAnswer(seen: Seen | null | undefined): seen is Exchange {
  return seen !== null && seen !== undefined && 'status' in seen;
}

/** Follows redirects as a browser does. */
export async function request(url: string, asking: Asking): Promise<Seen> {
  const hops: Exchange[] = [];
  for (let next = url; ;) {
    const seen = await requestOnce(new URL(next), asking);
    const location = isAnswer(seen) && [301, 302, 303, 307, 308].includes(seen.status) && seen.headers.get('location');
    if (!isAnswer(seen) || !location) return isAnswer(seen) ? { ...seen, hops } : seen;
    hops.push(seen);
    const to = URL.canParse(location, next) ? new URL(location, next) : null;
    if (!to || !/^https?:$/.test(to.protocol)) {
      return { trouble: 'redirects', says: 'redirects to something that is no http(s) URL' };
    }
    next = to.href;
    if (hops.some((hop) => hop.url === next))
      return { trouble: 'redirects', says: `redirects in a circle, by ${next}` };
    if (hops.length > MAX_REDIRECTS) {
      return { trouble: 'redirects', says: `redirects more than ${MAX_REDIRECTS} times` };
    }
  }
}

async function requestOnce(url: URL, asking: Asking): Promise<Seen> {
  const { signal } = asking;
  const wire = await connect(url, signal);
  if ('trouble' in wire) return wire;
  const { socket, ...facts } = wire;
  const sentAt = performance.now();
  const give = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', give, { once: true });
  try {
    const { head, stream } = await (wire.protocol === 'h2' ? askH2(url, asking, wire) : askH1(url, asking, wire));
    const firstByteMs = performance.now() - sentAt;
    const { maxBytes } = asking;
    const content = await read(stream, typeof maxBytes === 'number' ? maxBytes : maxBytes(head.headers));
    if (content) return { url: url.href, ...head, ...content, wire: facts, firstByteMs, hops: [] };
    return signal.aborted
      ? { trouble: 'silent', says: 'does not end its answer in time' }
      : { trouble: 'broken', says: 'breaks its answer off' };
  } catch (error) {
    return troubleOf(error, signal);
  } finally {
    signal.removeEventListener('abort', give);
    socket.destroy();
  }
}

interface Answered {
  readonly head: Head;
  readonly stream: Readable;
}

function askH1(url: URL, { method = 'GET', headers = {}, body }: Asking, { socket }: Connection): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = http.request({
      ...{ method, path: url.pathname + url.search, createConnection: () => socket },
      headers: { host: url.host, ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const { rawHeaders, statusCode = 0 } = response;
      const pairs = rawHeaders.flatMap((name, i): [string, string][] =>
        i % 2 ? [] : [[name, rawHeaders[i + 1] ?? '']],
      );
      resolve({ head: { status: statusCode, headers: headersOf(pairs) }, stream: response });
    });
    sent.end(body);
  });
}

function askH2(url: URL, { method = 'GET', headers = {}, body }: Asking, { socket }: Connection): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(url.origin, { createConnection: () => socket });
    session.on('error', reject);
    session.on('close', () => {
      reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    });
    const stream = session.request({ ':method': method, ':path': url.pathname + url.search, ...headers });
    stream.on('error', reject);
    stream.on('response', (received) => {
      const { ':status': status = 0, ...others } = received;
      const pairs = Object.entries(others).flatMap(([name, value]): [string, string][] =>
        [value ?? []].flat().map((one) => [name, one]),
      );
      resolve({ head: { status, headers: headersOf(pairs) }, stream });
    });
    stream.end(body);
  });
}

/** Twice the same header stays visible as a list: two `*` of two locations are no `*`. */
function headersOf(pairs: readonly (readonly [string, string])[]): Headers {
  const headers = new Headers();
  for (const [name, value] of pairs) {
    try {
      headers.append(name, value);
    } catch {
      // no browser would read it either
    }
  }
  return headers;
}

/** @returns null when it does not come to its end */
async function read(stream: Readable, maxBytes: number): Promise<Pick<Exchange, 'body' | 'cut'> | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) break;
    }
  } catch {
    return null;
  }
  return { body: new Uint8Array(Buffer.concat(chunks).subarray(0, maxBytes)), cut: bytes > maxBytes };
}
