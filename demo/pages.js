/** The page server of the demo: files, what the page may do to the network, and the network's log as it grows. */
import { once } from 'node:events';
import { readFile, realpath } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { extname, join, sep } from 'node:path';
import { RefusedError } from './network.js';

/** @typedef {import('./network.js').Network | import('./stack/network.js').RealNetwork} Network */
/** @typedef {http.IncomingMessage} Request */
/** @typedef {http.ServerResponse} Response */

/**
 * A policy as a careful site has it, so that the demo shows what the plugin runs under: no inline script, no eval, no
 * inline style. Edges and nameservers are fetched (connect-src) and, where VHS does not play, loaded by the media element
 * (media-src). The rest is for Video.js: blob URLs of its media and its worker, and its icons, a font inside its CSS.
 * Its own inline styles are switched off in policy.js (VIDEOJS_NO_DYNAMIC_STYLE); a site that keeps them needs
 * `style-src 'unsafe-inline'`.
 */
const POLICY = [
  "default-src 'self'",
  "connect-src 'self' blob: http://*.localhost:* http://127.0.0.1:*",
  "media-src 'self' blob: http://*.localhost:*",
  'worker-src blob:',
  'font-src data:',
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
};

/** Where the first part of a path leads; the demo's own files have none. */
const FOLDERS = { dist: 'dist', 'video.js': 'node_modules/video.js/dist' };
const PORTS_TO_TRY = 20;
const LARGEST_BODY_BYTES = 4096;

/**
 * @param {string} root of the project
 * @param {Network} network
 * @param {number} firstPort the next ones are tried when it is taken
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function openPages(root, network, firstPort) {
  /** @type {Set<Response>} */
  const listeners = new Set();
  const server = http.createServer((request, response) => {
    handle(request, response).catch((error) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, error instanceof RefusedError ? 400 : 500, { error: String(error.message) });
    });
  });
  const port = await listen(server, firstPort);
  // whoever is told its name only: a page elsewhere could otherwise point a name of its own here
  const hosts = [`localhost:${port}`, `127.0.0.1:${port}`];

  return {
    url: `http://localhost:${port}/`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  /**
   * @param {Request} request
   * @param {Response} response
   */
  async function handle(request, response) {
    const { method = 'GET', headers } = request;
    if (!hosts.includes(headers.host ?? '')) return sendJson(response, 421, { error: `ask for http://${hosts[0]}/` });
    const { pathname } = new URL(request.url ?? '/', 'http://demo');
    if (!pathname.startsWith('/api/')) return sendFile(root, pathname, method, response);
    const isRead = method === 'GET';
    if (!isRead && headers.origin !== undefined && !hosts.includes(headers.origin.replace('http://', ''))) {
      return sendJson(response, 403, { error: 'only the demo itself may change its network' });
    }
    const [, , collection, name = ''] = pathname.split('/');
    switch (`${method} ${collection}`) {
      case 'GET network':
        return sendJson(response, 200, network.state);
      case 'GET events':
        return streamEvents(response);
      case 'PATCH edges':
        await network.changeEdge(name, await readJson(request));
        break;
      case 'PUT map':
        await network.moveMap((await readJson(request))['answer']);
        break;
      case 'POST reset':
        await network.reset();
        break;
      default:
        return sendJson(response, 404, { error: `there is no ${method} ${pathname}` });
    }
    for (const listener of listeners) tell(listener, 'network', network.state);
    return sendJson(response, 200, network.state);
  }

  /** `network`: the state at first and after each change. `request`: an entry of the servers' log, again as it grows. */
  function streamEvents(/** @type {Response} */ response) {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    tell(response, 'network', network.state);
    const stopWatching = network.watch((entry) => tell(response, 'request', entry));
    // real servers change by themselves: a health check fails, and the map names one edge less
    const stopWatchingState = network.watchState?.(() => tell(response, 'network', network.state));
    listeners.add(response);
    response.once('close', () => {
      stopWatching();
      stopWatchingState?.();
      listeners.delete(response);
    });
  }
}

/**
 * @param {Response} response
 * @param {string} event
 * @param {unknown} data
 */
function tell(response, event, data) {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * @param {http.Server} server
 * @param {number} firstPort
 * @returns {Promise<number>}
 */
async function listen(server, firstPort) {
  for (let port = firstPort; port < firstPort + PORTS_TO_TRY; port++) {
    // a browser may try ::1 first for `localhost`, where another server may be at home
    if (await isTakenOnIpv6(port)) continue;
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return /** @type {net.AddressInfo} */ (server.address()).port;
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    }
  }
  throw new Error(`No port is free from ${firstPort} on. Choose another: PORT=9000 npm start`);
}

/** @param {number} port */
async function isTakenOnIpv6(port) {
  if (port === 0) return false;
  const socket = net.connect(port, '::1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * @param {string} root
 * @param {string} pathname
 * @param {string} method
 * @param {Response} response
 */
async function sendFile(root, pathname, method, response) {
  const [, first = '', ...rest] = decodeURIComponent(pathname === '/' ? '/index.html' : pathname).split('/');
  const isShared = Object.hasOwn(FOLDERS, first);
  const folder = join(root, isShared ? FOLDERS[/** @type {keyof typeof FOLDERS} */ (first)] : 'demo');
  const path = join(folder, ...(isShared ? rest : [first, ...rest]));
  const type = TYPES[extname(path)];
  try {
    // a link may lead out of the folder
    const isInside = (await realpath(path)).startsWith((await realpath(folder)) + sep);
    if (type && isInside && (method === 'GET' || method === 'HEAD')) {
      const bytes = await readFile(path);
      response.writeHead(200, { ...HEADERS, 'content-type': type, 'content-length': bytes.length });
      return response.end(method === 'HEAD' ? undefined : bytes);
    }
  } catch {
    // it is not there
  }
  return sendJson(response, 404, { error: `there is no ${pathname}` });
}

/**
 * @param {Request} request
 * @returns {Promise<Record<string, unknown>>}
 */
async function readJson(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > LARGEST_BODY_BYTES) throw new RefusedError('the body is too large');
  }
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // said below
  }
  throw new RefusedError('the body is to be a JSON object');
}

/**
 * @param {Response} response
 * @param {number} status
 * @param {object} body
 */
function sendJson(response, status, body) {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(body));
}
