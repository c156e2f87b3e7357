/** Asks a nameserver one question over HTTP(S), as the plugin does. */
import dnsPacket from 'dns-packet';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';

const ID_OPTION = 65_001;
const GIVE_UP_MS = 5000;

/**
 * @typedef {object} As who asks
 * @property {string} [id] sent in the EDNS option 65001
 * @property {string} [subnet] sent as EDNS Client Subnet
 * @property {string | undefined} [from] own address on this machine, such as `127.0.5.1`
 * @property {string | Buffer | undefined} [ca] whose certificates are trusted
 */

/**
 * @param {string} url of the DoH server
 * @param {string} name
 * @param {string} type
 * @param {As} [as]
 * @returns {Promise<{status: number, headers: http.IncomingHttpHeaders, rcode: string, answers: any[]}>}
 */
export async function ask(url, name, type, { id, subnet, from, ca } = {}) {
  const [ip = '', length] = subnet?.split('/') ?? [];
  /** @type {any[]} */
  const options = [
    ...(subnet
      ? [{ code: 'CLIENT_SUBNET', family: ip.includes(':') ? 2 : 1, ip, sourcePrefixLength: Number(length) }]
      : []),
    ...(id ? [{ code: ID_OPTION, data: Buffer.from(id) }] : []),
  ];
  const message = dnsPacket.encode({
    ...{ type: 'query', id: 0, flags: dnsPacket.RECURSION_DESIRED, questions: [{ type, name }] },
    additionals: options.length > 0 ? [{ type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, options }] : [],
  });
  const { status, headers, body } = await get(`${url}?dns=${message.toString('base64url')}`, { from, ca });
  const answer = status === 200 ? dnsPacket.decode(body) : null;
  return { status, headers, rcode: answer?.rcode ?? '', answers: answer?.answers ?? [] };
}

/**
 * The connection is closed with the answer, so that nothing is left over.
 *
 * @param {string} url whose host is reached on this machine
 * @param {{method?: string, headers?: Record<string, string>, from?: string | undefined, ca?: string | Buffer | undefined, body?: string}} [request]
 * @returns {Promise<{status: number, headers: http.IncomingHttpHeaders, body: Buffer}>}
 */
export function get(url, { method = 'GET', headers, from, ca, body = '' } = {}) {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const accept = { accept: 'application/dns-message', ...headers };
  const options = {
    ...{ method, port, path: pathname + search, headers: { host: `${hostname}:${port}`, ...accept }, agent: false },
    ...{ timeout: GIVE_UP_MS, ca, servername: isIP(hostname) ? '' : hostname, localAddress: from },
    // names below `localhost` are known to browsers, and not to every system
    host: hostname.endsWith('localhost') ? '127.0.0.1' : hostname,
  };
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? https : http).request(options, (response) => {
      /** @type {Buffer[]} */
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${url}: no answer within ${GIVE_UP_MS} ms`)));
    request.on('error', reject);
    request.end(body);
  });
}
