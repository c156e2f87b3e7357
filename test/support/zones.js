/** What a nameserver knows: which records a name has, and for whom. */
import net from 'node:net';
import { DescriptionError } from './description.js';
import { parseSubnet } from './dns-message.js';

const LONGEST_ALIAS_CHAIN = 8;
const DEFAULT_TTL_SECONDS = 10;

/** @typedef {import('./dns-message.js').Subnet} Subnet */
/** @typedef {import('./description.js').RecordDescription} RecordDescription */

/**
 * @typedef {object} ZoneRecord
 * @property {string} type
 * @property {number} ttl seconds
 * @property {unknown} data as dns-packet has it
 * @property {string | null} id whom it is for, in lower case
 * @property {Subnet | null} subnet whom it is for
 *
 * @typedef {object} Client
 * @property {string | null} id
 * @property {Subnet | null} subnet
 *
 * @typedef {object} Found
 * @property {'NOERROR' | 'NXDOMAIN'} rcode
 * @property {import('dns-packet').Answer[]} answers
 * @property {boolean} negative the name, or the end of its aliases, has no such record
 * @property {number} scopePrefixLength for how much of the client's address the answer holds
 */

export class Zones {
  /** By name in lower case. @type {Map<string, ZoneRecord[]>} */
  #records = new Map();

  /**
   * @param {Record<string, RecordDescription[]>} zones
   * @param {(edgeName: string) => {host: string, port: number}} addressOfEdge
   */
  constructor(zones, addressOfEdge) {
    for (const [name, records] of Object.entries(zones)) {
      this.#records.set(
        canonical(name),
        records.map((record) => readRecord(record, addressOfEdge)),
      );
    }
  }

  /**
   * Splits leftmost labels `<id>.id.` off a name whose rest is known here.
   *
   * @param {string} name
   * @returns {{owner: string, id: string | null}}
   */
  identify(name) {
    const owner = canonical(name);
    const rest = /^(.+?)\.id\.(.+)$/.exec(owner);
    if (this.#records.has(owner) || !rest?.[1] || !rest[2] || !this.#records.has(rest[2])) return { owner, id: null };
    return { owner: rest[2], id: rest[1] };
  }

  /**
   * @param {object} question
   * @param {string} question.name as it was asked: the first record found is said to be its
   * @param {string} question.owner the name to look up
   * @param {string} question.type
   * @param {Client} client
   * @returns {Found}
   */
  lookUp({ name, owner, type }, client) {
    /** @type {Found} */
    const found = { rcode: 'NOERROR', answers: [], negative: false, scopePrefixLength: 0 };
    let asked = name;
    let looked = owner;
    for (let aliases = 0; aliases < LONGEST_ALIAS_CHAIN; aliases++) {
      const records = this.#records.get(canonical(looked));
      if (!records) return { ...found, rcode: 'NXDOMAIN', negative: true };
      const candidates = records.filter((record) => record.type === type || record.type === 'CNAME');
      found.scopePrefixLength = Math.max(found.scopePrefixLength, scopeOf(candidates, client));
      const chosen = mostSpecific(candidates, client);
      if (chosen.length === 0) return { ...found, negative: true };
      for (const { type, ttl, data } of chosen) found.answers.push({ name: asked, type, ttl, data });
      const alias = chosen.find((record) => record.type === 'CNAME');
      if (!alias || type === 'CNAME') return found;
      asked = looked = String(alias.data);
    }
    return found;
  }
}

/** @param {string} name */
function canonical(name) {
  return name.toLowerCase().replace(/\.$/, '');
}

/**
 * @param {RecordDescription} record
 * @param {(edgeName: string) => {host: string, port: number}} addressOfEdge
 * @returns {ZoneRecord}
 */
function readRecord(record, addressOfEdge) {
  const { type, ttl = DEFAULT_TTL_SECONDS, for: audience } = record;
  return {
    ...{ type, ttl, data: readData(record, addressOfEdge) },
    id: audience?.id?.toLowerCase() ?? null,
    subnet: audience?.subnet === undefined ? null : readSubnet(audience.subnet),
  };
}

/** @param {string} text */
function readSubnet(text) {
  try {
    return parseSubnet(text);
  } catch (error) {
    throw new DescriptionError(/** @type {Error} */ (error).message);
  }
}

/**
 * @param {RecordDescription} record
 * @param {(edgeName: string) => {host: string, port: number}} addressOfEdge
 */
function readData({ type, priority = 0, weight = 0, port, target, address, text }, addressOfEdge) {
  switch (type) {
    case 'SRV': {
      const edge = target?.startsWith('edge:') ? addressOfEdge(target.slice('edge:'.length)) : null;
      return { priority, weight, port: port ?? edge?.port ?? 0, target: edge?.host ?? needed(type, 'target', target) };
    }
    case 'CNAME':
      return needed(type, 'target', target);
    case 'TXT':
      return needed(type, 'text', text);
    default:
      return needed(type, 'address', address);
  }
}

/**
 * @param {string} type
 * @param {string} field
 * @param {string | undefined} value
 */
function needed(type, field, value) {
  if (value === undefined) throw new DescriptionError(`a record of type ${type} needs "${field}"`);
  return value;
}

/**
 * The records for exactly this client, or for its closest subnet, or else for everybody.
 *
 * @param {ZoneRecord[]} candidates
 * @param {Client} client
 */
function mostSpecific(candidates, client) {
  const matching = candidates.filter(
    ({ id, subnet }) =>
      (id === null || id === client.id?.toLowerCase()) && (subnet === null || contains(subnet, client.subnet)),
  );
  const closest = Math.max(...matching.map(specificity));
  return matching.filter((record) => specificity(record) === closest);
}

/** @param {ZoneRecord} record */
function specificity({ id, subnet }) {
  // an id outweighs the longest prefix
  return (id === null ? 0 : 1000) + (subnet === null ? 0 : 1 + subnet.prefixLength);
}

/**
 * @param {Subnet} subnet
 * @param {Subnet | null} client
 */
function contains(subnet, client) {
  if (!client || client.family !== subnet.family || client.prefixLength < subnet.prefixLength) return false;
  const list = new net.BlockList();
  list.addSubnet(subnet.address, subnet.prefixLength, subnet.family);
  return list.check(client.address, client.family);
}

/**
 * How many bits of the client's subnet decided: an answer for everybody holds for this client's subnet
 * alone as soon as others get another one (RFC 7871, section 7.2.1).
 *
 * @param {ZoneRecord[]} candidates
 * @param {Client} client
 */
function scopeOf(candidates, client) {
  if (!client.subnet || candidates.every(({ subnet }) => subnet === null)) return 0;
  const lengths = candidates.flatMap(({ subnet }) =>
    subnet && contains(subnet, client.subnet) ? [subnet.prefixLength] : [],
  );
  return lengths.length > 0 ? Math.max(...lengths) : client.subnet.prefixLength;
}
