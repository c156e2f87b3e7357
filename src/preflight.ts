/**
 * The timed race. In: edges and the request that is to be raced. Out: the first answer, the choice, and one probe for each
 * that ran. Without a winner it ends just as quietly.
 */
import { draw } from './draw.js';
import type { Settings } from './options.js';
import { within, type Platform } from './platform.js';
import { startRunner, type Method, type Opened, type Probe, type RaceRequest, type Runner } from './probe.js';
import type { Edge } from './servers.js';

/** An edge that answered; `opened` in a GET race. */
export interface Win {
  readonly edge: Edge;
  readonly opened: Opened | null;
}

/** A race under way. */
export interface Race {
  /** The first acceptable answer, which a held request need not wait any longer for; null when there was none. */
  readonly first: Promise<Win | null>;
  /** The quickest, ties decided by weight, some ms after the first; null when no edge gave an acceptable answer in time. */
  readonly winner: Promise<Edge | null>;
  /** Every probe, once each has an outcome. */
  readonly ended: Promise<readonly Probe[]>;
  readonly probes: () => readonly Probe[];
}

/** How to race. */
export interface RaceRules extends Pick<Settings, 'maxEdges' | 'preflightTimeoutMs' | 'edgeUrl'> {
  readonly method: Method;
  /** `arrival`: all connections are new. `request`: some are warm, so that only the time of the request compares. */
  readonly rank: 'arrival' | 'request';
  /** Origin of the edge in use, if there is one. */
  readonly inUse?: string | undefined;
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
/** Which method may find an edge that the first could not: some servers know no OPTIONS, or answer no HEAD. */
const NEXT_METHOD: Readonly<Record<Method, Method | null>> = { OPTIONS: 'HEAD', HEAD: 'GET', GET: null };

/**
 * Races the best class by weighted draw; the next class joins only if nobody in those before it answers, at once when all
 * of them failed, else after its share of the time.
 *
 * @param edges  those that may run, best rank first; at least one
 * @see RFC 2782, "Priority": a client must try the lowest-numbered it can reach
 */
export function race(edges: readonly Edge[], request: RaceRequest, rules: RaceRules, tools: RaceTools): Race {
  const { platform } = tools;
  const { preflightTimeoutMs: timeoutMs, edgeUrl } = rules;
  const runners: Runner[] = [];
  const timings = platform.watchTimings();
  const ranks = [...new Set(edges.map(({ rank }) => rank))];
  const fields = ranks.map(drawField);
  const drains: Promise<void>[] = [];
  const over = new AbortController();
  const { signal } = over;
  const stop = (): void => {
    over.abort();
  };
  const cancelTimeout = platform.after(timeoutMs, stop);
  tools.signal.addEventListener('abort', stop);

  let tellFirst: (win: Win | null) => void;
  const first = new Promise<Win | null>((resolve) => {
    tellFirst = resolve;
  });
  const winner = run();
  return { first, winner, ended: winner.then(end), probes };

  function probes(): readonly Probe[] {
    return runners.map(({ probe }) => probe);
  }

  async function run(): Promise<Edge | null> {
    const next = nextMethod();
    const chosen = (await heats(rules.method)) ?? (next && !signal.aborted ? await retry(next) : null);
    tellFirst(chosen && { edge: chosen.probe.edge, opened: null });
    letGo(runners);
    return chosen?.probe.edge ?? null;
  }

  /** Up to `maxEdges`; the edge in use is always among them, so that it is compared and not just replaced. */
  function drawField(rank: number): Edge[] {
    const equals = edges.filter((edge) => edge.rank === rank);
    const drawn = draw(equals, rules.maxEdges, platform.random);
    const inUse = equals.find(({ origin }) => origin === rules.inUse);
    return inUse && !drawn.includes(inUse) ? [inUse, ...drawn.slice(1)] : drawn;
  }

  /** A URL with a query may be signed for one method, open an ad session, or work once. */
  function nextMethod(): Method | null {
    const next = NEXT_METHOD[rules.method];
    return next === 'GET' && (request.media || request.url.includes('?')) ? null : next;
  }

  async function end(chosen: Edge | null): Promise<readonly Probe[]> {
    await Promise.all(runners.map(({ done }) => done));
    if (!chosen) await Promise.all(runners.map((runner) => runner.diagnose()));
    else if (rules.rank === 'arrival') await Promise.all(runners.filter(isOk).map((runner) => runner.observe()));
    timings.stop();
    // not waited for: bodies of those who lost
    void Promise.all(drains).then(() => {
      cancelTimeout();
      tools.signal.removeEventListener('abort', stop);
    });
    return probes();
  }

  function letGo(losers: readonly Runner[]): void {
    drains.push(...losers.map(({ done, drain }) => done.then(drain)));
  }

  async function retry(method: Method): Promise<Runner | null> {
    tools.warn(`no edge gave a readable answer to ${rules.method}; trying ${method}`);
    letGo(runners.splice(0));
    return heats(method);
  }

  async function heats(method: Method): Promise<Runner | null> {
    for (const [i, field] of fields.entries()) {
      if (signal.aborted) break;
      const runnerTools = { platform, timings, signal, edgeUrl, measures: rules.rank === 'request' };
      runners.push(...field.map((edge) => startRunner(edge, method, request, runnerTools)));
      const shareMs = i === fields.length - 1 ? null : timeoutMs / fields.length;
      const best = rules.rank === 'arrival' ? await byArrival(shareMs) : await byRequest(shareMs);
      if (best) return best;
    }
    return null;
  }

  async function byArrival(shareMs: number | null): Promise<Runner | null> {
    const quickest = await within(platform, shareMs, firstOf(runners, isOk));
    if (!quickest) return null;
    const { edge, capabilities, elapsedMs } = quickest.probe;
    const { moveAway } = capabilities;
    if (!moveAway && rules.method === 'GET') tellFirst({ edge, opened: quickest.take() });
    const running = runners.filter(({ probe }) => probe.outcome === 'running');
    if (running.length > 0) {
      const others = moveAway ? firstOf(running, isStaying) : Promise.all(running.map(({ done }) => done));
      await within<unknown>(platform, moveAway ? Math.max(MOVE_AWAY_MS, elapsedMs ?? 0) : TIE_MS, others);
    }
    const chosen = bestBy(({ probe }) => probe.elapsedMs);
    if (chosen && moveAway && rules.method === 'GET') tellFirst({ edge: chosen.probe.edge, opened: chosen.take() });
    return chosen;
  }

  async function byRequest(shareMs: number | null): Promise<Runner | null> {
    await within(platform, shareMs, Promise.all(runners.map(({ done }) => done)));
    const isMeasured = runners.some(({ probe }) => probe.requestMs !== null);
    return bestBy(({ probe }) => (isMeasured ? probe.requestMs : probe.elapsedMs));
  }

  function bestBy(timeOf: (runner: Runner) => number | null): Runner | null {
    const timeMs = (runner: Runner): number => timeOf(runner) ?? Infinity;
    const staying = runners.filter(isStaying);
    const pool = staying.length > 0 ? staying : runners.filter(isOk);
    const least = Math.min(...pool.map(timeMs));
    const ties = pool.filter((runner) => timeMs(runner) <= least + TIE_MS || pool.length === 1);
    const weighted = ties.map((runner) => ({ runner, weight: runner.probe.edge.weight }));
    return draw(weighted, 1, platform.random)[0]?.runner ?? null;
  }
}

function isOk({ probe }: Runner): boolean {
  return probe.outcome === 'ok';
}

function isStaying(runner: Runner): boolean {
  return isOk(runner) && !runner.probe.capabilities.moveAway;
}

/** The first runner that is done and passes; null when all are done and none does. */
function firstOf(runners: readonly Runner[], passes: (runner: Runner) => boolean): Promise<Runner | null> {
  return new Promise((resolve) => {
    let left = runners.length;
    for (const runner of runners) {
      void runner.done.then(() => {
        left -= 1;
        if (passes(runner)) resolve(runner);
        else if (left === 0) resolve(null);
      });
    }
  });
}
