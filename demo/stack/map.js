/**
 * The operator's map: what map.json may say, and the zone records that come of it. In: JSON, and what was learned from
 * reports. Out: zone text. Pure.
 */
import { BlockList, isIP } from 'node:net';

/**
 * @typedef {readonly [priority: number, weight: number, token: string]} Entry
 * @typedef {{network: string, answer: readonly Entry[]}} Row the first row that holds a client counts
 *
 * @typedef {object} Token
 * @property {string} address of its health check, and of the plugin's `servers: { type: 'A' }`
 * @property {readonly string[]} servers origins, such as `https://edge1.example:8443`
 *
 * @typedef {object} OperatorMap
 * @property {string} service the zone of the service, such as `video.example`
 * @property {number} ttlSeconds
 * @property {string} witness address that answers health checks as long as the map itself is well
 * @property {Readonly<Record<string, Token>>} tokens by label
 * @property {readonly Row[]} rows
 * @property {readonly Row[]} trial the rows of clients on trial
 *
 * @typedef {{at: number, factors: Readonly<Record<string, number>>}} Lesson when (epoch ms), and by what each token's
 *   weight is multiplied
 * @typedef {Readonly<Record<string, Lesson>>} Learned by network: a /24 or a /48
 */

const LARGEST_WEIGHT = 65_535;
const LABEL = /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/;
const NAME = /^[a-z\d_-]{1,63}(\.[a-z\d_-]{1,63})*$/;

/**
 * @param {string} text JSON
 * @returns {OperatorMap}
 * @throws {Error} that says what is wrong: what is written into a zone is checked here, and only here
 */
export function readMap(text) {
  const map = JSON.parse(text);
  const { service, ttlSeconds, witness, tokens, rows, trial } = map;
  check(NAME.test(service), 'service', service);
  check(isWhole(ttlSeconds, 1, 86_400), 'ttlSeconds', ttlSeconds);
  check(isIP(witness) > 0, 'witness', witness);
  for (const [label, { address, servers }] of Object.entries(tokens)) {
    check(LABEL.test(label), 'tokens', label);
    check(isIP(address) > 0, `tokens.${label}.address`, address);
    check(Array.isArray(servers) && servers.every(isOrigin), `tokens.${label}.servers`, servers);
  }
  for (const [where, some] of Object.entries({ rows, trial })) {
    for (const { network, answer } of some) {
      check(isNetwork(network), where, network);
      for (const entry of answer) {
        const [priority, weight, token] = entry;
        const passes = isWhole(priority, 0, 65_535) && isWhole(weight, 0, LARGEST_WEIGHT);
        check(entry.length === 3 && passes && Object.hasOwn(tokens, token), `${where}: ${network}`, entry);
      }
    }
  }
  return map;
}

/**
 * @param {boolean} passes
 * @param {string} where
 * @param {unknown} value
 */
function check(passes, where, value) {
  if (!passes) throw new Error(`map.json, ${where}: ${JSON.stringify(value)} cannot be`);
}

/** @param {unknown} value @param {number} min @param {number} max */
function isWhole(value, min, max) {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}

/** @param {unknown} value */
function isOrigin(value) {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value;
}

/** @param {string} network */
function isNetwork(network) {
  const [address = '', length = ''] = String(network).split('/');
  return isIP(address) > 0 && /^\d{1,3}$/.test(length) && Number(length) <= (isIP(address) === 6 ? 128 : 32);
}

/**
 * @param {string} address
 * @returns {{network: string, household: string} | null} the /24 or /48 by which lessons are kept, and what counts as one
 *   sender: an IPv4 address, or a /64; null: not an address
 */
export function placeOf(address) {
  // what a server that listens on both families sees of an IPv4 client
  const [, mapped = address] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (isIP(mapped) === 4) return { network: mapped.replace(/\.\d+$/, '.0/24'), household: mapped };
  if (isIP(address) !== 6 || /[.%]/.test(address)) return null;
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array(zeros).fill('0'), ...last].map((group) => parseInt(group, 16).toString(16));
  return { network: `${groups.slice(0, 3).join(':')}::/48`, household: groups.slice(0, 4).join(':') };
}

