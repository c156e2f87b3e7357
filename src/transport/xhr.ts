/**
 * The XMLHttpRequest that VHS sees. In: `open()`, `send()`. Out: the events and members of an XMLHttpRequest, on top of
 * a streaming fetch over several servers. Nothing completes inside `send()`, and nothing happens after an `abort()`.
 *
 * VHS and @videojs/xhr keep things of their own on the object (`url`, `headers`, `responseHeaders`...), so all state of ours
 * is private by the language. One of theirs is a clock: `requestTime` is moved forward to the moment at which the server that
 * answers was asked, so that the time spent on others is not taken for slowness of this one.
 */
import { MIN_RATE_BYTES } from '../edges.js';
import type { Platform } from '../platform.js';
import { read, type Lane } from './attempt.js';
import { deliver, originLane, type AnswerSink, type End, type Routes } from './deliver.js';
import { joined } from './received.js';
import { withoutDirectives, type MediaRequest } from './route.js';

/** A progress event not more often than this, as in XMLHttpRequest ("roughly 50ms"). */
const PROGRESS_MS = 50;

/** The origin may miss what the page adds to an XMLHttpRequest. */
const WANTING = [400, 401, 403];

const EVENTS = ['readystatechange', 'loadstart', 'progress', 'abort', 'error', 'load', 'loadend'] as const;
type EventName = (typeof EVENTS)[number];
type Handler = ((this: TransportRequest, event: Event) => void) | null;

/** What `send()` needs beside the members of XMLHttpRequest. */
export interface TransportTools {
  readonly routes: Routes;
  readonly platform: Platform;
  readonly requestType: string;
  /** VHS's own limit, in ms; 0 for none. */
  readonly timeoutMs: number;
  /** Is told that the origin gives the page's own XMLHttpRequest what it denies us. */
  readonly onDenied: () => void;
}

/** Who answers. */
interface Server {
  /** When it was asked. */
  readonly startedAt: number;
  /** How many bytes were there before, and how long they took. */
  readonly before: number;
  readonly beforeMs: number;
  /** How many of its bytes were here before: they took their time as well. */
  readonly compared: number;
  readonly rateShown: Lane['rateShown'];
}

/** An error as @videojs/xhr makes it when its own timer runs out. */
export type TimeoutError = Error & { readonly code: 'ETIMEDOUT' };

/**
 * The part of XMLHttpRequest that Video.js, VHS and hooks of sites use; `responseType` may be `''`, `text` or
 * `arraybuffer`.
 *
 * @see XMLHttpRequest Standard; @videojs/xhr 2.7, which calls the `on...` handlers
 */
export class TransportRequest extends EventTarget {
  declare onreadystatechange: Handler | undefined;
  declare onloadstart: Handler | undefined;
  declare onprogress: Handler | undefined;
  declare onabort: Handler | undefined;
  declare onerror: Handler | undefined;
  declare onload: Handler | undefined;
  declare onloadend: Handler | undefined;
  declare ontimeout: ((this: TransportRequest, error: TimeoutError) => void) | null | undefined;

  static readonly UNSENT = 0;
  static readonly OPENED = 1;
  static readonly HEADERS_RECEIVED = 2;
  static readonly LOADING = 3;
  static readonly DONE = 4;
  readonly UNSENT = 0;
  readonly OPENED = 1;
  readonly HEADERS_RECEIVED = 2;
  readonly LOADING = 3;
  readonly DONE = 4;

  /** For hooks to listen to: what is sent tells no progress. */
  readonly upload = new EventTarget();
  readyState = 0;
  status = 0;
  statusText = '';
  responseURL = '';
  responseType = '';
  withCredentials = false;
  timeout = 0;
  readonly responseXML = null;
  /** VHS's clock: wall time in ms at which the request counts as sent. */
  requestTime = 0;

  readonly #tools: TransportTools;
  #controller = new AbortController();
  #method = 'GET';
  #url = '';
  #isSent = false;
  #requestHeaders: Record<string, string> = {};
  #responseHeaders: Headers | null = null;
  #mimeType: string | null = null;
  #chunks: Uint8Array[] = [];
  #body: ArrayBuffer | null = null;
  #loaded = 0;
  #total = 0;
  /** What the last progress event told: an answer that began anew tells nothing until it has passed that. */
  #told = 0;
  #toldAt = 0;
  #server: Server = { startedAt: 0, before: 0, beforeMs: 0, compared: 0, rateShown: (bytesPerMs) => bytesPerMs };
  #lastChunkAt = 0;
  #isOrigins = false;

