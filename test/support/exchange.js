/**
 * One request and its response, over HTTP/1.1 or HTTP/2 alike. Keeps the log entry of it, and waits
 * while its server is silent.
 */
import http2 from 'node:http2';

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse HTTP/2 responses offer all that is used here */
/** @typedef {Record<string, string | number>} Headers names in lower case */

/** What a hotel's network says in the place of the server that was asked. */
export const CAPTIVE_PAGE = '<!doctype html><title>Welcome</title><p>Log in to use this network.\n';
const LOGGED_HEADERS = ['host', 'origin', 'range', 'accept', 'content-type', 'cookie', 'authorization'];
const LARGEST_REQUEST_BYTES = 256 * 1024;

export class Exchange {
  #request;
  #response;
  #connection;
  #silence;
  #log;
  #entry;
  #gone = new AbortController();
  /** @type {Promise<void>} */
  #left;
  #endedHere = false;

  /**
   * @param {object} parts
   * @param {IncomingMessage} parts.request
   * @param {ServerResponse} parts.response
   * @param {import('./server.js').Connection} parts.connection
   * @param {string} parts.server
   * @param {import('./log.js').RequestLog} parts.log
   * @param {import('./shape.js').Silence} parts.silence
   */
  constructor({ request, response, connection, server, log, silence }) {
    this.#request = request;
    this.#response = response;
    this.#connection = connection;
    this.#silence = silence;
    this.#log = log;
    const path = request.url?.startsWith('/') ? request.url : '/';
    this.url = new URL(`http://server${path}`);
    /** The path as it was sent: a URL has its `..` removed. */
    this.rawPath = path.replace(/[?#].*/s, '');
    this.method = request.method ?? 'GET';
    const entry = log.add({
      ...{ server, method: this.method, url: path, headers: this.#loggedHeaders() },
      connection: connection.number,
    });
    this.#entry = entry;
    // a client that leaves is an event here, not an error
    request.on('error', () => {});
    response.on('error', () => {});
    this.#left = new Promise((resolve) => {
      response.once('close', () => {
        this.#gone.abort();
        const aborted = !this.#endedHere && !connection.dropped && !this.#isWhole();
        log.update(entry, { tEnd: Date.now(), aborted });
        resolve();
      });
    });
  }

  /** Aborted when the response is over, whoever ended it. */
  get gone() {
    return this.#gone.signal;
  }

  /** Of the connection that this is a part of. */
  get slowStart() {
    return this.#connection.slowStart;
  }

  /** @param {unknown} body for the log */
  note(body) {
    this.#log.update(this.#entry, { body });
  }

  /**
   * @param {string} name
   * @returns {string | undefined}
   */
  header(name) {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** @returns {Promise<Buffer>} */
  async readBody() {
    const chunks = [];
    let bytes = 0;
    for await (const chunk of this.#request) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > LARGEST_REQUEST_BYTES) throw new Error('the request is too large');
    }
    return Buffer.concat(chunks);
  }

  /**
   * A whole response at once.
   *
   * @param {number} status
   * @param {Headers} headers
   * @param {string | Uint8Array} [body]
   */
  async send(status, headers, body = '') {
    if (this.#response.headersSent) return;
    const bytes = Buffer.from(body);
    const hasBody = status !== 204 && status !== 304;
    await this.#writeHead(status, hasBody ? { ...headers, 'content-length': bytes.length } : headers);
    if (this.gone.aborted) return;
    if (!hasBody || this.method === 'HEAD') this.#response.end();
    else {
      this.#response.end(bytes);
      if (bytes.length > 0) this.#log.count(this.#entry, bytes.length);
    }
  }

  /**
   * The headers of a response, at once; its body is written later.
   *
   * @param {number} status
   * @param {Headers} headers
   */
  async begin(status, headers) {
    await this.#writeHead(status, headers);
    if (!this.gone.aborted) this.#response.flushHeaders();
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Promise<void>} fulfilled when the socket has taken them, or the client has left
   */
  async write(bytes) {
    await this.#untilHeard();
    if (this.gone.aborted) return;
    const taken = new Promise((resolve) => this.#response.write(bytes, resolve));
    await Promise.race([taken, this.#left]);
    if (!this.gone.aborted) this.#log.count(this.#entry, bytes.length);
  }

  /** The clean end of a response. */
  async end() {
    await this.#untilHeard();
    if (!this.gone.aborted) this.#response.end();
  }

  /** Nothing more, until the client leaves. */
  hang() {
    return this.#left;
  }

  /** Ends the connection (over HTTP/2 the stream alone) after what was written. */
  cut() {
    this.#endedHere = true;
    if (!this.#closeStream()) this.#connection.socket.destroy();
  }

  /** The same with a TCP RST. */
  reset() {
    this.#endedHere = true;
    if (!this.#closeStream()) this.#connection.socket.resetAndDestroy();
  }

  /**
   * @param {number} status
   * @param {Headers} headers
   */
  async #writeHead(status, headers) {
    await this.#untilHeard();
    if (this.gone.aborted) return;
    this.#log.update(this.#entry, { status });
    this.#response.writeHead(status, headers);
  }

  async #untilHeard() {
    if (this.#silence.over) await Promise.race([this.#silence.over, this.#left]);
  }

  /** The response of HTTP/2 says "finished" of all that is closed; its stream knows better. */
  #isWhole() {
    const stream = this.#stream();
    return stream ? !stream.aborted && this.#response.writableEnded : this.#response.writableFinished;
  }

  #closeStream() {
    const stream = this.#stream();
    stream?.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    return stream !== null;
  }

  #stream() {
    if (this.#request.httpVersionMajor < 2) return null;
    return /** @type {http2.Http2ServerResponse} */ (/** @type {unknown} */ (this.#response)).stream;
  }

  #loggedHeaders() {
    /** @type {Record<string, string>} */
    const logged = {};
    for (const name of LOGGED_HEADERS) {
      const value = this.header(name) ?? (name === 'host' ? this.header(':authority') : undefined);
      if (value !== undefined) logged[name] = value;
    }
    return logged;
  }
}
