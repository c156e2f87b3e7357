/**
 * One edge's run in a race. In: an edge, a method, the request. Out: a probe, which is never a throw: a slow or broken edge
 * is a result. Never asks for media, and never lets a cache answer.
 */
import { capabilities, type Capabilities } from './capabilities.js';
import { knock, pause, type Platform, type TimingWatch } from './platform.js';
import type { Edge } from './servers.js';

/** How an edge is asked. */
export type Method = 'GET' | 'HEAD' | 'OPTIONS';

/**
 * `running`; `ok`: a readable answer of 200-299; `status`: another status; `unreachable`: refused, reset or not
 * readable; `unreadable`: reachable, but without the CORS header; `blocked` by the page's policy; `late`.
 */
export type Outcome = 'running' | 'ok' | 'status' | 'unreachable' | 'unreadable' | 'blocked' | 'late';

/** What is known of one edge's run. */
export interface Probe {
  readonly edge: Edge;
  readonly method: Method;
  readonly outcome: Outcome;
  /** 0 for an opaque answer; null before an answer. */
  readonly status: number | null;
  /** From the start of its request to its headers, as the page's clock sees it. */
  readonly elapsedMs: number | null;
  /**
   * From the sending of its request to the first byte, connecting left out, as the browser sees it; null when it was not
   * measured, Infinity when a service worker answered.
   */
  readonly requestMs: number | null;
  readonly capabilities: Capabilities;
}

/** What is raced: the request as it stands at the moment it is held. */
export interface RaceRequest {
  /** URL at the service. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly withCredentials: boolean;
  /** `no-cors`: for a media element that will load without CORS too. Any answer then counts as an arrival. */
  readonly opaque?: boolean;
  /** The URL is the medium itself and no playlist: it is never asked for by GET. */
  readonly media?: boolean;
  /** The request carries secrets, so that a redirect must not be followed. */
  readonly guarded?: boolean;
}

/** An answer whose headers are there and whose body is still to be read. */
export interface Opened {
  readonly response: Response;
  /** When its request was sent, in ms of `now()`. */
  readonly startedAt: number;
  readonly abort: () => void;
}

/** A probe while it runs. */
export interface Runner {
  readonly probe: Probe;
  /** There is an outcome and, where that is wanted, a measurement. */
  readonly done: Promise<void>;
  /** The answer, once: who takes it ends it. Null before it is there, and for those who come later. */
  take: () => Opened | null;
  /** Reads the answer to its end if nobody has taken it. */
  drain: () => Promise<void>;
  /** Takes over what the browser measured, where the edge lets the page see it. */
  observe(): Promise<boolean>;
  /** Tells an edge without CORS from one that is not there: only the first answers a request that wants no reading. */
  diagnose(): Promise<void>;
}

/** What a runner works with. */
export interface RunnerTools {
  readonly platform: Platform;
  readonly timings: TimingWatch;
  /** Ends whatever a runner does, but for an answer that was taken. */
  readonly signal: AbortSignal;
  readonly edgeUrl: (url: string, edge: Edge) => string;
  /** Fills `requestMs` from the browser's own clock, or where the edge hides it, by one more request on the connection, now warm. */
  readonly measures: boolean;
}

/** A loser's body is read to its end up to here, since that keeps its connection for later use. */
const DRAIN_BYTES = 65_536;
/** And for so long: one that only drips would keep its connection, of which a host over HTTP/1.1 has six. */
const DRAIN_MS = 1500;
/** The browser makes the entry of a request after the body's end, some tasks later. */
const TIMING_COMES_WITHIN_MS = [0, 4, 16, 64];

