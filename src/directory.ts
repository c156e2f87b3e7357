/**
 * What all players of a page share: answers, questions under way, what was seen of edges and nameservers, selections.
 * In: questions and outcomes. Out: the same for everybody. Made once a page; keeps no player.
 */
import { answered, delivered, failed, flowed, isCooling, UNKNOWN, type EdgeRecord } from './edges.js';
import { isError } from './errors.js';
import { askInTurn, nameserverHealth } from './nameservers.js';
import type { Settings } from './options.js';
import type { Platform } from './platform.js';
import type { Answer, Question, Resolver } from './resolver.js';
import { doh } from './resolvers/doh.js';
import type { Selection, SelectionTools } from './selection.js';
import type { EdgeSource } from './source.js';

/** TTLs outside these bounds cost too many queries, or hold on to a map that has long moved. */
const MIN_TTL_SECONDS = 5;
const MAX_TTL_SECONDS = 3600;

/** A failure is told to all who ask for the same source: `src()`, and the search that follows it some tasks later. */
const FAILED_FOR_MS = 1000;

/** For so long nobody leaves an edge because the stream is thin, once that was seen not to help; then twice as long. */
const SLOW_LINE_MS = 600_000;
const LONGEST_SLOW_LINE_MS = 3_600_000;

/** A selection older than this is measured again behind the back of whoever is given it. */
const FRESH_MS = 10_000;

/** An outcome of a question, positive or negative. */
interface Entry {
  readonly outcome: Promise<Answer>;
  /** ms of `now()`; Infinity while the question is under way. */
  expiresAt: number;
}

/** The page's shared knowledge. */
export interface Directory {
  /** Answers from the cache, joins a question under way, or asks. */
  ask(question: Question, settings: Settings): Promise<Answer>;
  /** What `lookUp` works with here; `isOut`: edges that count as cooling besides. */
  lookUpTools(settings: Settings, signal: AbortSignal, isOut?: (origin: string) => boolean): SelectionTools;
  /** The id of this page load, for clients that give none of their own. */
  readonly pageId: string;
  /** What was seen of an edge. */
  record(origin: string): EdgeRecord;
  /** Whether not even a race is to ask the edge. */
  cooling: (origin: string) => boolean;
  answered(origin: string, firstByteMs: number | null): void;
  delivered(origin: string, bytes: number, elapsedMs: number): void;
  flowed(origin: string, bitsPerSecond: number): void;
  failed(origin: string): void;
  /** Edges that a probe is asking whether they are back: one for the whole page. */
  readonly onTrial: Set<string>;
  /** Leaving a slow edge gained too little: it is the viewer's own line. */
  lineSeemsSlow(): void;
  isLineSlow(): boolean;
  /** A selection that whoever has it goes on with, for this service and these settings. */
  known(key: string): Selection | null;
  keep(key: string, selection: Selection): void;
  /** Whether what is known was measured a while ago; whoever is told so races again, for the whole page. */
  claimRace(key: string): boolean;
  /** Origins of edges that take no reports. */
  readonly silenced: Set<string>;
  /** Keys of searches whose lookups were longer than a request could be held: the next source does not wait for them. */
  readonly waitedInVain: Set<string>;
  /** What makes two searches the same. */
  key(source: EdgeSource, settings: Settings): string;
}

