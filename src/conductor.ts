/**
 * One source, from its first lookup to its end. In: what happens (requests, failures, the site's wishes). Out: lanes for
 * requests, events, reports. Carries out what the machine in `switch.ts` decides; everything that can fail ends here, in
 * a state, and the source plays on from its own host.
 */
import type { Directory } from './directory.js';
import { account } from './account.js';
import { dispatch } from './dispatch.js';
import { EdgeSelectError } from './errors.js';
import type { FailureKind, Tell } from './events.js';
import type { Settings } from './options.js';
import { patrol, type Judgement, type Patrol } from './patrol.js';
import type { Platform } from './platform.js';
import type { Sense } from './playback/sense.js';
import { permit } from './permit.js';
import { reporter, type Left } from './report.js';
import { search, type Search } from './search.js';
import { raceMethod, type Selection } from './selection.js';
import { isAllowed, type Edge } from './servers.js';
import type { EdgeSource, SourceObject } from './source.js';
import { step, type Effect, type How, type Input, type State } from './switch.js';
import type { Lane } from './transport/attempt.js';
import type { Routes } from './transport/deliver.js';
import type { MediaRequest } from './transport/route.js';
import { waiting } from './waiting.js';

/** What the page lends to each source. */
export interface ConductorTools {
  readonly platform: Platform;
  readonly directory: Directory;
  readonly tell: Tell;
}

/** Runs the method for one source of one player. */
export interface Conductor extends Routes {
  readonly source: EdgeSource;
  begin(): void;
  state(): State;
  selection(): Selection | null;
  /** Whether a request for `url` may go to an edge. */
  isRerouted(url: string): boolean;
  /** For sources that VHS does not play: where an element of this `crossOrigin` is to load from; null: the origin. */
  pick(crossOrigin: string | null): Promise<ElementSource | null>;
  /** The plugin came when the source was playing already: no request will wait for the race. */
  adopt(): void;
  /** What plays the source can be looked at from now on. */
  watch(sense: Sense): void;
  reselect(because: string): void;
  bypass(error: EdgeSelectError): void;
  /** An edge failed where no request of ours saw it; `isLast`: the origin is next, and no other edge. */
  edgeFailed(edge: Edge, because: FailureKind, isLast: boolean): void;
  /** Tells when another edge serves because the one before had to go. @returns stops telling */
  onMoved(listener: () => void): () => void;
  dispose(): void;
}

/** Where a media element is to load from. */
export interface ElementSource {
  readonly edge: Edge;
  readonly url: string;
}

/** A look that decides with another one comes after two segments or so. */
const SECOND_LOOK_MS = 5000;

