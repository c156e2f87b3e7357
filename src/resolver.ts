/**
 * The plug: one DNS question in, its records with their time to live out. A resolver knows nothing of tokens, edges or
 * players; it asks each time it is called and never caches.
 */
import type { Lookup } from './errors.js';
import type { Platform } from './platform.js';

/** The types of record that the method asks for. */
export type RecordType = 'SRV' | 'TXT' | 'A' | 'AAAA';

/** Who asks: sent with the first lookup only. */
export interface ClientIdentity {
  /** Already in the name when it is sent as a label; then it is not here. */
  readonly id?: string;
  readonly idAs: 'edns' | 'query';
  /** CIDR, at most /24 or /56 (RFC 7871, section 11.1). */
  readonly subnet?: string;
}

/** One question. */
export interface Question {
  /** The step of the method that asks; errors name it. */
  readonly lookup: Lookup;
  /** Absolute, without the last dot, in lower case. */
  readonly name: string;
  readonly type: RecordType;
  readonly client?: ClientIdentity;
}

/** A service location (RFC 2782); `target` is in lower case, without the last dot, and empty for `.`. */
export interface SrvRecord {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}
/** An address, as text. */
export interface AddressRecord {
  readonly type: 'A' | 'AAAA';
  readonly address: string;
}
/** A text, its character-strings joined. */
export interface TextRecord {
  readonly type: 'TXT';
  readonly text: string;
}
/** One record of an answer. */
export type DnsRecord = SrvRecord | AddressRecord | TextRecord;

/** A positive answer: one record or more, all of the type asked for, aliases already followed. */
export interface Answer {
  readonly records: readonly DnsRecord[];
  /** The least of the chain of aliases and the records, in seconds, as the nameserver gave it. */
  readonly ttlSeconds: number;
}

/** What a resolver may use; a resolver of the site needs the signal alone. */
export interface ResolverTools {
  readonly signal: AbortSignal;
  readonly platform: Platform;
}

/** Whatever can answer a question. */
export interface Resolver {
  /**
   * @throws {EdgeSelectError} with one of the `LOOKUP_` codes; anything else thrown becomes `LOOKUP_FAILED`
   */
  resolve(question: Question, tools: ResolverTools): Promise<Answer>;
  /** The nameserver's URL where there is one: names it in events and in the memory of failures. */
  readonly url?: string;
}