  constructor(tools: TransportTools) {
    super();
    this.#tools = tools;
    // as listeners, so that what a handler throws is reported and stops nobody, as in the real one
    for (const name of EVENTS) {
      this.addEventListener(name, (event) => {
        this[`on${name}`]?.(event);
      });
    }
    this.addEventListener('timeout', () => {
      this.ontimeout?.(Object.assign(new Error('XMLHttpRequest timeout'), { code: 'ETIMEDOUT' } as const));
    });
  }

  open(method: string, url: string): void {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#method = method;
    this.#url = new URL(url, this.#tools.platform.page()).href;
    this.#requestHeaders = {};
    this.#isSent = false;
    this.#told = 0;
    this.#toldAt = 0;
    this.#forget();
    this.readyState = 1;
    this.#fire('readystatechange');
  }

  setRequestHeader(name: string, value: string): void {
    this.#requestHeaders[name] = value;
  }

  overrideMimeType(mimeType: string): void {
    this.#mimeType = mimeType;
  }

  send(body?: XMLHttpRequestBodyInit | null): void {
    // a hook after ours may have made it anything; GET and HEAD go without a body, as in the real one
    const tools = /^(GET|HEAD)$/i.test(this.#method) ? this.#tools : once(this.#tools, this.#url, body);
    const { routes, platform, requestType, timeoutMs } = tools;
    const { signal } = this.#controller;
    this.#isSent = true;
    this.#fire('loadstart');
    const request = {
      // a delta is one to what the same server gave before: from another it is to nothing that VHS has
      url: withoutDirectives(this.#url, '_HLS_skip='),
      method: this.#method,
      headers: this.#requestHeaders,
      withCredentials: this.withCredentials,
      requestType,
      timeoutMs,
      binary: this.responseType === 'arraybuffer',
    };
    const sink = {
      headers: (response: Response, startedAt: number, lane: Lane): void => {
        if (!signal.aborted) this.#takeHeaders(response, startedAt, lane);
      },
      resumed: (startedAt: number, { rateShown }: Lane, compared: number): void => {
        if (signal.aborted) return;
        const beforeMs = this.#server.beforeMs + this.#lastChunkAt - this.#server.startedAt;
        this.#server = { startedAt, before: this.#loaded, beforeMs, compared, rateShown };
      },
      chunk: (bytes: Uint8Array): void => {
        if (!signal.aborted) this.#takeChunk(bytes);
      },
    };
    void deliver(request, routes, sink, { platform, signal })
      .then((end) => (end === 'answered' ? this.#asPage(request, sink, signal) : end))
      .catch((): End => 'error') // a fault of ours must not keep VHS waiting
      .then((end) => {
        if (!signal.aborted) this.#finish(end);
      });
  }

  abort(): void {
    const isUnderWay = this.#isSent && this.readyState > 0 && this.readyState < 4;
    this.#controller.abort();
    this.#forget();
    if (isUnderWay) {
      this.readyState = 4;
      this.#fire('readystatechange');
      this.#fire('abort');
      this.#fire('loadend');
    }
    // a handler may have opened it again
    if (this.readyState === 4) this.readyState = 0;
  }

  getResponseHeader(name: string): string | null {
    return this.#responseHeaders?.get(name) ?? null;
  }

  getAllResponseHeaders(): string {
    return Array.from(this.#responseHeaders ?? [], ([name, value]) => `${name}: ${value}\r\n`).join('');
  }

  get response(): ArrayBuffer | string | null {
    return this.responseType === 'arraybuffer' ? this.#body : this.responseText;
  }

  /** Grows while the body comes; empty for `arraybuffer`. */
  get responseText(): string {
    if (this.responseType === 'arraybuffer' || this.readyState < 3) return '';
    const type = this.#mimeType ?? this.getResponseHeader('content-type') ?? '';
    const charset = /charset="?([^";\s]+)/i.exec(type)?.[1];
    return decoderOf(charset).decode(joined(this.#chunks, this.#loaded));
  }

  /** Code of the page may add to an XMLHttpRequest what the origin wants: then the source is nothing for us. */
  async #asPage(request: MediaRequest, sink: Pick<AnswerSink, 'headers' | 'chunk'>, signal: AbortSignal): Promise<End> {
    const { platform, onDenied } = this.#tools;
    const isOver = (): boolean => signal.aborted;
    const isWanting = this.#isOrigins && WANTING.includes(this.status);
    if (isOver() || !isWanting || request.method !== 'GET') return 'answered';
    const startedAt = platform.now();
    const response = await platform.asPage(request, signal);
    if (!response || isOver()) return 'answered';
    onDenied();
    sink.headers(response, startedAt, originLane(request));
    await read(response, sink.chunk);
    return 'answered';
  }

  #takeHeaders(response: Response, startedAt: number, lane: Lane): void {
    const { routes } = this.#tools;
    this.#forget();
    this.status = response.status;
    this.statusText = response.statusText;
    this.#responseHeaders = response.headers;
    this.#total = Number(response.headers.get('content-length') ?? 0);
    const asked = lane.edge && !response.redirected;
    this.responseURL = asked
      ? this.#url.replace(/#.*/, '')
      : routes.serviceUrl(response.url || this.#url, lane, this.#url);
    this.#server = { startedAt, before: 0, beforeMs: 0, compared: 0, rateShown: lane.rateShown };
    this.#isOrigins = lane.edge === null;
    this.#setClock();
    if (this.readyState < 2) {
      this.readyState = 2;
      this.#fire('readystatechange');
    }
  }

  #takeChunk(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#loaded += bytes.length;
    this.#lastChunkAt = this.#tools.platform.now();
    this.readyState = 3;
    this.#progress(PROGRESS_MS);
  }

  /** VHS divides what it was told is loaded by the time since `requestTime`: that is to be the rate of this server. */
  #setClock(): void {
    const { platform } = this.#tools;
    const { startedAt, before, beforeMs, compared, rateShown } = this.#server;
    const elapsedMs = platform.now() - startedAt;
    const bytes = this.#loaded - before;
    // of a short rest only the latency would count
    const isTelling = bytes > 0 && (bytes >= MIN_RATE_BYTES || bytes > before);
    const rate = isTelling ? (bytes + compared) / elapsedMs : (this.#loaded + compared) / (beforeMs + elapsedMs);
    this.requestTime = platform.wallClock() - (rate > 0 ? this.#loaded / rateShown(rate) : elapsedMs);
  }

  #progress(notBeforeMs: number): void {
    const now = this.#tools.platform.now();
    if (this.#loaded <= this.#told || now - this.#toldAt < notBeforeMs) return;
    const { before } = this.#server;
    if (notBeforeMs > 0 && before > 0 && this.#loaded - before < MIN_RATE_BYTES) return;
    this.#setClock();
    this.#told = this.#loaded;
    this.#toldAt = now;
    this.#fire('readystatechange');
    this.#fire('progress');
  }

  #finish(end: End): void {
    if (end === 'answered') {
      const { signal } = this.#controller;
      this.#progress(0);
      if (signal.aborted) return;
      if (this.responseType === 'arraybuffer') this.#body = joined(this.#chunks, this.#loaded).buffer as ArrayBuffer;
    } else this.#forget();
    this.readyState = 4;
    this.#fire('readystatechange');
    if (end === 'timeout') this.dispatchEvent(new ProgressEvent('timeout'));
    else this.#fire(end === 'answered' ? 'load' : 'error');
    this.#fire('loadend');
  }

  #forget(): void {
    this.status = 0;
    this.statusText = '';
    this.responseURL = '';
    this.#responseHeaders = null;
    this.#chunks = [];
    this.#body = null;
    this.#loaded = 0;
    this.#total = 0;
  }

  #fire(name: EventName): void {
    const loaded = this.#loaded;
    const total = this.#total;
    const lengthComputable = total > 0 && loaded <= total;
    this.dispatchEvent(
      name === 'readystatechange'
        ? new Event(name)
        : new ProgressEvent(name, { loaded, total: lengthComputable ? total : 0, lengthComputable }),
    );
  }
}

/** What is no read may do something: it goes whole, to its own URL alone, and is never repeated. */
function once(tools: TransportTools, url: string, body: BodyInit | null = null): TransportTools {
  const { platform } = tools;
  const lane = originLane({ ...tools, url });
  return {
    ...tools,
    routes: {
      ...tools.routes,
      next: (_, tries) => (tries.length === 0 ? lane : null),
      ended: () => undefined,
      again: () => null,
      newest: (_, text) => text,
    },
    platform: { ...platform, fetch: (to, init) => platform.fetch(to, { ...init, body }) },
  };
}

function decoderOf(charset: string | undefined): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder(); // a charset that nobody knows: UTF-8, as the standard has it
  }
}
