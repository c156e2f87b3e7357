/**
 * A Karma launcher for WebKitGTK: its MiniBrowser on a screen that nobody sees (Xvfb), driven by WebKitWebDriver over
 * plain W3C WebDriver. All three are children of this process and end with it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

const START_MS = 20_000;
const ASK_AGAIN_MS = 100;
/** Kept on this machine, as Chromium is: any name but localhost goes to a proxy that is not there. */
const OFFLINE = ['--proxy=http://127.0.0.1:9', '--ignore-host=localhost', '--ignore-host=127.0.0.1'];

/** Every collection is a full one, and a page of some megabytes is collected: what is littered goes, as tests of leaks want. */
const COLLECTS = { JSC_useGenerationalGC: '0', JSC_forceRAMSize: '20000000' };

/** @typedef {{driver: string, screen: string, browser: string}} Programs */

/**
 * What Karma's decorators make of an object.
 *
 * @typedef {object} Launcher
 * @property {string} name
 * @property {((event: 'start', run: (url: string) => void) => void) & ((event: 'kill', run: (done: () => void) => void) => void)} on
 * @property {(error?: string) => void} _done
 */

/** @returns {Programs | null} null where one of them, or H.264 for it, is missing */
export function findWebKit() {
  const driver = inPath('WebKitWebDriver');
  const screen = inPath('Xvfb');
  const libraries = ['/usr/lib', '/usr/lib64', '/usr/libexec', ...foldersOf('/usr/lib')];
  const versions = libraries.flatMap(foldersOf).filter((folder) => /webkit2?gtk-\d/.test(folder));
  const browser = versions.map((folder) => join(folder, 'MiniBrowser')).find(existsSync);
  const hasH264 = libraries.some((folder) => existsSync(join(folder, 'gstreamer-1.0', 'libgstlibav.so')));
  return driver && screen && browser && hasH264 ? { driver, screen, browser } : null;
}

/** @param {string} program */
function inPath(program) {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find(existsSync);
}

/** @param {string} folder */
function foldersOf(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

/**
 * Made by Karma, which gives what `$inject` names.
 *
 * @param {(launcher: object) => void} baseLauncherDecorator
 * @param {(launcher: object) => void} captureTimeoutLauncherDecorator
 * @param {{programs: Programs, capabilities?: object}} args of the custom launcher
 * @param {{create: (name: string) => {error: (text: string) => void}}} logger
 */
export function webkitLauncher(baseLauncherDecorator, captureTimeoutLauncherDecorator, args, logger) {
  const launcher = /** @type {Launcher} */ ({ name: 'WebKitGTK' });
  baseLauncherDecorator(launcher);
  captureTimeoutLauncherDecorator(launcher);
  const log = logger.create(launcher.name);
  /** @type {Session | null} */
  let session = null;
  launcher.on('start', (url) => {
    const started = new Session(args);
    session = started;
    started.open(url).catch(async (error) => {
      if (session !== started) return;
      session = null;
      log.error(`cannot start: ${error.message}\n${started.said}`);
      await started.close();
      launcher._done('cannot start');
    });
  });
  launcher.on('kill', async (done) => {
    const open = session;
    session = null;
    await open?.close();
    launcher._done();
    done();
  });
  return launcher;
}
webkitLauncher.$inject = ['baseLauncherDecorator', 'captureTimeoutLauncherDecorator', 'args', 'logger'];

/** One browser with one page. */
class Session {
  /** The last words of the three programs, for whoever asks why it did not start. */
  said = '';
  #programs;
  #capabilities;
  #driverUrl = '';
  #id = '';
  /** @type {import('node:child_process').ChildProcess[]} */
  #children = [];
  #isClosed = false;

  /** @param {{programs: Programs, capabilities?: object}} args */
  constructor({ programs, capabilities = {} }) {
    this.#programs = programs;
    this.#capabilities = capabilities;
    process.once('exit', this.#killAll);
  }

  /** @param {string} url */
  async open(url) {
    const display = await this.#openScreen();
    const port = await freePort();
    const env = { ...process.env, DISPLAY: display, GDK_BACKEND: 'x11', ...COLLECTS };
    this.#run(this.#programs.driver, [`--port=${port}`, '--host=local'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#driverUrl = `http://127.0.0.1:${port}`;
    await this.#driverAnswers();
    const browserOptions = {
      binary: this.#programs.browser,
      args: ['--automation', '--autoplay-policy=allow', ...OFFLINE],
    };
    const { sessionId } = await this.#ask('POST', '/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': browserOptions, ...this.#capabilities } },
    });
    this.#id = sessionId;
    await this.#ask('POST', `/session/${sessionId}/url`, { url });
  }

  async close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    process.off('exit', this.#killAll);
    if (this.#id) await this.#ask('DELETE', `/session/${this.#id}`).catch(() => undefined);
    const ends = this.#children.filter(isRunning).map((child) => once(child, 'exit'));
    this.#killAll();
    await Promise.all(ends);
  }

  #killAll = () => {
    for (const child of this.#children) child.kill();
  };

  /** @returns {Promise<string>} the display, of a number that the server found free */
  async #openScreen() {
    const screen = this.#run(
      this.#programs.screen,
      ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'],
      { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
    );
    const lines = createInterface({ input: /** @type {import('node:stream').Readable} */ (screen.stdio[3]) });
    const [number] = await once(lines, 'line', { signal: AbortSignal.timeout(START_MS) });
    return `:${number}`;
  }

  async #driverAnswers() {
    const until = Date.now() + START_MS;
    for (;;) {
      try {
        return await this.#ask('GET', '/status');
      } catch (error) {
        if (Date.now() > until || this.#isClosed) throw error;
        await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      }
    }
  }

  /**
   * @param {string} program
   * @param {readonly string[]} args
   * @param {import('node:child_process').SpawnOptions} options
   */
  #run(program, args, options) {
    const child = spawn(program, args, options);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => {
        this.said = (this.said + data).slice(-4000);
      });
    }
    child.on('error', (error) => {
      this.said += error.message;
    });
    this.#children.push(child);
    return child;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async #ask(method, path, body) {
    const response = await fetch(this.#driverUrl + path, { method, ...(body && { body: JSON.stringify(body) }) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value?.error} ${value?.message}`);
    return value;
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function isRunning({ pid, exitCode, signalCode }) {
  return pid !== undefined && exitCode === null && signalCode === null;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
