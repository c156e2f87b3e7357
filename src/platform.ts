/**
 * The seam to the browser: the only room that names fetch, clocks, timers, randomness and storage.
 * In: nothing. Out: one `Platform`. Every global is looked up when it is used, never stored, so that a page (or a test)
 * may replace it, and so that the package can be imported where there is no browser.
 */

/** What the browser says of one request. Zero in `requestStart` means that the server hides it (Timing-Allow-Origin). */
export type Timing = Pick<
  PerformanceResourceTiming,
  'requestStart' | 'responseStart' | 'nextHopProtocol' | 'workerStart' | 'startTime'
>;

/** Collects the browser's timings from the moment it is made. */
export interface TimingWatch {
  /** The entry of the request for `url` that began at `startedAt` (ms of `now()`), once the browser has made it. */
  find(url: string, startedAt: number): Timing | undefined;
  stop(): void;
}

/** A request as XMLHttpRequest knows it. */
export interface PageRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly withCredentials: boolean;
  /** 0: no limit. */
  readonly timeoutMs: number;
}

/** All that the package takes from its surroundings. Times are milliseconds. */
export interface Platform {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /**
   * The same as `fetch` by the XMLHttpRequest of the page, where the page has put something of its own around it, which may
   * add what a server wants. null: it has not, or there is no success.
   */
  asPage(request: PageRequest, signal: AbortSignal): Promise<Response | null>;
  /** Monotonic, on the time line of Resource Timing. */
  now(): number;
  /** Milliseconds since 1970, for clocks that outlive the page and for the clocks of others. */
  wallClock(): number;
  /** Runs `run` after `ms`; what it returns cancels it. */
  after: (ms: number, run: () => void) => () => void;
  /** 0 <= n < 1. */
  random: () => number;
  /** A new identifier of 16 random bytes, as 32 hexadecimal digits. */
  randomId(): string;
  /** The first 8 bytes of the text's SHA-256 in hexadecimal; empty where the page is no secure context. */
  digest(text: string): Promise<string>;
  /** URL of the page, against which relative URLs are resolved. */
  page(): string;
  /** Whether the page itself came by https, so that http is mixed content. */
  secure(): boolean;
  /** Whether a service worker stands between the page and the network. */
  controlled(): boolean;
  /** Whether the browser has a network at all; true where it does not say. */
  online(): boolean;
  /** Whether nobody can see the page. */
  hidden(): boolean;
  watchTimings(): TimingWatch;
  /** Whether the page's policy (CSP) has refused a request to the origin of `url` since `since` (ms of `now()`). */
  blocked(url: string, since: number): Promise<boolean>;
  /** Strings that live as long as the tab; a browser that forbids storage forgets them at once. */
  recall(key: string): string | null;
  store(key: string, value: string): void;
}

/** In all no longer than a viewer would notice: a failure that is none of a policy's waits as long. */
const BLOCKED_AFTER_MS = [0, 10, 10, 10];

