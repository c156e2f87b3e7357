/**
 * DNS queries over HTTPS. In: a question. Out: the answer of one nameserver.
 * Never sends more than the question and, in the first lookup, what identifies the client.
 */
import { decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE } from '@dnsquery/dns-packet';
import { encode as encodeIp } from '@leichtgewicht/ip-codec';
import { parseTemplate } from 'url-template';
import { EdgeSelectError } from '../errors.js';
import type { Answer, ClientIdentity, DnsRecord, Question, Resolver } from '../resolver.js';
import { bareName, readAnswer, type Message, type RawRecord } from './answer.js';
import { getMessage } from './https.js';

/** Local use (RFC 6891, section 9): whoever does not know the option ignores it. */
const CLIENT_ID_OPTION = 65_001;
const CLIENT_SUBNET_OPTION = 8;
/** Up to its length: the root, type 41, 4096 bytes of UDP, no extended RCODE, version 0, no flags (RFC 6891, section 6.1). */
const OPT = [0, 0, 41, 16, 0, 0, 0, 0, 0];
/** Where the header counts additional records, low byte (RFC 1035, section 4.1.1). */
const ARCOUNT = 11;
const MEDIA_TYPE = 'application/dns-message';

type Packet = ReturnType<typeof decode>;

/**
 * @param url  an RFC 6570 template with `dns`, and `id` where the client is to be named in the URL
 *             (`https://map.example/dns-query{?dns,id}`), or a plain URL, which gets `{?dns,id}` appended
 * @see RFC 8484
 */
export function doh(url: string): Resolver {
  const plain = !url.includes('{');
  const template = parseTemplate(plain ? `${url}{${url.includes('?') ? '&' : '?'}dns,id}` : url);
  return {
    url,
    async resolve(question, tools) {
      const { client } = question;
      const asked = template.expand({
        dns: base64Url(encodeQuery(question)),
        ...(client?.id && client.idAs === 'query' && { id: client.id }),
      });
      const body = await getMessage(asked, [MEDIA_TYPE], question.lookup, tools);
      return decodeAnswer(body, question, new URL(asked).origin);
    },
  };
}

/**
 * A query with id 0, as RFC 8484 wants it for the sake of caches, and with recursion desired.
 *
 * The OPT record is written here: the library (6.1.1) writes options that it does not know as zeros, and does not cut an
 * address within a byte.
 */
export function encodeQuery({ name, type, client }: Question): Uint8Array {
  const message = encode({ type: 'query', id: 0, flags: RECURSION_DESIRED, questions: [{ type, name }] });
  const options = [
    ...(client?.subnet ? option(CLIENT_SUBNET_OPTION, subnetData(client.subnet)) : []),
    ...(client?.id && client.idAs === 'edns' ? option(CLIENT_ID_OPTION, new TextEncoder().encode(client.id)) : []),
  ];
  if (options.length === 0) return message;
  message[ARCOUNT] = 1;
  return Uint8Array.from([...message, ...OPT, ...uint16(options.length), ...options]);
}

/** RFC 6891, section 6.1.2. */
function option(code: number, data: Uint8Array): number[] {
  return [...uint16(code), ...uint16(data.length), ...data];
}

/** Family, source and scope prefix, and no more of the address than the prefix (RFC 7871, section 6). */
function subnetData(subnet: NonNullable<ClientIdentity['subnet']>): Uint8Array {
  const [ip = '', text] = subnet.split('/');
  const prefix = Number(text);
  const within = encodeIp(ip).slice(0, Math.ceil(prefix / 8));
  const address = Array.from(within, (byte, i) => byte & (0xff00 >> Math.min(prefix - 8 * i, 8)));
  return Uint8Array.from([...uint16(ip.includes(':') ? 2 : 1), prefix, 0, ...address]);
}

function uint16(value: number): number[] {
  return [value >> 8, value & 255];
}

/**
 * @throws {EdgeSelectError} `LOOKUP_GARBLED`, and those of {@link readAnswer}
 */
export function decodeAnswer(bytes: Uint8Array, question: Question, nameserver: string): Answer {
  let message: Message;
  try {
    const packet = decode(bytes);
    const asked = packet.questions?.[0];
    if (packet.type !== 'response' || (asked && bareName(asked.name) !== question.name)) throw new Error('no answer');
    const soa = packet.authorities?.find((record) => record.type === 'SOA');
    message = {
      rcode: (bytes[3] ?? 0) & 15, // the library gives the name of the RCODE alone
      truncated: ((packet.flags ?? 0) & TRUNCATED_RESPONSE) !== 0,
      answers: (packet.answers ?? []).map(rawRecord),
      negativeTtlSeconds: soa ? Math.min(soa.ttl ?? 0, soa.data.minimum ?? 0) : 0,
    };
  } catch (cause) {
    throw new EdgeSelectError('LOOKUP_GARBLED', { lookup: question.lookup, nameserver }, cause);
  }
  return readAnswer(message, question, nameserver);
}

function rawRecord(answer: NonNullable<Packet['answers']>[number]): RawRecord {
  let data: RawRecord['data'] = null;
  switch (answer.type) {
    case 'CNAME':
      data = { alias: answer.data };
      break;
    case 'SRV': {
      const { priority = 0, weight = 0, port = 0, target } = answer.data;
      data = { type: 'SRV', priority, weight, port, target: bareName(target) };
      break;
    }
    case 'A':
    case 'AAAA':
      data = { type: answer.type, address: answer.data };
      break;
    case 'TXT':
      data = textRecord(answer.data);
      break;
    default: // none that is asked for
  }
  return { name: answer.name, ttlSeconds: answer.ttl ?? 0, data };
}

function textRecord(data: unknown): DnsRecord {
  const strings = (Array.isArray(data) ? data : [data]) as (string | Uint8Array)[];
  return {
    type: 'TXT',
    text: strings.map((part) => (typeof part === 'string' ? part : new TextDecoder().decode(part))).join(''),
  };
}

/** RFC 4648, section 5, without padding, as RFC 8484 asks. */
function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=/g, '');
}
