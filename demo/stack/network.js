/**
 * The network of the demo's page on real servers: the same shape as that of `../network.js`, over the stack. What a viewer
 * can do to it are the things that happen to real servers: one dies, freezes, or is taken out before maintenance.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { RefusedError } from '../network.js';
import { feed } from './feed.js';
import { EDGES, startStack } from './stack.js';
import { Tail } from './tail.js';

const LOOK_EVERY_MS = 250;
const FEED_EVERY_MS = 30_000;
/** By which this process asks, so that its own questions can be left out of the page. */
const OWN_ADDRESS = '127.0.0.9';
const REPORT_PATH = '/.well-known/edge-select';
const CONDITIONS = ['works', 'drain', 'refuse', 'silent'];

/** What the radio buttons of the page stand for. @type {Readonly<Record<string, readonly string[]>>} */
const MAPS = { all: EDGES, west: ['amsterdam', 'frankfurt'], rim: ['warsaw', 'lisbon'] };

/** @typedef {'works' | 'drain' | 'refuse' | 'silent'} Condition drain: its health check fails, and it goes on serving */

/** @param {string} media folder that the edges serve */
export async function createRealNetwork(media) {
  const network = new RealNetwork(await startStack({ media }));
  await network.look();
  return network;
}

export class RealNetwork {
  #stack;
  /** @type {Record<string, Condition>} */
  #conditions = Object.fromEntries([...EDGES, 'origin'].map((name) => [name, 'works']));
  #map = 'all';
  /** Edges that the map names now, by its own answer. @type {readonly string[]} */
  #named = EDGES;
  /** @type {Set<(entry: object) => void>} */
  #watchers = new Set();
  /** @type {Set<() => void>} */
  #stateWatchers = new Set();
  #tail = new Tail();
  #entryCount = 0;
  #timers;
  #isClosed = false;
  /** Changes are made one after the other. @type {Promise<unknown>} */
  #lastChange = Promise.resolve();

  /** @param {import('./stack.js').Stack} stack */
  constructor(stack) {
    this.#stack = stack;
    const look = () => {
      this.look().catch(() => {}); // the map is asked again a moment later
    };
    const learn = () => {
      feed(stack.feedFiles).catch((error) => console.error(error.message));
    };
    this.#timers = [setInterval(look, LOOK_EVERY_MS), setInterval(learn, FEED_EVERY_MS)];
  }

  get state() {
    const { http } = this.#stack;
    return {
      nameserver: http.nameserver,
      secondNameserver: http.secondNameserver,
      origin: http.origins['origin'],
      map: this.#map,
      named: this.#named,
      conditions: CONDITIONS,
      edges: Object.entries(this.#conditions).map(([name, condition]) => ({
        name,
        url: http.origins[name],
        condition,
      })),
    };
  }

  /** @param {(entry: object) => void} watcher told of each request when its server has logged it */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** @param {() => void} watcher told when the map's answer is another one */
  watchState(watcher) {
    this.#stateWatchers.add(watcher);
    return () => this.#stateWatchers.delete(watcher);
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} change
   */
  changeEdge(name, { condition }) {
    if (!Object.hasOwn(this.#conditions, name)) throw new RefusedError(`there is no edge "${name}"`);
    if (!CONDITIONS.includes(String(condition))) throw new RefusedError(`condition: one of ${CONDITIONS.join(', ')}`);
    const change = this.#lastChange.then(() => this.#become(name, /** @type {Condition} */ (condition)));
    this.#lastChange = change.catch(() => {});
    return change;
  }

  /** @param {string} name @param {Condition} condition */
  async #become(name, condition) {
    this.#conditions[name] = condition;
    this.#stack.thawEdge(name);
    await this.#stack.drainEdge(name, condition === 'drain');
    if (condition === 'refuse') return this.#stack.stopEdge(name);
    await this.#stack.startEdge(name);
    if (condition === 'silent') this.#stack.freezeEdge(name);
  }

  /** Changes the operator's map, and has PowerDNS load it. @param {unknown} answer */
  async moveMap(answer) {
    const labels = MAPS[String(answer)];
    if (!labels) throw new RefusedError(`answer: one of ${Object.keys(MAPS).join(', ')}`);
    const { map: path } = this.#stack.feedFiles;
    const map = JSON.parse(readFileSync(path, 'utf8'));
    for (const row of map.rows) {
      if (row.network.endsWith('/0')) row.answer = labels.map((label) => [10, 100, label]);
    }
    writeFileSync(path, JSON.stringify(map, null, 2));
    await feed(this.#stack.feedFiles, { always: true });
    this.#map = String(answer);
  }

  async reset() {
    await this.moveMap('all');
    for (const name of Object.keys(this.#conditions)) await this.changeEdge(name, { condition: 'works' });
  }

  async close() {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#stack.stop();
  }

  /** At the logs, and at the map's answer, with the eyes of any client. */
  async look() {
    const { logs } = this.#stack;
    for (const name of [...EDGES, 'origin']) {
      for (const line of this.#tail.newLines(logs.access(name))) this.#tellRequest(name, JSON.parse(line));
      for (const line of this.#tail.newLines(logs.reports(name))) this.#tellReport(name, JSON.parse(line));
    }
    for (const line of this.#tail.newLines(logs.questions)) this.#tellQuestion(line);
    const named = await this.#stack.named({ from: OWN_ADDRESS });
    if (this.#isClosed || named.join() === this.#named.join()) return;
    this.#named = named;
    for (const watcher of this.#stateWatchers) watcher();
  }

  /** @param {string} name @param {any} line of nginx's log, as edge.nginx.conf shapes it */
  #tellRequest(name, { t, seconds, method, url, status, bytes }) {
    const tEnd = t * 1000;
    // 499: nginx's word for a client that left
    this.#tell(`edge:${name}`, { t: tEnd - seconds * 1000, tEnd, method, url, status, bytes, aborted: status === 499 });
  }

  /** @param {string} name @param {any} line */
  #tellReport(name, { t, body }) {
    this.#tell(`edge:${name}`, { t: t * 1000, tEnd: t * 1000, method: 'POST', url: REPORT_PATH, status: 204, body });
  }

  /** @param {string} line of dnsdist's log */
  #tellQuestion(line) {
    const [, from, name, type] = /Packet from (\S+):\d+ for (\S+)\. (\w+) with id/.exec(line) ?? [];
    if (!name || from === OWN_ADDRESS) return;
    this.#tell('nameserver:map', {
      t: Date.now(),
      method: 'GET',
      url: '/dns-query',
      status: 200,
      body: { name, type },
    });
  }

  /** In the shape of the pretend network's log. @param {string} server @param {object} entry */
  #tell(server, entry) {
    const whole = { seq: this.#entryCount++, server, tEnd: null, bytes: 0, body: null, aborted: false, ...entry };
    for (const watcher of this.#watchers) watcher(whole);
  }
}
