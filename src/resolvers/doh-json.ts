/**
 * The JSON form that public resolvers offer (dns.google/resolve, cloudflare-dns.com/dns-query). In: a question. Out: an
 * answer. It has no EDNS options: the client can be identified by a label, by the URL, or by its subnet.
 */
import { parseTemplate } from 'url-template';
import { EdgeSelectError } from '../errors.js';
import type { DnsRecord, RecordType, Resolver } from '../resolver.js';
import { bareName, readAnswer, type RawRecord } from './answer.js';
import { getMessage } from './https.js';

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
  const template = parseTemplate(plain ? `${url}{?name,type,edns_client_subnet,id}` : url);
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
      const body = await getMessage(asked, 'application/dns-json', question.lookup, tools);
      const nameserver = new URL(asked).origin;
      let message: JsonMessage;
      let answers: RawRecord[];
      try {
        message = JSON.parse(new TextDecoder().decode(body)) as JsonMessage;
        answers = (message.Answer ?? []).map(rawRecord);
      } catch (cause) {
        throw new EdgeSelectError('LOOKUP_GARBLED', { lookup: question.lookup, nameserver }, cause);
      }
      const soa = message.Authority?.find((record) => record.type === 6);
      const minimum = Number(soa?.data.split(' ')[6]) || 0;
      return readAnswer(
        {
          rcode: message.Status,
          truncated: message.TC === true,
          answers,
          negativeTtlSeconds: soa ? Math.min(soa.TTL, minimum) : 0,
        },
        question,
        nameserver,
      );
    },
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
      const [priority, weight, port, target = ''] = data.split(' ');
      return {
        type,
        priority: Number(priority),
        weight: Number(weight),
        port: Number(port),
        target: bareName(target),
      };
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
