/** Worlds over HTTP, for tests and pages in a browser. */
import { once } from 'node:events';
import http from 'node:http';
import { isAbsolute } from 'node:path';
import { DescriptionError } from './description.js';
import { createWorld } from './world.js';

const LARGEST_DESCRIPTION_BYTES = 1024 * 1024;
const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
  'access-control-allow-headers': 'Content-Type',
  'access-control-max-age': '600',
  'cache-control': 'no-store',
};

/** @typedef {import('./world.js').World} World */
/** @typedef {Map<string, {world: World, streams: Set<http.ServerResponse>}>} Worlds */
/** @typedef {http.IncomingMessage} Request */
/** @typedef {{url: string, close: () => Promise<void>}} Control */

/**
 * @param {{port?: number}} [options] port 0 is any that is free
 * @returns {Promise<Control>}
 */
export async function openControl({ port = 0 } = {}) {
  /** @type {Worlds} */
  const worlds = new Map();
  const server = http.createServer((request, response) => {
    handle(worlds, request, response).catch((error) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, error instanceof DescriptionError ? 400 : 500, { error: error.message });
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await Promise.all([...worlds.values()].map(({ world }) => world.close()));
    },
  };
}

/**
 * @param {Worlds} worlds
 * @param {Request} request
 * @param {http.ServerResponse} response
 */
async function handle(worlds, request, response) {
  const url = new URL(request.url ?? '/', 'http://control');
  const [, collection, id = '', part] = url.pathname.split('/');
  const route = `${request.method} /${[collection, id && 'ID', part].filter(Boolean).join('/')}`;

  if (request.method === 'OPTIONS') return response.writeHead(204, CORS_HEADERS).end();
  if (route === 'GET /')
    return sendJson(response, 200, { worlds: [...worlds.values()].map(({ world }) => outline(world)) });
  if (route === 'POST /worlds') {
    const description = await readJson(request);
    // what comes over HTTP stays inside the project
    if (isAbsolute(String(description.media ?? ''))) throw new DescriptionError('media: a path under the project root');
    const world = await createWorld(description);
    worlds.set(world.id, { world, streams: new Set() });
    return sendJson(response, 201, outline(world));
  }

  const found = collection === 'worlds' ? worlds.get(id) : undefined;
  if (!found) return sendJson(response, 404, { error: `there is no ${url.pathname}` });
  const { world, streams } = found;
  const since = Number(url.searchParams.get('since') ?? 0);
  switch (route) {
    case 'GET /worlds/ID':
      return sendJson(response, 200, outline(world));
    case 'PATCH /worlds/ID':
      await world.patch(await readJson(request));
      return sendJson(response, 200, outline(world));
    case 'GET /worlds/ID/log':
      return sendJson(response, 200, { next: world.log.length, entries: world.log.slice(since) });
    case 'GET /worlds/ID/events':
      return streamLog(found, since, response);
    case 'DELETE /worlds/ID':
      worlds.delete(id);
      await world.close();
      for (const stream of streams) stream.end();
      return response.writeHead(204, CORS_HEADERS).end();
    default:
      return sendJson(response, 405, { error: `no ${request.method} of ${url.pathname}` });
  }
}

/** @param {World} world */
function outline({ id, urls }) {
  return { id, urls };
}

/**
 * Each message is a log entry as it is at that moment; a later one with the same `seq` replaces it. A
 * client that reconnects is told all of it again.
 *
 * @param {{world: World, streams: Set<http.ServerResponse>}} found
 * @param {number} since
 * @param {http.ServerResponse} response
 */
function streamLog({ world, streams }, since, response) {
  response.writeHead(200, { ...CORS_HEADERS, 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const tell = (/** @type {object} */ entry) => response.write(`data: ${JSON.stringify(entry)}\n\n`);
  world.log.slice(since).forEach(tell);
  const stopWatching = world.watch(tell);
  streams.add(response);
  response.once('close', () => {
    stopWatching();
    streams.delete(response);
  });
}

/**
 * @param {Request} request
 * @returns {Promise<any>}
 */
async function readJson(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > LARGEST_DESCRIPTION_BYTES) throw new DescriptionError('the description is too large');
  }
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch (error) {
    throw new DescriptionError(`not JSON: ${error}`);
  }
}

/**
 * @param {http.ServerResponse} response
 * @param {number} status
 * @param {object} body
 */
function sendJson(response, status, body) {
  response.writeHead(status, { ...CORS_HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(body));
}
