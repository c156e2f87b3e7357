// What npm and a CDN would serve: the built files, loaded as their users load them.
import dnsPacket from 'dns-packet';
import { transformSync } from 'esbuild';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';

const root = new URL('../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const manifest = JSON.parse(read('package.json'));
const PUBLIC = ['EdgeSelectError', 'doh', 'dohJsClient', 'dohJson', 'register'];
/** The budget of the script tag, everything included but Video.js. Without what keeps a stream playing when its edge goes bad, 22 kB. */
const MAX_GZIPPED_BYTES = 37_500;

/** Every path that package.json promises. */
function promised(value) {
  if (typeof value === 'string') return value.includes('*') ? [] : [value];
  return Object.values(value).flatMap(promised);
}

test('every file that package.json names is there', () => {
  const { main, module, types, unpkg, jsdelivr, exports, bin } = manifest;
  for (const path of promised([main, module, types, unpkg, jsdelivr, exports, bin])) {
    assert.ok(existsSync(new URL(path, root)), path);
  }
});

test('each condition of exports gives its types first', () => {
  for (const conditions of Object.values(manifest.exports)) {
    if (typeof conditions === 'string') continue;
    for (const entry of Object.values(conditions)) assert.equal(Object.keys(entry)[0], 'types');
  }
});

test('the files that register the plugin, and no others, are named as having side effects', () => {
  const registering = manifest.sideEffects.map((path) => path.replace('./', ''));
  for (const path of registering.filter((one) => one.startsWith('dist/'))) {
    assert.match(read(path), /register\(|registerPlugin/, path);
  }
  assert.ok(!registering.some((path) => path.includes('register')), 'the side door does nothing by itself');
});

test('npm would pack the bundles, the source, the documents, and no test, demo or medium', () => {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const [packed] = JSON.parse(
    execFileSync(npm, ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
  );
  const paths = packed.files.map(({ path }) => path);
  assert.ok(paths.includes('dist/videojs-edge-select.min.js'));
  assert.ok(paths.includes('LICENSE'));
  assert.ok(paths.includes('dist/check.mjs'), 'the program of package.json');
  assert.deepEqual(
    paths.filter((path) => !/^(dist|src)\/|^docs\/[\w-]+\.md$|^[\w-]+\.(md|json)$|^LICENSE$/.test(path)),
    [],
  );
});

test('the side door loads in Node by require and by import, where there is no window', async () => {
  assert.equal(typeof globalThis.window, 'undefined');
  const required = createRequire(import.meta.url)('../../dist/register.cjs');
  const imported = await import('../../dist/register.mjs');
  assert.equal(typeof required.register, 'function');
  assert.equal(typeof imported.register, 'function');
});

test('the front door loads in Node by require, and exports what it promises', () => {
  const script = "console.log(JSON.stringify(Object.keys(require('./dist/videojs-edge-select.cjs')).sort()))";
  const text = execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
  assert.deepEqual(JSON.parse(text), PUBLIC);
});

test('the script tag registers on the global videojs and defines the global videojsEdgeSelect', () => {
  for (const file of ['dist/videojs-edge-select.js', 'dist/videojs-edge-select.min.js']) {
    const plugins = [];
    const videojs = {
      getPlugin: () => undefined,
      use: () => undefined,
      getTech: () => ({ registerSourceHandler: () => undefined }),
      registerPlugin: (name) => plugins.push(name),
    };
    const page = createContext({ videojs, EventTarget, URL, TextEncoder });
    runInContext(read(file), page);
    assert.deepEqual(plugins, ['edgeSelect'], file);
    assert.deepEqual(Object.keys(page.videojsEdgeSelect).sort(), PUBLIC, file);
  }
});

test(`the minified script has at most ${MAX_GZIPPED_BYTES} bytes gzipped`, () => {
  const bytes = gzipSync(read('dist/videojs-edge-select.min.js'), { level: 9 }).length;
  console.log(`# ${bytes} bytes gzipped`);
  assert.ok(bytes <= MAX_GZIPPED_BYTES, `${bytes} bytes`);
});

test('the bundles run in the oldest browsers that the README names', () => {
  const [, ...versions] = /Chrome (\d+), Firefox (\d+), Safari (\d+) and later/.exec(read('README.md'));
  const target = ['chrome', 'firefox', 'safari'].map((name, i) => name + versions[i]);
  // lookbehind, and what later engines brought; the types' `lib` holds src alone to it, not what is bundled, nor the DOM;
  // behind three dots it is a short name of the minifier
  const newer =
    /\(\?<[=!]|(?<!\.)\.(at|findLast\w*|hasOwn|groupBy|to(Sorted|Reversed|Spliced)|throwIfAborted|withResolvers|canParse|randomUUID)\(|structuredClone|AbortSignal\.|scheduler\./g;
  for (const file of ['videojs-edge-select.min.js', 'register.mjs', 'register.cjs']) {
    const text = read(`dist/${file}`);
    assert.deepEqual(text.match(newer), null, file);
    // optional chaining is in Chrome since 80; only with spread arguments, which are not used, it was wrong before 91
    assert.doesNotMatch(text, /\?\.(\w*\(|\()[^)]*\.\.\./, file);
    const lowered = (target) => transformSync(text, { target, supported: { 'optional-chain': true } }).code;
    assert.ok(lowered(target) === lowered('esnext'), `${file} has newer syntax than ${target.join()}`);
  }
});

test('what the build leaves out of dns-packet is nothing that a lookup reads', async () => {
  const { doh } = await import('../../dist/register.mjs');
  const soa = { type: 'SOA', name: 'v.example', ttl: 60, data: { mname: 'a', rname: 'b', minimum: 7 } };
  const oracle = {
    SRV: [
      { priority: 1, weight: 2, port: 8443, target: 'e.example' },
      { type: 'SRV', priority: 1, weight: 2, port: 8443, target: 'e.example' },
    ],
    A: ['192.0.2.1', { type: 'A', address: '192.0.2.1' }],
    AAAA: ['2001:db8::1', { type: 'AAAA', address: '2001:db8::1' }],
    TXT: [['to', 'ken'], { type: 'TXT', text: 'token' }],
  };
  let asked;
  const ask = (type, message) =>
    doh('https://map.example/dns-query').resolve(
      { lookup: 'tokens', name: 's.example', type, client: { idAs: 'edns', id: 'me', subnet: '198.51.111.0/20' } },
      {
        signal: new AbortController().signal,
        platform: {
          now: () => 0,
          blocked: async () => false,
          fetch: async (url) => {
            asked = dnsPacket.decode(Buffer.from(new URL(url).searchParams.get('dns'), 'base64url'));
            const bytes = dnsPacket.encode({ type: 'response', questions: asked.questions, ...message });
            return new Response(bytes, { headers: { 'content-type': 'application/dns-message' } });
          },
        },
      },
    );
  for (const [type, [data, record]] of Object.entries(oracle)) {
    const answers = [
      { type: 'CNAME', name: 's.example', ttl: 20, data: 't.example' },
      { type, name: 't.example', ttl: 30, data },
      { type: 'MX', name: 't.example', ttl: 1, data: { exchange: 'm.example' } },
    ];
    const additionals = [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] }];
    assert.deepEqual(await ask(type, { answers, additionals }), { records: [record], ttlSeconds: 20 });
    assert.equal(asked.questions[0].type, type);
    const [subnet, id] = asked.additionals[0].options;
    assert.deepEqual(
      [subnet.ip, subnet.sourcePrefixLength, id.code, id.data.toString()],
      ['198.51.96.0', 20, 65001, 'me'],
    );
  }
  await assert.rejects(ask('SRV', { flags: 3, authorities: [soa] }), {
    code: 'LOOKUP_NXDOMAIN',
    details: { lookup: 'tokens', nameserver: 'https://map.example', ttlSeconds: 7 },
  });
});

test('what the build leaves out of structured fields is nothing that CMSD has', () => {
  const text = read('dist/register.mjs');
  for (const kept of ['parseIntegerOrDecimal', 'parseString', 'parseBoolean', 'parseToken', 'parseParameters']) {
    assert.ok(text.includes(`function ${kept}(`), kept);
  }
  for (const left of ['parseByteSequence', 'parseDate', 'parseInnerList']) assert.ok(!text.includes(left), left);
});

test('each bundle brings its source map', () => {
  for (const name of [
    'videojs-edge-select.mjs',
    'videojs-edge-select.cjs',
    'videojs-edge-select.js',
    'videojs-edge-select.min.js',
  ]) {
    const { sources } = JSON.parse(read(`dist/${name}.map`));
    assert.ok(sources.length > 0, name);
    assert.ok(read(`dist/${name}`).includes(`sourceMappingURL=${name}.map`), name);
  }
});

test('nothing from npm is needed at run time but Video.js', () => {
  assert.equal(manifest.dependencies, undefined);
  assert.deepEqual(Object.keys(manifest.peerDependencies), ['video.js']);
  const imports = read('dist/videojs-edge-select.mjs') + read('dist/register.mjs');
  const packages = [...imports.matchAll(/^(?:import|export) .* from '([^.'][^']*)'/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(packages)], ['video.js']);
});

test('the check is a program of its own: it needs Node alone, and the bundles for pages hold nothing of Node', () => {
  const text = read('dist/check.mjs');
  const imports = [...text.matchAll(/^import .*?from '([^']+)';$/gm)].map(([, from]) => from);
  assert.ok(imports.length > 0 && imports.every((from) => from.startsWith('node:')), imports.join());
  for (const file of ['videojs-edge-select.mjs', 'videojs-edge-select.cjs', 'videojs-edge-select.js', 'register.mjs']) {
    assert.doesNotMatch(read(`dist/${file}`), /['"]node:/, file);
  }
});

test('publint finds nothing wrong', async () => {
  const { publint } = await import('publint');
  const { messages } = await publint({ pkgDir: new URL('.', root).pathname, strict: true });
  assert.deepEqual(messages, []);
});
