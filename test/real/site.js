/** The site whose page has the player, by HTTP and by HTTPS with the certificate of the run. */
import { createReadStream, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** File and media type, by path. */
const FILES = new Map([
  ['/', ['test/real/page.html', 'text/html']],
  ['/page.js', ['test/real/page.js', 'text/javascript']],
  ['/video.min.js', ['node_modules/video.js/dist/video.min.js', 'text/javascript']],
  ['/video-js.css', ['node_modules/video.js/dist/video-js.min.css', 'text/css']],
  ['/videojs-edge-select.js', ['dist/videojs-edge-select.js', 'text/javascript']],
]);

/** @param {string} folder that has the certificate and its key */
export async function openSite(folder) {
  const serve = (/** @type {http.IncomingMessage} */ request, /** @type {http.ServerResponse} */ response) => {
    const [file, type] = FILES.get(request.url ?? '') ?? [];
    if (!file) response.writeHead(404).end();
    else createReadStream(join(ROOT, file)).pipe(response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }));
  };
  const read = (/** @type {string} */ name) => readFileSync(join(folder, name));
  const plain = http.createServer(serve);
  const secure = https.createServer({ cert: read('certificate.pem'), key: read('key.pem') }, serve);
  const [httpPort, httpsPort] = await Promise.all([listen(plain), listen(secure)]);
  return {
    urls: { http: `http://localhost:${httpPort}/`, https: `https://localhost:${httpsPort}/` },
    close() {
      for (const server of [plain, secure]) end(server);
    },
  };
}

/** @param {http.Server | https.Server} server @returns {Promise<number>} its port */
export function listen(server) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(/** @type {import('node:net').AddressInfo} */ (server.address()).port));
  });
}

/** @param {http.Server | https.Server} server */
export function end(server) {
  server.closeAllConnections();
  server.close();
}
