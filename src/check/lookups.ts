/**
 * Both lookups, by the rooms that a page uses, of every nameserver and every token. In: what to check. Out: who was asked,
 * what came back, and the edges. Never throws: a lookup that fails is a result.
 */
import { EdgeSelectError, isError } from '../errors.js';
import type { Platform } from '../platform.js';
import type { Answer, DnsRecord, Question } from '../resolver.js';
import { dohJson } from '../resolvers/doh-json.js';
import { doh } from '../resolvers/doh.js';
import { servers, type Edge } from '../servers.js';
import { tokenQuestion, tokens, type Token } from '../tokens.js';
import type { Wanted } from './arguments.js';
import { isAnswer, type Exchange, type Seen } from './node/http.js';

/** One question to one nameserver. */
export interface Asked {
  readonly question: Question;
  /** As it was given: a URL or a template. */
  readonly nameserver: string;
  readonly elapsedMs: number;
  /** The HTTP answer, if there was one that could be read. */
  readonly exchange: Exchange | null;
  readonly outcome: Answer | EdgeSelectError;
}

/** A server record that no page would use. */
export interface Refused {
  readonly token: string;
  readonly record: DnsRecord;
}

/** What both lookups found. */
export interface Lookups {
  readonly asked: readonly Asked[];
  readonly tokens: readonly Token[];
  /** Best rank first. */
  readonly edges: readonly Edge[];
  readonly refused: readonly Refused[];
  /** Why there are no tokens, or no edges. */
  readonly failure: EdgeSelectError | null;
}

/** What this room works with. */
export interface LookupTools {
  /** Made anew for each question, and tells of its answer. */
  readonly platform: (seen: (what: Seen) => void) => Platform;
  /** Fires when a player would have given up, or the time of the run is over. */
  readonly patience: (ms: number) => { readonly signal: AbortSignal; readonly done: () => void };
}

/** Asks each nameserver; the first in their order that answers is believed, as by a player. */
export async function lookUpAll({ source, settings, jsonApi }: Wanted, tools: LookupTools): Promise<Lookups> {
  const asked: Asked[] = [];
  const platform = tools.platform(() => undefined);
  const isSecure = platform.secure();
  let found: readonly Token[] = [];
  try {
    const first = await tokens(tokenQuestion(source, settings, platform.randomId()), { ask, random: platform.random });
    found = first.classes.flat();
    // nobody is in cool-down, and yet all are said to be: so the tokens of every class are resolved
    const rules = { secure: isSecure, cooling: () => true };
    const second = await servers(first, source, settings, rules, { ask });
    return { asked, tokens: found, edges: second.edges, refused: await refusedOf(), failure: null };
  } catch (error) {
    return { asked, tokens: found, edges: [], refused: await refusedOf(), failure: ours(error, 'servers') };
  }

  async function ask(question: Question): Promise<Answer> {
    const urls = question.lookup === 'tokens' ? settings.nameserver : settings.secondNameserver;
    const answers = await Promise.all(urls.map((url) => askOne(question, url)));
    asked.push(...answers);
    const best = answers.find(({ outcome }) => !isFailure(outcome)) ?? answers[0];
    if (!best) throw new EdgeSelectError('LOOKUP_UNREACHABLE', { lookup: question.lookup });
    if (isFailure(best.outcome)) throw best.outcome;
    return best.outcome;
  }

  async function askOne(question: Question, nameserver: string): Promise<Asked> {
    let exchange: Exchange | null = null;
    const platform = tools.platform((seen) => {
      exchange = isAnswer(seen) ? seen : null;
    });
    const { signal, done } = tools.patience(settings.lookupTimeoutMs);
    const startedAt = platform.now();
    let outcome: Asked['outcome'];
    try {
      outcome = await (jsonApi ? dohJson(nameserver) : doh(nameserver)).resolve(question, { platform, signal });
    } catch (error) {
      const { lookup } = question;
      outcome = signal.aborted ? new EdgeSelectError('LOOKUP_TIMEOUT', { lookup }, error) : ours(error, lookup);
    }
    done();
    return { question, nameserver, elapsedMs: platform.now() - startedAt, exchange, outcome };
  }

  /** Each record by itself through the same room: what it would not use has no edge. */
  async function refusedOf(): Promise<readonly Refused[]> {
    const refused: Refused[] = [];
    for (const { question, outcome } of asked) {
      if (question.lookup !== 'servers' || isFailure(outcome)) continue;
      for (const record of outcome.records) {
        const alone = { ttlSeconds: 0, classes: [[{ name: question.name, priority: 0, weight: 1 }]] };
        const rules = { secure: isSecure, cooling: () => false };
        const only = (): Promise<Answer> => Promise.resolve({ records: [record], ttlSeconds: 0 });
        await servers(alone, source, settings, rules, { ask: only }).catch(() => {
          refused.push({ token: question.name, record });
        });
      }
    }
    return refused;
  }
}

/** Whether a lookup ended in an error. */
export function isFailure(outcome: Asked['outcome']): outcome is EdgeSelectError {
  return isError(outcome);
}

function ours(error: unknown, lookup: Question['lookup']): EdgeSelectError {
  return isError(error) ? error : new EdgeSelectError('LOOKUP_FAILED', { lookup }, error);
}
