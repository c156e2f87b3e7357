/**
 * One source, from its first lookup to its end. In: what happens (requests, failures, the site's wishes). Out: lanes for
 * requests, events, reports. Carries out what the machine in `switch.ts` decides; everything that can fail ends here, in
 * a state, and the source plays on from its own host.
 */
import type { Directory } from './directory.js';
import { EdgeSelectError } from './errors.js';
import type { Tell } from './events.js';
import { hold } from './hold.js';
import type { Settings } from './options.js';
import type { Platform } from './platform.js';
import { permit } from './permit.js';
import { reporter } from './report.js';
import { search, type Search } from './search.js';
import { raceMethod, type Selection } from './selection.js';
import { isAllowed, type Edge } from './servers.js';
import type { EdgeSource, SourceObject } from './source.js';
import { step, type Effect, type Input, type State } from './switch.js';
import type { Lane, Outcome } from './transport/attempt.js';
import type { Routes } from './transport/deliver.js';
import { blames, isDenied, nextStop, type MediaRequest, type Try } from './transport/route.js';

/** What the page lends to each source. */
export interface ConductorTools {
  readonly platform: Platform;
  readonly directory: Directory;
  readonly tell: Tell;
  /** URL of the page. */
  readonly page: string;
  /** Edges that take no reports any more. */
  readonly silenced: Set<string>;
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
  reselect(because: string): void;
  bypass(error: EdgeSelectError): void;
  /** An edge failed where no request of ours saw it, and the origin took over. */
  edgeFailed(edge: Edge): void;
  dispose(): void;
}

/** Where a media element is to load from. */
export interface ElementSource {
  readonly edge: Edge;
  readonly url: string;
}

/** A selection older than this is measured again behind the back of whoever is given it. */
const FRESH_MS = 10_000;
const PLAYLISTS = ['hls-playlist', 'dash-manifest'];

