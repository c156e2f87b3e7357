/** A pretend world: nameservers, edges and an origin that share a media folder and one log. */
import { DescriptionError, checkWorld, fillInEdge, fillInNameserver } from './description.js';
import { Edge } from './edge.js';
import { mediaFolder } from './files.js';
import { RequestLog } from './log.js';
import { Nameserver } from './nameserver.js';
import { TokenBucket } from './shape.js';
import { Zones } from './zones.js';

const DEFAULT_MEDIA = 'test/media';

/** @typedef {import('./description.js').WorldDescription} WorldDescription */
/** @typedef {import('./description.js').EdgeDescription} EdgeDescription */
/** @typedef {import('./description.js').NameserverDescription} NameserverDescription */
/** @typedef {{nameservers: Record<string, string>, edges: Record<string, string>}} WorldUrls */

let worldCount = 0;

/**
 * @param {WorldDescription} [description]
 * @returns {Promise<World>} whose servers all answer, or refuse if they were told to
 */
export async function createWorld(description = {}) {
  const world = new World(checkWorld(description));
  try {
    await world.open();
  } catch (error) {
    await world.close();
    throw error;
  }
  return world;
}

export class World {
  id = `w${++worldCount}`;
  #log = new RequestLog();
  #lastMile = new TokenBucket(0);
  /** @type {Map<string, {server: Nameserver, description: NameserverDescription}>} */
  #nameservers = new Map();
  /** @type {Map<string, {server: Edge, description: EdgeDescription}>} */
  #edges = new Map();
  /** The last change asked for: changes are made one after the other. @type {Promise<void>} */
  #lastChange = Promise.resolve();
  #closed = false;

  /** @param {WorldDescription} description */
  constructor({ media = DEFAULT_MEDIA, nameservers = {}, edges = {}, lastMileBitsPerSecond = 0 }) {
    this.#lastMile.bitsPerSecond = lastMileBitsPerSecond;
    const net = { log: this.#log, lastMile: this.#lastMile };
    const shared = { ...net, folder: mediaFolder(media), madeAtMs: Date.now() };
    for (const [name, given] of Object.entries(nameservers)) {
      const description = fillInNameserver(name, given);
      this.#nameservers.set(name, { server: new Nameserver(name, description, net), description });
    }
    for (const [name, given] of Object.entries(edges)) {
      const description = fillInEdge(name, given);
      this.#edges.set(name, { server: new Edge(name, description, shared), description });
    }
  }

  /** What the servers were asked, in order; grows as they are. @returns {readonly import('./log.js').LogEntry[]} */
  get log() {
    return this.#log.entries;
  }

  /** @returns {WorldUrls} */
  get urls() {
    return { nameservers: urlsOf(this.#nameservers), edges: urlsOf(this.#edges) };
  }

  /** @param {(entry: import('./log.js').LogEntry) => void} watcher see {@link RequestLog.watch} */
  watch(watcher) {
    return this.#log.watch(watcher);
  }

  /** Not for callers of {@link createWorld}, which has done it. */
  async open() {
    const all = [...this.#edges.values(), ...this.#nameservers.values()];
    const opened = await Promise.allSettled(all.map(({ server }) => server.open()));
    // only when all have come to an end can those that did open be closed
    for (const result of opened) if (result.status === 'rejected') throw result.reason;
    // zones name edges by their ports, which are known only now
    await this.#change({
      nameservers: Object.fromEntries([...this.#nameservers].map(([name]) => [name, {}])),
      edges: Object.fromEntries([...this.#edges].map(([name]) => [name, {}])),
    });
  }

  /**
   * Merges a partial description, server by server; fields such as `rules` and `zones` are replaced whole.
   * Nothing is changed by a patch that does not make sense.
   *
   * @param {WorldDescription} partial
   * @returns {Promise<void>}
   */
  patch(partial) {
    const change = this.#lastChange.then(() => this.#change(checkWorld(partial)));
    this.#lastChange = change.catch(() => {});
    return change;
  }

  async close() {
    this.#closed = true;
    await this.#lastChange;
    const all = [...this.#edges.values(), ...this.#nameservers.values()];
    await Promise.all(all.map(({ server }) => server.close()));
  }

  /** @param {WorldDescription} partial */
  async #change({ media, nameservers = {}, edges = {}, lastMileBitsPerSecond }) {
    if (this.#closed) throw new DescriptionError('the world is closed');
    if (media !== undefined) throw new DescriptionError('media: cannot be changed while the world runs');
    // two passes: what does not make sense is found before anything has changed
    const changes = [
      ...Object.entries(nameservers).map(([name, given]) => this.#nameserverChange(name, given)),
      ...Object.entries(edges).map(([name, given]) => this.#edgeChange(name, given)),
    ];
    this.#lastMile.bitsPerSecond = lastMileBitsPerSecond ?? this.#lastMile.bitsPerSecond;
    await Promise.all(changes.map((make) => make()));
  }

  /**
   * @param {string} name
   * @param {Partial<NameserverDescription>} given
   */
  #nameserverChange(name, given) {
    const known = needed(this.#nameservers.get(name), `nameservers.${name}`);
    const description = fillInNameserver(name, { ...known.description, ...given });
    refuseNewTls(known.description, description);
    const zones = new Zones(description.zones, (edge) => needed(this.#edges.get(edge), `edge:${edge}`).server.address);
    return () => {
      known.description = description;
      return known.server.become(description, zones);
    };
  }

  /**
   * @param {string} name
   * @param {Partial<EdgeDescription>} given
   */
  #edgeChange(name, given) {
    const known = needed(this.#edges.get(name), `edges.${name}`);
    const description = fillInEdge(name, { ...known.description, ...given });
    refuseNewTls(known.description, description);
    return () => {
      known.description = description;
      return known.server.become(description);
    };
  }
}

/**
 * @template T
 * @param {T | undefined} server
 * @param {string} name
 * @returns {T}
 */
function needed(server, name) {
  if (server === undefined) throw new DescriptionError(`there is no ${name}`);
  return server;
}

/**
 * @param {{tls: boolean}} before
 * @param {{tls: boolean}} after
 */
function refuseNewTls(before, after) {
  if (before.tls !== after.tls) throw new DescriptionError('tls: cannot be changed while the world runs');
}

/**
 * @param {Map<string, {server: {url: string}}>} servers
 * @returns {Record<string, string>}
 */
function urlsOf(servers) {
  return Object.fromEntries([...servers].map(([name, { server }]) => [name, server.url]));
}