/** Starts at once. */
export function startRunner(edge: Edge, method: Method, request: RaceRequest, tools: RunnerTools): Runner {
  const { platform, timings, signal } = tools;
  const url = tools.edgeUrl(request.url, edge);
  const startedAt = platform.now();
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  signal.addEventListener('abort', abort);
  let opened: Opened | null = null;
  let probe: Probe = {
    ...{ edge, method, outcome: 'running', status: null, elapsedMs: null, requestMs: null, capabilities: {} },
  };
  const set = (change: Partial<Probe>): void => {
    probe = { ...probe, ...change };
  };
  return {
    get probe() {
      return probe;
    },
    done: run(),
    take() {
      const taken = opened;
      opened = null;
      signal.removeEventListener('abort', abort);
      return taken;
    },
    drain: letGo,
    observe,
    diagnose,
  };

  async function run(): Promise<void> {
    try {
      const response = await ask();
      const elapsedMs = platform.now() - startedAt;
      const outcome = response.ok || response.type === 'opaque' ? 'ok' : 'status';
      set({ outcome, status: response.status, elapsedMs, capabilities: capabilities(response.headers) });
      opened = { response, startedAt, abort };
    } catch {
      const blocked = !controller.signal.aborted && (await platform.blocked(edge.origin, startedAt));
      set({ outcome: blocked ? 'blocked' : controller.signal.aborted ? 'late' : 'unreachable' });
    }
    if (tools.measures && probe.outcome === 'ok') await measure();
  }

  function ask(): Promise<Response> {
    const { headers, withCredentials, opaque, guarded } = request;
    return platform.fetch(url, {
      method,
      headers: { ...headers },
      mode: opaque ? 'no-cors' : 'cors',
      // without cookies another connection would be warmed than the one that VHS's requests use
      credentials: withCredentials ? 'include' : 'same-origin',
      // a cached manifest would make the last edge win, even a dead one
      cache: 'no-store',
      redirect: guarded ? 'error' : 'follow',
      signal: controller.signal,
    });
  }

  async function letGo(): Promise<void> {
    const own = opened;
    opened = null;
    await drain(own, platform);
    signal.removeEventListener('abort', abort);
  }

  async function measure(): Promise<void> {
    await letGo();
    if ((await observe()) || signal.aborted) return;
    const again = startRunner(edge, method === 'GET' ? 'HEAD' : method, request, { ...tools, measures: false });
    await again.done;
    void again.drain();
    set({ requestMs: again.probe.elapsedMs });
  }

  async function observe(): Promise<boolean> {
    for (const waitMs of TIMING_COMES_WITHIN_MS) {
      await pause(platform, waitMs, signal);
      const timing = timings.find(url, startedAt);
      if (!timing) continue;
      const { nextHopProtocol, responseStart, requestStart, workerStart } = timing;
      if (requestStart === 0) return false;
      // a service worker answers from where it likes: that says nothing of the edge
      const requestMs = workerStart > 0 ? Infinity : responseStart - requestStart;
      set({ requestMs, capabilities: { ...probe.capabilities, protocol: nextHopProtocol } });
      return true;
    }
    return false;
  }

  async function diagnose(): Promise<void> {
    if (probe.outcome !== 'unreachable' || request.opaque || signal.aborted) return;
    try {
      await knock(platform, url, signal);
      set({ outcome: 'unreadable' });
    } catch {
      // it stays unreachable
    }
  }
}

/** A status that speaks of the server, and not of the URL. */
export function isServersFault(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Whether it is the edge that failed: what denies one URL alone may serve all others. */
export function blamesEdge({ outcome, status }: Probe): boolean {
  if (outcome === 'status') return isServersFault(status ?? 0);
  return outcome !== 'ok' && outcome !== 'running';
}

/** Reads a body that nobody wants to its end, or gives it up when it is long or takes long. */
export async function drain(opened: Opened | null, platform: Platform): Promise<void> {
  const reader = opened?.response.body?.getReader();
  if (!opened || !reader) return;
  const cancel = platform.after(DRAIN_MS, opened.abort);
  try {
    for (let left = DRAIN_BYTES; left > 0;) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.length;
    }
    await reader.cancel();
  } catch {
    // nobody wanted it
  } finally {
    cancel();
  }
}
