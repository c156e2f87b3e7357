/** One viewer: a page of its own, in which a player plays from the real stack, and what the page tells of it. */
import assert from 'node:assert/strict';

const GIVE_UP_MS = 15_000;

/**
 * @typedef {Record<string, any>} Told what an event carried
 */

export class Viewer {
  #page;
  /** @type {{name: string, told: Told}[]} */
  #events = [];
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {string[]} */
  #problems = [];

  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.#page = page;
    page.on('pageerror', (error) => this.#problems.push(error.message));
  }

  /**
   * @param {string} site URL of the page
   * @param {string} src
   * @param {object} options of the plugin
   */
  async start(site, src, options) {
    await this.#page.exposeFunction('tell', (/** @type {string} */ name, /** @type {Told} */ told) => {
      if (name === 'error') this.#problems.push(`the player shows an error: ${told['text']}`);
      this.#events.push({ name, told });
      for (const listener of this.#listeners) listener();
    });
    await this.#page.goto(site);
    await this.#page.evaluate(([url, given]) => globalThis.viewer.start(url, given), [src, options]);
  }

  /** What was told under this name so far. @param {string} name @returns {Told[]} */
  all(name) {
    return this.#events.filter((event) => event.name === name).map(({ told }) => told);
  }

  /**
   * The first event of this name that passes, be it past or to come.
   *
   * @param {string} name
   * @param {(told: Told) => boolean} [passes]
   * @returns {Promise<Told>}
   */
  until(name, passes = () => true) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.all(name).find(passes);
        if (found) end(() => resolve(found));
      };
      const timer = setTimeout(() => {
        const seen = this.#events.filter((event) => !['progress', 'answer'].includes(event.name));
        const lines = seen.map((event) => JSON.stringify(event).slice(0, 300));
        end(() => reject(new Error(`no such '${name}' within ${GIVE_UP_MS} ms, but:\n${lines.join('\n')}`)));
      }, GIVE_UP_MS);
      const end = (/** @type {() => void} */ then) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        then();
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** @param {number} seconds that the clock passes */
  async playedTo(seconds) {
    await this.#page.waitForFunction((limit) => globalThis.viewer.player.currentTime() >= limit, seconds, {
      timeout: GIVE_UP_MS,
      polling: 50,
    });
  }

  /** Until the edges that the plugin holds are these, as after it asked the map again. @param {readonly string[]} origins */
  async knows(origins) {
    const isSo = (/** @type {readonly string[]} */ wanted) => {
      const { edges } = globalThis.viewer.player.edgeSelect().selection;
      return edges.map(({ origin }) => origin).sort().join() === wanted.join(); // prettier-ignore
    };
    await this.#page.waitForFunction(isSo, origins.toSorted(), { timeout: GIVE_UP_MS, polling: 50 });
  }

  /** @param {string} because */
  async reselect(because) {
    await this.#page.evaluate((text) => globalThis.viewer.player.edgeSelect().reselect(text), because);
  }

  /** Who delivered segments so far, in their order: origin and name of the file. */
  segments() {
    return this.all('served')
      .filter(({ url }) => url.endsWith('.ts'))
      .map(({ url, edge }) => ({ edge, path: new URL(url).pathname }));
  }

  /** What the browser says of its requests to a server. @param {string} origin @returns {Promise<{url: string, protocol: string}[]>} */
  requests(origin) {
    return this.#page.evaluate((start) => {
      const entries = performance.getEntriesByType('resource').filter(({ name }) => name.startsWith(start));
      return entries.map(({ name, nextHopProtocol }) => ({ url: name, protocol: nextHopProtocol }));
    }, `${origin}/`);
  }

  /** Nothing was thrown in the page, and the player showed no error. */
  assertWell() {
    assert.deepEqual(this.#problems, []);
  }
}