/** Begins nothing by itself: `begin()` does, once the caller can hear. */
export function conductor(
  source: EdgeSource,
  given: SourceObject,
  settings: Settings,
  { platform, directory, tell }: ConductorTools,
): Conductor {
  const key = directory.key(source, settings);
  const rememberKey = `edge-select:edge:${source.service}`;
  const report = reporter(settings, platform, directory.silenced);
  const rules = permit(source, settings);
  const room = waiting(key, rules.plainRequest(given.withCredentials === true), settings, rules, {
    directory,
    platform,
    warn,
  });
  const disposed = new AbortController();
  const isDisposed = (): boolean => disposed.signal.aborted;
  const movers = new Set<() => void>();
  let state: State = { kind: 'idle' };
  let current: Search | null = null;
  let remembered: Edge | null = null;
  let sense: Sense | null = null;
  let inUseSince = 0;
  let mayHold = false;
  let cancelCompare: (() => void) | null = null;
  let left: Left | null = null;
  let patrolling: Patrol | null = null;
  const accounting = account({
    platform,
    directory,
    tell,
    chosen: () => selection()?.chosen ?? null,
    onLost(edge, because) {
      reselect(`${edge.origin} failed: ${because}`, 'leave');
    },
  });
  const dispatching = dispatch({
    platform,
    directory,
    settings,
    rules,
    account: accounting,
    selection,
    leaders: () =>
      state.kind === 'selecting' ? [...(remembered ? [remembered] : []), ...(current?.leaders() ?? [])] : [],
    hold: holdNew,
    demand: () => sense?.demand() ?? null,
  });

  const { prove, differs, newest, again } = accounting;
  const { next, ended, serviceUrl } = dispatching;
  return {
    ...{ next, ended, serviceUrl, prove, differs, newest, again },
    source,
    begin,
    state: () => state,
    selection,
    isRerouted,
    pick,
    adopt: raceBehind,
    watch(seen) {
      sense = seen;
    },
    reselect(because) {
      reselect(because, 'asked');
    },
    bypass(error) {
      current?.abort();
      send({ kind: 'failed', error });
    },
    edgeFailed(edge, because, isLast) {
      if (isDisposed()) return;
      directory.failed(edge.origin);
      const to = (isLast ? null : dispatching.best())?.origin ?? source.origin;
      tell({ type: 'edgeselect:failedover', url: source.src, from: edge.origin, to, because, status: 0 });
      accounting.charge(edge, because);
    },
    onMoved(listener) {
      movers.add(listener);
      return () => {
        movers.delete(listener);
      };
    },
    dispose() {
      send({ kind: 'dispose' });
      current?.abort();
      cancelCompare?.();
      patrolling?.stop();
      accounting.dispose();
      movers.clear();
      sense = null;
      disposed.abort();
    },
  };

  function warn(text: string): void {
    tell({ type: 'edgeselect:warned', text });
  }

  function selection(): Selection | null {
    return state.kind === 'steady' || state.kind === 'reselecting' ? state.selection : null;
  }

  function send(input: Input): void {
    if (input.kind === 'found') {
      remembered = null;
      directory.waitedInVain.delete(key);
    }
    // bypassed means the origin: what served the page before is not asked any more
    if (input.kind === 'failed') {
      remembered = null;
      if (!selection()) patrolling?.failed();
    }
    const before = selection();
    const next = step(state, input);
    state = next.state;
    const now = selection();
    if (now && now !== before) keep(now, before);
    next.effects.forEach(carryOut);
  }

  function keep(now: Selection, before: Selection | null): void {
    directory.keep(key, now);
    if (now.expiresAt !== before?.expiresAt) patrolling?.lookedUp(now);
    if (now.chosen === before?.chosen) return;
    inUseSince = platform.now();
    accounting.forgiveDenials();
    if (settings.remember) platform.store(rememberKey, now.chosen.origin);
  }

  function carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'search':
        startSearch();
        return;
      case 'compare':
        compareLater(effect.because);
        return;
      case 'report':
        void report(effect.selection, left).then((reported) => {
          if (reported && !isDisposed()) tell({ type: 'edgeselect:reported', ...reported });
        });
        left = null;
        return;
      case 'move':
        left = { from: effect.from.origin, because: effect.because, ...accounting.seen(effect.from.origin) };
        if (effect.how !== 'leave') return;
        patrolling?.left(effect.because, left.bitsPerSecond);
        // who had to go does not come back with the next race
        if (!directory.record(effect.from.origin).isOut) directory.failed(effect.from.origin);
        for (const told of movers) told();
        return;
      case 'tell':
        tell(effect.event);
    }
  }

  function begin(): void {
    if (!mayTrust(given.withCredentials === true)) return;
    patrolling = patrol({
      platform,
      directory,
      settings,
      source,
      given,
      selection,
      probeRequest: room.lastAsked,
      look: () => sense?.look() ?? null,
      service: dispatching.service,
      lastRequestAt: dispatching.lastRequestAt,
      onVerdict,
      onRefreshed(candidates) {
        send({ kind: 'refreshed', candidates });
      },
      onLost() {
        reselect('it failed elsewhere on the page', 'leave');
      },
      onReturn() {
        const chosen = selection()?.chosen;
        if (chosen && directory.record(chosen.origin).isOut) reselect('an edge is back', 'leave');
      },
      onRetry() {
        reselect('time has passed', 'asked');
      },
    });
    const known = directory.known(key);
    if (known) {
      send({ kind: 'known', selection: { ...known, reason: 'known' } });
      if (directory.claimRace(key)) reselect('known for a while', 'asked');
      return;
    }
    const origin = settings.remember ? platform.recall(rememberKey) : null;
    const isFit = origin && !directory.cooling(origin) && isAllowed(origin, settings, { secure: platform.secure() });
    if (isFit) remembered = { origin, rank: 0, weight: 0 };
    send({ kind: 'begin' });
  }

  function reselect(because: string, how: How): void {
    send({ kind: 'reselect', because, how });
  }

  /** A gain is no reason to leave an edge that has only just begun to serve. */
  function compareLater(because: string): void {
    const waitMs = Math.max(inUseSince + settings.minDwellMs - platform.now(), SECOND_LOOK_MS);
    cancelCompare ??= platform.after(waitMs, () => {
      cancelCompare = null;
      reselect(because, 'compare');
    });
  }

  function onVerdict({ kind, because, seen, limit }: Judgement, edge: string): void {
    // what cannot wait overtakes a look around
    const isUrgent = kind === 'leave' && state.kind === 'reselecting' && state.how !== 'leave';
    if (state.kind !== 'steady' && !isUrgent) return;
    tell({ type: 'edgeselect:judged', edge, verdict: kind, because, seen, limit });
    if (kind === 'leave') reselect(because, 'leave');
    else compareLater(because);
  }

  function startSearch(): void {
    mayHold = !current && !remembered && state.kind === 'selecting'; // the first request there is
    current?.abort();
    current = search({
      source,
      given,
      settings,
      platform,
      directory,
      send,
      current: () => selection()?.chosen ?? null,
      leaving: () => (state.kind === 'reselecting' && state.how === 'leave' ? state.selection : null),
      suspect: accounting.suspect,
      warn,
    });
    if (!mayHold) raceBehind();
  }

  function raceBehind(): void {
    mayHold = false;
    const request = room.lastAsked();
    current?.run({ request, method: raceMethod(settings.preflight, request, false), held: () => false });
  }

  /** While bypassed VHS is left to itself, so that nothing at all is other than without us. */
  function isRerouted(url: string): boolean {
    if (state.kind === 'bypassed' || state.kind === 'disposed') return false;
    return rules.isOurs(url);
  }

  function holdNew(request: MediaRequest, signal: AbortSignal): Promise<Lane> | null {
    room.saw(request);
    const isTrusted = mayTrust(request.withCredentials) && isRerouted(request.url);
    const isFirst = isTrusted && state.kind === 'selecting' && !remembered && mayHold;
    const held = isFirst && current?.leaders().length === 0 ? room.hold(request, current, signal) : null;
    if (!held) return null;
    return held.then(({ edge, opened, waitedMs }) => {
      // VHS's own limit began with the hold
      const limitMs = request.timeoutMs && Math.max(1, request.timeoutMs - waitedMs);
      return { ...dispatching.lane(request, edge, opened), limitMs };
    });
  }

  async function pick(crossOrigin: string | null): Promise<ElementSource | null> {
    if (!mayTrust(crossOrigin === 'use-credentials')) return null;
    const known = dispatching.best();
    const running = state.kind === 'selecting' && !known ? current : null;
    const waits = room.pick(running, crossOrigin, disposed.signal);
    // an element that has to go elsewhere goes within this task: what the viewer does meanwhile would be lost
    const edge = waits ? await waits : known;
    if (!edge || directory.record(edge.origin).isOut) return null;
    return { edge, url: settings.edgeUrl(source.src, edge) };
  }

  /** Cookies go to hosts that the site named; where it named none, the source goes its own way. */
  function mayTrust(withCredentials: boolean): boolean {
    if (!withCredentials || rules.allowsCredentials) return true;
    current?.abort();
    send({ kind: 'failed', error: new EdgeSelectError('CREDENTIALS_NOT_ALLOWED', {}) });
    return false;
  }
}
