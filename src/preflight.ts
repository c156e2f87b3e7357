/**
 * The timed race. In: edges and the request that is to be raced. Out: the winner, and one probe for each that ran.
 * A slow or broken edge is a result, not a throw. Never asks for media, and never lets a cache answer.
 */
import { capabilities, type Capabilities } from './capabilities.js';
import { draw } from './draw.js';
import type { Settings } from './options.js';
import type { Platform, Timing } from './platform.js';
import type { Edge } from './servers.js';

/** How an edge is asked. */
export type Method = 'GET' | 'HEAD' | 'OPTIONS';

/**
 * `running`; `ok`: a readable answer of 200-299; `status`: another status; `unreachable`: refused, reset or not
 * readable; `unreadable`: reachable, but without the CORS header; `blocked` by the page's policy; `late`.
 */
export type Outcome = 'running' | 'ok' | 'status' | 'unreachable' | 'unreadable' | 'blocked' | 'late';

/** One edge's run. */
export interface Probe {
  readonly edge: Edge;
  readonly method: Method;
  readonly outcome: Outcome;
  /** 0 for an opaque answer; null before an answer. */
  readonly status: number | null;
  /** From the start of its request to its headers, as the page's clock sees it. */
  readonly elapsedMs: number | null;
  /** From the sending of its request to the first byte, connecting left out, as the browser sees it. */
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

/** The quickest; `opened` in a GET race. */
export interface Win {
  readonly edge: Edge;
  readonly opened: Opened | null;
}

/** A race under way. */
export interface Race {
  /** null when no edge gave an acceptable answer in time. */
  readonly winner: Promise<Win | null>;
  /** Every probe, once each has an outcome. */
  readonly ended: Promise<readonly Probe[]>;
  readonly probes: () => readonly Probe[];
}

/** How to race. */
export interface RaceRules extends Pick<Settings, 'maxEdges' | 'preflightTimeoutMs' | 'edgeUrl'> {
  readonly method: Method;
  /** `arrival`: all connections are new. `request`: some are warm, so that only the time of the request compares. */
  readonly rank: 'arrival' | 'request';
}

/** What a race works with. */
export interface RaceTools {
  readonly platform: Platform;
  readonly signal: AbortSignal;
  /** Is told when the method found no edge and the next one is tried. */
  readonly warn: (text: string) => void;
}

/** Nearer than this is a tie: clocks of 1 ms, and a queue of tasks before the page sees an answer. */
const TIE_MS = 5;
/** An edge that asks to move away loses to one that arrives this much later (or after as long again as it took). */
const MOVE_AWAY_MS = 50;
/** A loser's body is read to its end up to here, since that keeps its connection for later use. */
const DRAIN_BYTES = 65_536;
/** Which method may find an edge that the first could not: some servers know no OPTIONS, or answer no HEAD. */
const NEXT_METHOD: Readonly<Record<Method, Method | null>> = { OPTIONS: 'HEAD', HEAD: 'GET', GET: null };

/** A probe while it runs. */
interface Runner {
  probe: Probe;
  readonly startedAt: number;
  opened: Opened | null;
  readonly done: Promise<void>;
  readonly abort: () => void;
}

/**
 * Races the best class by weighted draw; the next class runs only if nobody in one before it answers.
 *
 * @param edges  those that may run, best rank first; at least one
 * @see RFC 2782, "Priority": a client must try the lowest-numbered it can reach
 */
export function race(edges: readonly Edge[], request: RaceRequest, rules: RaceRules, tools: RaceTools): Race {
  const { platform, signal } = tools;
  const runners: Runner[] = [];
  const timings = platform.watchTimings();
  let over = false;
  const stop = (): void => {
    over = true;
    for (const runner of runners) if (runner.probe.outcome === 'running') runner.abort();
  };
  const cancelTimeout = platform.after(rules.preflightTimeoutMs, stop);
  signal.addEventListener('abort', stop);

  const winner = run();
  const ended = winner.then(async (win) => {
    await Promise.all(runners.map(({ done }) => done));
    cancelTimeout();
    signal.removeEventListener('abort', stop);
    if (!win && !signal.aborted) await Promise.all(runners.map(diagnose));
    if (rules.rank === 'arrival') await Promise.all(runners.filter(isOk).map(observe));
    timings.stop();
    return probes();
  });
  return { winner, ended, probes };

  function probes(): readonly Probe[] {
    return runners.map(({ probe }) => probe);
  }

  async function run(): Promise<Win | null> {
    const ranks = [...new Set(edges.map(({ rank }) => rank))];
    const fields = ranks.map((rank) =>
      draw(
        edges.filter((edge) => edge.rank === rank),
        rules.maxEdges,
        platform.random,
      ),
    );
    const next = NEXT_METHOD[rules.method];
    const best = (await heats(fields, rules.method)) ?? (next && !over ? await retry(fields, next) : null);
    const opened = best && rules.method === 'GET' ? best.opened : null;
    if (best && opened) best.opened = null;
    for (const runner of runners) void runner.done.then(() => drainRunner(runner));
    return best && { edge: best.probe.edge, opened };
  }

  async function retry(fields: Edge[][], method: Method): Promise<Runner | null> {
    tools.warn(`no edge gave a readable answer to ${rules.method}; trying ${method}`);
    for (const runner of runners.splice(0)) void drainRunner(runner);
    return heats(fields, method);
  }

  async function heats(fields: Edge[][], method: Method): Promise<Runner | null> {
    for (const field of fields) {
      const heat = over ? [] : field.map((edge) => start(edge, method));
      runners.push(...heat);
      const best = rules.rank === 'arrival' ? await byArrival(heat) : await byRequest(heat);
      if (best) return best;
    }
    return null;
  }

  async function byArrival(heat: readonly Runner[]): Promise<Runner | null> {
    const first = await firstOf(heat, isOk);
    if (!first) return null;
    const running = heat.filter(({ probe }) => probe.outcome === 'running');
    if (running.length > 0) {
      const moveAway = first.probe.capabilities.moveAway === true;
      let cancel = (): void => undefined;
      const grace = new Promise<void>((resolve) => {
        cancel = platform.after(moveAway ? Math.max(MOVE_AWAY_MS, first.probe.elapsedMs ?? 0) : TIE_MS, resolve);
      });
      await Promise.race([
        grace,
        moveAway ? firstOf(running, isStaying) : Promise.all(running.map(({ done }) => done)),
      ]);
      cancel();
    }
    return best(heat, ({ probe }) => probe.elapsedMs ?? Infinity);
  }

  async function byRequest(heat: readonly Runner[]): Promise<Runner | null> {
    await Promise.all(heat.map(({ done }) => done));
    const arrived = heat.filter(isOk);
    await Promise.all(arrived.map(measureRequest));
    return best(heat, ({ probe }) => probe.requestMs ?? Infinity);
  }

  function best(heat: readonly Runner[], timeMs: (runner: Runner) => number): Runner | null {
    const staying = heat.filter(isStaying);
    const pool = staying.length > 0 ? staying : heat.filter(isOk);
    const least = Math.min(...pool.map(timeMs));
    const ties = pool.filter((runner) => timeMs(runner) <= least + TIE_MS || pool.length === 1);
    const drawn = draw(
      ties.map((runner) => ({ runner, weight: runner.probe.edge.weight })),
      1,
      platform.random,
    );
    return drawn[0]?.runner ?? null;
  }

  function start(edge: Edge, method: Method): Runner {
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort();
    };
    const startedAt = platform.now();
    const runner: Runner = {
      probe: { edge, method, outcome: 'running', status: null, elapsedMs: null, requestMs: null, capabilities: {} },
      startedAt,
      opened: null,
      abort,
      done: ask(edge, method, controller.signal).then(
        (response) => {
          const elapsedMs = platform.now() - startedAt;
          const outcome = response.ok || response.type === 'opaque' ? 'ok' : 'status';
          const { status } = response;
          set(runner, { outcome, status, elapsedMs, capabilities: capabilities(response.headers) });
          runner.opened = { response, startedAt, abort };
        },
        async () => {
          const blocked = !controller.signal.aborted && (await platform.blocked(edge.origin, startedAt));
          set(runner, { outcome: blocked ? 'blocked' : controller.signal.aborted ? 'late' : 'unreachable' });
        },
      ),
    };
    return runner;
  }

