/**
 * A browser as a viewer has it: its page can be hidden, slowed and put to sleep. The lab's cannot: Playwright tells
 * the pages of a browser of its own that they are looked at, and keeps their timers awake. Each page has such a browser for
 * itself, so that nothing of the trouble is left over.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../support/chromium.js';
import { openSite } from './lab.js';

const PATIENCE_MS = 20_000;

/** @typedef {import('./lab.js').Page} Page */
/** @typedef {Awaited<ReturnType<typeof viewerOf>>} Viewer */
/**
 * @typedef {object} Place where a run takes place: a lab, whose viewer has no trouble, or a window
 * @property {<T>(withPlugin: boolean, run: (page: Page, viewer?: Viewer) => Promise<T>) => Promise<T>} onFreshPage
 * @property {() => Promise<void>} close
 */

/** @param {string} dist folder of the built package @returns {Promise<Place>} */
export async function openWindow(dist) {
  const site = await openSite(dist);
  return {
    async onFreshPage(withPlugin, run) {
      const { pid, address, end } = await startBrowser();
      try {
        const browser = await chromium.connectOverCDP(address, { noDefaults: true });
        const [page] = browser.contexts()[0]?.pages() ?? [];
        if (!page) throw new Error('the browser has opened no page');
        await site.show(page, withPlugin);
        return await run(page, await viewerOf(page, pid));
      } finally {
        end();
      }
    },
    close: async () => site.close(),
  };
}

async function startBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'edge-select-window-'));
  const flags = ['--mute-audio', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  // detached: the leader of a group of its own, which can be stopped as a whole
  const child = spawn(await findChromium(), [...CHROMIUM_FLAGS, ...flags], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error('the browser did not start');
  const end = () => {
    process.off('exit', end);
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // it has gone already
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  };
  process.once('exit', end);
  /** @type {Promise<string>} */
  const address = new Promise((resolve, reject) => {
    let said = '';
    const patience = setTimeout(() => reject(new Error(`the browser does not listen: ${said}`)), PATIENCE_MS);
    child.stderr.on('data', (text) => {
      said += text;
      const [, found] = /DevTools listening on (\S+)/.exec(said) ?? [];
      if (!found) return;
      clearTimeout(patience);
      resolve(found);
    });
  });
  return { pid, end, address: await address.catch((error) => (end(), Promise.reject(error))) };
}

/**
 * What can happen to a viewer.
 *
 * @param {Page} page
 * @param {number} pid of the browser, and of its group
 */
async function viewerOf(page, pid) {
  const ofPage = await page.context().newCDPSession(page);
  /** @type {Page | null} */
  let other = null;
  const viewer = {
    /** ms that a fixed piece of work takes in the page. */
    workMs: () => page.evaluate(() => globalThis.watch.workMs()),
    isHidden: () => page.evaluate(() => document.visibilityState === 'hidden'),
    /** ms of the longest time in which the page's own timers did not run. */
    longestGapMs: () => page.evaluate(() => globalThis.watch.longestGapMs()),
    /** Seconds. */
    position: () => page.evaluate(() => globalThis.watch.position()),
    unmute: () => page.evaluate(() => globalThis.watch.unmute()),
    /** @param {number} times as slow as it is */
    slowCpu: (times) => ofPage.send('Emulation.setCPUThrottlingRate', { rate: times }),
    /** Another tab comes to the front. */
    async hide() {
      other = await page.context().newPage();
    },
    async show() {
      await page.bringToFront();
      await other?.close();
      other = null;
    },
    /** All of the browser stands still: what comes from the network waits in the sockets. */
    fallAsleep: () => void process.kill(-pid, 'SIGSTOP'),
    wakeUp: () => void process.kill(-pid, 'SIGCONT'),
    /** Ends all of it. */
    async recover() {
      viewer.wakeUp();
      await viewer.slowCpu(1);
      await viewer.show();
    },
  };
  return viewer;
}
