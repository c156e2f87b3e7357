/** An edge server, or the origin: media files over HTTP, with shaping, faults, a live playlist and reports. */
import { STATUS_CODES } from 'node:http';
import { gzipSync } from 'node:zlib';
import { CAPTIVE_PAGE } from './exchange.js';
import { OutsideError, findFile, parseRange, readRange } from './files.js';
import { livePlaylist, readRecording } from './live.js';
import { Rules } from './rules.js';
import { PretendServer } from './server.js';
import { TokenBucket, pause, takeFromBoth } from './shape.js';

const ALLOW = 'GET, HEAD, OPTIONS, POST';

/** @typedef {import('./description.js').EdgeDescription} EdgeDescription */
/** @typedef {import('./description.js').RuleDescription} RuleDescription */
/** @typedef {import('./exchange.js').Exchange} Exchange */
/** @typedef {import('./exchange.js').Headers} Headers */
/** @typedef {import('./files.js').MediaFile} MediaFile */

/**
 * @typedef {object} Response
 * @property {number} status
 * @property {Headers} headers
 * @property {Buffer} body
 */

export class Edge {
  #name;
  #description;
  #folder;
  #madeAtMs;
  #bucket = new TokenBucket(0);
  #lastMile;
  #rules;
  #server;

  /**
   * @param {string} name
   * @param {EdgeDescription} description
   * @param {object} world
   * @param {import('./log.js').RequestLog} world.log
   * @param {string} world.folder of media
   * @param {number} world.madeAtMs epoch
   * @param {TokenBucket} world.lastMile shared by all its servers
   */
  constructor(name, description, { log, folder, madeAtMs, lastMile }) {
    this.#name = name;
    this.#description = description;
    this.#folder = folder;
    this.#madeAtMs = madeAtMs;
    this.#lastMile = lastMile;
    this.#rules = new Rules(description.rules);
    this.#server = new PretendServer(`edge:${name}`, log, (exchange) => this.#answer(exchange));
  }

