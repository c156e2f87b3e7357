/**
 * Which server each request goes to, and how patient to be there. In: requests, who is chosen, what was learnt. Out: lanes.
 * Sends nothing, and blames nobody.
 */
import type { Account } from './account.js';
import type { Directory } from './directory.js';
import { patienceMs, usualRate } from './edges.js';
import type { Settings } from './options.js';
import type { Permit } from './permit.js';
import type { Platform } from './platform.js';
import { isServersFault } from './probe.js';
import type { Selection } from './selection.js';
import type { Edge } from './servers.js';
import type { Lane } from './transport/attempt.js';
import type { Routes } from './transport/deliver.js';
import { isBehind, isTooSlow, type Alternative, type Demand } from './transport/pace.js';
import { isBlocking, nameOf, nextStop, type MediaRequest, type Try } from './transport/route.js';
import type { Service } from './watch.js';

/** What the dispatcher asks of the conductor. */
export interface DispatchTools {
  readonly platform: Platform;
  readonly directory: Directory;
  readonly settings: Settings;
  readonly rules: Permit;
  readonly account: Account;
  selection(): Selection | null;
  /** Best first, while there is no selection. */
  leaders(): readonly Edge[];
  /** Whoever holds a request that is new; null: nobody does. */
  hold(request: MediaRequest, signal: AbortSignal): Promise<Lane> | null;
  /** What playback can bear now; null: nobody knows. */
  demand(): Demand | null;
}

/** The way of one source's requests. */
export interface Dispatch extends Pick<Routes, 'next' | 'ended' | 'serviceUrl'> {
  lane(request: MediaRequest, edge: Edge | null, opened: Lane['opened']): Lane;
  /** The edge in use and the others, for the verdict; null: none is in use. */
  readonly service: () => Service | null;
  /** Whom to load from; null: the origin. */
  best(): Edge | null;
  /** ms of `now()`. */
  readonly lastRequestAt: () => number;
}

/** A look at the rate of a long body; shorter ones are noise. */
const MEASURE_EVERY_MS = 1000;

/** Of the requests for a playlist that stands still everywhere: the encoder may pause, for a million players. */
const ORIGIN_SHARE = 0.25;
/** Playlists, keys and the like: hundreds of kilobytes at most. */
const SMALL_WITHIN_MS = 4000;
/** How long a segment plays, while nothing plays and so nobody tells: few are longer. */
const UNTOLD_MS = 10_000;

