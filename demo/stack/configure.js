/** Writes the configurations of one stack: free ports, addresses and names filled into the templates of `config/`. */
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMap, rowsZone, tokenRecords } from './map.js';

const CONFIG = fileURLToPath(new URL('config/', import.meta.url));
const TEMPLATES = ['pdns.conf', 'pdns-zones.conf', 'map.zone', 'dnsdist.lua', 'named.conf', 'second.nginx.conf'];
export const EDGES = ['amsterdam', 'frankfurt', 'warsaw', 'lisbon'];
/** Whose stream it is serves it too. */
const SITES = [...EDGES, 'origin'];
export const SERVICE_ZONE = 'origin.localhost';
export const TOKEN_ZONE = 'token.example';
/** Health checks tell edges apart by address; all of 127.0.0.0/8 is this machine (on Linux). */
const WITNESS_ADDRESS = '127.0.0.10';
const FIRST_SITE_ADDRESS = 11;
/** By which dnsdist asks for clients on trial. */
const TRIAL_ADDRESS = '127.0.0.53';
const HEALTH_SECONDS = 1;

/**
 * @typedef {object} Scheme one way in, over http or https
 * @property {string} nameserver URL
 * @property {string} secondNameserver URL
 * @property {Readonly<Record<string, string>>} origins by the name of an edge, or `origin`
 *
 * @typedef {object} Settings
 * @property {string} folder where all is written
 * @property {string} media folder that the edges serve
 * @property {string} certificate path
 * @property {string} key path
 * @property {number} queriesPerSecond
 * @property {number} reportsPerSecond
 */

/** @param {Settings} settings */
export async function configure({ folder, media, ...settings }) {
  for (const name of ['pdns', 'named', 'temp']) await mkdir(join(folder, name));
  const ports = await freePorts([
    ...['mapPort', 'frontPort', 'mapHttpPort', 'mapHttpsPort', 'healthPort'],
    ...['tokensDohPort', 'tokensDnsPort', 'tokensHttpPort', 'tokensHttpsPort'],
    ...SITES.flatMap((name) => [`${name}Http`, `${name}Https`]),
  ]);
  const port = (/** @type {string} */ name) => Number(ports[name]);
  const [http, https] = [scheme('http', port), scheme('https', port)];
  const serial = Math.floor(Date.now() / 1000);
  const common = {
    ...{ ...settings, ...ports, folder, media: resolve(media), serial, healthSeconds: HEALTH_SECONDS },
    ...{ serviceZone: SERVICE_ZONE, tokenZone: TOKEN_ZONE },
    ...{ witnessAddress: WITNESS_ADDRESS, trialAddress: TRIAL_ADDRESS },
    // as root, so that files of root's home can be served; else nginx runs as whoever started it
    user: process.getuid?.() === 0 ? 'user root;' : '',
  };
  const write = (/** @type {string} */ name, /** @type {string} */ text) => writeFile(join(folder, name), text);

  const sites = EDGES.flatMap((name) => [
    [`${name}Address`, addressOf(name)],
    [`${name}Http`, http.origins[name]],
    [`${name}Https`, https.origins[name]],
  ]);
  const mapText = await filled('map.json', { ...common, ...Object.fromEntries(sites) });
  const map = readMap(mapText);
  const values = { ...common, ttlSeconds: map.ttlSeconds };
  await write('map.json', mapText);
  await write('rows.zone', rowsZone(map, {}, serial));
  await write('token.zone', (await filled('token.zone', values)) + tokenRecords(map));
  for (const name of TEMPLATES) await write(name, await filled(name, values));
  for (const name of SITES) {
    const own = { httpPort: port(`${name}Http`), httpsPort: port(`${name}Https`), healthAddress: addressOf(name) };
    await write(`${name}.conf`, await filled('edge.nginx.conf', { ...values, ...own, name }));
  }
  return {
    ...{ http, https, mapPort: port('mapPort'), tokensDohPort: port('tokensDohPort') },
    healthUrl: (/** @type {string} */ name) => `http://${addressOf(name)}:${port('healthPort')}/health`,
  };
}

/** @param {string} site */
function addressOf(site) {
  return `127.0.0.${FIRST_SITE_ADDRESS + SITES.indexOf(site)}`;
}

/** @param {'http' | 'https'} name @param {(name: string) => number} port @returns {Scheme} */
function scheme(name, port) {
  const suffix = name === 'http' ? 'Http' : 'Https';
  return {
    nameserver: `${name}://127.0.0.1:${port(`map${suffix}Port`)}/dns-query`,
    secondNameserver: `${name}://127.0.0.1:${port(`tokens${suffix}Port`)}/dns-query`,
    origins: Object.fromEntries(SITES.map((site) => [site, `${name}://${site}.localhost:${port(site + suffix)}`])),
  };
}

/**
 * @param {string} template
 * @param {Readonly<Record<string, unknown>>} values
 * @throws {Error} that names what has no value
 */
async function filled(template, values) {
  const text = await readFile(join(CONFIG, template), 'utf8');
  return text.replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (values[name] === undefined) throw new Error(`${template}: nothing to fill in for {{${name}}}`);
    return String(values[name]);
  });
}

/** @param {readonly string[]} names @returns {Promise<Record<string, number>>} one each, free a moment ago */
async function freePorts(names) {
  const held = await Promise.all(
    names.map(async () => {
      const server = net.createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = held.map((server) => /** @type {net.AddressInfo} */ (server.address()).port);
  await Promise.all(held.map((server) => once(server.close(), 'close')));
  return Object.fromEntries(names.map((name, i) => [name, Number(ports[i])]));
}
