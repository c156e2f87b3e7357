/** What the checks of the pretend network share: a folder of media, an HTTP client and a DoH client. */
import dnsPacket from 'dns-packet';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchLateness } from '../lateness.js';
import { createWorld } from '../world.js';

/** @typedef {import('../description.js').EdgeDescription} EdgeDescription */

export const SEGMENT_BYTES = 50_000;
export const SEGMENT = Buffer.from(Array.from({ length: SEGMENT_BYTES }, (_, index) => index % 251));

const RECORDING = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXTINF:2.0,
0.ts
#EXTINF:2.0,
1.ts
#EXTINF:2.0,
2.ts
#EXT-X-ENDLIST
`;

export const mediaFolder = mkdtempSync(join(tmpdir(), 'edge-select-media-'));
mkdirSync(join(mediaFolder, 'ts'));
writeFileSync(join(mediaFolder, 'ts/main.m3u8'), RECORDING);
writeFileSync(join(mediaFolder, 'ts/0.ts'), SEGMENT);
symlinkSync('/etc', join(mediaFolder, 'way-out'));
process.on('exit', () => rmSync(mediaFolder, { recursive: true, force: true }));

/**
 * A world that is closed when the test is over.
 *
 * @param {import('node:test').TestContext} test
 * @param {import('../description.js').WorldDescription} description
 */
export async function worldFor(test, description) {
  const world = await createWorld({ media: mediaFolder, ...description });
  test.after(() => world.close());
  return {
    world,
    edge: (/** @type {string} */ name) => world.urls.edges[name] ?? '',
    nameserver: (/** @type {string} */ name) => world.urls.nameservers[name] ?? '',
  };
}

/**
 * A world of one edge.
 *
 * @param {import('node:test').TestContext} context
 * @param {Partial<EdgeDescription>} [edge]
 */
export async function edgeFor(context, edge = {}) {
  const { world, edge: urlOf } = await worldFor(context, { edges: { a: edge } });
  return {
    ...{ world, url: urlOf('a'), segment: `${urlOf('a')}/ts/0.ts` },
    patch: (/** @type {Partial<EdgeDescription>} */ partial) => world.patch({ edges: { a: partial } }),
  };
}

/**
 * For how long this machine stood since it was last asked, in ms: nothing here can keep a time better than its clock does.
 *
 * @param {import('node:test').TestContext} context
 */
export function lateness(context) {
  const { take, stop } = watchLateness();
  context.after(stop);
  return take;
}

/**
 * @typedef {object} RequestOptions
 * @property {string} [method]
 * @property {Record<string, string>} [headers]
 * @property {string | Uint8Array} [body]
 * @property {string} [path] sent as it is, without the tidying that a URL does
 * @property {http.Agent} [agent] default: a connection of its own
 * @property {AbortSignal} [signal]
 *
 * @typedef {object} Received
 * @property {number} status
 * @property {http.IncomingHttpHeaders} headers
 * @property {Buffer} body
 * @property {number} chunks in how many pieces the body came
 * @property {boolean} whole
 * @property {number} headersMs
 * @property {number} totalMs
 */

/**
 * A request to `NAME.localhost`, which only browsers are sure to find.
 *
 * @param {string} url
 * @param {RequestOptions} [options]
 * @returns {Promise<Received>} also when the body is cut off
 */
export function request(url, { method = 'GET', headers = {}, body, path, agent, signal } = {}) {
  const { host, port, pathname, search } = new URL(url);
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = http.request({
      ...{ host: '127.0.0.1', port, method, path: path ?? pathname + search, headers: { host, ...headers } },
      agent: agent ?? false,
      ...(signal && { signal }),
    });
    // once there is a response, what becomes of it is told by `whole`
    sent.on('error', reject);
    sent.once('response', (response) => {
      sent.off('error', reject).on('error', () => {});
      const headersMs = performance.now() - startMs;
      /** @type {Buffer[]} */
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', () => {});
      response.once('close', () =>
        resolve({
          ...{ status: response.statusCode ?? 0, headers: response.headers, whole: response.complete },
          ...{ body: Buffer.concat(chunks), chunks: chunks.length },
          ...{ headersMs, totalMs: performance.now() - startMs },
        }),
      );
    });
    sent.end(body);
  });
}

/**
 * @param {string} url
 * @param {{name: string, type?: string, id?: string, subnet?: {ip: string, bits: number}, post?: boolean}} question
 */
export async function ask(url, { name, type = 'SRV', id, subnet, post = false }) {
  const options = [
    ...(id === undefined ? [] : [{ code: 65001, data: Buffer.from(id) }]),
    ...(subnet ? [{ code: 8, ...clientSubnet(subnet) }] : []),
  ];
  const query = dnsPacket.encode({
    ...{ type: 'query', id: 4711, flags: dnsPacket.RECURSION_DESIRED, questions: [{ name, type }] },
    additionals: options.length > 0 ? [{ name: '.', type: 'OPT', options }] : [],
  });
  const target = new URL(url);
  if (!post) target.searchParams.set('dns', query.toString('base64url'));
  const received = await request(target.href, {
    ...(post && { method: 'POST', body: query, headers: { 'content-type': 'application/dns-message' } }),
  });
  return { ...received, message: () => dnsPacket.decode(received.body) };
}

/**
 * @param {{ip: string, bits: number}} subnet
 * @returns {{data: Buffer}}
 */
function clientSubnet({ ip, bits }) {
  const bytes = ip.includes(':')
    ? ip.split(':').flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
    : ip.split('.').map(Number);
  const family = ip.includes(':') ? 2 : 1;
  return { data: Buffer.from([0, family, bits, 0, ...bytes.slice(0, Math.ceil(bits / 8))]) };
}

/**
 * Fulfilled once the condition holds.
 *
 * @param {() => boolean} condition
 */
export async function until(condition) {
  const latestMs = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > latestMs) throw new Error(`it did not come to be that ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
