/// <reference path="./dns-packet.d.ts" />
/** DNS questions and answers in their two forms: messages (RFC 1035, 6891, 7871) and JSON as dns.google has it. */
import { isIP } from 'node:net';
import dnsPacket from 'dns-packet';
import recordTypes from 'dns-packet/types.js';

/** Of the range for local use; carries the client's id as it is, in UTF-8. */
const ID_OPTION = 65001;
const CLIENT_SUBNET_OPTION = 8;
const TC_FLAG = dnsPacket.TRUNCATED_RESPONSE;
const RCODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

/**
 * @typedef {object} Subnet
 * @property {'ipv4' | 'ipv6'} family
 * @property {string} address
 * @property {number} prefixLength
 *
 * @typedef {object} Query
 * @property {string} name as it was asked
 * @property {string} type
 * @property {string} class
 * @property {number} messageId
 * @property {boolean} recursionDesired
 * @property {boolean} hasEdns
 * @property {string | null} ednsId
 * @property {Subnet | null} subnet
 * @property {Buffer | null} clientSubnet the option's data
 *
 * @typedef {object} Reply
 * @property {keyof typeof RCODES} rcode
 * @property {import('dns-packet').Answer[]} answers
 * @property {import('dns-packet').Answer[]} authorities
 * @property {number | null} scopePrefixLength of the EDNS Client Subnet; null leaves it out
 * @property {boolean} truncated
 */

/**
 * @param {Uint8Array} bytes
 * @returns {Query}
 * @throws when they are not one question
 */
export function decodeQuery(bytes) {
  const message = dnsPacket.decode(bytes);
  const [question] = message.questions;
  if (message.type !== 'query' || !question || message.questions.length > 1) throw new Error('not one question');
  const edns = message.additionals.find((record) => record.type === 'OPT');
  const options = edns && 'options' in edns ? edns.options : [];
  const idOption = options.find(({ code }) => code === ID_OPTION);
  const subnetOption = options.find(({ code }) => code === CLIENT_SUBNET_OPTION);
  return {
    name: question.name,
    type: question.type,
    class: question.class ?? 'IN',
    messageId: message.id,
    recursionDesired: message.flag_rd,
    hasEdns: edns !== undefined,
    ednsId: idOption ? idOption.data.toString('utf8') : null,
    subnet: subnetOption ? readClientSubnet(subnetOption) : null,
    clientSubnet: subnetOption?.data ?? null,
  };
}

/**
 * @param {import('dns-packet').EdnsOption} option
 * @returns {Subnet}
 */
function readClientSubnet({ family, ip = '', sourcePrefixLength = 0 }) {
  if (family !== 1 && family !== 2) throw new Error(`no such address family as ${family}`);
  return { family: family === 1 ? 'ipv4' : 'ipv6', address: ip, prefixLength: sourcePrefixLength };
}

/**
 * @param {URLSearchParams} parameters `name`, `type` (default A), `edns_client_subnet`
 * @returns {Query}
 * @throws when the subnet is none
 */
export function readJsonQuery(parameters) {
  const type = parameters.get('type') ?? 'A';
  const subnet = parameters.get('edns_client_subnet');
  return {
    name: (parameters.get('name') ?? '').replace(/\.$/, ''),
    type: /^\d+$/.test(type) ? recordTypes.toString(Number(type)) : type.toUpperCase(),
    ...{ class: 'IN', messageId: 0, recursionDesired: true, hasEdns: false, ednsId: null, clientSubnet: null },
    subnet: subnet ? parseSubnet(subnet) : null,
  };
}

/**
 * @param {string} text `198.51.100.0/24`; without a length, the whole address
 * @returns {Subnet}
 * @throws when it is not a subnet
 */
