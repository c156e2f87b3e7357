/** DNS messages by another hand than ours: `dns-packet` writes the answers and reads the queries. */
import { Buffer } from 'buffer';
import dnsPacket, { type Answer, type DecodedMessage, type Message } from 'dns-packet';

const RECURSION_AVAILABLE = 0x80;

/** The bytes of a response; `question` is the one it repeats. */
export function reply(
  question: { readonly name: string; readonly type: string },
  { rcode = 0, truncated = false, ...sections }: Message & { rcode?: number; truncated?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const message = dnsPacket.encode({
    type: 'response',
    id: 0,
    flags: RECURSION_AVAILABLE | rcode | (truncated ? dnsPacket.TRUNCATED_RESPONSE : 0),
    questions: [{ name: question.name, type: question.type }],
    ...sections,
  });
  return new Uint8Array(message);
}

/** An SOA record for the authority section of a negative answer. */
export function soa(ttl: number, minimum: number): Answer {
  const data = {
    mname: 'ns.example',
    rname: 'hostmaster.example',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum,
  };
  return { name: 'video.example', type: 'SOA', ttl, data };
}

/** Reads a query as another implementation does. */
export function readQuery(bytes: Uint8Array): DecodedMessage {
  return dnsPacket.decode(Buffer.from(bytes));
}

/** The bytes of RFC 4648 section 5 base64. */
export function fromBase64Url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
}

/** Bytes given as hexadecimal, with text in quotes: `03 'www' 00`. */
export function bytes(written: string): Uint8Array<ArrayBuffer> {
  const parts = written.match(/'[^']*'|[\da-f]{2}/gi) ?? [];
  return Uint8Array.from(
    parts.flatMap((part) =>
      part.startsWith("'") ? Array.from(part.slice(1, -1), (char) => char.charCodeAt(0)) : [parseInt(part, 16)],
    ),
  );
}
