/** A DoH nameserver (RFC 8484), with the JSON form at the same path, and its ways to fail. */
import { decodeQuery, encodePointerLoop, encodeReply, readJsonQuery, replyAsJson } from './dns-message.js';
import { CAPTIVE_PAGE } from './exchange.js';
import { PretendServer } from './server.js';
import { pause } from './shape.js';
import { Zones } from './zones.js';

const PATH = '/dns-query';
const MESSAGE_TYPE = 'application/dns-message';
const JSON_TYPE = 'application/dns-json';
const SLOW_BYTE_MS = 200;
const GARBAGE = Buffer.from('garbage where a DNS message should be: \u2623\u2623\u2623');

/** @typedef {import('./description.js').NameserverDescription} NameserverDescription */
/** @typedef {import('./dns-message.js').Query} Query */
/** @typedef {import('./dns-message.js').Reply} Reply */
/** @typedef {import('./exchange.js').Exchange} Exchange */

/**
 * @typedef {object} Asked
 * @property {string} owner the name to look up, without the client's id
 * @property {import('./zones.js').Client & {idFrom: 'edns' | 'label' | 'url' | null}} client
 */

/** What a client did wrong, with the status that says so. */
class BadRequest extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Nameserver {
  #description;
  #zones = new Zones({}, () => ({ host: '', port: 0 }));
  #lastMile;
  #server;

  /**
   * @param {string} name
   * @param {NameserverDescription} description
   * @param {{log: import('./log.js').RequestLog, lastMile: import('./shape.js').TokenBucket}} world
   */
  constructor(name, description, { log, lastMile }) {
    this.#description = description;
    this.#lastMile = lastMile;
    this.#server = new PretendServer(`nameserver:${name}`, log, (exchange) => this.#answer(exchange));
  }

  get url() {
    return `${this.#description.tls ? 'https' : 'http'}://127.0.0.1:${this.#server.port}${PATH}`;
  }

  open() {
    return this.#server.open(this.#description);
  }

  close() {
    return this.#server.close();
  }

  /**
   * @param {NameserverDescription} description
   * @param {Zones} zones its zones, read
   */
  async become(description, zones) {
    this.#description = description;
    this.#zones = zones;
    const { connectMs, fault } = description;
    const fallsSilent = fault === 'swallow' ? 'silent' : null;
    await this.#server.suffer({ connectMs, fault: fault === 'refuse' ? 'refuse' : fallsSilent });
  }

