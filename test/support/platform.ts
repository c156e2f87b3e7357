/**
 * A pretend browser for unit tests: time turned by hand, a network that answers what the test has scripted, chance that
 * is no chance. Real `Response` objects with real streams. A request that nobody scripted fails the test, and so does
 * whatever a test leaves behind (see `nothingLeft`).
 */
import type { Platform, Timing } from '../../src/platform.js';
import { fakeNetwork, type FakeFetch, type Pattern, type Script } from './scripted-fetch.js';

export type { FakeAnswer, FakeBody, FakeFetch, Pattern, Script } from './scripted-fetch.js';

/** The platform and the strings to pull. */
export interface FakePlatform {
  readonly platform: Platform;
  /** Something that the network does by itself, so much later: no timer of the code under test. */
  later(ms: number, run: () => void): void;
  /** Turns the clock, runs what is due in order, and lets promises settle between. */
  advance(ms: number): Promise<void>;
  /** Lets promises and body reads settle; the clock stands still and no timer runs. */
  flush(): Promise<void>;
  /** How requests that match are answered from now on; the newest script that matches counts. */
  respond(pattern: Pattern, script: Script): void;
  /** Requests that match are expected, and wait until the test answers them. */
  expect(pattern: Pattern): void;
  /** Every request so far, oldest first. */
  readonly fetches: readonly FakeFetch[];
  /** The newest request that matches. */
  last(pattern: Pattern): FakeFetch;
  /** Those that match, oldest first. */
  all(pattern: Pattern): readonly FakeFetch[];
  liveTimers(): number;
  /** The next values of `random()`; 0.5 when there are none. */
  random(...values: number[]): void;
  /** The tab's storage. */
  readonly stored: Map<string, string>;
  /** From now on the browser forbids storage. */
  forbidStorage(): void;
  /** From now on the page's policy refuses requests to this origin. */
  block(origin: string): void;
  /** From now on the browser has a network, or none. */
  setOnline(online: boolean): void;
  /** From now on nobody, or somebody, can see the page. */
  setHidden(hidden: boolean): void;
  /** From now on the page has something around XMLHttpRequest, which answers this. */
  wrap(answer: (url: string) => Response | null): void;
  /** The browser's timing of requests whose URL holds `part`; times may be left out (0). */
  timing(part: string, timing: Partial<Timing>): void;
}

/** What may be different about the page. */
export interface FakePage {
  readonly page?: string;
  readonly secure?: boolean;
  readonly controlled?: boolean;
}

interface Timer {
  readonly at: number;
  /** Of the code under test, and not a delay of the network. */
  readonly own: boolean;
  readonly run: () => void;
}

/** Any moment but 0, so that nobody takes "now" for "never". */
const BEGINNING_MS = 10_000;
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** What is to be done before that. */
const endings = new WeakMap<Assert, (() => void)[]>();

/** Runs `run` at the end of the test, before anybody looks whether something is left. */
export function atEnd(assert: Assert, run: () => void): void {
  endings.set(assert, [...(endings.get(assert) ?? []), run]);
}

/** Looks at what the fakes of a test have left behind. */
const leftovers = new WeakMap<Assert, (() => readonly string[])[]>();

/** For `module('name', nothingLeft)`: timers, requests and timing watches that outlive a test fail it. */
export const nothingLeft = {
  afterEach(assert: Assert): void {
    for (const end of endings.get(assert) ?? []) end();
    const left = (leftovers.get(assert) ?? []).flatMap((look) => look());
    if (left.length > 0) assert.deepEqual(left, [], 'nothing is left behind');
  },
};

