/**
 * What is learnt from how requests went. In: their ends. Out: events; who is silent, who has failed. One decider: whoever
 * sees a failure, it is charged here, and to nobody when nobody delivers.
 */
import type { Directory } from './directory.js';
import { failed as coolDown, GAIN, isCooling, UNKNOWN, type EdgeRecord } from './edges.js';
import type { FailureKind, Tell } from './events.js';
import type { Platform } from './platform.js';
import type { Edge } from './servers.js';
import type { Lane, Outcome, Parked } from './transport/attempt.js';
import type { Routes } from './transport/deliver.js';
import { isOverdue, newerOf, type LivePlaylist } from './transport/playlist.js';
import {
  blames,
  isBlocking,
  isDenial,
  isForbidden,
  nameOf,
  withoutDirectives,
  type MediaRequest,
  type Try,
} from './transport/route.js';

/** What the account asks of its surroundings. */
export interface AccountTools {
  readonly platform: Platform;
  readonly directory: Directory;
  readonly tell: Tell;
  /** The edge in use. */
  readonly chosen: () => Edge | null;
  /** It was charged with a failure. */
  readonly onLost: (edge: Edge, because: string) => void;
}

/** What one edge did for one source. */
export interface Seen {
  readonly bytes: number;
  readonly requests: number;
  readonly failures: number;
  readonly bitsPerSecond: number | null;
}

/** The account of one source. */
export interface Account extends Pick<Routes, 'ended' | 'prove' | 'differs' | 'newest' | 'again'> {
  /** An edge that may only have been cut off: charged when somebody else delivers. */
  readonly suspect: (edge: Edge) => void;
  /** It is the edge's fault. */
  charge(edge: Edge, because: FailureKind): void;
  /** What was denied to edges may be asked of them again: they are others. */
  forgiveDenials(): void;
  seen(origin: string): Seen;
  /** How often it failed: what several requests see together is one failure. */
  incidents(origin: string): number;
  /** Whether it says nothing at the moment. */
  isSilent(origin: string): boolean;
  /** Whether nobody says anything at the moment. */
  isAllSilent(): boolean;
  /** Whether anybody ever delivered anything. */
  hasDelivered(): boolean;
  /** Whether lengths here are those of encoded bodies: nothing is short by them. */
  isEncoded(): boolean;
  /** Whether it asked its clients to move away when it answered last; null: it has not answered yet. */
  movesAway(origin: string): boolean | null;
  /** Whether two servers are known to have different files of the same names. */
  areStrangers(a: string, b: string): boolean;
  /** Whether what it gave last of this live playlist was behind, not long ago. */
  lag(url: string, origin: string): Lag | null;
  /** Whether only the origin may answer requests of this type: for a while, and until the next selection at most. */
  isOriginOnly(requestType: string): boolean;
  dispose(): void;
}

/** How the live playlist of a server was behind. */
export interface Lag {
  /** It was older than that of another; else it had not moved for too long, which may be so everywhere. */
  readonly isOld: boolean;
  /** When, in ms of `now()`. */
  readonly at: number;
}

/** What a silent server has to say it in, while another delivers: several round trips of a phone. */
const PROOF_MS = 250;
/** All are asked again after this when nobody delivers: quick enough for a tunnel, slow enough for a phone's battery. */
const AGAIN_MS = 500;
/** Requests that fail within this time see the same thing: a line may be silent for 2 s. */
const TOGETHER_MS = 3000;
/** More than a source plays side by side, and those that it has just left. */
const MOST_PLAYLISTS = 16;
/** A server with an old playlist is asked for it again after this; of several one at a time. */
const OLD_MS = 30_000;
/** Where one stood still, this long after somebody's moved: the encoder may have paused. */
const STILL_MS = 5000;
/** Servers times playlists. */
const MOST_LAGS = 128;
const NOTHING = { bytes: 0, requests: 0, failures: 0 };

