/**
 * From a source to its candidates, and from their race to a choice. In: source, settings, a way to ask. Out: candidates,
 * then a `Selection`. Never touches a player.
 */
import { GAIN } from './edges.js';
import { EdgeSelectError } from './errors.js';
import type { Settings } from './options.js';
import { within, type Platform } from './platform.js';
import type { Method, Probe, RaceRequest } from './probe.js';
import { discovered, servers, type Edge, type EdgeRules } from './servers.js';
import type { EdgeSource, SourceObject } from './source.js';
import { tokenQuestion, tokens, type Ask } from './tokens.js';

/** What both lookups found. */
export interface Candidates {
  /** The names that the map gave, best first. Secret: for the site's own eyes. */
  readonly tokens: readonly string[];
  /** Best rank first. */
  readonly edges: readonly Edge[];
  /** Until then the page asks for nothing new: the lesser TTL within `refreshMinMs` and `refreshMaxMs`; in ms of `now()`. */
  readonly expiresAt: number;
}

/** Why this edge and not another. */
export type Reason = 'quickest' | 'only' | 'stayed' | 'known';

/** The outcome of the method for one source. */
export interface Selection extends Candidates {
  readonly service: string;
  readonly chosen: Edge;
  readonly reason: Reason;
  /** One for each edge that ran; some may be `running` until `edgeselect:raced`. */
  readonly probes: readonly Probe[];
  /** When the race was decided, in ms of `now()`. */
  readonly measuredAt: number;
}

/** Tools of {@link lookUp}. */
export interface SelectionTools extends EdgeRules {
  readonly ask: Ask;
  readonly platform: Platform;
  readonly pageId: string;
  readonly signal: AbortSignal;
}

/** Candidates of `discover` have no TTL of their own; 5 min is what maps of this kind usually give. */
const DISCOVERED_FOR_MS = 300_000;

/**
 * Both lookups, or `discover` in their place.
 *
 * @throws {EdgeSelectError} `TOKENS_EMPTY`, `SERVERS_EMPTY`, and the `LOOKUP_` codes
 */
export async function lookUp(
  source: EdgeSource,
  given: SourceObject,
  settings: Settings,
  tools: SelectionTools,
): Promise<Candidates> {
  const { ask, platform, signal } = tools;
  const { refreshMinMs, refreshMaxMs } = settings;
  // who plays goes on with it for so long, and who comes next knows it for as long
  const after = (ms: number): number => platform.now() + Math.min(Math.max(ms, refreshMinMs), refreshMaxMs);
  if (settings.discover) {
    let named;
    try {
      named = await within(platform, settings.lookupTimeoutMs, settings.discover(given, { signal }));
    } catch (cause) {
      throw new EdgeSelectError('LOOKUP_FAILED', { lookup: 'servers' }, cause);
    }
    if (!named) throw new EdgeSelectError('LOOKUP_TIMEOUT', { lookup: 'servers' });
    return {
      tokens: [],
      edges: discovered(named, settings, tools),
      expiresAt: after(DISCOVERED_FOR_MS),
    };
  }
  const question = tokenQuestion(source, settings, tools.pageId);
  const first = await tokens(question, { ask, random: platform.random });
  const second = await servers(first, source, settings, tools, { ask });
  return {
    tokens: first.classes.flat().map(({ name }) => name),
    edges: second.edges,
    expiresAt: after(Math.min(first.ttlSeconds, second.ttlSeconds) * 1000),
  };
}

/**
 * @param winner   of the race
 * @param current  the edge in use: it stays unless the winner is quicker by a quarter
 */
export function choose(
  service: string,
  candidates: Candidates,
  probes: readonly Probe[],
  winner: Edge,
  current: Edge | null,
  now: number,
): Selection {
  const timeOf = (edge: Edge): number | null => {
    const probe = probes.find((one) => one.edge.origin === edge.origin && one.outcome === 'ok');
    return probe && !probe.capabilities.moveAway ? (probe.requestMs ?? probe.elapsedMs) : null;
  };
  const currentMs = current && timeOf(current);
  const stays = current !== null && currentMs !== null && currentMs <= (timeOf(winner) ?? 0) * GAIN;
  const moved = current !== null && current.origin !== winner.origin;
  return {
    ...candidates,
    service,
    probes,
    chosen: stays && moved ? current : winner,
    reason: stays && moved ? 'stayed' : candidates.edges.length === 1 ? 'only' : 'quickest',
    measuredAt: now,
  };
}

/** The method of a race; `isPlaylist`: a playlist or MPD is asked for, and may be by GET. */
export function raceMethod(
  preflight: Settings['preflight'],
  { url, opaque }: Pick<RaceRequest, 'url' | 'opaque'>,
  isPlaylist: boolean,
): Method {
  // without CORS a browser sends no OPTIONS
  if (preflight === 'HEAD' || preflight === 'OPTIONS') return opaque ? 'HEAD' : preflight;
  // a URL with a query may be signed, open an ad session, or work once
  return isPlaylist && (preflight === 'GET' || !url.includes('?')) ? 'GET' : 'HEAD';
}

/** What a race without a winner means. */
export function raceError(probes: readonly Probe[]): EdgeSelectError {
  const edges = probes.map(({ edge, outcome, status }) => ({
    origin: edge.origin,
    outcome,
    ...(status !== null && { status }),
  }));
  const all = (outcome: Probe['outcome']): boolean =>
    probes.length > 0 && probes.every((one) => one.outcome === outcome);
  if (all('unreadable')) return new EdgeSelectError('EDGES_UNREADABLE', { edges });
  if (all('blocked')) return new EdgeSelectError('EDGES_BLOCKED', { edges });
  return new EdgeSelectError('EDGES_FAILED', { edges });
}