/**
 * The operator's own answer for a network.
 *
 * @param {OperatorMap} map
 * @param {string} network
 * @returns {readonly Entry[]}
 */
export function answerFor({ rows }, network) {
  const [address = ''] = network.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const found = rows.find((row) => {
    const [start = '', length] = row.network.split('/');
    if ((isIP(start) === 6) !== (family === 'ipv6')) return false;
    const list = new BlockList();
    list.addSubnet(start, Number(length), family);
    return list.check(address, family);
  });
  return found?.answer ?? [];
}

/**
 * @param {OperatorMap} map
 * @param {Learned} learned
 * @param {number} serial
 * @returns {string} rows.zone
 */
export function rowsZone(map, learned, serial) {
  const { service, ttlSeconds, witness, tokens, rows, trial } = map;
  const addresses = Object.entries(tokens).map(([label, { address }]) => `['${label}']='${address}',`);
  const lessons = Object.entries(learned).flatMap(([network, { factors }]) => {
    const answer = answerFor(map, network).map(
      ([priority, weight, token]) => /** @type {const} */ ([priority, weighted(weight, factors[token]), token]),
    );
    return answer.length > 0 ? [record(ownerOf(network), ['row={', ...answer.map(luaEntry), '}'])] : [];
  });
  return [
    '; Written by demo/stack/feed.js from map.json and what it learned: not to be changed by hand.',
    // the last number is for how long "there is no such name" is remembered (RFC 2308)
    `@ ${ttlSeconds} IN SOA ns.${service}. hostmaster.${service}. ${serial} 3600 600 604800 60`,
    record('rows', [
      `witness='${witness}'`,
      ...['address={', ...addresses, '}'],
      ...['rows={', ...rows.flatMap(luaRow), '}'],
      ...['trialrows={', ...trial.flatMap(luaRow), '}'],
    ]),
    ...lessons,
    '',
  ].join('\n');
}

/** @param {number} weight @param {number | undefined} factor */
function weighted(weight, factor = 1) {
  // 0 is the operator's own word, that nobody is to be sent there
  return weight === 0 ? 0 : Math.min(LARGEST_WEIGHT, Math.max(1, Math.round(weight * factor)));
}

/** As map.zone's network() makes it. @param {string} network */
function ownerOf(network) {
  const [address = ''] = network.split('/');
  if (isIP(address) === 4) return `${address.split('.').slice(0, 3).join('-')}.v4`;
  const groups = address.split(':').slice(0, 3);
  return `${groups.map((group) => group.padStart(4, '0')).join('')}.v6`;
}

/** @param {Row} row */
function luaRow({ network, answer }) {
  return [`{'${network}',{`, ...answer.map(luaEntry), '}},'];
}

/** @param {Entry} entry */
function luaEntry([priority, weight, token]) {
  return `{${priority},${weight},'${token}'},`;
}

/**
 * Each part a string of its own, far below 255 bytes.
 *
 * @param {string} owner
 * @param {readonly string[]} parts
 */
function record(owner, parts) {
  return `${owner} IN LUA LUA (\n${parts.map((part) => `  "${part} "`).join('\n')} )`;
}

/**
 * @param {OperatorMap} map
 * @returns {string} what follows the head of token.zone
 */
export function tokenRecords({ tokens }) {
  return Object.entries(tokens)
    .flatMap(([label, { address, servers }]) => [
      ...servers.map((server) => {
        const { protocol, hostname, port } = new URL(server);
        const [owner, usual] = protocol === 'https:' ? [label, 443] : [`${label}.plain`, 80];
        return `${owner} IN SRV 10 100 ${port || usual} ${hostname}.`;
      }),
      `${label} IN ${isIP(address) === 6 ? 'AAAA' : 'A'} ${address}`,
      '',
    ])
    .join('\n');
}
