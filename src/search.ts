/**
 * One run of the method for one source: lookups, race, choice. In: a source, and the request to race as soon as there is
 * one. Out: inputs for the state machine. Ends by itself, whatever happens; knows nothing of players.
 */
import type { Directory } from './directory.js';
import { EdgeSelectError, isError } from './errors.js';
import type { Settings } from './options.js';
import type { Platform } from './platform.js';
import { race, type Win } from './preflight.js';
import { blamesEdge, type Method, type Probe, type RaceRequest } from './probe.js';
import { choose, lookUp, raceError, type Candidates, type Selection } from './selection.js';
import type { Edge } from './servers.js';
import type { EdgeSource, SourceObject } from './source.js';
import type { Input } from './switch.js';

/** The request that a race is about. */
export interface Contest {
  readonly request: RaceRequest;
  readonly method: Method;
  /** Whether the request is still waiting when the race begins; only then may it be raced itself, by GET. */
  readonly held: () => boolean;
}

/** A search under way. */
export interface Search {
  /** Whom the held request need not wait any longer for: the first to answer well; null when there will be nobody. */
  readonly win: Promise<Win | null>;
  /** Who serves until the choice is made: the first to answer well, then the other candidates; empty before. */
  leaders(): readonly Edge[];
  /** False once both lookups have ended. */
  lookingUp(): boolean;
  /** In ms of `now()`. */
  readonly startedAt: number;
  /** Gives it the request to race. @returns false when it has one already */
  run(contest: Contest): boolean;
  abort(): void;
}

/** What a search works with. */
export interface SearchTools {
  readonly source: EdgeSource;
  readonly given: SourceObject;
  readonly settings: Settings;
  readonly platform: Platform;
  readonly directory: Directory;
  /** The edge in use, which stays unless another is clearly quicker. */
  readonly current: () => Edge | null;
  /** The selection whose edge must go: others of it are raced at once, and the lookups go on beside them. */
  readonly leaving: () => Selection | null;
  /** Is told `found`, then `raced`, or `failed`, and `refreshed` beside these while an edge is left; nothing after an abort. */
  readonly send: (input: Input) => void;
  /** Is told of edges that did not answer when nobody did: the viewer's own line may be to blame. */
  readonly suspect: (edge: Edge) => void;
  readonly warn: (text: string) => void;
}