  function ask(edge: Edge, method: Method, abortSignal: AbortSignal): Promise<Response> {
    const { url, headers, withCredentials, opaque, guarded } = request;
    return platform.fetch(rules.edgeUrl(url, edge), {
      method,
      headers: { ...headers },
      mode: opaque ? 'no-cors' : 'cors',
      // without cookies another connection would be warmed than the one that VHS's requests use
      credentials: withCredentials ? 'include' : 'same-origin',
      // a cached manifest would make the last edge win, even a dead one
      cache: 'no-store',
      redirect: guarded ? 'error' : 'follow',
      signal: abortSignal,
    });
  }

  /** From the browser's own clock, or where the edge hides it, by one more request on the connection, now warm. */
  async function measureRequest(runner: Runner): Promise<void> {
    await drainRunner(runner);
    if (await observe(runner)) return;
    const { edge, method } = runner.probe;
    const again = start(edge, method === 'GET' ? 'HEAD' : method);
    await again.done;
    await drainRunner(again);
    set(runner, { requestMs: again.probe.elapsedMs });
  }

  /** Takes over what the browser measured, where the edge lets the page see it. */
  async function observe(runner: Runner): Promise<boolean> {
    const timing = await findTiming(rules.edgeUrl(request.url, runner.probe.edge), runner.startedAt);
    if (!timing || timing.requestStart === 0) return false;
    const { nextHopProtocol, responseStart, requestStart, workerStart } = timing;
    // a service worker answers from where it likes: that says nothing of the edge
    const requestMs = workerStart > 0 ? Infinity : responseStart - requestStart;
    set(runner, { requestMs, capabilities: { ...runner.probe.capabilities, protocol: nextHopProtocol } });
    return true;
  }

