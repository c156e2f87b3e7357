/**
 * One request to one server. In: where, and what to send. Out: its bytes as they come, and in the end what became of it.
 * Never tries twice, and never keeps a body: each chunk is handed on at once.
 */
import type { FailureKind } from '../events.js';
import type { Platform } from '../platform.js';
import type { Opened } from '../probe.js';
import type { Edge } from '../servers.js';
import type { MediaRequest } from './route.js';

/** Where a request goes, and how patient to be there. */
export interface Lane {
  /** null: the service origin. */
  readonly edge: Edge | null;
  readonly url: string;
  /** The race's answer to this very request, when it was raced. */
  readonly opened: Opened | null;
  /** It carries secrets: a redirect must not be followed, since nobody can tell where to. */
  readonly guarded: boolean;
  /** Silence, before the headers or between two chunks, after which it has failed; 0: none is too long. */
  readonly patienceMs: number;
  /** Whether a body with fewer bytes than its length is short: not where lengths are those of encoded bodies. */
  readonly checksLength: boolean;
  /** Bounds the whole request, from its own start; 0: not at all. */
  readonly limitMs: number;
}

/** Takes what comes. */
export interface Sink {
  /** The headers of an answer that will be delivered unless it breaks. */
  readonly headers: (response: Response, startedAt: number) => void;
  readonly chunk: (bytes: Uint8Array) => void;
}

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly firstByteMs: number; readonly elapsedMs: number; readonly bytes: number }
  | {
      readonly kind: 'failed';
      readonly because: FailureKind;
      readonly status: number;
      /** How many came. */
      readonly bytes: number;
      /** An answer with a status that is no success: unread, in case nobody has a better one. */
      readonly opened: Opened | null;
    };

/** What an attempt works with. */
export interface AttemptTools {
  readonly platform: Platform;
  readonly signal: AbortSignal;
}

/**
 * @returns never rejects; when `signal` fires the outcome means nothing
 */
export async function attempt(
  request: MediaRequest,
  lane: Lane,
  sink: Sink,
  { platform, signal }: AttemptTools,
): Promise<Outcome> {
  const controller = new AbortController();
  let answered = false;
  const gaveUp: FailureKind[] = [];
  const giveUp = (because: FailureKind): void => {
    gaveUp.push(because);
    controller.abort();
    lane.opened?.abort();
  };
  const abort = (): void => {
    giveUp('refused');
  };
  signal.addEventListener('abort', abort);
  let cancelPatience = (): void => undefined;
  const waitAgain = (): void => {
    cancelPatience();
    if (lane.patienceMs === 0) return;
    cancelPatience = platform.after(lane.patienceMs, () => {
      giveUp(answered ? 'stalled' : 'silent');
    });
  };
  let cancelLimit = (): void => undefined;
  if (lane.limitMs > 0) {
    cancelLimit = platform.after(lane.limitMs, () => {
      giveUp('slow');
    });
  }
  const startedAt = lane.opened?.startedAt ?? platform.now();

  let status = 0;
  let bytes = 0;
  try {
    waitAgain();
    const response = lane.opened?.response ?? (await send(request, lane, controller.signal, platform));
    const firstByteMs = platform.now() - startedAt;
    status = response.status;
    const fault = faultOf(response, request, lane);
    if (fault === 'status') {
      return fail(fault, { response, startedAt, abort: lane.opened?.abort ?? abort });
    }
    if (fault) {
      giveUp(fault);
      return fail(fault);
    }
    answered = true;
    sink.headers(response, startedAt);
    bytes = await read(response, (chunk) => {
      waitAgain();
      sink.chunk(chunk);
    });
    const length = Number(response.headers.get('content-length') ?? 0);
    if (lane.checksLength && request.binary && bytes < length) return fail('short');
    return { kind: 'delivered', firstByteMs, elapsedMs: platform.now() - startedAt, bytes };
  } catch {
    return fail(gaveUp[0] ?? (answered ? 'short' : 'refused'));
  } finally {
    cancelPatience();
    cancelLimit();
    signal.removeEventListener('abort', abort);
  }

  function fail(because: FailureKind, opened: Opened | null = null): Outcome {
    return { kind: 'failed', because, status, bytes, opened };
  }
}

/** Hands on the body's chunks until its end. @returns how many bytes there were */
export async function read({ body }: Response, chunk: (bytes: Uint8Array) => void): Promise<number> {
  const reader = body?.getReader();
  let bytes = 0;
  for (;;) {
    const next = await reader?.read();
    if (!next || next.done) return bytes;
    bytes += next.value.length;
    chunk(next.value);
  }
}

function send(request: MediaRequest, lane: Lane, signal: AbortSignal, platform: Platform): Promise<Response> {
  return platform.fetch(lane.url, {
    method: request.method,
    headers: { ...request.headers },
    // what XMLHttpRequest does: cookies go to the page's own origin in any case
    credentials: request.withCredentials ? 'include' : 'same-origin',
    redirect: lane.guarded ? 'error' : 'follow',
    signal,
  });
}

/** What is wrong with an answer by its headers alone. From the origin, anything is taken as it is. */
function faultOf(response: Response, { headers, url }: MediaRequest, { edge }: Lane): FailureKind | null {
  if (!response.ok) return 'status';
  if (edge === null) return null;
  const type = response.headers.get('content-type') ?? '';
  // a captive portal, or a CDN's error page with status 200
  if (type.startsWith('text/html') && !/\.html?($|\?)/.test(url)) return 'html';
  const ranged = Object.keys(headers).some((name) => name.toLowerCase() === 'range');
  return ranged && response.status !== 206 ? 'range' : null;
}