export function parseSubnet(text) {
  const [address = '', length] = text.split('/');
  const addressBits = isIP(address) === 6 ? 128 : 32;
  const prefixLength = Number(length ?? addressBits);
  if (isIP(address) === 0 || !(prefixLength >= 0 && prefixLength <= addressBits)) {
    throw new Error(`"${text}" is not a subnet`);
  }
  return { family: addressBits === 128 ? 'ipv6' : 'ipv4', address, prefixLength };
}

/**
 * @param {Query} query
 * @param {Reply} reply
 * @returns {Buffer}
 */
export function encodeReply(query, reply) {
  const recursion = query.recursionDesired ? dnsPacket.RECURSION_DESIRED : 0;
  const truncation = reply.truncated ? TC_FLAG : 0;
  return dnsPacket.encode({
    id: query.messageId,
    type: 'response',
    flags: dnsPacket.AUTHORITATIVE_ANSWER | recursion | truncation | RCODES[reply.rcode],
    questions: [{ name: query.name, type: query.type, class: query.class }],
    answers: reply.answers,
    authorities: reply.authorities,
    additionals: query.hasEdns
      ? [{ name: '.', type: 'OPT', udpPayloadSize: 1232, options: ednsOptions(query, reply) }]
      : [],
  });
}

/**
 * @param {Query} query
 * @param {Reply} reply
 * @returns {import('dns-packet').EdnsOption[]}
 */
function ednsOptions({ clientSubnet }, { scopePrefixLength }) {
  if (!clientSubnet || scopePrefixLength === null) return [];
  const data = Buffer.from(clientSubnet);
  data[3] = scopePrefixLength;
  return [{ code: CLIENT_SUBNET_OPTION, data }];
}

/**
 * A message that is well up to its one answer, whose name is a compression pointer to itself.
 *
 * @param {Query} query
 * @returns {Buffer}
 */
export function encodePointerLoop(query) {
  const empty = encodeReply(
    { ...query, hasEdns: false },
    { rcode: 'NOERROR', answers: [], authorities: [], scopePrefixLength: null, truncated: false },
  );
  const answer = Buffer.alloc(12);
  answer.writeUInt16BE(0xc000 | empty.length, 0);
  answer.writeUInt16BE(recordTypes.toType(query.type), 2);
  answer.writeUInt16BE(1, 4); // class IN; time to live and length of data stay 0
  empty.writeUInt16BE(1, 6); // number of answers
  return Buffer.concat([empty, answer]);
}

/**
 * @param {Query} query
 * @param {Reply} reply
 * @returns {object}
 */
export function replyAsJson(query, reply) {
  const { subnet } = query;
  return {
    Status: RCODES[reply.rcode],
    ...{ TC: reply.truncated, RD: true, RA: false, AD: false, CD: false },
    Question: [{ name: `${query.name}.`, type: recordTypes.toType(query.type) }],
    ...(reply.answers.length > 0 && { Answer: reply.answers.map(recordAsJson) }),
    ...(reply.authorities.length > 0 && { Authority: reply.authorities.map(recordAsJson) }),
    ...(subnet &&
      reply.scopePrefixLength !== null && { edns_client_subnet: `${subnet.address}/${reply.scopePrefixLength}` }),
  };
}

/** @param {import('dns-packet').Answer} record */
function recordAsJson({ name, type, ttl, data }) {
  return { name: `${name}.`, type: recordTypes.toType(type), TTL: ttl, data: dataAsText(type, data) };
}

/**
 * @param {string} type
 * @param {any} data
 * @returns {string}
 */
function dataAsText(type, data) {
  switch (type) {
    case 'SRV':
      return `${data.priority} ${data.weight} ${data.port} ${absolute(data.target)}`;
    case 'CNAME':
      return absolute(data);
    case 'SOA':
      return [
        ...[absolute(data.mname), absolute(data.rname)],
        ...[data.serial, data.refresh, data.retry, data.expire, data.minimum],
      ].join(' ');
    default:
      return data;
  }
}

/** @param {string} name */
function absolute(name) {
  return name.endsWith('.') ? name : `${name}.`;
}
