/**
 * What is done once a second while a source plays: a look at the service, the map's question when its time has come, a
 * probe for an edge whose cool-down is over. In: time, and what playback shows. Out: verdicts, fresh candidates.
 */
import type { Directory } from './directory.js';
import { GAIN } from './edges.js';
import type { Settings } from './options.js';
import type { Platform } from './platform.js';
import type { Sensed } from './playback/sense.js';
import { race } from './preflight.js';
import { blamesEdge, type RaceRequest } from './probe.js';
import { lookUp, raceMethod, type Candidates, type Selection } from './selection.js';
import type { EdgeSource, SourceObject } from './source.js';
import { observe, type Verdict } from './verdict.js';
import { LOOK_EVERY_MS, watchAnew, type Service } from './watch.js';

/** A verdict that asks for something. */
export type Judgement = Exclude<Verdict, { kind: 'stay' }>;

/** What the patrol asks of the conductor. */
export interface PatrolTools {
  readonly platform: Platform;
  readonly directory: Directory;
  readonly settings: Settings;
  readonly source: EdgeSource;
  readonly given: SourceObject;
  selection(): Selection | null;
  /** ms of `now()`. */
  lastRequestAt(): number;
  /** What a probe asks for the headers of. */
  probeRequest(): RaceRequest;
  /** What playback shows; null: it cannot be looked at. */
  look(): Sensed | null;
  /** What is known of the edge in use and of the others; null: none is in use. */
  service(): Service | null;
  /** Is told each verdict but `stay`. */
  onVerdict(verdict: Judgement, edge: string): void;
  onRefreshed(candidates: Candidates): void;
  /** The edge in use is out, whoever saw it. */
  onLost(): void;
  /** An edge that was out answers again. */
  onReturn(): void;
  /** While bypassed: all of it is tried again. */
  onRetry(): void;
}

/** The patrol of one source. */
export interface Patrol {
  /** The lookups were just made: the next ones come with their TTL. */
  lookedUp(candidates: Candidates): void;
  /** The edge in use was left because of this, at this rate: does that help? */
  left(because: string, bitsPerSecond: number | null): void;
  /** A lookup or a race failed: the next ones come with back-off. */
  failed(): void;
  stop(): void;
}

/** Charges that a slow line of the viewer's brings about as well. */
const SLOW = ['thinned', 'throughput', 'drain', 'stalls'];
/** A search that found nobody is made again after this, then twice as long. */
const LOST_AGAIN_MS = 20_000;
/** Added to the time between two questions, by chance; never taken off: before its TTL the page's cache would answer. */
const JITTER = 0.2;
/** Until the first repeated question: 10 % up or down let a crowd ask together, five times the mean (`npm run bench:herd`). */
const FIRST_JITTER = 1;