/** The real one. */
export function browserPlatform(): Platform {
  const violations = new Map<string, number>();
  let watching = false;
  const watchPolicy = (): void => {
    if (watching || typeof document === 'undefined') return;
    watching = true;
    document.addEventListener('securitypolicyviolation', (event) => {
      if (event.disposition !== 'report') violations.set(originOf(event.blockedURI), performance.now());
    });
  };
  const after = (ms: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  };

  return {
    fetch(url, init) {
      watchPolicy();
      return fetch(url, init);
    },
    asPage: (request, signal) => (wrapsXhr() ? byXhr(request, signal).catch(() => null) : Promise.resolve(null)),
    now: () => performance.now(),
    wallClock: () => Date.now(),
    after,
    random: () => Math.random(),
    randomId: () => hex(crypto.getRandomValues(new Uint8Array(16))),
    async digest(text) {
      // crypto.subtle is there in secure contexts only; a report without digests is still a report
      if (!globalThis.isSecureContext) return '';
      const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
      return hex(new Uint8Array(hash, 0, 8));
    },
    page: () => document.baseURI,
    secure: () => location.protocol === 'https:',
    controlled: () => Boolean((navigator as Partial<Navigator>).serviceWorker?.controller),
    online: () => (navigator as Partial<Navigator>).onLine !== false,
    hidden: () => document.visibilityState === 'hidden',
    watchTimings() {
      let entries: PerformanceResourceTiming[] = [];
      const observer = new PerformanceObserver((list) => {
        entries = entries.concat(list.getEntries() as PerformanceResourceTiming[]);
      });
      observer.observe({ type: 'resource' });
      return {
        find(url, startedAt) {
          entries = entries.concat(observer.takeRecords() as PerformanceResourceTiming[]);
          // 1 ms: Firefox and WebKit round to whole milliseconds
          return entries.find((entry) => entry.name === url && entry.startTime >= startedAt - 1);
        },
        stop: () => {
          observer.disconnect();
        },
      };
    },
    async blocked(url, since) {
      // the event is a task of its own, queued beside the failure of the fetch, and in Firefox some ms behind it
      const isTold = (): boolean => (violations.get(originOf(url)) ?? -1) >= since;
      for (const ms of BLOCKED_AFTER_MS) if (!isTold()) await new Promise<void>((resolve) => after(ms, resolve));
      return isTold();
    },
    recall(key) {
      try {
        return sessionStorage.getItem(key);
      } catch {
        return null;
      }
    },
    store(key, value) {
      try {
        sessionStorage.setItem(key, value);
      } catch {
        // full or forbidden: nothing that is kept here is needed
      }
    },
  };
}

/** Whether the class, or a function of it that takes part in a request, is none of the browser's. */
function wrapsXhr(): boolean {
  const own = XMLHttpRequest.prototype as unknown as Readonly<Record<string, unknown>>;
  const all = [XMLHttpRequest, ...['open', 'send', 'setRequestHeader'].map((name) => own[name])];
  return !all.every((one) => Function.prototype.toString.call(one).includes('[native code]'));
}

/** The whole answer, null unless it is a success. */
function byXhr(
  { url, method, headers, withCredentials, timeoutMs }: PageRequest,
  signal: AbortSignal,
): Promise<Response | null> {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    Object.assign(xhr, { responseType: 'arraybuffer', timeout: timeoutMs, withCredentials });
    xhr.onloadend = () => {
      const { status } = xhr;
      const lines = xhr
        .getAllResponseHeaders()
        .trim()
        .split('\r\n')
        .map((line): [string, string] => {
          const [name = '', ...rest] = line.split(': ');
          return [name, rest.join(': ')];
        });
      resolve(
        status === 200 || status === 206 ? new Response(xhr.response as ArrayBuffer, { status, headers: lines }) : null,
      );
    };
    signal.addEventListener('abort', () => {
      xhr.abort();
    });
    xhr.send();
  });
}

/** Resolves when anybody answers there, readable for the page or not; rejects as `fetch` does. */
export function knock(platform: Pick<Platform, 'fetch'>, url: string, signal: AbortSignal): Promise<Response> {
  return platform.fetch(url, { method: 'HEAD', mode: 'no-cors', cache: 'no-store', signal });
}

/** What a body is read by; where a polyfill has taken the place of `fetch`, which has no streams, it is one piece. */
export function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> | undefined {
  const body = response.body as Response['body'] | undefined;
  if (body !== undefined) return body?.getReader();
  const whole = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(new Uint8Array(await response.arrayBuffer()));
      controller.close();
    },
  });
  return whole.getReader();
}

/** Ends after `ms`, or sooner when `until` ends or `signal` fires. */
export function pause(
  { after }: Pick<Platform, 'after'>,
  ms: number,
  signal: AbortSignal,
  until?: Promise<unknown>,
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      cancel();
      resolve();
    };
    const cancel = after(ms, end);
    signal.addEventListener('abort', end);
    void until?.then(end);
    if (signal.aborted) end();
  });
}

/** What `promise` gives, or null when `ms` have passed; `ms` null: however long it takes. */
export async function within<T>(
  { after }: Pick<Platform, 'after'>,
  ms: number | null,
  promise: Promise<T>,
): Promise<T | null> {
  if (ms === null) return promise;
  let cancel = (): void => undefined;
  const timeout = new Promise<null>((resolve) => {
    cancel = after(ms, () => {
      resolve(null);
    });
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    cancel();
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return url; // a policy event may hold a keyword such as "inline"
  }
}