/** Sends nothing by itself. */
export function dispatch(tools: DispatchTools): Dispatch {
  const { platform, directory, settings, rules, account } = tools;
  /** Segments that are waited for. */
  const wanted = new Set<MediaRequest>();
  let wantedAt = -Infinity;
  let lastRequestAt = platform.now();

  return {
    next,
    ended,
    lane,
    serviceUrl,
    service,
    best: () => known().find(({ origin }) => !directory.record(origin).isOut) ?? null,
    lastRequestAt: () => lastRequestAt,
  };

  function next(request: MediaRequest, tries: readonly Try[], signal: AbortSignal): ReturnType<Routes['next']> {
    if (tries.length === 0) {
      lastRequestAt = platform.now();
      if (request.requestType === 'segment') want(request, signal);
      const held = tools.hold(request, signal);
      if (held) return held;
    }
    const edges = ranked(request);
    if (tries.length === 0 && asksOrigin(request, edges)) return lane(request, null, null);
    // what that said of a playlist that edges have counts for nothing
    const isOutOfTurn = tries[0]?.edge === null && isStuck(request, edges);
    const inTurn = isOutOfTurn ? tries.slice(1) : tries;
    const isOriginDown = directory.cooling(nameOf(request, null));
    const stop = nextStop(request, edges, inTurn, isOriginDown) ?? lastResort(request, inTurn);
    return stop && lane(request, stop.edge, null, tries);
  }

  /** Whether each edge's live playlist is behind. */
  function isStuck({ url }: MediaRequest, edges: readonly Edge[]): boolean {
    return edges.length > 0 && edges.every(({ origin }) => account.lag(url, origin) !== null);
  }

  /** Then the playlist's own host may know more: it does when they are old, and is asked by few when all may stand still. */
  function asksOrigin(request: MediaRequest, edges: readonly Edge[]): boolean {
    if (!isStuck(request, edges)) return false;
    const areOld = edges.every(({ origin }) => account.lag(request.url, origin)?.isOld);
    return areOld ? !account.lag(request.url, nameOf(request, null)) : platform.random() < ORIGIN_SHARE;
  }

  function want(request: MediaRequest, signal: AbortSignal): void {
    wanted.add(request);
    signal.addEventListener('abort', () => {
      unwant(request);
    });
  }

  function unwant(request: MediaRequest): void {
    if (wanted.delete(request)) wantedAt = platform.now();
  }

  function ended(...[request, ...rest]: Parameters<Routes['ended']>): void {
    unwant(request);
    account.ended(request, ...rest);
  }

  /** Best first: the chosen, those that ran by their time, the others by rank, those that are silent or behind. */
  function ranked(request: MediaRequest): readonly Edge[] {
    if (account.isOriginOnly(request.requestType)) return [];
    const usable = known().filter(({ origin }) => !directory.record(origin).isOut);
    const isSilent = ({ origin }: Edge): boolean => account.isSilent(origin);
    const ordered = [...usable.filter((edge) => !isSilent(edge)), ...usable.filter(isSilent)];
    const allowed = ordered.filter(rules.mayServe(request));
    const lags = allowed.map((edge) => ({ edge, lag: account.lag(request.url, edge.origin) }));
    const abreast = lags.filter(({ lag }) => !lag);
    // by turns, so that the first that goes on is found; who is known to be old comes last
    const behind = lags.flatMap(({ edge, lag }) => (lag ? [{ edge, ...lag }] : []));
    behind.sort((a, b) => Number(a.isOld) - Number(b.isOld) || a.at - b.at);
    return [...abreast, ...behind].map(({ edge }) => edge);
  }

  function known(): readonly Edge[] {
    const selected = tools.selection();
    const ran = (selected?.probes ?? []).filter(({ outcome }) => outcome === 'ok');
    ran.sort((a, b) => (a.elapsedMs ?? 0) - (b.elapsedMs ?? 0));
    const quick = ran.map(({ edge }) => edge);
    // whom the map names no more comes after all that it names
    const named = quick.filter(({ origin }) => selected?.edges.some((edge) => edge.origin === origin));
    const all = selected ? [selected.chosen, ...named, ...selected.edges, ...quick] : [...tools.leaders()];
    return [...new Map(all.map((edge) => [edge.origin, edge])).values()];
  }

  /** When the origin has failed as well, those that are out, or were not asked, are all there is; then who was but slow. */
  function lastResort(request: MediaRequest, tries: readonly Try[]): { readonly edge: Edge } | null {
    const origin = tries.find(({ edge }) => edge === null);
    if (!origin || tries.some(({ because }) => because === 'late')) return null;
    const isDenied = origin.status >= 400 && !isServersFault(origin.status);
    const untried = known()
      .filter(rules.mayServe(request))
      .find((edge) => !tries.some((one) => one.edge?.origin === edge.origin));
    const edge = (isDenied ? null : untried) ?? quickest(tries)?.edge;
    return edge ? { edge } : null;
  }

  function lane(request: MediaRequest, edge: Edge | null, opened: Lane['opened'], tries: readonly Try[] = []): Lane {
    const name = nameOf(request, edge);
    const isSegment = request.requestType === 'segment';
    return {
      edge,
      opened,
      url: edge ? settings.edgeUrl(request.url, edge) : request.url,
      guarded: edge !== null && rules.isGuarded(request),
      patienceMs: blocking(request, edge ? patienceAt(edge, tries.length > 0) : originPatience(request, tries)),
      checksLength: edge !== null && !account.isEncoded(),
      resumes:
        !account.isEncoded() &&
        tries.every((one) => one.bytes === 0 || !account.areStrangers(nameOf(request, one.edge), name)),
      // while there is another edge, the needed rate takes the place of VHS's fixed limit
      limitMs: isSegment && edge && tools.demand() && alternative(request, edge, tries) ? 0 : request.timeoutMs,
      isTooSlow: slowness(request, edge, tries),
      rateShown: (bytesPerMs) => (isSegment && edge ? withoutDip(bytesPerMs, request, edge) : bytesPerMs),
    };
  }

  function slowness(request: MediaRequest, edge: Edge | null, tries: readonly Try[]): Lane['isTooSlow'] {
    const name = nameOf(request, edge);
    const before = tries.find(({ because }) => because === 'slow');
    let measuredMs = 0;
    return (flow) => {
      // a long body would tell too late that its server has become slow
      if (flow.elapsedMs - measuredMs >= MEASURE_EVERY_MS) {
        if (measuredMs > 0) directory.flowed(name, flow.bytesPerMs * 8000);
        measuredMs = flow.elapsedMs;
      }
      const isSegment = request.requestType === 'segment';
      const demand = isSegment ? tools.demand() : null;
      // what is small and takes this long only drips
      const isDripping = !isSegment && !before && flow.elapsedMs >= SMALL_WITHIN_MS;
      // another is looked for only when one is wanted: this is asked all the time
      if (!isDripping && !(demand && isBehind(flow, demand))) return false;
      const others = [before ? null : alternative(request, edge, tries), afterEdges(request, edge, tries)];
      return others.some((other) => other !== null && (!demand || isTooSlow(flow, demand, other)));
    };
  }

  /** At which requests will flow once this edge is left, in bytes per ms: its dip is nothing that VHS is to thin for. */
  function withoutDip(bytesPerMs: number, request: MediaRequest, edge: Edge): number {
    const usual = (usualRate(directory.record(edge.origin)) ?? 0) / 8000;
    const demand = bytesPerMs < usual ? tools.demand() : null;
    // a dip is for the buffer to bear, while there is one
    if (!demand || demand.bufferMs < demand.segmentMs) return bytesPerMs;
    const other = alternative(request, edge, []);
    return other ? Math.max(bytesPerMs, Math.min(usual, other.bytesPerMs ?? Infinity)) : bytesPerMs;
  }

  /** A stand-by starts before the one before it is given up: what is silent stays open meanwhile. */
  function patienceAt({ origin }: Edge, isStandBy: boolean): number {
    const own = directory.record(origin).firstByteMs;
    // an unknown edge is at least as far away as the nearest
    const others = known().flatMap((edge) => directory.record(edge.origin).firstByteMs ?? []);
    const firstByteMs = own ?? (others.length > 0 ? Math.min(...others) : null);
    return patienceMs({ firstByteMs }, isStandBy ? settings.stallMs / 2 : settings.stallMs);
  }

  /**
   * A blocking request is silent on purpose until the next part is there (RFC 8216bis, section 6.2.5.2): within a target
   * duration, though it may take three. Then others are asked too, and the first answer counts.
   */
  function blocking({ url }: MediaRequest, ownMs: number): number {
    if (!isBlocking({ url })) return ownMs;
    return ownMs > 0 ? (tools.demand()?.targetMs ?? UNTOLD_MS) + ownMs : 0;
  }

  /** Nobody is better than the origin, unless edges may be back, or were not asked yet. */
  function originPatience(request: MediaRequest, tries: readonly Try[]): number {
    if (!account.hasDelivered() || (tries.length === 0 && !known().some(rules.mayServe(request)))) return 0;
    return patienceMs(directory.record(nameOf(request, null)), 2 * settings.stallMs);
  }

  /** The quickest of the edges to which the request could go on; on a slow line none that was never measured. */
  function alternative(request: MediaRequest, edge: Edge | null, tries: readonly Try[]): Alternative | null {
    const isTried = (origin: string): boolean => tries.some((one) => one.edge?.origin === origin);
    const others = ranked(request)
      .filter(({ origin }) => origin !== edge?.origin && !isTried(origin) && !account.isSilent(origin))
      .map(({ origin }) => paceOf(origin))
      .filter(({ bytesPerMs }) => bytesPerMs !== null || !directory.isLineSlow());
    others.sort((a, b) => (b.bytesPerMs ?? Infinity) - (a.bytesPerMs ?? Infinity));
    return others[0] ?? null;
  }

  /** The origin, which tells slow edges from a slow line; once it is tried, whoever was only slow. */
  function afterEdges(request: MediaRequest, edge: Edge | null, tries: readonly Try[]): Alternative | null {
    if (edge !== null && !tries.some((one) => one.edge === null)) {
      const origin = nameOf(request, null);
      return directory.cooling(origin) ? null : paceOf(origin);
    }
    const slow = quickest(tries, edge);
    return slow && { firstByteMs: 0, bytesPerMs: slow.bytes / slow.elapsedMs };
  }

  function paceOf(origin: string): Alternative {
    const { firstByteMs, bitsPerSecond } = directory.record(origin);
    return { firstByteMs: firstByteMs ?? 0, bytesPerMs: bitsPerSecond === null ? null : bitsPerSecond / 8000 };
  }

  function service(): Service | null {
    const selected = tools.selection();
    if (!selected) return null;
    const { origin } = selected.chosen;
    const others = known()
      .filter((edge) => edge.origin !== origin)
      .map((edge) => directory.record(edge.origin))
      .filter(({ isOut }) => !isOut);
    const rates = others.flatMap(({ bitsPerSecond }) => bitsPerSecond ?? []);
    const probe = selected.probes.find(({ edge }) => edge.origin === origin);
    const record = directory.record(origin);
    const { bitsPerSecond, firstByteMs, usualFirstByteMs } = record;
    return {
      edge: origin,
      ...{ firstByteMs, usualFirstByteMs, allSilent: account.isAllSilent() },
      ...{ bitsPerSecond, usualBitsPerSecond: usualRate(record) },
      incidents: account.incidents(origin),
      askedAt: wanted.size > 0 ? platform.now() : wantedAt,
      moveAway: account.movesAway(origin) ?? probe?.capabilities.moveAway === true,
      bestOther: rates.length > 0 ? Math.max(...rates) : null,
      hasUnmeasured: others.length > rates.length,
      lineIsSlow: directory.isLineSlow(),
    };
  }

  function serviceUrl(url: string, { edge, url: at }: Lane, asked: string): string {
    const { origin } = new URL(url);
    // within the edge, or to another of them; a redirect to another host is its word: later requests follow it, as without us
    const by = origin === new URL(at).origin ? edge : known().find((one) => one.origin === origin);
    if (!edge || !by) return url;
    return settings.serviceUrl ? settings.serviceUrl(url, by) : new URL(asked).origin + url.slice(origin.length);
  }
}

/** Of the edges that were left because they were slow, and not asked again since; `but`: not this one. */
function quickest(tries: readonly Try[], but: Edge | null = null): Try | null {
  const timesAsked = ({ origin }: Edge): number => tries.filter(({ edge }) => edge?.origin === origin).length;
  const slow = tries.filter(
    ({ edge, because }) => because === 'slow' && edge && edge.origin !== but?.origin && timesAsked(edge) === 1,
  );
  return slow.sort((a, b) => b.bytes / b.elapsedMs - a.bytes / a.elapsedMs)[0] ?? null;
}
