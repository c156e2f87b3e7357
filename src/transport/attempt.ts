/**
 * One request to one server. In: where, what to send, what is there already. Out: its bytes as they come, and in the end
 * what became of it. Never tries twice, and never passes on a byte that does not follow the one before it.
 */
import { movesAway } from '../capabilities.js';
import type { FailureKind } from '../events.js';
import { readerOf, type Platform } from '../platform.js';
import type { Opened } from '../probe.js';
import type { Edge } from '../servers.js';
import { watchFlow } from './flow.js';
import type { Flow } from './pace.js';
import { isRangeAsked, placeOf, rangeFrom, type Received } from './received.js';
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
  /** Whether it may go on where another server stopped. */
  readonly resumes: boolean;
  /** Bounds the attempt, from its own start; 0: not at all. */
  readonly limitMs: number;
  /** Whether the rest is to come from elsewhere; asked some times a second. */
  readonly isTooSlow: (flow: Flow) => boolean;
  /** The rate that VHS is to see, both in bytes per ms: not a dip that another edge would end. */
  readonly rateShown: (bytesPerMs: number) => number;
}

/** Takes what comes. */
export interface Sink {
  /** The headers of an answer that will be delivered unless it breaks. */
  readonly headers: (response: Response, startedAt: number) => void;
  /** From here on the bytes are those of another server, asked at `startedAt`; `compared` of its own were here before. */
  readonly resumed: (startedAt: number, compared: number) => void;
  readonly chunk: (bytes: Uint8Array) => void;
}

/** A request that is silent, left open: whether it ever says another word. */
export interface Parked {
  readonly spoke: () => boolean;
  readonly abort: () => void;
  /** What it says in the end, null for nothing; missing where it had begun to answer. */
  readonly answer?: Promise<Opened | null> | undefined;
}

/** What became of a request. */
export type Outcome =
  | {
      readonly kind: 'delivered';
      readonly firstByteMs: number;
      readonly elapsedMs: number;
      /** By this server. */
      readonly bytes: number;
      /** False where the origin itself gave no media, as it may when a stream is over. */
      readonly isMedia: boolean;
      /** The server asks its clients to go elsewhere. */
      readonly moveAway: boolean;
    }
  | {
      readonly kind: 'failed';
      readonly because: FailureKind;
      readonly status: number;
      /** How many of its own came. */
      readonly bytes: number;
      readonly elapsedMs: number;
      /** An answer with a status that is no success: unread, in case nobody has a better one. */
      readonly opened: Opened | null;
      readonly parked: Parked | null;
    };

/** `differs`: what came is not the rest of what is there; `overtaken`: it was, before its headers came. */
type End = Outcome | 'differs' | 'overtaken';

