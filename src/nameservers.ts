/**
 * Several nameservers as one. In: a question and servers, best first. Out: the first answer.
 * Remembers who failed, for all players of the page and for the pages after it in the same tab.
 */
import { EdgeSelectError, isError } from './errors.js';
import type { Platform } from './platform.js';
import type { Answer, Question, Resolver } from './resolver.js';

/** Passed over for 60 s after a failure, doubling to 10 min: as resolvers do with servers that do not answer. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 600_000;
const MEMORY_KEY = 'edge-select:nameservers';

/** Who failed, and until when (wall clock) it is passed over. */
type Memory = Readonly<Record<string, { readonly until: number; readonly failures: number }>>;

/** The page's memory of nameservers. */
export interface NameserverHealth {
  passedOver(url: string | undefined): boolean;
  failed(url: string | undefined): void;
  answered(url: string | undefined): void;
}

/** Reads the memory anew each time: other frames of the tab write it too. */
export function nameserverHealth(platform: Platform): NameserverHealth {
  // storage may be forbidden: what this page saw is kept here as well
  let memory: Memory = {};
  const read = (): Memory => {
    try {
      return { ...memory, ...(JSON.parse(platform.recall(MEMORY_KEY) ?? '{}') as Memory | null) };
    } catch {
      return memory;
    }
  };
  const change = (url: string, entry: Memory[string] | undefined): void => {
    const others = Object.entries(read()).filter(([name]) => name !== url);
    memory = Object.fromEntries(entry ? [...others, [url, entry]] : others);
    platform.store(MEMORY_KEY, JSON.stringify(memory));
  };
  const passedOver = (url: string | undefined): boolean => {
    if (url === undefined) return false;
    const leftMs = (read()[url]?.until ?? 0) - platform.wallClock();
    // more is left only where the clock was put back since
    return leftMs > 0 && leftMs <= LONGEST_PAUSE_MS;
  };
  return {
    passedOver,
    failed(url) {
      // what everybody fails at is nobody's fault; who is passed over was asked before that: it is the same failure
      if (url === undefined || !platform.online() || passedOver(url)) return;
      const failures = (read()[url]?.failures ?? 0) + 1;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
      change(url, { failures, until: platform.wallClock() + pauseMs });
    },
    answered(url) {
      if (url !== undefined && read()[url]) change(url, undefined);
    },
  };
}

/** What {@link askInTurn} works with. */
export interface AskTools {
  readonly platform: Platform;
  readonly health: NameserverHealth;
  /** Head start of a nameserver over the next. */
  readonly staggerMs: number;
  /** Bounds the wait: then those who have not answered have failed, and are listened to for as long again. */
  readonly timeoutMs: number;
  /** Is given the answer even if it comes after the time-out: it serves those who ask later. */
  readonly keep: (answer: Answer) => void;
}

/**
 * Asks the first server; the next starts when one before it fails, or after `staggerMs`. The first answer counts, and
 * "there is no such name" is one. Who is overtaken, or gives no DNS message at all, is passed over by later questions.
 *
 * @throws {EdgeSelectError} what the last server to fail said; `LOOKUP_TIMEOUT`; `LOOKUP_UNREACHABLE` when all of them
 *         are passed over
 * @see RFC 8305, section 5
 */
export function askInTurn(
  question: Question,
  resolvers: readonly Resolver[],
  { platform, health, staggerMs, timeoutMs, keep }: AskTools,
): Promise<Answer> {
  const { lookup } = question;
  const waiting = resolvers.filter(({ url }) => !health.passedOver(url));
  if (waiting.length === 0) return Promise.reject(new EdgeSelectError('LOOKUP_UNREACHABLE', { lookup }));

  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const asked = new Set<Resolver>();
    let cancelStagger = (): void => undefined;
    let cancelTimeout = platform.after(timeoutMs, () => {
      for (const { url } of asked) health.failed(url);
      cancelStagger();
      waiting.length = 0;
      reject(new EdgeSelectError('LOOKUP_TIMEOUT', { lookup }));
      cancelTimeout = platform.after(timeoutMs, settle);
    });
    startNext();

    function settle(): void {
      cancelStagger();
      cancelTimeout();
      asked.clear();
      waiting.length = 0;
      abort.abort();
    }

    function startNext(): void {
      cancelStagger();
      const resolver = waiting.shift();
      if (!resolver) return;
      asked.add(resolver);
      if (waiting.length > 0) cancelStagger = platform.after(staggerMs, startNext);
      askOne(resolver).then(
        (answer) => {
          if (!asked.has(resolver)) return;
          for (const before of asked) {
            if (before === resolver || staggerMs === 0) break;
            health.failed(before.url); // overtaken in spite of its head start
          }
          health.answered(resolver.url);
          keep(answer);
          resolve(answer);
          settle();
        },
        (reason: unknown) => {
          if (asked.delete(resolver)) lost(resolver, reason);
        },
      );
    }

    /** A resolver of the site may throw before it gives a promise. */
    async function askOne(resolver: Resolver): Promise<Answer> {
      return resolver.resolve(question, { platform, signal: abort.signal });
    }

    function lost(resolver: Resolver, reason: unknown): void {
      const error =
        reason instanceof EdgeSelectError ? reason : new EdgeSelectError('LOOKUP_FAILED', { lookup }, reason);
      const negative = isError(error, 'LOOKUP_NXDOMAIN', 'LOOKUP_NODATA');
      // a DNS message, however bad, is about this question: the server is there for others (RFC 2308, section 7)
      if (!negative && !isError(error, 'LOOKUP_SERVFAIL', 'LOOKUP_RCODE', 'LOOKUP_TRUNCATED')) {
        health.failed(resolver.url);
      }
      if (negative || (asked.size === 0 && waiting.length === 0)) {
        reject(error);
        settle();
      } else startNext();
    }
  });
}
