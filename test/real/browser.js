/** Chromium with a home of its own, whose list of authorities has that of one run beside the usual ones. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../support/chromium.js';

/** Chromium on Linux reads the NSS database of its user's home; certutil is what writes to one. */
const CERTUTIL = ['/usr/bin/certutil', '/usr/local/bin/certutil'];

/**
 * @param {string | null} authority PEM file of the authority that it trusts; null: none but the usual
 * @throws {Error} that says what is missing and how to install it
 */
export async function openBrowser(authority) {
  const certutil = CERTUTIL.find((path) => existsSync(path));
  if (!certutil) {
    throw new Error(
      'Missing here: certutil. On Debian or Ubuntu:\n  sudo apt-get install -y --no-install-recommends libnss3-tools',
    );
  }
  const executablePath = await findChromium();
  const home = mkdtempSync(join(tmpdir(), 'edge-select-home-'));
  const removeHome = () => rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  // however the run ends
  process.once('exit', removeHome);
  try {
    const database = join(home, '.pki', 'nssdb');
    mkdirSync(database, { recursive: true });
    execFileSync(certutil, ['-N', '-d', `sql:${database}`, '--empty-password']);
    if (authority) {
      execFileSync(certutil, ['-A', '-d', `sql:${database}`, '-n', 'The run', '-t', 'C,,', '-i', authority]);
    }
    const browser = await chromium.launch({
      ...{ executablePath, args: CHROMIUM_FLAGS },
      env: { ...process.env, HOME: home },
    });
    return {
      newContext: () => browser.newContext(),
      async close() {
        await browser.close();
        process.off('exit', removeHome);
        removeHome();
      },
    };
  } catch (error) {
    removeHome();
    throw error;
  }
}