/** Empty. */
export function account({ platform, directory, tell, chosen, onLost }: AccountTools): Account {
  /** Types of request that only the origin may answer for a while, as edges deny them. */
  const originOnly = new Map<string, EdgeRecord>();
  /** What only the origin had last, by edge and type of request: nothing of that type has come from there since. */
  const lacking = new Set<string>();
  /** Edges that did not answer when nobody did; charged once somebody else delivers. */
  const suspects = new Set<Edge>();
  /** Origins that are silent at the moment. */
  const silent = new Set<string>();
  /** Pairs of servers whose files are not the same. */
  const strangers = new Set<string>();
  /** Live playlists by URL, those that came last at the end. */
  const playlists = new Map<string, LivePlaylist>();
  /** Live playlists that are behind, by URL and server; others are asked until then. */
  const lags = new Map<string, Lag & { readonly text: string; readonly movedAt: number; readonly until: number }>();
  /** Whether a server asked its clients to move away when it answered last. */
  const moving = new Map<string, boolean>();
  const ledger = new Map<string, typeof NOTHING>();
  const failed = new Map<string, { readonly times: number; readonly at: number }>();
  const proofs = new Set<() => void>();
  /** Lengths here are those of encoded bodies: nothing is short by them. */
  let isEncoded = false;
  let hasDelivered = false;
  let allSilent = false;
  let isDisposed = false;

  return {
    ended,
    prove,
    differs,
    newest,
    again,
    charge,
    seen,
    incidents: (origin) => failed.get(origin)?.times ?? 0,
    suspect: (edge) => suspects.add(edge),
    forgiveDenials() {
      originOnly.clear();
      lacking.clear();
    },
    isSilent: (origin) => silent.has(origin),
    isAllSilent: () => allSilent,
    hasDelivered: () => hasDelivered,
    isEncoded: () => isEncoded,
    lag(asked, origin) {
      const url = withoutReport(asked);
      const lag = lags.get(`${url} ${origin}`);
      if (!lag) return null;
      const isStill = !lag.isOld && playlists.get(url)?.movedAt === lag.movedAt;
      return isStill || lag.until > platform.now() ? lag : null;
    },
    movesAway: (origin) => moving.get(origin) ?? null,
    areStrangers: (a, b) => strangers.has(pairOf(a, b)),
    isOriginOnly: (requestType) => isCooling(originOnly.get(requestType) ?? UNKNOWN, platform.now()),
    dispose() {
      isDisposed = true;
      for (const end of [...proofs]) end();
    },
  };

  function ended(request: MediaRequest, tries: readonly Try[], to: Lane | null, outcome: Outcome): void {
    if (isDisposed) return;
    allSilent = !to && outcome.kind === 'failed' && outcome.status === 0;
    if (!to || outcome.kind !== 'delivered') {
      // when nobody delivers it is the viewer's line
      for (const one of tries) if (one.edge && blames(one)) charge(one.edge, one.because);
      suspects.clear();
      silent.clear();
      return;
    }
    hasDelivered = true;
    // who holds a request until there is something new is not silent
    const isHolding = ({ because }: Try): boolean => because === 'silent' && isBlocking(request);
    // nor is anybody to blame for what the origin itself has not
    const isGone = ({ because }: Try): boolean => because === 'notmedia' && !outcome.isMedia;
    // and one file that only the origin has says nothing of an edge that gives others
    const isLacking = (one: Try): boolean => !to.edge && isDenial(one);
    const lackOf = ({ edge }: Pick<Try, 'edge'>): string => `${nameOf(request, edge)} ${request.requestType}`;
    const lacks = (one: Try): boolean => lacking.has(lackOf(one));
    const judged = tries.filter((one) => !isHolding(one) && !isGone(one) && (!isLacking(one) || lacks(one)));
    for (const one of judged) {
      if (one.edge) judge(one.edge, one, outcome, request.binary);
      else directory.failed(nameOf(request, null));
    }
    // an answer of one of them shows that it was the line
    const isLine = [...suspects].some(({ origin }) => origin === to.edge?.origin);
    for (const edge of suspects) if (!isLine) charge(edge, 'silent');
    suspects.clear();
    const { bytes, firstByteMs, elapsedMs } = outcome;
    const { url, requestType } = request;
    const name = nameOf(request, to.edge);
    silent.delete(name);
    const { isOut, failedAt } = directory.record(name);
    // what was under way already when it had to go says nothing new of it
    if (!isOut || failedAt <= platform.now() - elapsedMs)
      directory.answered(name, isBlocking(request) ? null : firstByteMs);
    directory.delivered(name, bytes, elapsedMs);
    note(name, bytes);
    moving.set(name, outcome.moveAway);
    const forbidden = to.edge ? [] : tries.filter(isForbidden);
    if (forbidden.length > 0 && forbidden.every(lacks)) keepAtOrigin(requestType);
    if (to.edge) originOnly.delete(requestType);
    lacking.delete(lackOf(to));
    for (const one of tries.filter(isLacking)) lacking.add(lackOf(one));
    for (const [i, { edge, because, status }] of tries.entries()) {
      const next = nameOf(request, (tries[i + 1] ?? to).edge);
      tell({ type: 'edgeselect:failedover', url, from: nameOf(request, edge), to: next, because, status });
    }
    tell({ type: 'edgeselect:served', url, edge: name, requestType, bytes, firstByteMs, elapsedMs });
    for (const one of judged) if (one.edge) lose(one.edge, one.because);
  }

  /** Edges lack what requests of this type need, and so will they for the next: they are tried again now and then. */
  function keepAtOrigin(requestType: string): void {
    const before = originOnly.get(requestType);
    originOnly.set(requestType, coolDown(before ?? UNKNOWN, platform.now(), platform.random()));
    if (before) return;
    tell({ type: 'edgeselect:warned', text: `edges deny '${requestType}', the origin does not: it serves these` });
  }

  function judge(edge: Edge, one: Try, by: Extract<Outcome, { kind: 'delivered' }>, isBinary: boolean): void {
    note(edge.origin, one.bytes, 1);
    const { times, at } = failed.get(edge.origin) ?? { times: 0, at: -Infinity };
    const failedAt = platform.now() - by.elapsedMs;
    if (failedAt - at >= TOGETHER_MS) failed.set(edge.origin, { times: times + 1, at: failedAt });
    const { because } = one;
    // as many bytes as the next server gave, and fewer than announced
    if (because === 'short' && isBinary && one.bytes > 0 && one.bytes === by.bytes) isEncoded = true;
    else if (because === 'silent' || because === 'stalled') silent.add(edge.origin);
    else if (because === 'slow') {
      const gain = by.bytes / by.elapsedMs / (one.bytes / one.elapsedMs);
      if (gain >= GAIN) directory.failed(edge.origin);
      else directory.lineSeemsSlow();
    } else if (blames(one) || because !== 'status') directory.failed(edge.origin);
  }

  function note(origin: string, bytes: number, failures = 0): void {
    const before = ledger.get(origin) ?? NOTHING;
    ledger.set(origin, {
      bytes: before.bytes + bytes,
      requests: before.requests + 1,
      failures: before.failures + failures,
    });
  }

  function seen(origin: string): Seen {
    return { ...(ledger.get(origin) ?? NOTHING), bitsPerSecond: directory.record(origin).bitsPerSecond };
  }

  function charge(edge: Edge, because: FailureKind): void {
    directory.failed(edge.origin);
    lose(edge, because);
  }

  function lose(edge: Edge, because: FailureKind): void {
    if (chosen()?.origin === edge.origin && directory.record(edge.origin).isOut) onLost(edge, because);
  }

  /** Another has delivered: who says nothing even now is deaf, and not cut off together with all others. */
  function prove(parked: ReadonlyMap<Try, Parked>): void {
    const end = (): void => {
      cancel();
      proofs.delete(end);
      for (const [{ edge, because }, { spoke, abort }] of parked) {
        abort();
        if (!edge || isDisposed) continue;
        silent.delete(edge.origin);
        if (!spoke()) charge(edge, because);
      }
    };
    const cancel = platform.after(PROOF_MS, end);
    proofs.add(end);
    if (isDisposed) end();
  }

  function differs(tries: readonly Try[], to: Lane): void {
    const name = new URL(to.url).origin;
    for (const { edge, bytes } of tries)
      if (bytes > 0 && edge) strangers.add(pairOf(edge.origin, to.edge?.origin ?? name));
  }

  /** Who answers a blocking request has what was asked for (RFC 8216bis, section 6.2.5.2). */
  function newest(asked: string, text: string, name: string): string {
    if (isBlocking({ url: asked })) return text;
    const url = withoutReport(asked);
    const now = platform.now();
    const key = `${url} ${name}`;
    const seen = playlists.get(url);
    // what it still has is of no encoder that began anew
    const newer = seen && lags.get(key)?.text === text ? seen : newerOf(seen, text, now);
    if (newer) {
      put(playlists, url, newer, MOST_PLAYLISTS);
      lags.delete(key);
      const isOld = newer.text !== text;
      if (isOld || isOverdue(newer, now)) {
        const others = [...lags].filter(([other, lag]) => lag.isOld && other.startsWith(`${url} `));
        const until = now + (isOld ? OLD_MS * (1 + others.length) : STILL_MS);
        put(lags, key, { isOld, at: now, text, movedAt: newer.movedAt, until }, MOST_LAGS);
      }
    }
    return newer?.text ?? text;
  }

  function again(leftMs: number): number | null {
    return hasDelivered && !isDisposed && leftMs > 0 ? Math.min(AGAIN_MS, leftMs) : null;
  }
}

/** The oldest make room: a query may name the rendition, or differ each time so that no cache answers. */
function put<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) if (map.size > most) map.delete(oldest);
}

/** What a request tells of the player is another thing each time (CTA-5004), and none of the playlist. */
function withoutReport(url: string): string {
  return withoutDirectives(url, 'CMCD=');
}

function pairOf(a: string, b: string): string {
  return [a, b].sort().join(' ');
}
