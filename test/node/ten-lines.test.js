// The ten lines of README.md in a page of their own, with nothing changed but where things are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../support/chromium.js';
import { createWorld } from '../support/world.js';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const [, lines] = /## Ten lines that work\n+```html\n([\s\S]*?)```/.exec(read('README.md'));
const FILES = {
  'https://cdn.jsdelivr.net/npm/video.js@8/dist/video-js.min.css': 'node_modules/video.js/dist/video-js.min.css',
  'https://cdn.jsdelivr.net/npm/video.js@8/dist/video.min.js': 'node_modules/video.js/dist/video.min.js',
  'https://cdn.jsdelivr.net/npm/videojs-edge-select@0.1': 'dist/videojs-edge-select.min.js',
};
let world;
let pages;
let browser;

before(async () => {
  world = await createWorld({
    media: 'test/media',
    nameservers: {
      map: {
        zones: {
          '_http._tcp.origin.localhost': [{ type: 'SRV', target: 'eu1.token.localhost' }],
          'eu1.token.localhost': [
            { type: 'SRV', target: 'edge:near' },
            { type: 'SRV', target: 'edge:far' },
          ],
        },
      },
    },
    edges: { near: { latencyMs: 5 }, far: { latencyMs: 150 }, origin: { latencyMs: 150 } },
  });
  let page = `<!doctype html>${lines}`;
  for (const [url, path] of Object.entries(FILES)) page = page.replace(url, `/${path}`);
  page = page
    .replace('https://map.example/dns-query', world.urls.nameservers.map)
    .replace('https://video.example/live/main.m3u8', `${world.urls.edges.origin}/ts/main.m3u8`);
  pages = createServer((request, response) => {
    const path = request.url.slice(1);
    if (path === '') response.setHeader('content-type', 'text/html').end(page);
    else if (Object.values(FILES).includes(path)) {
      response.setHeader('content-type', path.endsWith('.css') ? 'text/css' : 'text/javascript').end(read(path));
    } else response.writeHead(404).end();
  });
  await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));
  browser = await chromium.launch({ executablePath: await findChromium(), args: CHROMIUM_FLAGS });
});

after(async () => {
  await browser?.close();
  pages?.closeAllConnections();
  pages?.close();
  await world?.close();
});

test('are ten lines, and each address in them is one that is replaced here', () => {
  assert.equal(lines.trim().split('\n').length, 10);
  assert.equal(lines.match(/https:\/\//g).length, Object.keys(FILES).length + 2);
});

test('play the stream from the quickest edge, and say so', async () => {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const said = page.waitForEvent('console', (message) => message.text().startsWith('plays from'));
  await page.goto(`http://localhost:${pages.address().port}/`);
  assert.equal((await said).text(), `plays from ${world.urls.edges.near}`);
  await page.evaluate(() => globalThis.videojs('player').muted(true));
  await page.evaluate(() => globalThis.videojs('player').play());
  await page.waitForFunction(() => globalThis.videojs('player').currentTime() > 1);
  assert.deepEqual(errors, []);
});
