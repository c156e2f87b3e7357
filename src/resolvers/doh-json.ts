/**
 * The JSON form that public resolvers offer (dns.google/resolve, cloudflare-dns.com/dns-query). In: a question. Out: an
 * answer. It has no EDNS options: the client can be identified by a label, by the URL, or by its subnet.
 */
import { parseTemplate } from 'url-template';
import { EdgeSelectError } from '../errors.js';
import type { DnsRecord, RecordType, Resolver } from '../resolver.js';
import { bareName, readAnswer, type Message, type RawRecord } from './answer.js';
import { getMessage } from './https.js';

/** dns.google answers with the second, whatever it is asked for. */
const MEDIA_TYPES = ['application/dns-json', 'application/json'] as const;
/** Record types by their number (RFC 1035, 2782, 3596). */
const TYPES: Readonly<Record<number, RecordType | 'CNAME'>> = { 1: 'A', 5: 'CNAME', 16: 'TXT', 28: 'AAAA', 33: 'SRV' };

interface JsonRecord {
  readonly name: string;
  readonly type: number;
  readonly TTL: number;
  readonly data: string;
}
interface JsonMessage {
  readonly Status: number;
  readonly TC?: boolean;
  readonly Answer?: readonly JsonRecord[];
  readonly Authority?: readonly JsonRecord[];
}

/**
 * @param url  an RFC 6570 template with `name`, `type`, and if wanted `edns_client_subnet` and `id`; or a plain URL
 * @see https://developers.google.com/speed/public-dns/docs/doh/json
 */
export function dohJson(url: string): Resolver {
  const plain = !url.includes('{');
  const more = `{${url.includes('?') ? '&' : '?'}name,type,edns_client_subnet,id}`;
  const template = parseTemplate(plain ? url + more : url);
  return {
    url,
    async resolve(question, tools) {
      const { name, type, client } = question;
      const asked = template.expand({
        name,
        type,
        ...(client?.subnet && { edns_client_subnet: client.subnet }),
        ...(client?.id && client.idAs === 'query' && { id: client.id }),
      });
      const body = await getMessage(asked, MEDIA_TYPES, question.lookup, tools);
      const nameserver = new URL(asked).origin;
      let message: Message;
      try {
        message = readMessage(JSON.parse(new TextDecoder().decode(body)) as JsonMessage);
      } catch (cause) {
        throw new EdgeSelectError('LOOKUP_GARBLED', { lookup: question.lookup, nameserver }, cause);
      }
      return readAnswer(message, question, nameserver);
    },
  };
}

function readMessage({ Status: rcode, TC, Answer = [], Authority = [] }: JsonMessage): Message {
  if (!Number.isInteger(rcode)) throw new Error('no status');
  const soa = Authority.find(({ type }) => type === 6);
  const minimum = Number(soa?.data.split(' ')[6]) || 0;
  return {
    rcode,
    truncated: TC === true,
    answers: Answer.map(rawRecord),
    negativeTtlSeconds: soa ? Math.min(soa.TTL, minimum) : 0,
  };
}

function rawRecord({ name, type, TTL, data }: JsonRecord): RawRecord {
  return { name, ttlSeconds: TTL, data: recordData(TYPES[type], data) };
}

function recordData(type: RecordType | 'CNAME' | undefined, data: string): { alias: string } | DnsRecord | null {
  switch (type) {
    case 'CNAME':
      return { alias: data };
    case 'SRV': {
      const [target = '', ...numbers] = data.split(' ').reverse();
      const [port = NaN, weight = NaN, priority = NaN] = numbers.map(Number);
      if (![port, weight, priority].every(Number.isInteger)) throw new Error('no SRV record');
      return { type, priority, weight, port, target: bareName(target) };
    }
    case 'A':
    case 'AAAA':
      return { type, address: data };
    case 'TXT':
      return { type, text: data.replace(/^"|"$/g, '').replace(/" "/g, '') };
    default:
      return null;
  }
}
