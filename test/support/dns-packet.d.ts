// The part of dns-packet that is used here; the package has no types of its own.

declare module 'dns-packet' {
  export interface Question {
    name: string;
    type: string;
    class?: string;
  }
  export interface EdnsOption {
    code: number;
    data: Buffer;
    // of option 8, EDNS Client Subnet
    family?: number;
    sourcePrefixLength?: number;
    ip?: string;
  }
  export interface Opt {
    name: '.';
    type: 'OPT';
    udpPayloadSize?: number;
    options: EdnsOption[];
  }
  export interface Answer {
    name: string;
    type: string;
    ttl?: number;
    data: unknown;
  }
  export interface Message {
    id?: number;
    type?: 'query' | 'response';
    flags?: number;
    questions?: Question[];
    answers?: Answer[];
    authorities?: Answer[];
    additionals?: (Answer | Opt)[];
  }
  export interface DecodedMessage extends Required<Message> {
    flag_tc: boolean;
    flag_aa: boolean;
    flag_rd: boolean;
    rcode: string;
  }
  const dnsPacket: {
    encode(message: Message): Buffer;
    decode(bytes: Uint8Array): DecodedMessage;
    AUTHORITATIVE_ANSWER: number;
    TRUNCATED_RESPONSE: number;
    RECURSION_DESIRED: number;
  };
  export default dnsPacket;
}

declare module 'dns-packet/types.js' {
  const types: { toType(name: string): number; toString(type: number): string };
  export default types;
}