  get address() {
    return { host: `${this.#name}.localhost`, port: this.#server.port };
  }

  get url() {
    const { host, port } = this.address;
    return `${this.#description.tls ? 'https' : 'http'}://${host}:${port}`;
  }

  open() {
    return this.#server.open(this.#description);
  }

  close() {
    return this.#server.close();
  }

  /** @param {EdgeDescription} description */
  async become(description) {
    // rules that stay are as used up as they were
    if (description.rules !== this.#description.rules) this.#rules = new Rules(description.rules);
    this.#description = description;
    this.#bucket.bitsPerSecond = description.bitsPerSecond;
    const { connectMs, fault } = description;
    const ofConnection = fault === 'refuse' || fault === 'reset' || fault === 'silent';
    await this.#server.suffer({ connectMs, fault: ofConnection ? fault : null });
  }

  /** @param {Exchange} exchange */
  async #answer(exchange) {
    const { latencyMs, reportPath } = this.#description;
    const rule = this.#rules.take(exchange.method, exchange.url.pathname, (name) => exchange.header(name));
    const isReport = exchange.method === 'POST' && exchange.url.pathname === reportPath;
    if (isReport) exchange.note((await exchange.readBody()).toString('utf8'));
    await pause(rule.latencyMs ?? latencyMs, exchange.gone);
    if (rule.silent) return exchange.hang();
    if (rule.reset) return exchange.reset();

    const { fault } = this.#description;
    const response = fault?.startsWith('status:')
      ? plain(Number(fault.slice('status:'.length)))
      : (asRuled(rule) ?? (await this.#respond(exchange, isReport, rule)));
    if (rule.gzip) {
      response.body = gzipSync(response.body);
      response.headers['content-encoding'] = 'gzip';
    }
    const headers = this.#headers(exchange, rule, response.headers);
    const status = exchange.method === 'OPTIONS' ? (rule.options?.status ?? response.status) : response.status;
    await this.#deliver(exchange, { status, headers, body: response.body }, rule);
  }

  /**
   * @param {Exchange} exchange
   * @param {boolean} isReport
   * @param {RuleDescription} rule
   * @returns {Promise<Response>}
   */
  async #respond(exchange, isReport, rule) {
    const { method, url } = exchange;
    if (method === 'OPTIONS') return { status: 204, headers: { allow: ALLOW }, body: Buffer.alloc(0) };
    if (isReport) return { status: 204, headers: {}, body: Buffer.alloc(0) };
    if (method !== 'GET' && method !== 'HEAD') return plain(405, { allow: ALLOW });
    try {
      const { live } = this.#description;
      if (live && url.pathname === live.path) return await this.#liveResponse(live);
      const file = await findFile(this.#folder, rule.file ?? exchange.rawPath);
      return file ? await fileResponse(exchange, file, rule) : plain(404);
    } catch (error) {
      if (error instanceof OutsideError) return plain(403);
      throw error;
    }
  }

  /**
   * @param {import('./description.js').LiveDescription} live
   * @returns {Promise<Response>}
   */
  async #liveResponse(live) {
    const file = await findFile(this.#folder, `/${live.from}`);
    if (!file) return plain(404);
    const text = (await readRange(file, { start: 0, end: file.sizeBytes - 1 })).toString('utf8');
    const playlist = livePlaylist(readRecording(text, live.from), live, this.#madeAtMs, Date.now());
    return {
      status: 200,
      headers: { 'content-type': file.type, 'cache-control': 'no-cache' },
      body: Buffer.from(playlist),
    };
  }

  /**
   * @param {Exchange} exchange
   * @param {RuleDescription} rule
   * @param {Headers} own
   * @returns {Headers}
   */
  #headers(exchange, rule, own) {
    const edge = this.#description;
    const isOptions = exchange.method === 'OPTIONS';
    /** @type {Record<string, string | number | null>} */
    const all = {
      ...own,
      ...((rule.cors ?? edge.cors) && corsHeaders(exchange, edge)),
      ...(edge.timingAllowOrigin && { 'timing-allow-origin': '*' }),
      ...lowerCased(edge.headers),
      ...lowerCased(rule.headers),
      ...(isOptions && lowerCased(rule.options?.headers)),
    };
    return /** @type {Headers} */ (Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)));
  }

  /**
   * @param {Exchange} exchange
   * @param {Response} response
   * @param {RuleDescription} rule
   */
  async #deliver(exchange, { status, headers, body }, rule) {
    const { stallAfterBytes, cutAfterBytes, resetAfterBytes, shortAfterBytes, lingerMs = 0 } = rule;
    if (body.length === 0) return exchange.send(status, headers);
    const announced = shortAfterBytes === undefined ? { 'content-length': body.length } : {};
    await exchange.begin(status, { ...headers, ...announced });
    if (exchange.method === 'HEAD') return exchange.end();

    const stopAfterBytes = stallAfterBytes ?? cutAfterBytes ?? resetAfterBytes ?? shortAfterBytes ?? Infinity;
    const ended = await this.#write(exchange, body.subarray(0, Math.min(stopAfterBytes, body.length)), rule);
    if (ended === 'stall') return exchange.hang();
    if (ended === 'cut') return exchange.cut();
    if (stallAfterBytes !== undefined && stallAfterBytes < body.length) return exchange.hang();
    if (stopAfterBytes < body.length) await pause(lingerMs, exchange.gone);
    if (cutAfterBytes !== undefined && cutAfterBytes < body.length) return exchange.cut();
    if (resetAfterBytes !== undefined && resetAfterBytes < body.length) return exchange.reset();
    return exchange.end();
  }