  /** @param {Exchange} exchange */
  async #answer(exchange) {
    const { latencyMs, answerOptions } = this.#description;
    if (exchange.method === 'OPTIONS') {
      await pause(latencyMs, exchange.gone);
      return answerOptions ? exchange.send(204, PREFLIGHT_HEADERS) : exchange.send(400, {});
    }
    try {
      const asJson = exchange.method === 'GET' && exchange.url.searchParams.has('name');
      const query = await readQuery(exchange, asJson);
      const asked = this.#identify(query, exchange);
      exchange.note({ name: query.name, type: query.type, ...asked.client });
      await pause(latencyMs, exchange.gone);
      await this.#reply(exchange, query, asked, asJson);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      await exchange.send(error.status, { ...this.#corsHeaders(), 'content-type': 'text/plain' }, `${error.message}\n`);
    }
  }

  /**
   * @param {Query} query
   * @param {Exchange} exchange
   * @returns {Asked}
   */
  #identify({ name, ednsId, subnet }, { url }) {
    const { owner, id: labelId } = this.#zones.identify(name);
    const urlId = url.searchParams.get('id');
    if (ednsId !== null) return { owner, client: { id: ednsId, idFrom: 'edns', subnet } };
    if (labelId !== null) return { owner, client: { id: labelId, idFrom: 'label', subnet } };
    return { owner, client: { id: urlId, idFrom: urlId === null ? null : 'url', subnet } };
  }

  /**
   * @param {Exchange} exchange
   * @param {Query} query
   * @param {Asked} asked
   * @param {boolean} asJson
   */
  async #reply(exchange, query, { owner, client }, asJson) {
    const { fault } = this.#description;
    const cors = this.#corsHeaders();
    if (fault === 'http500') return exchange.send(500, { ...cors, 'content-type': 'text/plain' }, 'out of order\n');
    if (fault === 'html') return exchange.send(200, { ...cors, 'content-type': 'text/html' }, CAPTIVE_PAGE);

    const reply = this.#compose(query, owner, client);
    const headers = {
      ...cors,
      'content-type': fault === 'wrongtype' ? 'text/plain' : asJson ? JSON_TYPE : MESSAGE_TYPE,
      'cache-control': `max-age=${lowestTtlSeconds(reply)}`,
    };
    const body = this.#encode(query, reply, asJson);
    if (fault !== 'slowbody') {
      // whole and at once, but not before the viewer's line has had the time for it
      for (let at = 0; at < body.length;) at += await this.#lastMile.take(body.length - at, exchange.gone);
      return exchange.send(200, headers, body);
    }
    await exchange.begin(200, { ...headers, 'content-length': body.length });
    for (let at = 0; at < body.length && !exchange.gone.aborted; at++) {
      await pause(SLOW_BYTE_MS, exchange.gone);
      await exchange.write(body.subarray(at, at + 1));
    }
    return exchange.end();
  }

  /**
   * @param {Query} query
   * @param {string} owner
   * @param {import('./zones.js').Client} client
   * @returns {Reply}
   */
  #compose(query, owner, client) {
    const { fault, ecsEcho } = this.#description;
    const soa = this.#soa(query.name);
    /** @type {Reply} */
    const nothing = {
      ...{ rcode: 'NOERROR', answers: [], authorities: [], truncated: false },
      scopePrefixLength: ecsEcho ? 0 : null,
    };
    switch (fault) {
      case 'nxdomain':
        return { ...nothing, rcode: 'NXDOMAIN', authorities: [soa] };
      case 'nodata':
        return { ...nothing, authorities: [soa] };
      case 'servfail':
        return { ...nothing, rcode: 'SERVFAIL' };
      case 'refused':
        return { ...nothing, rcode: 'REFUSED' };
      case 'truncated':
        return { ...nothing, truncated: true };
    }
    const found = this.#zones.lookUp({ name: query.name, owner, type: query.type }, client);
    return {
      ...nothing,
      rcode: found.rcode,
      answers: found.answers,
      authorities: found.negative ? [soa] : [],
      scopePrefixLength: ecsEcho ? found.scopePrefixLength : null,
    };
  }

  /**
   * @param {Query} query
   * @param {Reply} reply
   * @param {boolean} asJson
   * @returns {Buffer}
   */
  #encode(query, reply, asJson) {
    const { fault } = this.#description;
    if (fault === 'garbage') return GARBAGE;
    if (asJson) return fault === 'pointerloop' ? GARBAGE : Buffer.from(JSON.stringify(replyAsJson(query, reply)));
    return fault === 'pointerloop' ? encodePointerLoop(query) : encodeReply(query, reply);
  }

  /** @param {string} name somewhere below the zone, which is taken to be the last two labels or the last */
  #soa(name) {
    const labels = name.split('.');
    const zone = labels.slice(Math.max(1, labels.length - 2)).join('.');
    const { minimum, ttl = minimum } = this.#description.soa;
    return {
      ...{ name: zone, type: 'SOA', ttl },
      data: {
        mname: `ns.${zone}`,
        rname: `hostmaster.${zone}`,
        serial: 1,
        refresh: 3600,
        retry: 600,
        expire: 86400,
        minimum,
      },
    };
  }

  /** @returns {Record<string, string>} */
  #corsHeaders() {
    const open = { 'access-control-allow-origin': '*' };
    return { ...(this.#description.fault !== 'noCors' && open), 'timing-allow-origin': '*' };
  }
}

const PREFLIGHT_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'Content-Type',
};

/**
 * @param {Exchange} exchange
 * @param {boolean} asJson
 * @returns {Promise<Query>}
 */
async function readQuery(exchange, asJson) {
  const { method, url } = exchange;
  if (url.pathname !== PATH) throw new BadRequest(404, `questions are answered at ${PATH}`);
  if (method !== 'GET' && method !== 'POST') throw new BadRequest(405, 'GET or POST');
  const isPost = method === 'POST';
  if (isPost && exchange.header('content-type') !== MESSAGE_TYPE) throw new BadRequest(415, MESSAGE_TYPE);
  const bytes = isPost ? await exchange.readBody() : Buffer.from(url.searchParams.get('dns') ?? '', 'base64url');
  try {
    return asJson ? readJsonQuery(url.searchParams) : decodeQuery(bytes);
  } catch (error) {
    throw new BadRequest(400, `not a DNS question: ${error}`);
  }
}

/** @param {Reply} reply */
function lowestTtlSeconds({ answers, authorities }) {
  const ttls = [
    ...answers.map(({ ttl = 0 }) => ttl),
    // a negative answer is kept for the lesser of the two (RFC 2308, section 5)
    ...authorities.map(({ ttl = 0, data }) => Math.min(ttl, /** @type {{minimum: number}} */ (data).minimum)),
  ];
  return ttls.length > 0 ? Math.min(...ttls) : 0;
}
