/**
 * The first lookup. In: a source and a way to ask. Out: the tokens that the map gives this client, best class first.
 * Never shows a token to anyone but the caller.
 */
import { draw } from './draw.js';
import { EdgeSelectError } from './errors.js';
import type { Settings } from './options.js';
import type { Answer, Question } from './resolver.js';
import type { EdgeSource } from './source.js';

/** A string that the map gave, to be passed to a second-level nameserver as the name of a question. */
export interface Token {
  readonly name: string;
  /** Lower is better. */
  readonly priority: number;
  readonly weight: number;
}

/** An answer of the map: classes of equal priority, the best first, each in the order of a weighted draw. */
export interface Tokens {
  readonly classes: readonly (readonly Token[])[];
  readonly ttlSeconds: number;
}

/** Asks one question; the directory gives one that knows the cache. */
export type Ask = (question: Question) => Promise<Answer>;

/** Tools of the two lookups. */
export interface LookupTools {
  readonly ask: Ask;
  readonly random: () => number;
}

/** The question of the first lookup, with the client's identity where the settings put it. */
export function tokenQuestion(source: EdgeSource, settings: Settings, pageId: string): Question {
  const { client, tokens: type } = settings;
  const id = client.id === false ? '' : client.id || pageId;
  const asLabel = client.idAs === 'label';
  return {
    lookup: 'tokens',
    type,
    name: (asLabel && id ? `${id}.id.${source.service}` : source.service).toLowerCase(),
    client: {
      idAs: asLabel ? 'edns' : client.idAs,
      ...(id && !asLabel && { id }),
      ...(client.subnet && { subnet: client.subnet }),
    },
  };
}

/**
 * @returns at least one token
 * @throws {EdgeSelectError} `TOKENS_EMPTY`, and the `LOOKUP_` codes
 * @see RFC 2782: a target of `.` means that the service is decidedly not there; the port of a token means nothing
 */
export async function tokens(question: Question, { ask, random }: LookupTools): Promise<Tokens> {
  const { records, ttlSeconds } = await ask(question);
  const found = records.flatMap((record): Token[] => {
    if (record.type === 'SRV') return [{ name: record.target, priority: record.priority, weight: record.weight }];
    return record.type === 'TXT' ? [{ name: record.text.toLowerCase(), priority: 0, weight: 1 }] : [];
  });
  const usable = found.filter(({ name }) => isOwnerName(name));
  if (usable.length === 0) throw new EdgeSelectError('TOKENS_EMPTY', {});
  const priorities = [...new Set(usable.map(({ priority }) => priority))].sort((a, b) => a - b);
  return {
    ttlSeconds,
    classes: priorities.map((priority) => {
      const equals = usable.filter((token) => token.priority === priority);
      return draw(equals, equals.length, random);
    }),
  };
}

/** A name that can be asked for: labels of 1-63 letters, digits, hyphens and underscores, 253 bytes in all. */
function isOwnerName(name: string): boolean {
  return name.length <= 253 && /^[a-z\d_-]{1,63}(\.[a-z\d_-]{1,63})*$/.test(name);
}
