/**
 * One pretend server: a port of its own on loopback that can be slow to connect, refuse, reset or fall
 * silent, and a log. What it answers is up to whoever opens it.
 */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { selfSignedCertificate } from './certificate.js';
import { Exchange } from './exchange.js';
import { Silence, pause } from './shape.js';
import { SlowStart } from './slow-start.js';

/**
 * @typedef {object} Connection
 * @property {number} number from 1, in the order of coming
 * @property {net.Socket} socket the TCP socket, also below TLS
 * @property {AbortController} gone aborted when the socket is closed
 * @property {boolean} dropped closed by this server, not by the client
 * @property {SlowStart} slowStart
 *
 * @typedef {(exchange: Exchange) => Promise<void>} Answer
 */

/**
 * Below the ports that systems give out by themselves, and each once: a page remembers for a minute which origins failed,
 * so a port that comes back would carry one test's failures into another.
 */
let nextPort = 10_000 + Math.floor(Math.random() * 15_000);

export class PretendServer {
  /** 0 until opened; kept while the server refuses connections. */
  port = 0;
  #name;
  #log;
  #answer;
  #tls = false;
  #connectMs = 0;
  #resets = false;
  #silence = new Silence();
  /** @type {net.Server | null} */
  #tcp = null;
  /** Speaks HTTP over the sockets it is given; it never listens itself. @type {net.Server | null} */
  #protocol = null;
  /** By the client's port, which all layers above TCP can name. @type {Map<number, Connection>} */
  #connections = new Map();
  #connectionCount = 0;

  /**
   * @param {string} name for the log
   * @param {import('./log.js').RequestLog} log
   * @param {Answer} answer
   */
  constructor(name, log, answer) {
    this.#name = name;
    this.#log = log;
    this.#answer = answer;
  }

  /** @param {{tls: boolean}} options */
  async open({ tls }) {
    this.#tls = tls;
    this.#protocol = tls
      ? http2.createSecureServer({ ...(await selfSignedCertificate()), allowHTTP1: true })
      : // an idle connection is the client's to close: tests count connections
        http.createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
    this.#protocol.on('request', (request, response) => this.#converse(request, response));
    await this.#listen();
  }

  /**
   * @param {object} conditions
   * @param {number} conditions.connectMs
   * @param {'refuse' | 'reset' | 'silent' | null} conditions.fault
   */
  async suffer({ connectMs, fault }) {
    this.#connectMs = connectMs;
    this.#resets = fault === 'reset';
    if (this.#resets) this.#drop((socket) => socket.resetAndDestroy());
    if (fault === 'silent') this.#silence.begin();
    else this.#silence.end();
    if (fault === 'refuse') await this.#stopListening();
    else await this.#listen();
  }

  async close() {
    await this.#stopListening();
    // whoever was held finds its socket closed
    this.#silence.end();
  }

  async #listen() {
    if (this.#tcp) return;
    // paused: the bytes of a client wait in the kernel until they are handed to the protocol
    const tcp = net.createServer({ pauseOnConnect: true, allowHalfOpen: !this.#tls, noDelay: true });
    tcp.on('connection', (socket) => this.#accept(socket));
    const known = this.port;
    do {
      if (known === 0) this.port = nextPort++;
    } while (!(await listens(tcp, this.port)) && known === 0);
    if (!tcp.listening) throw new Error(`port ${this.port} was taken while this server refused`);
    this.#tcp = tcp;
  }

  async #stopListening() {
    const tcp = this.#tcp;
    if (!tcp) return;
    this.#tcp = null;
    const closed = once(tcp, 'close');
    tcp.close();
    this.#drop((socket) => socket.destroy());
    await closed;
  }

  /** @param {(socket: net.Socket) => void} end */
  #drop(end) {
    for (const connection of this.#connections.values()) {
      connection.dropped = true;
      end(connection.socket);
    }
  }

  /** @param {net.Socket} socket */
  async #accept(socket) {
    /** @type {Connection} */
    const connection = {
      ...{ number: ++this.#connectionCount, socket, gone: new AbortController(), dropped: false },
      slowStart: new SlowStart(),
    };
    // a client may be gone before it is accepted, and then it has no port
    const key = socket.remotePort ?? -connection.number;
    this.#connections.set(key, connection);
    socket.on('error', () => {});
    socket.once('close', () => {
      connection.gone.abort();
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
    if (this.#resets) {
      socket.resetAndDestroy();
      return;
    }
    // loopback connects at once: the round trips of TCP and TLS are spent here, before anything is read
    await pause(this.#connectMs * (this.#tls ? 2 : 1), connection.gone.signal);
    if (socket.destroyed) return;
    this.#protocol?.emit('connection', socket);
    socket.resume();
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async #converse(request, response) {
    const connection = this.#connections.get(request.socket.remotePort ?? 0);
    if (!connection) return;
    const exchange = new Exchange({
      ...{ request, response, connection },
      ...{ server: this.#name, log: this.#log, silence: this.#silence },
    });
    try {
      await this.#answer(exchange);
    } catch (error) {
      await exchange.send(500, { 'content-type': 'text/plain' }, `${this.#name}: ${error}\n`);
    }
  }
}

/**
 * @param {net.Server} tcp
 * @param {number} port
 * @returns {Promise<boolean>} false when the port is taken
 */
async function listens(tcp, port) {
  tcp.listen(port, '127.0.0.1');
  try {
    await once(tcp, 'listening');
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EADDRINUSE') return false;
    throw error;
  }
}