/** Begins at once. */
export function search(tools: SearchTools): Search {
  const { source, given, settings, platform, directory, send } = tools;
  const controller = new AbortController();
  const { signal } = controller;
  const isOver = (): boolean => signal.aborted;
  const startedAt = platform.now();
  let lookingUp = true;
  let leaders: readonly Edge[] = [];
  let fresh: Candidates | null = null;
  let lost: readonly Probe[] = [];
  const heard = new Set<string>();
  let hasContest = false;
  let giveContest: (contest: Contest) => void;
  const contest = new Promise<Contest>((resolve) => {
    giveContest = resolve;
  });
  let tellWin: (win: Win | null) => void;
  const win = new Promise<Win | null>((resolve) => {
    tellWin = resolve;
  });
  void begin();
  return {
    win,
    startedAt,
    leaders: () => leaders,
    lookingUp: () => lookingUp,
    run(wanted) {
      if (hasContest) return false;
      hasContest = true;
      giveContest(wanted);
      return true;
    },
    abort() {
      controller.abort();
    },
  };

  async function begin(): Promise<void> {
    const leaving = tools.leaving();
    // the held token's edges are there at once; the map may be as dead as the edge
    const held = leaving && usable(leaving).length > 0 ? leaving : null;
    let asked = ask();
    try {
      if (held) asked.then(refresh, () => undefined);
      let candidates = held ?? (await found(asked));
      const wanted = await contest;
      // with preload="none" that may be hours later
      if (!held && candidates.expiresAt <= platform.now() && !isOver()) {
        lookingUp = true;
        asked = ask();
        candidates = await found(asked);
      }
      if (isOver()) return;
      const raced = usable(candidates);
      if (await decide(candidates, raced, wanted)) return;
      // what the map says by now, and its next class, as these count as out
      const more = await (settings.discover ? asked : ask([...raced, ...(leaving ? [leaving.chosen] : [])]));
      fresh = more;
      const others = usable(more).filter(({ origin }) => !isIn(raced, origin));
      if (isOver()) return;
      if (others.length === 0 || !(await decide(more, others, wanted))) throw raceError(lost);
    } catch (cause) {
      fail(cause);
    } finally {
      lookingUp = false;
      tellWin(null);
    }
  }

  function ask(out: readonly Edge[] = []): Promise<Candidates> {
    const tools = directory.lookUpTools(settings, signal, (origin) => isIn(out, origin));
    return lookUp(source, given, settings, tools);
  }

  async function found(asked: Promise<Candidates>): Promise<Candidates> {
    const candidates = await asked;
    lookingUp = false;
    if (usable(candidates).length > 0) return candidates;
    throw new EdgeSelectError('EDGES_COOLING', { edges: candidates.edges.length });
  }

  function refresh(candidates: Candidates): void {
    fresh = candidates;
    if (!isOver()) send({ kind: 'refreshed', candidates });
  }

  /** Those that may run; the edge in use too, named or not, so that it is compared and not just replaced. */
  function usable({ edges }: Candidates): readonly Edge[] {
    const leaving = tools.leaving()?.chosen.origin;
    const current = tools.current();
    const isUnnamed = current && current.origin !== leaving && !isIn(edges, current.origin);
    const all = isUnnamed ? [{ ...current, rank: edges[0]?.rank ?? 0 }, ...edges] : edges;
    return all.filter(({ origin }) => origin !== leaving && !directory.cooling(origin));
  }

  /** @returns whether there is nothing more to do */
  async function decide(candidates: Candidates, edges: readonly Edge[], wanted: Contest): Promise<boolean> {
    const held = wanted.held();
    const controlled = platform.controlled();
    const running = race(
      edges,
      wanted.request,
      {
        ...settings,
        method: wanted.method === 'GET' && (controlled || !held) ? 'HEAD' : wanted.method,
        rank: held && !controlled ? 'arrival' : 'request',
        inUse: tools.current()?.origin,
      },
      { platform, signal, warn: tools.warn },
    );
    void running.first.then((first) => {
      if (first) leaders = [first.edge, ...candidates.edges];
      hear(running.probes());
      tellWin(first);
    });
    const winner = await running.winner;
    if (isOver()) return true;
    if (!winner) {
      const probes = await running.ended;
      lost = [...lost, ...probes];
      for (const probe of probes) if (blamesEdge(probe)) tools.suspect(probe.edge);
      return false;
    }
    // what the map said meanwhile is newer than what was held
    const named = fresh ?? candidates;
    hear(running.probes());
    const selection = choose(source.service, named, running.probes(), winner, tools.current(), platform.now());
    send({ kind: 'found', selection });
    void complete(selection, running.ended);
    return true;
  }

  async function complete(selection: Selection, ended: Promise<Selection['probes']>): Promise<void> {
    const probes = await ended;
    if (isOver()) return;
    for (const probe of probes) if (blamesEdge(probe)) directory.failed(probe.edge.origin);
    hear(probes);
    send({ kind: 'raced', selection: { ...selection, probes } });
  }

  /** Who has answered may serve, though the race goes on. */
  function hear(probes: readonly Probe[]): void {
    for (const { edge, outcome, elapsedMs } of probes) {
      // its answer to the race is older than what put it in cool-down meanwhile
      if (outcome !== 'ok' || heard.has(edge.origin) || directory.cooling(edge.origin)) continue;
      heard.add(edge.origin);
      directory.answered(edge.origin, elapsedMs ?? 0);
    }
  }

  function fail(cause: unknown): void {
    if (isOver()) return;
    send({
      kind: 'failed',
      error: isError(cause) ? cause : new EdgeSelectError('LOOKUP_FAILED', { lookup: 'servers' }, cause),
    });
  }
}

function isIn(edges: readonly Edge[], origin: string): boolean {
  return edges.some((edge) => edge.origin === origin);
}