/** Begins at once. */
export function patrol(tools: PatrolTools): Patrol {
  const { platform, directory, settings, source, given } = tools;
  const { refreshMinMs, refreshMaxMs } = settings;
  const stopped = new AbortController();
  let dueAt = platform.now() + LOOK_EVERY_MS;
  let cancelBeat = platform.after(LOOK_EVERY_MS, beat);
  let refreshAt = Infinity;
  /** Players that began together are apart once each has asked in its own time; other searches meanwhile change nothing. */
  let jitter = FIRST_JITTER;
  /** The rate of the edge before this one, until it is known whether leaving it helped. */
  let before: number | null = null;
  /** What was measured of this one before it took over. */
  let known: number | null = null;
  let watch = watchAnew();
  let watched = '';
  let lostAt = -Infinity;
  let lostWaitMs = 0;
  let failures = 0;
  let isAsking = false;
  return {
    lookedUp(candidates) {
      failures = 0;
      plan(candidates.expiresAt - platform.now());
    },
    left(because, bitsPerSecond) {
      before = SLOW.includes(because) ? bitsPerSecond : null;
      known = latest();
    },
    failed,
    stop() {
      cancelBeat();
      stopped.abort();
    },
  };

  function plan(inMs: number): void {
    const boundedMs = Math.min(Math.max(inMs, refreshMinMs), refreshMaxMs);
    refreshAt = platform.now() + boundedMs * (1 + jitter * platform.random());
  }

  function failed(): void {
    failures += 1;
    plan(refreshMinMs * 2 ** (failures - 1));
  }

  function beat(): void {
    const now = platform.now();
    const lateMs = now - dueAt;
    dueAt = now + LOOK_EVERY_MS;
    cancelBeat = platform.after(LOOK_EVERY_MS, beat);
    look(now, lateMs);
    if (stopped.signal.aborted) return;
    tryOut(now);
    findLost(now);
    if (now >= refreshAt && !isAsking && !isResting(now)) void refresh();
  }

  /** Who is out by what another player saw is left too; with back-off, since nobody else may be there. */
  function findLost(now: number): void {
    const chosen = tools.selection()?.chosen.origin;
    if (!chosen || !directory.record(chosen).isOut) lostWaitMs = 0;
    else if (now - lostAt >= lostWaitMs) {
      lostAt = now;
      lostWaitMs = Math.min(Math.max(2 * lostWaitMs, LOST_AGAIN_MS), refreshMaxMs);
      tools.onLost();
    }
  }

  /** Paused for long, or hidden and silent: nobody may ever need what would be asked for. */
  function isResting(now: number): boolean {
    if (now - tools.lastRequestAt() <= refreshMinMs) return false;
    return platform.hidden() || tools.look()?.paused === true;
  }

  /** What was measured last of the edge in use. */
  function latest(): number | null {
    const chosen = tools.selection()?.chosen;
    return chosen ? directory.record(chosen.origin).latestBitsPerSecond : null;
  }

  function look(at: number, lateMs: number): void {
    const sensed = tools.look();
    const service = tools.service();
    const measured = latest();
    if (before !== null && measured !== null && measured !== known) {
      if (measured < GAIN * before) directory.lineSeemsSlow();
      before = null;
    }
    if (!sensed || !service) return;
    // another edge is judged by what it does itself
    if (service.edge !== watched) watch = watchAnew();
    watched = service.edge;
    const look = { ...sensed, at, lateMs, hidden: platform.hidden(), offline: !platform.online() };
    const observed = observe(watch, look, service, settings.acceptable);
    watch = observed.watch;
    if (observed.verdict.kind !== 'stay') tools.onVerdict(observed.verdict, service.edge);
  }

  /** The first-level question once more; the tokens it gives are resolved too, so that their edges are known when needed. */
  async function refresh(): Promise<void> {
    jitter = JITTER;
    if (!tools.selection()) {
      // whoever tries it again says whether it failed
      plan(refreshMinMs * 2 ** failures);
      tools.onRetry();
      return;
    }
    isAsking = true;
    try {
      const candidates = await lookUp(source, given, settings, directory.lookUpTools(settings, stopped.signal));
      if (stopped.signal.aborted) return;
      failures = 0;
      plan(candidates.expiresAt - platform.now());
      tools.onRefreshed(candidates);
    } catch {
      // the answer that is held goes on to serve (RFC 8767)
      failed();
    } finally {
      isAsking = false;
    }
  }

  /** One small request to an edge whose time is over, from one player of the page: if it answers, requests may follow. */
  function tryOut(now: number): void {
    for (const edge of tools.selection()?.edges ?? []) {
      const { isOut, coolUntil } = directory.record(edge.origin);
      if (!isOut || coolUntil > now || directory.onTrial.has(edge.origin)) continue;
      directory.onTrial.add(edge.origin);
      const request = tools.probeRequest();
      const method = raceMethod(settings.preflight, request, false);
      const rules = { ...settings, method, rank: 'arrival' as const };
      const trial = race([edge], request, rules, { platform, signal: stopped.signal, warn: () => undefined });
      void trial.ended.then(([probe]) => {
        directory.onTrial.delete(edge.origin);
        if (stopped.signal.aborted) return;
        // a refusal of this one URL, whose signature may be old, is an answer; one that the page cannot read is none to VHS
        if (!probe || blamesEdge(probe)) directory.failed(edge.origin);
        else {
          directory.answered(edge.origin, probe.elapsedMs ?? 0);
          tools.onReturn();
        }
      });
    }
  }
}
