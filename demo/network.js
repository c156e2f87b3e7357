/**
 * The network of the demo: a map, a second-level nameserver, four edges and an origin, and the few things that a viewer
 * can do to them. All of it is the pretend network of the tests: real DNS messages, real HTTP, on loopback.
 */
import { createWorld } from '../test/support/world.js';

/** Whose stream it is: the name that the player asks the map about. */
const SERVICE = '_http._tcp.origin.localhost';
/** Short, so that a moved map is heard of soon; the plugin keeps no answer for less than 5 s. */
const TTL_SECONDS = 5;

/**
 * @typedef {'works' | 'refuse' | 'silent' | 'stall' | 'cut' | 'trickle' | '503' | 'leave'} Condition
 *   leave: it works, and asks its clients to move away (CMSD `du`)
 * @typedef {{latencyMs: number, bitsPerSecond: number, condition: Condition}} EdgeState
 * @typedef {keyof typeof MAPS} MapAnswer
 */

const TOKENS = {
  'rhine-4f2a.tokens.demo': ['amsterdam', 'frankfurt'],
  'rim-c07e.tokens.demo': ['warsaw', 'lisbon'],
};
const [RHINE = '', RIM = ''] = Object.keys(TOKENS);

/** What the map may answer: tokens. */
const MAPS = { all: [RHINE, RIM], west: [RHINE], rim: [RIM] };

/** @type {Readonly<Record<string, EdgeState>>} */
const EDGES = {
  amsterdam: { latencyMs: 50, bitsPerSecond: 6_000_000, condition: 'works' },
  frankfurt: { latencyMs: 20, bitsPerSecond: 8_000_000, condition: 'works' },
  warsaw: { latencyMs: 70, bitsPerSecond: 4_000_000, condition: 'works' },
  lisbon: { latencyMs: 110, bitsPerSecond: 3_000_000, condition: 'works' },
  origin: { latencyMs: 220, bitsPerSecond: 1_500_000, condition: 'works' },
};

const CONDITIONS = ['works', 'refuse', 'silent', 'stall', 'cut', 'trickle', '503', 'leave'];
/** Conditions that are faults of the pretend edge, under the same name. */
const FAULTS = ['refuse', 'silent', 'stall', 'cut'];
/** Of an edge that has become slow: a third of the lowest rendition. */
const TRICKLE_BITS_PER_SECOND = 100_000;
const LARGEST_LATENCY_MS = 1000;

/** What a viewer asked for and cannot have. */
export class RefusedError extends Error {}

/** @returns {Promise<Network>} */
export async function createNetwork() {
  const world = await createWorld({
    media: 'demo/media',
    nameservers: {
      map: { latencyMs: 15, connectMs: 15, zones: mapZones('all') },
      tokens: { latencyMs: 15, connectMs: 15, zones: tokenZones() },
    },
    edges: Object.fromEntries(Object.entries(EDGES).map(([name, edge]) => [name, described(name, edge)])),
  });
  return new Network(world);
}

export class Network {
  #world;
  /** @type {Record<string, EdgeState>} */
  #edges = structuredClone(EDGES);
  /** @type {MapAnswer} */
  #map = 'all';

  /** @param {import('../test/support/world.js').World} world */
  constructor(world) {
    this.#world = world;
  }

  /** All that the page needs to know, as JSON. */
  get state() {
    const { nameservers, edges } = this.#world.urls;
    return {
      nameserver: nameservers['map'],
      secondNameserver: nameservers['tokens'],
      origin: edges['origin'],
      map: this.#map,
      conditions: CONDITIONS,
      edges: Object.entries(this.#edges).map(([name, edge]) => ({ name, url: edges[name], ...edge })),
    };
  }

  /** @param {(entry: import('../test/support/log.js').LogEntry) => void} watcher told of each request as it goes on */
  watch(watcher) {
    return this.#world.watch(watcher);
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} change some members of an {@link EdgeState}
   */
  async changeEdge(name, { latencyMs, bitsPerSecond, condition }) {
    const edge = Object.hasOwn(this.#edges, name) ? this.#edges[name] : undefined;
    if (!edge) throw new RefusedError(`there is no edge "${name}"`);
    const next = { ...edge };
    if (latencyMs !== undefined) next.latencyMs = amount('latencyMs', latencyMs, LARGEST_LATENCY_MS);
    if (bitsPerSecond !== undefined) next.bitsPerSecond = amount('bitsPerSecond', bitsPerSecond, 1e9);
    if (condition !== undefined) {
      if (!CONDITIONS.includes(String(condition))) throw new RefusedError(`condition: one of ${CONDITIONS.join(', ')}`);
      next.condition = /** @type {Condition} */ (condition);
    }
    this.#edges[name] = next;
    await this.#world.patch({ edges: { [name]: described(name, next) } });
  }

  /** @param {unknown} answer */
  async moveMap(answer) {
    if (!Object.hasOwn(MAPS, String(answer))) throw new RefusedError(`answer: one of ${Object.keys(MAPS).join(', ')}`);
    this.#map = /** @type {MapAnswer} */ (answer);
    await this.#world.patch({ nameservers: { map: { zones: mapZones(this.#map) } } });
  }

  async reset() {
    await this.moveMap('all');
    for (const [name, edge] of Object.entries(EDGES)) await this.changeEdge(name, { ...edge });
  }

  close() {
    return this.#world.close();
  }
}

/**
 * @param {string} name
 * @param {EdgeState} edge
 * @returns {Partial<import('../test/support/description.js').EdgeDescription>}
 */
function described(name, { latencyMs, bitsPerSecond, condition }) {
  const leave = condition === 'leave' ? ';du' : '';
  return {
    latencyMs,
    // who is far away is far away for the first packet too
    connectMs: latencyMs,
    bitsPerSecond: condition === 'trickle' ? TRICKLE_BITS_PER_SECOND : bitsPerSecond,
    fault:
      condition === '503'
        ? 'status:503'
        : /** @type {'refuse' | null} */ (FAULTS.includes(condition) ? condition : null),
    headers: {
      'CMSD-Dynamic': `"${name}";etp=${Math.round(bitsPerSecond / 1000)}${leave}`,
      // the clip plays in a loop: each round is to be seen at the edges, and not in the browser's cache
      'Cache-Control': 'no-store',
    },
  };
}

/** @param {MapAnswer} answer */
function mapZones(answer) {
  return {
    [SERVICE]: MAPS[answer].map((target) => ({
      ...{ type: /** @type {const} */ ('SRV'), ttl: TTL_SECONDS },
      // the port of a token means nothing
      ...{ priority: 10, weight: 10, port: 443, target },
    })),
  };
}

function tokenZones() {
  return Object.fromEntries(
    Object.entries(TOKENS).map(([token, names]) => [
      token,
      names.map((name) => ({
        ...{ type: /** @type {const} */ ('SRV'), ttl: TTL_SECONDS },
        ...{ priority: 10, weight: 10, target: `edge:${name}` },
      })),
    ]),
  );
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {number} largest
 */
function amount(name, value, largest) {
  if (typeof value !== 'number' || !(value >= 0 && value <= largest)) {
    throw new RefusedError(`${name}: a number from 0 to ${largest}`);
  }
  return value;
}
