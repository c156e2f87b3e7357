/** The real stack on loopback: a map, its door, a second level, four edges and an origin, in a folder of their own. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, get } from './ask.js';
import { makeCertificate } from './certificate.js';
import { EDGES, SERVICE_ZONE, TOKEN_ZONE, configure } from './configure.js';
import { Server } from './processes.js';
import { findPrograms } from './programs.js';

export { EDGES } from './configure.js';

/** Each server starts within a second; a busy machine takes longer. */
const STARTS_WITHIN_MS = 20_000;

/** Health checks of the map take their turn once a second. */
const CHECKED_AFTER_MS = 1500;

/** @typedef {Awaited<ReturnType<typeof startStack>>} Stack */

/**
 * @param {object} options
 * @param {string} options.media folder that the edges serve
 * @param {number} [options.queriesPerSecond] that a /24 may ask, of each nameserver
 * @param {number} [options.reportsPerSecond] that an address may send to an edge
 */
export async function startStack({ media, queriesPerSecond = 200, reportsPerSecond = 200 }) {
  const programs = findPrograms();
  const folder = await mkdtemp(join(tmpdir(), 'edge-select-stack-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  // servers end at this moment too: see processes.js
  process.once('exit', removeFolder);
  const at = (/** @type {string} */ name) => join(folder, name);
  const nginx = (/** @type {string} */ config) => [programs.nginx, '-e', 'stderr', '-p', folder, '-c', at(config)];
  const map = new Server('PowerDNS', [programs.pdns_server, `--config-dir=${folder}`]);
  const front = new Server('dnsdist', [programs.dnsdist, '--supervised', '--disable-syslog', '-C', at('dnsdist.lua')]);
  const tokens = new Server('BIND', [programs.named, '-f', '-c', at('named.conf')]);
  const second = new Server('nginx before BIND', nginx('second.nginx.conf'));
  const sites = new Map(
    [...EDGES, 'origin'].map((name) => [name, new Server(`nginx of ${name}`, nginx(`${name}.conf`))]),
  );
  const servers = [map, front, tokens, second, ...sites.values()];
  try {
    return await start();
  } catch (error) {
    await stop();
    throw error;
  }

  async function start() {
    // nginx's workers may be somebody else
    await chmod(folder, 0o755);
    const { authority, certificate, key } = await makeCertificate(programs.openssl, folder);
    const { http, https, mapPort, tokensDohPort, healthUrl } = await configure({
      ...{ folder, media, certificate, key, queriesPerSecond, reportsPerSecond },
    });
    const startEdge = (/** @type {string} */ name) => edge(name).start(() => succeeds(() => get(healthUrl(name))));
    await Promise.all([
      map.start(() => succeeds(() => connect(mapPort))),
      front.start(() => answers(http.nameserver, SERVICE_ZONE)),
      tokens.start(() => succeeds(() => connect(tokensDohPort))),
      second.start(() => answers(http.secondNameserver, TOKEN_ZONE)),
      ...[...sites.keys()].map(startEdge),
    ]);
    // the first question of all begins the health checks; as long as none has come to an end every edge counts as up
    await named(http.nameserver);
    await new Promise((resolve) => setTimeout(resolve, CHECKED_AFTER_MS));
    await until(async () => (await named(http.nameserver)).length === EDGES.length, 'the map does not name every edge');

    return {
      ...{ folder, http, https, authority, serviceZone: SERVICE_ZONE, tokenZone: TOKEN_ZONE, stop },
      /** Process ids of all servers that run. */
      pids: () => servers.flatMap(({ pid }) => pid ?? []),
      /** What demo/stack/feed.js works on. */
      feedFiles: {
        ...{ map: at('map.json'), learned: at('learned.json'), rows: at('rows.zone') },
        ...{ zone: SERVICE_ZONE, control: at('pdns'), logs: EDGES.map((name) => at(`${name}.report.log`)) },
      },
      logs: {
        questions: at('questions.log'),
        access: (/** @type {string} */ name) => at(`${name}.access.log`),
        reports: (/** @type {string} */ name) => at(`${name}.report.log`),
      },
      /** Edges that the map names now, to whoever asks. @param {import('./ask.js').As} [as] */
      named: (as) => named(http.nameserver, as),
      stopEdge: (/** @type {string} */ name) => edge(name).stop(),
      startEdge,
      freezeEdge: (/** @type {string} */ name) => edge(name).freeze(),
      thawEdge: (/** @type {string} */ name) => edge(name).thaw(),
      /** Its health check fails, and it goes on serving. @param {string} name @param {boolean} isOut */
      async drainEdge(name, isOut) {
        if (isOut) await writeFile(at(`${name}.down`), '');
        else await rm(at(`${name}.down`), { force: true });
      },
    };
  }

  /** @param {string} name */
  function edge(name) {
    const found = sites.get(name);
    if (!found) throw new Error(`there is no edge "${name}"`);
    return found;
  }

  async function stop() {
    await Promise.all(servers.map((server) => server.stop()));
    process.off('exit', removeFolder);
    removeFolder();
  }
}

/** @param {string} nameserver @param {import('./ask.js').As} [as] */
async function named(nameserver, as) {
  const { answers } = await ask(nameserver, `_http._tcp.${SERVICE_ZONE}`, 'SRV', as);
  return EDGES.filter((name) => answers.some(({ data }) => data.target.startsWith(`${name}.`)));
}

/** @param {string} nameserver @param {string} zone */
function answers(nameserver, zone) {
  return succeeds(async () => {
    const { rcode } = await ask(nameserver, zone, 'SOA');
    if (rcode !== 'NOERROR') throw new Error(rcode);
  });
}

/** @param {() => Promise<boolean>} isSo @param {string} otherwise */
async function until(isSo, otherwise) {
  const startedAt = Date.now();
  while (!(await isSo())) {
    if (Date.now() - startedAt > STARTS_WITHIN_MS) throw new Error(otherwise);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @param {number} port */
async function connect(port) {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

/** @param {() => Promise<unknown>} run */
async function succeeds(run) {
  try {
    await run();
    return true;
  } catch {
    return false;
  }
}
