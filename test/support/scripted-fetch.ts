/**
 * A network that answers what the test has scripted: `Response` objects are real, and so are their streams. A request
 * that nobody scripted fails the test. Part of the fake platform (`platform.ts`).
 */

/** What a server says. Left out: status 200, no headers, no body. */
export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** The URL after redirects. */
  readonly url?: string;
  /** An answer that the page cannot read, as `no-cors` gives it. */
  readonly opaque?: boolean;
  /** Its body is there only as a whole, as from a `fetch` that a polyfill has put in place of the browser's. */
  readonly unstreamed?: boolean;
  /** The headers come this much later, by the clock of the test. */
  readonly afterMs?: number;
}

/** A body that comes piece by piece. */
export interface FakeBody {
  chunk(bytes: string | Uint8Array<ArrayBuffer>): void;
  end(): void;
  /** The connection breaks. */
  fail(): void;
  /** Pieces that nobody has read yet. */
  unread(): number;
}

/** One request as the code under test made it. */
export interface FakeFetch {
  readonly url: string;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly init: RequestInit;
  /** In ms of `now()`. */
  readonly startedAt: number;
  /** No headers yet, no failure, no abort. */
  pending(): boolean;
  /** Its signal has fired. */
  aborted(): boolean;
  /** The reader gave the body up before its end. */
  cancelled(): boolean;
  /** A whole answer. */
  respond(answer?: FakeAnswer): void;
  /** Headers now, the body as the test gives it. */
  respondStream(answer?: FakeAnswer): FakeBody;
  /** As when nobody is there: `fetch` rejects with a TypeError. */
  fail(): void;
}

/** What the test does about requests: an answer, `fail`, or nothing yet, which the test decides later. */
export type Script = FakeAnswer | 'fail' | 'wait' | ((request: FakeFetch) => FakeAnswer | 'fail' | 'wait');

/** A part of `<method> <url>`, or an expression that matches it. */
export type Pattern = string | RegExp;

/** What the network needs of the fake platform. */
export interface NetworkTools {
  readonly assert: Assert;
  readonly now: () => number;
  /** A delay of the network, which is no timer of the code under test. */
  readonly delay: (ms: number, run: () => void) => void;
}

/** The network's side of the fake platform. */
export interface FakeNetwork {
  fetch(url: string, init: RequestInit): Promise<Response>;
  respond(pattern: Pattern, script: Script): void;
  all(pattern: Pattern): readonly FakeFetch[];
  readonly fetches: readonly FakeFetch[];
  /** Origins that the page's policy refuses. */
  readonly blocked: Set<string>;
}

export function fakeNetwork({ assert, now, delay }: NetworkTools): FakeNetwork {
  const scripts: { readonly pattern: Pattern; readonly script: Script }[] = [];
  const fetches: FakeFetch[] = [];
  const blocked = new Set<string>();
  const matches = (pattern: Pattern) => (request: FakeFetch) => {
    const line = `${request.method} ${request.url}`;
    return typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line);
  };

  return {
    fetch: fetchFake,
    respond(pattern, script) {
      scripts.push({ pattern, script });
    },
    all: (pattern) => fetches.filter(matches(pattern)),
    fetches,
    blocked,
  };

  function fetchFake(url: string, init: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      const request = makeRequest(url, init, resolve, reject);
      fetches.push(request);
      if (blocked.has(new URL(url).origin)) {
        request.fail();
        return;
      }
      const found = [...scripts].reverse().find(({ pattern }) => matches(pattern)(request));
      if (!found) {
        assert.true(false, `an unscripted request: ${request.method} ${url}`);
        request.fail();
        return;
      }
      const answer = typeof found.script === 'function' ? found.script(request) : found.script;
      if (answer === 'fail') request.fail();
      else if (answer !== 'wait') request.respond(answer);
    });
  }

  function makeRequest(
    url: string,
    init: RequestInit,
    resolve: (response: Response) => void,
    reject: (reason: unknown) => void,
  ): FakeFetch {
    const method = init.method ?? 'GET';
    const signal = init.signal ?? new AbortController().signal;
    let state: 'pending' | 'answered' | 'failed' = 'pending';
    let cancelled = false;
    let breakBody: (reason: unknown) => void = () => undefined;
    const refuse = (reason: unknown): void => {
      if (state === 'pending') reject(reason);
      else breakBody(reason);
      state = 'failed';
    };
    const onAbort = (): void => {
      refuse(new DOMException('The user aborted a request.', 'AbortError'));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);

    const open = (answer: FakeAnswer): FakeBody => {
      let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        start(made) {
          controller = made;
        },
        cancel() {
          cancelled = true;
          controller = null;
        },
      });
      breakBody = (reason): void => {
        controller?.error(reason);
        controller = null;
      };
      const deliver = (): void => {
        if (state !== 'pending') return;
        state = 'answered';
        resolve(makeResponse(method, url, body, answer));
      };
      if (answer.afterMs) delay(answer.afterMs, deliver);
      else deliver();
      return {
        chunk: (bytes) => controller?.enqueue(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes),
        end: () => {
          controller?.close();
          controller = null;
        },
        fail: () => {
          breakBody(new TypeError('network error'));
        },
        // a stream wants one piece in store (its default), and so wants that many less
        unread: () => 1 - (controller?.desiredSize ?? 1),
      };
    };

    return {
      url,
      method,
      headers: Object.fromEntries(new Headers(init.headers)),
      init,
      startedAt: now(),
      pending: () => state === 'pending',
      aborted: () => signal.aborted,
      cancelled: () => cancelled,
      respond(answer = {}) {
        const body = open(answer);
        if (answer.body !== undefined && answer.body.length > 0) body.chunk(answer.body);
        body.end();
      },
      respondStream: (answer = {}) => open(answer),
      fail() {
        refuse(new TypeError('Failed to fetch'));
      },
    };
  }

  function makeResponse(
    method: string,
    url: string,
    body: ReadableStream<Uint8Array<ArrayBuffer>>,
    { status = 200, headers = {}, url: lastUrl = url, opaque = false, unstreamed = false }: FakeAnswer,
  ): Response {
    const bodiless = method === 'HEAD' || opaque || [204, 205, 304].includes(status);
    const response = new Response(bodiless ? null : body, { status, headers: opaque ? {} : headers });
    const give = (name: string, value: unknown): void => {
      Object.defineProperty(response, name, { value });
    };
    give('url', opaque ? '' : lastUrl);
    give('redirected', lastUrl !== url);
    give('type', opaque ? 'opaque' : 'cors');
    if (unstreamed) give('body', undefined);
    if (opaque) {
      give('status', 0);
      give('ok', false);
    }
    return response;
  }
}
