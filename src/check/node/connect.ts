/**
 * One connection to a server. In: a URL. Out: an open socket and what was seen of name, address and certificate, or why
 * there is none. Never throws; a certificate that a browser would refuse is told and not obeyed, so that one run finds all.
 */
import { lookup } from 'node:dns/promises';
import net from 'node:net';
import tls from 'node:tls';

/** Why there is no answer, in words. */
export interface Trouble {
  /** `name`: no address; `refused`: no connection; `tls`: no common TLS; `silent`: time ran out; `broken`: not HTTP, or cut. */
  readonly trouble: 'name' | 'refused' | 'tls' | 'silent' | 'broken' | 'redirects';
  /** A sentence whose subject is the server. */
  readonly says: string;
}

/** What the server's certificate is worth. */
export interface Certificate {
  /** Node's and OpenSSL's code of what is wrong, such as `CERT_HAS_EXPIRED`; null when a browser would take it. */
  readonly error: string | null;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** The same as a date, empty where the certificate has none that can be read. */
  readonly endsOn: string;
  /** Subject alternative names, as the certificate writes them. */
  readonly names: string;
}

/** What is known of a connection. */
export interface Wire {
  /** All that the name leads to: a browser may use any of them. */
  readonly addresses: readonly string[];
  /** The one in use. */
  readonly address: string;
  readonly protocol: 'h2' | 'http/1.1';
  /** Null for http. */
  readonly certificate: Certificate | null;
  readonly dnsMs: number;
  /** TCP, and TLS where there is some. */
  readonly connectMs: number;
}

/** An open connection; its owner destroys the socket. */
export interface Connection extends Wire {
  readonly socket: net.Socket;
}

const WORDS: Readonly<Record<string, readonly [Trouble['trouble'], string]>> = {
  ENOTFOUND: ['name', 'has no address in DNS'],
  EAI_AGAIN: ['name', 'cannot be looked up: the DNS of this machine does not answer'],
  ECONNREFUSED: ['refused', 'refuses the connection'],
  ECONNRESET: ['broken', 'closes the connection without an answer'],
  ETIMEDOUT: ['silent', 'does not answer'],
  EHOSTUNREACH: ['refused', 'cannot be reached from this network'],
  ENETUNREACH: ['refused', 'cannot be reached from this network'],
};

/** What an error of a socket means. */
export function troubleOf(error: unknown, signal: AbortSignal): Trouble {
  if (signal.aborted) return { trouble: 'silent', says: 'does not answer in time' };
  const { code = '' } = error as { code?: string };
  const [trouble, says] = WORDS[code] ?? [code.includes('SSL') || code === 'EPROTO' ? 'tls' : 'broken', ''];
  if (says) return { trouble, says };
  return {
    trouble,
    says: trouble === 'tls' ? `speaks no TLS that fits (${code})` : `speaks no HTTP that fits (${code})`,
  };
}

/**
 * All addresses of a name, by the DNS of this machine.
 *
 * @see RFC 6761, sections 6.3 and 6.4: names below `localhost` are loopback, as browsers have it too, and those below
 *      `invalid` are none; neither is asked for
 */
export async function addressesOf(name: string): Promise<readonly string[]> {
  const host = bare(name);
  if (net.isIP(host)) return [host];
  if (/(^|\.)localhost$/.test(host)) return ['127.0.0.1', '::1'];
  if (/(^|\.)invalid$/.test(host)) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Opens one for `url`, over TLS for https. */
export async function connect(url: URL, signal: AbortSignal): Promise<Connection | Trouble> {
  const startedAt = performance.now();
  let socket: net.Socket | null = null;
  try {
    const addresses = await orAbort(addressesOf(url.hostname), signal);
    const dnsMs = performance.now() - startedAt;
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    socket = net.connect({ host: bare(url.hostname), port, lookup: answerWith(addresses), noDelay: true });
    await opened(socket, 'connect', signal);
    const address = socket.remoteAddress ?? '';
    let certificate: Certificate | null = null;
    if (url.protocol === 'https:') {
      const secured = secure(socket, url);
      socket = secured;
      await opened(secured, 'secureConnect', signal);
      certificate = certificateOf(secured);
    }
    const isH2 = socket instanceof tls.TLSSocket && socket.alpnProtocol === 'h2';
    return {
      ...{ socket, addresses, address, certificate, dnsMs },
      protocol: isH2 ? 'h2' : 'http/1.1',
      connectMs: performance.now() - startedAt - dnsMs,
    };
  } catch (error) {
    socket?.destroy();
    return troubleOf(error, signal);
  }
}

/** What `promise` gives, or a rejection at once when the signal fires: a look-up of the system cannot be called off. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => {
      reject(new Error('aborted'));
    };
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', give);
    });
  });
}

function opened(socket: net.Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return orAbort(
    new Promise((resolve, reject) => {
      socket.once(event, resolve);
      socket.once('error', reject);
      socket.once('close', () => {
        reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
      });
      // what comes after this has its own listeners; none may end the process
      socket.on('error', () => undefined);
    }),
    signal,
  );
}

function secure(socket: net.Socket, { hostname }: URL): tls.TLSSocket {
  const host = bare(hostname);
  const servername = net.isIP(host) ? {} : { servername: host };
  return tls.connect({ socket, host, ...servername, ALPNProtocols: ['h2', 'http/1.1'], rejectUnauthorized: false });
}

function certificateOf(socket: tls.TLSSocket): Certificate {
  const { valid_to, subjectaltname } = socket.getPeerCertificate();
  const error = socket.authorized ? null : String(socket.authorizationError);
  const expiresAt = Date.parse(valid_to);
  const endsOn = isNaN(expiresAt) ? '' : new Date(expiresAt).toISOString().slice(0, 10);
  return { error, expiresAt, endsOn, names: subjectaltname ?? '' };
}

/** For `net.connect`, which would look the name up by itself. */
function answerWith(addresses: readonly string[]): net.LookupFunction {
  const all = addresses.map((address) => ({ address, family: net.isIP(address) }));
  return (_name, options, done) => {
    const [first] = all;
    if (options.all) done(null, all);
    else done(null, first?.address ?? '', first?.family ?? 4);
  };
}

/** An IPv6 address without the brackets that a URL has around it. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
