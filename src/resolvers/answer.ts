/**
 * What all resolvers share: from the sections of a DNS answer to the records that were asked for.
 * In: decoded sections. Out: an `Answer`, or the error that its RCODE and its emptiness mean. Pure.
 */
import { EdgeSelectError } from '../errors.js';
import type { Answer, DnsRecord, Question } from '../resolver.js';

/** A limit against answers that are made to cost: more records than this are not read. */
const MAX_RECORDS = 64;

/** A record before it is known to belong to the question. */
export interface RawRecord {
  readonly name: string;
  readonly ttlSeconds: number;
  /** The target of a CNAME, a usable record, or null for any other type. */
  readonly data: { readonly alias: string } | DnsRecord | null;
}

/** A message, so far as it matters. */
export interface Message {
  readonly rcode: number;
  readonly truncated: boolean;
  readonly answers: readonly RawRecord[];
  /** From the SOA record of a negative answer: the lesser of its own TTL and MINIMUM (RFC 2308, section 5). */
  readonly negativeTtlSeconds: number;
}

/**
 * @throws {EdgeSelectError} `LOOKUP_NXDOMAIN`, `LOOKUP_NODATA`, `LOOKUP_SERVFAIL`, `LOOKUP_RCODE`, `LOOKUP_TRUNCATED`
 * @see RFC 1034, section 3.6.2 (aliases); RFC 2308, section 2
 */
export function readAnswer(message: Message, question: Question, nameserver: string): Answer {
  const where = { lookup: question.lookup, nameserver };
  if (message.truncated) throw new EdgeSelectError('LOOKUP_TRUNCATED', where);
  if (message.rcode === 2) throw new EdgeSelectError('LOOKUP_SERVFAIL', where);
  if (message.rcode === 3) {
    throw new EdgeSelectError('LOOKUP_NXDOMAIN', { ...where, ttlSeconds: message.negativeTtlSeconds });
  }
  if (message.rcode !== 0) throw new EdgeSelectError('LOOKUP_RCODE', { ...where, rcode: message.rcode });

  const answers = message.answers.slice(0, MAX_RECORDS);
  let owner = question.name;
  let ttlSeconds = Infinity;
  const followed = new Set<RawRecord>(); // so that aliases in a circle end
  for (;;) {
    const alias = answers.find(
      (record) => sameName(record.name, owner) && !followed.has(record) && isAlias(record.data),
    );
    if (!alias || !isAlias(alias.data)) break;
    followed.add(alias);
    owner = alias.data.alias;
    ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds);
  }
  const records: DnsRecord[] = [];
  for (const { name, ttlSeconds: ttl, data } of answers) {
    if (data === null || isAlias(data) || data.type !== question.type || !sameName(name, owner)) continue;
    records.push(data);
    ttlSeconds = Math.min(ttlSeconds, ttl);
  }
  if (records.length === 0) {
    throw new EdgeSelectError('LOOKUP_NODATA', { ...where, ttlSeconds: message.negativeTtlSeconds });
  }
  return { records, ttlSeconds };
}

/** A name as it is compared: without the last dot, in lower case (RFC 1035, section 2.3.3). */
export function bareName(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}

function isAlias(data: RawRecord['data']): data is { readonly alias: string } {
  return data !== null && 'alias' in data;
}

function sameName(a: string, b: string): boolean {
  return bareName(a) === bareName(b);
}