  /** The browser makes the entry after the body's end, some tasks later. */
  async function findTiming(url: string, startedAt: number): Promise<Timing | undefined> {
    for (const waitMs of [0, 4, 16, 64]) {
      await new Promise<void>((resolve) => platform.after(waitMs, resolve));
      const timing = timings.find(url, startedAt);
      if (timing) return timing;
    }
    return undefined;
  }

  /** Tells an edge without CORS from one that is not there: only the first answers a request that wants no reading. */
  async function diagnose(runner: Runner): Promise<void> {
    if (runner.probe.outcome !== 'unreachable' || request.opaque) return;
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort();
    };
    const cancel = platform.after(rules.preflightTimeoutMs, abort);
    signal.addEventListener('abort', abort);
    try {
      const init = { method: 'HEAD', mode: 'no-cors', cache: 'no-store', signal: controller.signal } as const;
      await platform.fetch(rules.edgeUrl(request.url, runner.probe.edge), init);
      set(runner, { outcome: 'unreadable' });
    } catch {
      // it stays unreachable
    }
    cancel();
  }
}

function set(runner: Runner, change: Partial<Probe>): void {
  runner.probe = { ...runner.probe, ...change };
}

function isOk({ probe }: Runner): boolean {
  return probe.outcome === 'ok';
}

function isStaying(runner: Runner): boolean {
  return isOk(runner) && !runner.probe.capabilities.moveAway;
}

/** The first runner that is done and passes; null when all are done and none does. */
async function firstOf(runners: readonly Runner[], passes: (runner: Runner) => boolean): Promise<Runner | null> {
  return new Promise((resolve) => {
    let left = runners.length;
    if (left === 0) resolve(null);
    for (const runner of runners) {
      void runner.done.then(() => {
        left -= 1;
        if (passes(runner)) resolve(runner);
        else if (left === 0) resolve(null);
      });
    }
  });
}

async function drainRunner(runner: Runner): Promise<void> {
  const { opened } = runner;
  runner.opened = null;
  if (opened) await drain(opened);
}

/** Reads a body that nobody wants to its end, or gives it up when it is long. */
export async function drain({ response }: Opened): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (let left = DRAIN_BYTES; left > 0;) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.length;
    }
    await reader.cancel();
  } catch {
    // nobody wanted it
  }
}
