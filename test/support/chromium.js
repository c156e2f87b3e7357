// Finds a Chromium, or brings one from npm where there is none.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KNOWN_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
/** 68 MB, with H.264 and AAC: fetched only by those who have no browser, and kept out of package.json. */
const CARRIED = '@sparticuz/chromium@147.0.0';

/** Keeps it quiet and on this machine: every name but localhost fails to resolve. */
export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1',
];

/**
 * @returns {Promise<string>} the path of an executable: `CHROME_BIN`, a known place, or the one that npm carries
 * @throws {Error} that says what to install
 */
export async function findChromium() {
  const named = process.env['CHROME_BIN'];
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`CHROME_BIN is ${named}, and there is no such file.`);
  }
  return KNOWN_PLACES.find((place) => existsSync(place)) ?? (await carriedChromium());
}

async function carriedChromium() {
  // it brings its own shared libraries only where it believes to run there
  process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs22.x';
  process.env['TMPDIR'] ??= tmpdir();
  const folder = join(ROOT, '.cache', 'chromium');
  const require = createRequire(join(folder, 'none.js'));
  try {
    let entry;
    try {
      entry = require.resolve('@sparticuz/chromium');
    } catch {
      console.log(`No Chromium here: fetching ${CARRIED} from npm (68 MB, once, into .cache/chromium)`);
      mkdirSync(folder, { recursive: true });
      const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
      execFileSync(npm, ['install', '--no-save', '--no-package-lock', '--prefix', folder, CARRIED], {
        stdio: 'inherit',
      });
      entry = require.resolve('@sparticuz/chromium');
    }
    const { default: chromium } = await import(entry);
    return await chromium.executablePath();
  } catch (cause) {
    throw new Error(
      'No Chromium was found, and none could be brought. Install one (Debian: apt-get install chromium) or set CHROME_BIN.',
      { cause },
    );
  }
}
