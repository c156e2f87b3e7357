/** What the tests on the real stack share: the stack, a browser that trusts it, a site, and edges that can be altered. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EDGES, startStack } from '../../demo/stack/stack.js';
import { Tail } from '../../demo/stack/tail.js';
import { buildIfStale } from '../bench/lab.js';
import { until } from '../stack/tools.js';
import { openBrowser } from './browser.js';
import { openGate } from './edges.js';
import { openSite } from './site.js';
import { Viewer } from './viewer.js';

const MEDIA = fileURLToPath(new URL('../../demo/media', import.meta.url));
const SITES = [...EDGES, 'origin'];

/** So patient that a busy machine cannot make an edge look dead, or the origin take part; all that is named is raced. */
const PATIENT = {
  ...{ originAfterMs: 20_000, lookupTimeoutMs: 20_000, preflightTimeoutMs: 20_000, stallMs: 10_000 },
  ...{ maxTokens: 4, maxEdges: 4 },
};

/** @typedef {'http' | 'https'} SchemeName */
/** @typedef {import('node:test').TestContext} TestContext */

/** The ways in, and what the browser must say it spoke. */
export const SCHEMES = /** @type {const} */ ([
  { scheme: 'http', protocol: 'http/1.1' },
  { scheme: 'https', protocol: 'h2' },
]);

/** The lab of one file of tests: opened before the first of them, closed after the last. */
export function useLab() {
  /** @type {Lab | null} */
  let lab = null;
  before(async () => {
    buildIfStale();
    lab = await Lab.open();
  });
  after(() => lab?.close());
  return () => {
    if (!lab) throw new Error('the lab is not open yet');
    return lab;
  };
}

export class Lab {
  #browser;
  #site;
  #gate;
  #tail = new Tail();
  /** Of the last viewer. @type {import('playwright-core').BrowserContext | null} */
  #context = null;

  static async open() {
    const stack = await startStack({ media: MEDIA });
    try {
      const browser = await openBrowser(stack.authority);
      return new Lab(stack, browser, await openSite(stack.folder), await openGate());
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /**
   * @param {import('../../demo/stack/stack.js').Stack} stack
   * @param {Awaited<ReturnType<typeof openBrowser>>} browser
   * @param {Awaited<ReturnType<typeof openSite>>} site
   * @param {Awaited<ReturnType<typeof openGate>>} gate
   */
  constructor(stack, browser, site, gate) {
    this.stack = stack;
    this.#browser = browser;
    this.#site = site;
    this.#gate = gate;
  }

  async close() {
    await this.#browser.close();
    this.#site.close();
    this.#gate.close();
    await this.stack.stop();
  }

  /**
   * A viewer who begins to play; gone when the test is over, which then fails if anything went wrong in the page.
   *
   * @param {TestContext} t
   * @param {SchemeName} scheme of the page, the nameservers and the stream
   * @param {object} [options] of the plugin, beside the nameservers
   * @param {string} [path]
   */
  async watch(t, scheme, options = {}, path = '/hls/main.m3u8') {
    const { nameserver, secondNameserver, origins } = this.stack[scheme];
    // what was before is not this viewer's
    for (const name of SITES) this.logged(name);
    const context = await this.#browser.newContext();
    this.#context = context;
    const viewer = new Viewer(await context.newPage());
    t.after(async () => {
      await context.close();
      viewer.assertWell();
    });
    const all = { nameserver, secondNameserver, ...PATIENT, ...options };
    await viewer.start(this.#site.urls[scheme], origins['origin'] + path, all);
    return viewer;
  }

  /** Name of the server that has this origin. @param {string} origin */
  nameOf(origin) {
    const { http, https } = this.stack;
    return SITES.find((name) => [http.origins[name], https.origins[name]].includes(origin)) ?? origin;
  }

  /**
   * What a server has logged since the last viewer came, or since it was asked last.
   *
   * @param {string} name
   * @returns {{method: string, url: string, status: number, bytes: number}[]}
   */
  logged(name) {
    return this.#tail.newLines(this.stack.logs.access(name)).map((line) => JSON.parse(line));
  }

  /**
   * Has edges altered for one test; at its end all is as it was, and the map names every edge again.
   *
   * @param {TestContext} t
   * @param {Readonly<Record<string, import('./edges.js').Change>>} [changes] by name of the edge
   */
  async alter(t, changes = {}) {
    const fileOf = (/** @type {string} */ name) => join(this.stack.folder, `${name}.conf`);
    const before = Object.keys(changes).map((name) => ({ name, text: readFileSync(fileOf(name), 'utf8') }));
    const rewrite = async (/** @type {string} */ name, /** @type {string} */ text) => {
      await this.stack.stopEdge(name);
      writeFileSync(fileOf(name), text);
      await this.stack.startEdge(name);
    };
    t.after(async () => {
      // a viewer who is still there would see it
      await this.#context?.close();
      this.#gate.delays.clear();
      for (const name of EDGES) {
        this.stack.thawEdge(name);
        await this.stack.drainEdge(name, false);
      }
      await Promise.all(before.map(({ name, text }) => rewrite(name, text)));
      await Promise.all(EDGES.map((name) => this.stack.startEdge(name)));
      await this.named(EDGES);
    });
    await Promise.all(before.map(({ name, text }) => rewrite(name, changes[name]?.(text) ?? text)));
    await this.named(EDGES);
  }

  /** For `alter()`: an edge as far away as `delay()` says. @param {string} name */
  gated(name) {
    return this.#gate.gated(name);
  }

  /** From now on. @param {Readonly<Record<string, number>>} delays in ms, by name of an edge that is gated */
  delay(delays) {
    for (const [name, ms] of Object.entries(delays)) this.#gate.delays.set(name, ms);
  }

  /** Until the map names these. @param {readonly string[]} edges @param {import('../../demo/stack/ask.js').As} [as] */
  async named(edges, as) {
    const isSo = async () => (await this.stack.named(as)).join() === edges.join();
    await until(isSo, `the map names ${edges.join(', ')}`);
  }
}

/** A file that edges serve: its size, and its digest. @param {string} path */
export function fileAt(path) {
  const bytes = readFileSync(MEDIA + path);
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