/** Without these VHS finds nothing in a playlist. */
const MARKS: ReadonlyMap<string, RegExp> = new Map([
  ['hls-playlist', /#EXT/],
  ['dash-manifest', /<(\w+:)?MPD\b/],
]);

/** What an attempt works with. */
export interface AttemptTools {
  readonly platform: Platform;
  readonly signal: AbortSignal;
  /** Somebody who was silent answers before this attempt. */
  readonly overtaken?: Promise<'overtaken'>;
}

/**
 * @param received  what is there already; grows
 * @param at        where to begin, to compare what is there and go on; null: anew
 * @returns `differs`: what follows `at` is not the rest of what is there. Never rejects; when `signal` fires the outcome
 *          means nothing
 */
export async function attempt(
  request: MediaRequest,
  lane: Lane,
  received: Received,
  at: number | null,
  sink: Sink,
  { platform, signal, overtaken }: AttemptTools,
): Promise<End> {
  const controller = new AbortController();
  const startedAt = lane.opened?.startedAt ?? platform.now();
  const flow = watchFlow(lane, startedAt, received, platform);
  const cut = (): void => {
    controller.abort();
    lane.opened?.abort();
  };
  const abort = (): void => {
    cut();
    flow.giveUp('refused');
  };
  signal.addEventListener('abort', abort);
  const range = rangeOf(request);
  let status = 0;
  let hasEnded = false;
  /** Left open: it is no longer ended with this attempt. */
  const parked: Parked[] = [];
  try {
    const asking = lane.opened ? Promise.resolve(lane.opened.response) : send(request, lane, at, controller, platform);
    const response = await Promise.race([asking, flow.gaveUp, ...(overtaken ? [overtaken] : [])]);
    if (response === 'overtaken') {
      abort();
      asking.catch(() => undefined);
      return response;
    }
    if (typeof response === 'string') return leave(response, asking, asking);
    const firstByteMs = platform.now() - startedAt;
    status = response.status;
    if (at !== null && status === 416) return differs();
    const fault = faultOf(response, request, lane, at);
    if (fault === 'status') return fail(fault, { response, startedAt, abort: lane.opened?.abort ?? abort });
    if (fault) return leave(fault);
    const place = at === null ? 'anew' : placeOf(response, at, received, range);
    if (place === 'differs') return differs();
    flow.answered();
    const ending = takeBody(response, place, firstByteMs);
    // one race for the whole body: one for each chunk would cost as much as all else that is done with it
    const end = await Promise.race([ending, flow.gaveUp]);
    return typeof end === 'string' && end !== 'differs' ? leave(end, ending) : end;
  } catch {
    return fail(status === 0 ? 'refused' : 'short');
  } finally {
    hasEnded = true;
    flow.stop();
    if (parked.length === 0) signal.removeEventListener('abort', abort);
  }

  /** Ends with the body, or with the first chunk after this attempt has ended. */
  async function takeBody(
    response: Response,
    place: 'rest' | 'whole' | 'anew',
    firstByteMs: number,
  ): Promise<Outcome | 'differs'> {
    const reader = readerOf(response);
    let position = place === 'rest' ? (at ?? 0) : 0;
    let isComparing = place !== 'anew';
    if (!isComparing) takeHeaders(response);
    for (;;) {
      const next = await reader?.read();
      if (hasEnded || !next || next.done) break;
      let bytes = next.value;
      flow.came(bytes.length);
      if (isComparing) {
        const same = received.agree(position, bytes);
        const isOver = position + bytes.length > received.length;
        if (same < Math.min(bytes.length, received.length - position)) {
          if (place === 'rest') return differs();
          // a whole answer of its own: what agreed is its beginning
          isComparing = false;
          const head = received.head(position + same);
          takeHeaders(response);
          head.forEach(take);
          bytes = bytes.subarray(same);
        } else if (isOver) {
          isComparing = false;
          sink.resumed(startedAt, flow.bytes() - bytes.length + same);
          bytes = bytes.subarray(same);
        } else {
          position += bytes.length;
          continue;
        }
      }
      take(bytes);
    }
    if (isComparing) {
      if (position < received.length) return fail('short');
      // nothing was missing but the end
      sink.resumed(startedAt, flow.bytes());
    }
    const { length, total } = received;
    if (lane.checksLength && request.binary && length < total) return fail('short');
    const isMedia = !isNoMedia(response, request) && isAnswer(request, received);
    if (!isMedia && lane.edge) return fail('notmedia');
    const moveAway = movesAway(response.headers);
    return {
      ...{ kind: 'delivered', firstByteMs, elapsedMs: platform.now() - startedAt },
      ...{ bytes: flow.bytes(), isMedia, moveAway },
    };
  }

  function takeHeaders(response: Response): void {
    received.begin(response);
    sink.headers(response, startedAt);
  }

  function take(bytes: Uint8Array): void {
    received.push(bytes);
    sink.chunk(bytes);
  }

  function differs(): 'differs' {
    cut();
    return 'differs';
  }

  /** Silence is not proof of a fault before somebody else delivers meanwhile: what is silent stays open. */
  function leave(because: FailureKind, waiting?: Promise<unknown>, asking?: Promise<Response>): Outcome {
    if (!waiting || (because !== 'silent' && because !== 'stalled')) {
      if (!signal.aborted) abort();
      waiting?.catch(() => undefined);
      return fail(because);
    }
    let spoke = false;
    waiting.then(
      () => {
        spoke = true;
      },
      () => undefined,
    );
    const close = (): void => {
      signal.removeEventListener('abort', abort);
      abort();
    };
    const answer = asking?.then(
      (response) => ({ response, startedAt, abort: close }),
      () => null,
    );
    const one = { spoke: () => spoke, abort: close, answer };
    parked.push(one);
    return { ...fail(because), parked: one };
  }

  function fail(because: FailureKind, opened: Opened | null = null): Outcome & { kind: 'failed' } {
    const elapsedMs = platform.now() - startedAt;
    return { kind: 'failed', because, status, bytes: flow.bytes(), elapsedMs, opened, parked: null };
  }
}

/** Hands on the body's chunks until its end. */
export async function read(response: Response, chunk: (bytes: Uint8Array) => void): Promise<void> {
  const reader = readerOf(response);
  for (;;) {
    const next = await reader?.read();
    if (!next || next.done) return;
    chunk(next.value);
  }
}

function send(
  request: MediaRequest,
  lane: Lane,
  at: number | null,
  { signal }: AbortController,
  platform: Platform,
): Promise<Response> {
  const headers = Object.entries(request.headers).filter(([name]) => at === null || !isRange(name));
  return platform.fetch(lane.url, {
    method: request.method,
    headers: { ...Object.fromEntries(headers), ...(at !== null && { range: rangeFrom(at, rangeOf(request)) }) },
    // what XMLHttpRequest does: cookies go to the page's own origin in any case
    credentials: request.withCredentials ? 'include' : 'same-origin',
    redirect: lane.guarded ? 'error' : 'follow',
    signal,
  });
}

/** What is wrong with an answer by its headers alone. From the origin, anything is taken as it is. */
function faultOf(response: Response, request: MediaRequest, { edge }: Lane, at: number | null): FailureKind | null {
  if (!response.ok) return 'status';
  if (edge === null) return null;
  if (isNoMedia(response, request)) return 'notmedia';
  const range = rangeOf(request);
  // of one that goes on where another stopped, its place is told later
  const isAsked = response.status === 206 ? at !== null || isRangeAsked(response.headers, range) : range === undefined;
  return isAsked ? null : 'range';
}

/** A captive portal, a CDN's error page with status 200, or a success of nothing such as 204. */
function isNoMedia({ status, headers }: Response, { url, requestType }: MediaRequest): boolean {
  if (status !== 200 && status !== 206) return true;
  // some servers have no type for playlists, which are told by their marks
  if (MARKS.has(requestType) || /\.html?($|\?)/.test(url)) return false;
  return headers.get('content-type')?.startsWith('text/html') === true;
}

/** Whether a body is what was asked for: a broken edge may give any with status 200, and quicker than all others. */
function isAnswer({ method, requestType, binary }: MediaRequest, received: Received): boolean {
  if (method !== 'GET') return true;
  const mark = MARKS.get(requestType);
  return mark ? mark.test(received.text()) : received.length > 0 || !binary;
}

function rangeOf({ headers }: MediaRequest): string | undefined {
  return Object.entries(headers).find(([name]) => isRange(name))?.[1];
}

function isRange(name: string): boolean {
  return name.toLowerCase() === 'range';
}
