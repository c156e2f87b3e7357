/** Other edges than those of the demo: each a change of nginx's configuration, for `Lab.alter()`. */
import http from 'node:http';
import { end, listen } from './site.js';

/** @typedef {(config: string) => string} Change */

/** Gives each body at this rate, in small pieces. @param {number} bytesPerSecond @returns {Change} */
export const paced = (bytesPerSecond) => (config) =>
  inServer(config, `limit_rate ${bytesPerSecond}; sendfile_max_chunk 4k;`);

/** Takes so many requests of one address, two at least, and then answers 429 for a minute. @param {number} requests @returns {Change} */
export const limited = (requests) => (config) =>
  [
    { pattern: /zone=perip:1m rate=\d+r\/s/, by: 'zone=perip:1m rate=1r/m' },
    { pattern: /zone=perip burst=\d+/, by: `zone=perip burst=${requests - 1}` },
  ].reduce((text, { pattern, by }) => replaced(text, pattern, by), config);

/** Makes edges far away: they ask here before they answer anybody, and wait as long as they are told. */
export async function openGate() {
  /** In ms, by name of the edge. @type {Map<string, number>} */
  const delays = new Map();
  const server = http.createServer((request, response) => {
    const delayMs = delays.get(String(request.url).slice(1)) ?? 0;
    setTimeout(() => response.writeHead(204).end(), delayMs);
  });
  const port = await listen(server);
  return {
    delays,
    /** @param {string} name @returns {Change} */
    gated: (name) => (config) =>
      inServer(
        config,
        `auth_request /__gate; location = /__gate { internal; proxy_pass http://127.0.0.1:${port}/${name}; }`,
      ),
    close: () => end(server),
  };
}

/** @param {string} config @param {string} directives */
function inServer(config, directives) {
  return replaced(config, /^ *root .*$/m, `$&\n    ${directives}`);
}

/** Where there is nothing to change, a test would be one of nothing. @param {string} text @param {RegExp} pattern @param {string} by */
function replaced(text, pattern, by) {
  if (!pattern.test(text)) throw new Error(`the configuration of an edge has no ${pattern}`);
  return text.replace(pattern, by);
}