/** Begins nothing by itself: `begin()` does, once the caller can hear. */
export function conductor(
  source: EdgeSource,
  given: SourceObject,
  settings: Settings,
  { platform, directory, tell, page, silenced }: ConductorTools,
): Conductor {
  const key = directory.key(source, settings);
  const rememberKey = `edge-select:edge:${source.service}`;
  const report = reporter(settings, platform, silenced);
  const rules = permit(source, settings);
  /** Types of request that only the origin may answer, until the next selection. */
  const originOnly = new Set<string>();
  /** Edges that did not answer; to blame only once somebody else does. */
  const suspects = new Set<string>();
  const disposed = new AbortController();
  const isDisposed = (): boolean => disposed.signal.aborted;
  let state: State = { kind: 'idle' };
  let current: Search | null = null;
  /** Races that nothing waits for ask for the headers of this. */
  let lastPlaylist = rules.plainRequest(given.withCredentials === true);
  /** Lengths here are those of encoded bodies: nothing is short by them. */
  let isEncoded = false;
  let remembered: Edge | null = null;
  let heldSince: number | null = null;

  return {
    source,
    page,
    begin,
    state: () => state,
    selection,
    isRerouted,
    next,
    ended,
    serviceUrl,
    pick,
    adopt() {
      raceBehind();
    },
    reselect(because) {
      send({ kind: 'reselect', because });
    },
    bypass(error) {
      current?.abort();
      send({ kind: 'failed', error });
    },
    edgeFailed({ origin }) {
      directory.failed(origin);
      const [url, to] = [source.src, source.origin];
      tell({ type: 'edgeselect:failedover', url, from: origin, to, because: 'refused', status: 0 });
    },
    dispose() {
      send({ kind: 'dispose' });
      current?.abort();
      disposed.abort();
    },
  };

  function selection(): Selection | null {
    return state.kind === 'steady' || state.kind === 'reselecting' ? state.selection : null;
  }

  function send(input: Input): void {
    if (input.kind === 'found') adoptSelection(input.selection);
    // bypassed means the origin: what served the page before is not asked any more
    if (input.kind === 'failed') remembered = null;
    const next = step(state, input);
    state = next.state;
    if (input.kind === 'raced' && selection() === input.selection) directory.keep(key, input.selection);
    next.effects.forEach(carryOut);
  }

  function carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'search':
        startSearch();
        return;
      case 'report':
        void report(effect.selection).then((reported) => {
          if (reported && !isDisposed()) tell({ type: 'edgeselect:reported', ...reported });
        });
        return;
      case 'tell':
        tell(effect.event);
    }
  }

  function begin(): void {
    if (!mayTrust(given.withCredentials === true)) return;
    const known = directory.known(key);
    if (known) {
      send({ kind: 'known', selection: { ...known, reason: 'known' } });
      if (platform.now() - known.measuredAt > FRESH_MS) send({ kind: 'reselect', because: 'known for a while' });
      return;
    }
    const origin = settings.remember ? platform.recall(rememberKey) : null;
    const isFit = origin && !directory.cooling(origin) && isAllowed(origin, settings, { secure: platform.secure() });
    if (isFit) remembered = { origin, rank: 0, weight: 0 };
    send({ kind: 'begin' });
  }

  function startSearch(): void {
    const waits = !current && !remembered && state.kind === 'selecting'; // for the first request there is
    heldSince = null;
    current?.abort();
    current = search({
      source,
      given,
      settings,
      platform,
      directory,
      send,
      current: () => selection()?.chosen ?? null,
      suspect: ({ origin }) => suspects.add(origin),
      warn: (text) => {
        tell({ type: 'edgeselect:warned', text });
      },
    });
    if (!waits) raceBehind();
  }

  function raceBehind(): void {
    const method = raceMethod(settings.preflight, lastPlaylist.url, false);
    current?.run({ request: lastPlaylist, method, held: () => false });
  }

  function adoptSelection(selected: Selection): void {
    remembered = null;
    originOnly.clear();
    directory.waitedInVain.delete(key);
    directory.keep(key, selected);
    if (settings.remember) platform.store(rememberKey, selected.chosen.origin);
  }

  /** While bypassed VHS is left to itself, so that nothing at all is other than without us. */
  function isRerouted(url: string): boolean {
    if (state.kind === 'bypassed' || state.kind === 'disposed') return false;
    return rules.isOurs(url);
  }

  function next(request: MediaRequest, tries: readonly Try[], signal: AbortSignal): ReturnType<Routes['next']> {
    if (tries.length === 0) {
      if (PLAYLISTS.includes(request.requestType)) lastPlaylist = rules.raceRequest(request);
      if (
        mayTrust(request.withCredentials) &&
        state.kind === 'selecting' &&
        rankedEdges(request).length === 0 &&
        isRerouted(request.url)
      ) {
        const held = holdFirst(request, signal);
        if (held) return held;
      }
    }
    const stop = nextStop(request, rankedEdges(request), tries);
    return stop && laneOf(request, stop.edge, null);
  }

  /** @returns null when the request is none that waits: it goes its way without a selection, which is to the origin */
  function holdFirst(request: MediaRequest, signal: AbortSignal): Promise<Lane> | null {
    const running = current;
    if (!running) return null;
    const mayRace = !rules.isGuarded(request) || rules.allowsCredentials;
    const isPlaylist = PLAYLISTS.includes(request.requestType) && request.method === 'GET';
    // a lookup that is out for longer than a second nameserver would have had to wait is not waited for
    const now = platform.now();
    const isLate =
      running.lookingUp() && (now - running.startedAt > settings.lookupStaggerMs || directory.waitedInVain.has(key));
    // one after the other, requests are held for no longer than one alone
    const leftMs = settings.originAfterMs - (now - (heldSince ?? now));
    const waits = isPlaylist && mayRace && !isLate && leftMs >= 0;

    const method = raceMethod(settings.preflight, request.url, waits);
    const raced = isPlaylist ? rules.raceRequest(request) : lastPlaylist;
    let held = waits;
    const isMine = running.run({ request: raced, method, held: () => held });
    if (!waits) return null;
    heldSince ??= now;

    const isRace = isMine && method === 'GET' && !platform.controlled();
    const win = isRace ? running.win : running.win.then((winner) => winner && { ...winner, opened: null });
    const patience = { originAfterMs: leftMs, limitMs: request.timeoutMs, raced: isRace };
    return hold(raced, win, patience, { platform, signal }).then(({ edge, opened }) => {
      held = false;
      if (running.lookingUp()) directory.waitedInVain.add(key);
      // VHS's own limit began with the hold
      const limitMs = request.timeoutMs && Math.max(1, request.timeoutMs - (platform.now() - now));
      return { ...laneOf(request, edge, opened), limitMs };
    });
  }

  /** Best first: the chosen, those that ran by their time, the others by rank. None that is in its cool-down. */
  function rankedEdges(request: MediaRequest): readonly Edge[] {
    if (originOnly.has(request.requestType)) return [];
    const selected = selection();
    if (!selected && state.kind !== 'selecting') return [];
    const ran = (selected?.probes ?? []).filter(({ outcome }) => outcome === 'ok');
    ran.sort((a, b) => (a.elapsedMs ?? 0) - (b.elapsedMs ?? 0));
    const known = selected
      ? [selected.chosen, ...ran.map(({ edge }) => edge), ...selected.edges]
      : [...(remembered ? [remembered] : []), ...(current?.leaders() ?? [])];
    const once = new Map(known.map((edge) => [edge.origin, edge]));
    return [...once.values()].filter((edge) => !directory.cooling(edge.origin)).filter(rules.mayServe(request));
  }

  function laneOf(request: MediaRequest, edge: Edge | null, opened: Lane['opened']): Lane {
    // a blocking request is silent on purpose until the next part is there (RFC 8216bis, section 6.2.5.2)
    const isBlocking = /[?&]_HLS_msn=/.test(request.url);
    return {
      edge,
      opened,
      url: edge ? settings.edgeUrl(request.url, edge) : request.url,
      guarded: edge !== null && rules.isGuarded(request),
      patienceMs: edge && !isBlocking ? directory.patienceMs(edge.origin, settings.stallMs) : 0,
      checksLength: edge !== null && !isEncoded,
      limitMs: request.timeoutMs,
    };
  }

  function ended(request: MediaRequest, tries: readonly Try[], lane: Lane | null, outcome: Outcome): void {
    for (const one of tries) {
      if (!one.edge) continue;
      // as many bytes as the next server gave, and fewer than announced
      if (lane && one.because === 'short' && one.bytes === outcome.bytes) isEncoded = true;
      else if (blames(one)) directory.failed(one.edge.origin);
      else if (one.because !== 'status') suspects.add(one.edge.origin);
    }
    if (!lane) suspects.clear(); // when nobody delivers it is the viewer's line
    if (!lane || outcome.kind !== 'delivered' || isDisposed()) return;
    if (lane.edge) {
      suspects.delete(lane.edge.origin);
      directory.answered(lane.edge.origin, outcome.firstByteMs);
    }
    for (const origin of suspects) directory.failed(origin);
    suspects.clear();

    const { url, requestType } = request;
    const nameOf = (edge: Edge | null): string => edge?.origin ?? new URL(url).origin;
    if (!lane.edge && isDenied(tries)) {
      originOnly.add(requestType);
      tell({ type: 'edgeselect:warned', text: `edges deny '${requestType}', the origin does not: it serves these` });
    }
    for (const [i, { edge, because, status }] of tries.entries()) {
      const to = nameOf((tries[i + 1] ?? lane).edge);
      tell({ type: 'edgeselect:failedover', url, from: nameOf(edge), to, because, status });
    }
    const { bytes, firstByteMs, elapsedMs } = outcome;
    tell({ type: 'edgeselect:served', url, edge: nameOf(lane.edge), requestType, bytes, firstByteMs, elapsedMs });
    const chosen = selection()?.chosen.origin;
    if (tries.length > 0 && chosen && directory.cooling(chosen)) {
      send({ kind: 'reselect', because: `${chosen} failed` });
    }
  }

  function serviceUrl(url: string, { edge, url: at }: Lane, asked: string): string {
    const { origin } = new URL(at);
    // a redirect to another host is the edge's word: later requests follow it, as they would without us
    if (!edge || new URL(url).origin !== origin) return url;
    return settings.serviceUrl ? settings.serviceUrl(url, edge) : new URL(asked).origin + url.slice(origin.length);
  }

  async function pick(crossOrigin: string | null): Promise<ElementSource | null> {
    if (!mayTrust(crossOrigin === 'use-credentials')) return null;
    const edge = selection()?.chosen ?? remembered ?? (await pickFirst(crossOrigin));
    if (!edge || directory.cooling(edge.origin)) return null;
    return { edge, url: settings.edgeUrl(source.src, edge) };
  }

  async function pickFirst(crossOrigin: string | null): Promise<Edge | null> {
    if (state.kind !== 'selecting' || !current) return null;
    // without `crossorigin` the element loads without CORS, and so must the race
    const opaque = crossOrigin === null;
    const request = { ...rules.plainRequest(crossOrigin === 'use-credentials'), opaque, media: true };
    const method = settings.preflight === 'OPTIONS' && !opaque ? 'OPTIONS' : 'HEAD';
    current.run({ request, method, held: () => true });
    const patience = { originAfterMs: settings.originAfterMs, limitMs: 0, raced: false };
    const { edge } = await hold(request, current.win, patience, { platform, signal: disposed.signal });
    return edge;
  }

  /** Cookies go to hosts that the site named; where it named none, the source goes its own way. */
  function mayTrust(withCredentials: boolean): boolean {
    if (!withCredentials || rules.allowsCredentials) return true;
    current?.abort();
    send({ kind: 'failed', error: new EdgeSelectError('CREDENTIALS_NOT_ALLOWED', {}) });
    return false;
  }
}