/** @param assert  of the test: an unscripted request fails it */
export function fakePlatform(assert: Assert, page: FakePage = {}): FakePlatform {
  let now = BEGINNING_MS;
  let timers: Timer[] = [];
  let watches = 0;
  let ids = 0;
  let storage = true;
  let online = true;
  let hidden = false;
  let asPage: (url: string) => Response | null = () => null;
  const chances: number[] = [];
  const timings: { readonly part: string; readonly timing: Partial<Timing> }[] = [];
  const stored = new Map<string, string>();

  const start = (ms: number, run: () => void, own: boolean): (() => void) => {
    const timer = { at: now + Math.max(0, ms), run, own };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };
  const later = (ms: number, run: () => void): void => {
    start(ms, run, false);
  };
  const network = fakeNetwork({ assert, now: () => now, delay: later });
  const { fetches, blocked } = network;
  const respond = (pattern: Pattern, script: Script): void => {
    network.respond(pattern, script);
  };

  const look = (): readonly string[] => [
    ...timers.filter(({ own }) => own).map(({ at }) => `a timer, due in ${at - now} ms`),
    ...fetches.filter((one) => one.pending()).map(({ method, url }) => `a request: ${method} ${url}`),
    ...(watches > 0 ? [`${watches} timing watch(es)`] : []),
  ];
  leftovers.set(assert, [...(leftovers.get(assert) ?? []), look]);

  async function flush(): Promise<void> {
    for (let turns = 0; turns < 3; turns += 1) await nextTask();
  }

  async function advance(ms: number): Promise<void> {
    const end = now + ms;
    await flush();
    for (;;) {
      const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      timers = timers.filter((other) => other !== next);
      now = Math.max(now, next.at);
      next.run();
      await flush();
    }
    now = end;
    await flush();
  }

  return {
    later,
    advance,
    flush,
    fetches,
    stored,
    liveTimers: () => timers.filter(({ own }) => own).length,
    respond,
    expect(pattern) {
      respond(pattern, 'wait');
    },
    last(pattern) {
      const found = network.all(pattern).at(-1);
      if (!found) throw new Error(`no request matches ${String(pattern)}`);
      return found;
    },
    all: (pattern) => network.all(pattern),
    random(...values) {
      chances.push(...values);
    },
    forbidStorage() {
      storage = false;
    },
    block(origin) {
      blocked.add(origin);
    },
    setOnline(value) {
      online = value;
    },
    wrap(answer) {
      asPage = answer;
    },
    setHidden(value) {
      hidden = value;
    },
    timing(part, timing) {
      timings.push({ part, timing });
    },
    platform: {
      fetch: (url, init) => network.fetch(url, init),
      asPage: (request) => Promise.resolve(asPage(request.url)),
      now: () => now,
      wallClock: () => EPOCH_MS + now,
      after: (ms, run) => start(ms, run, true),
      random: () => chances.shift() ?? 0.5,
      randomId: () => (ids += 1).toString(16).padStart(32, '0'),
      digest: (text) => Promise.resolve(fingerprint(text)),
      page: () => page.page ?? 'https://site.example/watch',
      secure: () => page.secure ?? true,
      controlled: () => page.controlled ?? false,
      online: () => online,
      hidden: () => hidden,
      watchTimings() {
        watches += 1;
        let watching = true;
        return {
          find(url, startedAt) {
            const known = timings.find(
              ({ part, timing }) => url.includes(part) && (timing.startTime ?? startedAt) >= startedAt - 1,
            );
            const nothing = { requestStart: 0, responseStart: 0, nextHopProtocol: '', workerStart: 0 };
            return known && { ...nothing, startTime: startedAt, ...known.timing };
          },
          stop() {
            if (watching) watches -= 1;
            watching = false;
          },
        };
      },
      blocked: (url) => Promise.resolve(blocked.has(new URL(url).origin)),
      recall: (key) => (storage ? (stored.get(key) ?? null) : null),
      store(key, value) {
        if (storage) stored.set(key, value);
      },
    },
  };
}

/** The next task of the browser, after all promises that can settle have settled. Not a wait: no time is given. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Stands for a digest: 16 digits that do not show the text (FNV-1a). */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(16).padStart(16, '0');
}