/** An empty one; what `platform` recalls of nameservers is in it. */
export function directory(platform: Platform): Directory {
  const health = nameserverHealth(platform);
  const entries = new Map<string, Entry>();
  const resolvers = new Map<string, Resolver>();
  const names = new WeakMap<object, number>();
  const edges = new Map<string, EdgeRecord>();
  /** When somebody claimed a race, by the key of the search. */
  const racedAt = new Map<string, number>();
  const selections = new Map<string, Selection>();
  const pageId = platform.randomId();
  let named = 0;
  let slowLineUntil = 0;
  let slowLineMs = SLOW_LINE_MS / 2;

  const record = (origin: string): EdgeRecord => edges.get(origin) ?? UNKNOWN;
  const byUrl = (url: string): Resolver => {
    const resolver = resolvers.get(url) ?? doh(url);
    resolvers.set(url, resolver);
    return resolver;
  };
  /** Functions and objects of the site have no text of their own. */
  const nameOf = (thing: object | null): number => {
    if (!thing) return 0;
    const name = names.get(thing) ?? (named += 1);
    names.set(thing, name);
    return name;
  };

  const cooling = (origin: string): boolean => isCooling(record(origin), platform.now());
  const own: Directory = {
    lookUpTools(settings, signal, isOut = () => false) {
      return {
        ask: (question) => own.ask(question, settings),
        cooling: (origin) => isOut(origin) || cooling(origin),
        ...{ platform, pageId, signal, secure: platform.secure() },
      };
    },
    pageId,
    silenced: new Set(),
    waitedInVain: new Set(),
    ask(question, settings) {
      const urls = question.lookup === 'tokens' ? settings.nameserver : settings.secondNameserver;
      const key = JSON.stringify([settings.resolver ? nameOf(settings.resolver) : urls, question]);
      const entry = entries.get(key);
      const now = platform.now();
      if (entry && entry.expiresAt > now) return withTimeLeft(entry);
      // a map may give other tokens each time
      for (const [other, { expiresAt }] of entries) if (expiresAt <= now) entries.delete(other);
      // whoever asks again after `refreshMaxMs` is to hear the map, and not the page's memory of it
      const ttlOf = (answer: Answer): number => withinBounds(Math.min(answer.ttlSeconds, settings.refreshMaxMs / 1000));
      const fresh: Entry = {
        expiresAt: Infinity,
        outcome: askInTurn(question, settings.resolver ? [settings.resolver] : urls.map(byUrl), {
          platform,
          health,
          staggerMs: settings.lookupStaggerMs,
          timeoutMs: settings.lookupTimeoutMs,
          keep: (answer) => {
            entries.set(key, { outcome: Promise.resolve(answer), expiresAt: expiry(ttlOf(answer)) });
          },
        }).then((answer) => ({ ...answer, ttlSeconds: ttlOf(answer) })),
      };
      entries.set(key, fresh);
      fresh.outcome.catch((error: unknown) => {
        const negative = isError(error, 'LOOKUP_NXDOMAIN', 'LOOKUP_NODATA');
        fresh.expiresAt = negative ? expiry(error.details.ttlSeconds) : platform.now() + FAILED_FOR_MS;
      });
      return fresh.outcome;
    },
    record,
    onTrial: new Set(),
    cooling,
    answered(origin, firstByteMs) {
      edges.set(origin, answered(record(origin), firstByteMs));
    },
    delivered(origin, bytes, elapsedMs) {
      edges.set(origin, delivered(record(origin), bytes, elapsedMs));
    },
    flowed(origin, bitsPerSecond) {
      edges.set(origin, flowed(record(origin), bitsPerSecond));
    },
    failed(origin) {
      edges.set(origin, failed(record(origin), platform.now(), platform.random()));
    },
    lineSeemsSlow() {
      if (slowLineUntil > platform.now()) return;
      slowLineMs = Math.min(2 * slowLineMs, LONGEST_SLOW_LINE_MS);
      slowLineUntil = platform.now() + slowLineMs;
    },
    isLineSlow: () => slowLineUntil > platform.now(),
    known(key) {
      const selection = selections.get(key);
      if (!selection || selection.expiresAt <= platform.now()) return null;
      return record(selection.chosen.origin).isOut ? null : selection;
    },
    keep(key, selection) {
      selections.set(key, selection);
    },
    claimRace(key) {
      const now = platform.now();
      const lastAt = Math.max(selections.get(key)?.measuredAt ?? now, racedAt.get(key) ?? -Infinity);
      if (now - lastAt <= FRESH_MS) return false;
      racedAt.set(key, now);
      return true;
    },
    key: (source, { nameserver, secondNameserver, client, tokens, servers, allowedHosts, resolver, discover }) =>
      JSON.stringify([
        source.service,
        source.scheme,
        [nameserver, secondNameserver, client, tokens, servers, allowedHosts],
        nameOf(resolver),
        nameOf(discover),
        // it is told the source, not the service: another source may have other edges
        discover && source.src,
      ]),
  };
  return own;

  function expiry(ttlSeconds: number): number {
    return platform.now() + withinBounds(ttlSeconds) * 1000;
  }

  async function withTimeLeft(entry: Entry): Promise<Answer> {
    const answer = await entry.outcome;
    if (entry.expiresAt === Infinity) return answer; // negative, or only now on its way into the cache
    return { ...answer, ttlSeconds: (entry.expiresAt - platform.now()) / 1000 };
  }
}

function withinBounds(ttlSeconds: number): number {
  return Math.min(Math.max(ttlSeconds, MIN_TTL_SECONDS), MAX_TTL_SECONDS);
}