  /**
   * @param {Exchange} exchange
   * @param {Buffer} bytes
   * @param {RuleDescription} rule
   * @returns {Promise<'stall' | 'cut' | null>} the fault that ended it half-way
   */
  async #write(exchange, bytes, { bitsPerSecond, slowAfterBytes = 0 }) {
    const slow = bitsPerSecond === undefined ? null : new TokenBucket(bitsPerSecond);
    for (let at = 0; at < bytes.length && !exchange.gone.aborted;) {
      const { fault } = this.#description;
      const endsHalfWay = fault === 'stall' || fault === 'cut';
      const endsAt = endsHalfWay ? Math.ceil(bytes.length / 2) : bytes.length;
      if (at >= endsAt) return endsHalfWay ? fault : null;
      const isSlow = slow !== null && at >= slowAfterBytes;
      const bucket = isSlow ? slow : this.#bucket;
      const upTo = slow && !isSlow ? Math.min(slowAfterBytes, endsAt) : endsAt;
      const grantedBytes = await this.#grant(exchange, bucket, upTo - at);
      await exchange.write(bytes.subarray(at, at + grantedBytes));
      at += grantedBytes;
    }
    return null;
  }

  /**
   * @param {Exchange} exchange
   * @param {TokenBucket} bucket
   * @param {number} wantedBytes
   * @returns {Promise<number>} how many may be sent now
   */
  #grant({ gone, slowStart }, bucket, wantedBytes) {
    const take = (/** @type {number} */ bytes) => takeFromBoth(bucket, this.#lastMile, bytes, gone);
    const { slowStart: startsSlowly, latencyMs } = this.#description;
    return startsSlowly ? slowStart.through(wantedBytes, latencyMs, gone, take) : take(wantedBytes);
  }
}

/**
 * @param {number} status
 * @param {Headers} [headers]
 * @returns {Response}
 */
function plain(status, headers = {}) {
  const text = `${status} ${STATUS_CODES[status] ?? ''}\n`;
  const hasBody = status !== 204 && status !== 304;
  return { status, headers: { ...headers, 'content-type': 'text/plain' }, body: Buffer.from(hasBody ? text : '') };
}

/**
 * @param {RuleDescription} rule
 * @returns {Response | null} null when the rule leaves the response as it is
 */
function asRuled({ status, redirect, html, body, type = 'text/plain' }) {
  if (redirect !== undefined) return plain(status ?? 302, { location: redirect });
  if (html) return { status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from(CAPTIVE_PAGE) };
  if (body !== undefined) return { status: status ?? 200, headers: { 'content-type': type }, body: Buffer.from(body) };
  return status === undefined ? null : plain(status);
}

/**
 * @param {Exchange} exchange
 * @param {MediaFile} file
 * @param {RuleDescription} rule
 * @returns {Promise<Response>}
 */
async function fileResponse(exchange, file, { ignoresRange = false }) {
  const { sizeBytes, type, etag, lastModified } = file;
  const headers = {
    ...{ 'content-type': type, 'accept-ranges': 'bytes', etag, 'last-modified': lastModified },
    // a client that forgets `cache: 'no-store'` is to be caught
    'cache-control': 'max-age=60',
  };
  if (exchange.header('if-none-match') === etag) return { status: 304, headers, body: Buffer.alloc(0) };
  const condition = exchange.header('if-range');
  const rangeHolds = !ignoresRange && (condition === undefined || condition === etag);
  const range = rangeHolds ? parseRange(exchange.header('range'), sizeBytes) : null;
  if (range === 'unsatisfiable') return plain(416, { 'content-range': `bytes */${sizeBytes}` });
  if (range === null) {
    return { status: 200, headers, body: await readRange(file, { start: 0, end: sizeBytes - 1 }) };
  }
  const contentRange = { 'content-range': `bytes ${range.start}-${range.end}/${sizeBytes}` };
  return { status: 206, headers: { ...headers, ...contentRange }, body: await readRange(file, range) };
}

/**
 * @param {Exchange} exchange
 * @param {EdgeDescription} edge
 * @returns {Record<string, string>}
 */
function corsHeaders(exchange, { credentials, expose }) {
  const origin = exchange.header('origin');
  const allowed =
    credentials && origin !== undefined
      ? { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'Origin' }
      : { 'access-control-allow-origin': '*' };
  if (exchange.method !== 'OPTIONS') return { ...allowed, 'access-control-expose-headers': expose };
  return {
    ...allowed,
    'access-control-allow-methods': ALLOW,
    // whatever is asked for: `*` would not hold for Authorization, nor with credentials
    'access-control-allow-headers': exchange.header('access-control-request-headers') ?? 'Range, Content-Type',
    'access-control-max-age': '600',
    'access-control-expose-headers': expose,
  };
}

/**
 * @param {Record<string, string | null>} [headers]
 * @returns {Record<string, string | null>}
 */
function lowerCased(headers = {}) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
