#!/usr/bin/env node
/**
 * `npm start`: brings what is missing (packages, build), then runs the demo in this one process: two nameservers, four
 * edges, an origin, and the page. Nothing is imported at the top that `npm ci` would have to bring first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILT = join(ROOT, 'dist', 'videojs-edge-select.min.js');
const FIRST_PORT = 8080;

try {
  checkNode();
  installPackages();
  build();
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new Error(`This needs Node 20 or later; here is ${process.version}. See https://nodejs.org`);
}

function installPackages() {
  const needed = ['video.js', 'rollup', '@dnsquery/dns-packet'].map((name) => join(ROOT, 'node_modules', name));
  if (needed.every((folder) => existsSync(folder))) return;
  console.log('The packages are missing: running `npm ci` (once) ...');
  // a shell, since npm is a script of another name on Windows
  const { status } = spawnSync('npm ci --include=dev --no-audit --no-fund', {
    ...{ cwd: ROOT, shell: true, stdio: 'inherit' },
  });
  if (status !== 0) throw new Error('The packages could not be installed. Run `npm ci` to see why.');
}

function build() {
  const sources = [join(ROOT, 'src'), join(ROOT, 'package.json'), join(ROOT, 'rollup.config.js')];
  if (existsSync(BUILT) && statSync(BUILT).mtimeMs >= Math.max(...sources.map(changedAtMs))) return;
  console.log('dist/ is missing or older than src/: building ...');
  const rollup = join(ROOT, 'node_modules', 'rollup', 'dist', 'bin', 'rollup');
  const { status } = spawnSync(process.execPath, [rollup, '-c', '--silent'], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Error('The build failed. Run `npm run build` to see why.');
}

/**
 * @param {string} path
 * @returns {number} when it, or anything in it, was last changed
 */
function changedAtMs(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => changedAtMs(join(path, name))));
}

/** The pretend one, or the one of real servers (`demo/stack/start.js`). */
async function createNetwork() {
  if (!process.argv.includes('--real')) return (await import('./network.js')).createNetwork();
  const { createRealNetwork } = await import('./stack/network.js');
  return createRealNetwork(join(ROOT, 'demo', 'media'));
}

async function run() {
  const { openPages } = await import('./pages.js');
  const network = await createNetwork();
  const pages = await openPages(ROOT, network, Number(process.env['PORT'] ?? FIRST_PORT)).catch(async (error) => {
    await network.close();
    throw error;
  });
  const { origin, nameserver, secondNameserver } = network.state;
  console.log(`\n  videojs-edge-select demo: ${pages.url}\n`);
  console.log('  The same from a terminal, or from a page of yours:');
  console.log(`    node dist/check.mjs check ${origin}/hls/main.m3u8 \\`);
  console.log(`      --nameserver ${nameserver} --second-nameserver ${secondNameserver}\n\n  Ctrl+C ends it.\n`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await Promise.all([pages.close(), network.close()]);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', stop);
}
