// The words of the command, and the two forms of what it prints.
import { buildSync } from 'esbuild';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkWorld, foundIn, run, worldToCheck } from '../support/checking.js';

const root = new URL('../../', import.meta.url);
const { version, bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const URL_AND_MAP = ['check', 'https://video.example/main.m3u8', '--nameserver', 'https://map.example/dns-query'];

/** Words, and what is said of them. */
const WRONG = [
  [[], /one command, 'check'/],
  [['chekc'], /'check', and not 'chekc'/],
  [['check'], /needs the URL/],
  [['check', 'main.m3u8', '--nameserver', 'https://m'], /'main\.m3u8' is no http\(s\) URL/],
  [['check', 'https://a.example/x'], /--nameserver is needed/],
  [['check', 'https://192.0.2.1/x', '--nameserver', 'https://m'], /see --service/],
  [['check', 'https://u:p@a.example/x', '--nameserver', 'https://m'], /holds a password/],
  [['check', 'https://a.example/x', 'https://b.example/x', '--nameserver', 'https://m'], /one URL is checked/],
  [['check', 'https://a.example/x', '--nameserver', 'map'], /--nameserver .*map.*: an http\(s\) URL/],
  [[...URL_AND_MAP, '--second-nameserver', 'ftp://m'], /--second-nameserver .*: an http\(s\) URL/],
  [[...URL_AND_MAP, '--nameservr', 'x'], /Unknown option '--nameservr'/],
  [[...URL_AND_MAP, '--timeout', 'soon'], /--timeout 'soon': seconds, from 1 to 600/],
  [[...URL_AND_MAP, '--timeout', '0'], /--timeout '0'/],
  [[...URL_AND_MAP, '--timeout'], /'--timeout <value>' argument missing/],
  [[...URL_AND_MAP, '--origin', 'page'], /--origin 'page'/],
  [[...URL_AND_MAP, '--subnet', '198.51.100.7/32'], /--subnet .*: an address and a prefix of at most \/24/],
  [[...URL_AND_MAP, '--id-as', 'cookie'], /--id-as .*: edns, label, query/],
  [[...URL_AND_MAP, '--id-as', 'label', '--client-id', 'a.b'], /--client-id .*: as a label/],
  [[...URL_AND_MAP, '--json-api', '--client-id', 'gold'], /--client-id: the JSON API has no EDNS/],
  [[...URL_AND_MAP, '--tokens', 'MX'], /--tokens MX: SRV, TXT/],
  [[...URL_AND_MAP, '--servers', 'MX'], /--servers .*: SRV; or A or AAAA/],
  [[...URL_AND_MAP, '--servers', 'A'], /--servers-url .*{dashed}/],
  [[...URL_AND_MAP, '--servers-url', 'https://{dashed}'], /--servers-url: for --servers A/],
  [[...URL_AND_MAP, '--report-path', 'told'], /--report-path .*: a path from \/ on/],
];

for (const [words, said] of WRONG) {
  test(`"${words.join(' ')}" is refused with exit code 2, and the wrong word is named`, async () => {
    const { code, out, err } = await run(words);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, said);
    assert.doesNotMatch(err, /^\s+at /m);
  });
}

test('--help names each option, and --version the version of the package', async () => {
  const help = await run(['--help']);
  const source = readFileSync(new URL('src/check/arguments.ts', root), 'utf8');
  const [, flags] = /const FLAGS = \{([^]*?)\} as const/.exec(source);
  for (const [, quoted, bare] of flags.matchAll(/(?:'([\w-]+)'|(\w+)): (?:TEXTS?|FLAG)\b/g)) {
    assert.ok(help.out.includes(`--${quoted ?? bare}`), quoted ?? bare);
  }
  assert.deepEqual([help.code, await run(['--version'])], [0, { code: 0, out: `${version}\n`, err: '' }]);
});

test('package.json names the program, and it is one', () => {
  assert.ok(existsSync(new URL(bin['videojs-edge-select'], root)));
  assert.match(readFileSync(new URL(bin['videojs-edge-select'], root), 'utf8'), /^#!\/usr\/bin\/env node\n/);
});

test('the table and JSON tell the same findings, with an example of each', async (context) => {
  const world = await worldToCheck(context, {
    near: { cors: false, timingAllowOrigin: false },
    far: { expose: 'Date' },
  });
  const { out, code } = await checkWorld(world);
  const { findings, json } = foundIn((await checkWorld(world, { args: ['--json'] })).out);
  assert.deepEqual([code, json.exitCode], [1, 1]);
  for (const { code: name, where, says, missing, nginx } of findings) {
    assert.ok(out.includes(`${name}: missing: ${missing}`), name);
    assert.ok(out.includes(`${where}: ${says}`), says);
    for (const line of nginx) assert.ok(out.includes(line), line);
  }
  assert.equal(out.match(/^(ERROR|Warning) /gm).length, new Set(findings.map((one) => one.code)).size);
  assert.match(out, /^Result: works, with findings: 2 errors, 6 warnings \(exit code 1\)\n$/m);
});

test('the table shows questions, tokens, servers and their timings', async (context) => {
  const world = await worldToCheck(context);
  const { out } = await checkWorld(world);
  const { near } = world.urls.edges;
  assert.match(
    out,
    /SRV _http\._tcp\.origin\.localhost +http:\/\/127\.0\.0\.1:\d+\/dns-query +\d+ ms +10 s +1 record\n/,
  );
  assert.match(out, /eu1\.token\.localhost +10 +60/);
  assert.match(
    out,
    new RegExp(`${near} +0 +60 % +127\\.0\\.0\\.1 +http/1\\.1( +\\d+ ms){2}( +200){2} +204 +200 +206 +204`),
  );
});

const bundled = (path) => {
  const { outputFiles } = buildSync({
    ...{ entryPoints: [path], bundle: true, format: 'esm', write: false, platform: 'node' },
    absWorkingDir: root.pathname,
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
};

test('docs/check.md names each finding, and says how grave it is', async () => {
  const { ADVICE } = await bundled('src/check/advice.ts');
  const rows = readFileSync(new URL('docs/check.md', root), 'utf8').matchAll(/^\| `([A-Z_]+)` \| (\w+) \|/gm);
  const written = Object.fromEntries([...rows].map(([, code, severity]) => [code, severity]));
  assert.deepEqual(written, Object.fromEntries(Object.entries(ADVICE).map(([code, { severity }]) => [code, severity])));
});

test('every finding but "not checked" has an example', async () => {
  const { ADVICE } = await bundled('src/check/advice.ts');
  const bare = Object.entries(ADVICE).filter(([, { nginx, zone }]) => !nginx?.length && !zone?.length);
  assert.deepEqual(
    bare.map(([code]) => code),
    ['NOT_CHECKED'],
  );
});

test('addresses are public, local or loopback as Local Network Access has them', async () => {
  const { spaceOf, nearest, asksViewer } = await bundled('src/check/space.ts');
  const spaces = {
    loopback: ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::ffff:127.0.0.1'],
    local: ['10.1.2.3', '172.16.0.1', '172.31.9.9', '192.168.1.1', '169.254.1.1', '100.64.0.1', 'fd00::1', 'FE80::1'],
    public: ['192.0.2.1', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '2001:db8::1', '::ffff:192.0.2.1'],
  };
  for (const [space, addresses] of Object.entries(spaces)) {
    for (const address of addresses) assert.equal(spaceOf(address), space, address);
  }
  assert.equal(nearest(['192.0.2.1', '10.0.0.1']), 'local');
  const asked = Object.keys(spaces).flatMap((page) => Object.keys(spaces).map((server) => [page, server]));
  assert.deepEqual(
    asked.filter(([page, server]) => asksViewer(page, server)).map((pair) => pair.join(' to ')),
    ['local to loopback', 'public to loopback', 'public to local'],
  );
});

test('a certificate that ends soon is a warning, and one that is over an error', async () => {
  const { wireFindings } = await bundled('src/check/judge-wire.ts');
  const now = Date.parse('2030-01-01');
  const found = (error, endsOn) =>
    wireFindings(
      'https://e',
      { addresses: [], certificate: { error, endsOn, names: 'DNS:e', expiresAt: Date.parse(endsOn) } },
      { page: 'https://p', pageSpace: 'public', now },
    ).map(({ code, severity, says }) => `${severity} ${code}: ${says}`);
  assert.deepEqual(found(null, '2030-01-16'), []);
  assert.deepEqual(found(null, '2030-01-14'), ['warning CERTIFICATE_ENDS: its certificate ends on 2030-01-14']);
  assert.deepEqual(found('CERT_HAS_EXPIRED', '2029-12-31'), [
    'error CERTIFICATE: its certificate is over (CERT_HAS_EXPIRED); it names "DNS:e", and ends on 2029-12-31',
  ]);
});

test('an https page may not ask a nameserver over http, unless that is on this very machine', async () => {
  const { lookupFindings } = await bundled('src/check/judge-lookups.ts');
  const codesFor = (url) => {
    const wire = { addresses: [], certificate: null };
    const exchange = { url, hops: [], headers: new Headers({ 'access-control-allow-origin': '*' }), wire };
    const asked = { question: { lookup: 'tokens', name: 's', type: 'SRV' }, nameserver: url, exchange, outcome: {} };
    const around = { page: 'https://p.example', pageSpace: 'public', now: 0 };
    return lookupFindings({ asked: [asked], refused: [], failure: null }, around).map(({ code }) => code);
  };
  assert.deepEqual(codesFor('http://map.example/'), ['NAMESERVER_HTTP']);
  for (const url of ['https://map.example/', 'http://127.0.0.1/', 'http://a.localhost/', 'http://[::1]/']) {
    assert.deepEqual(codesFor(url), [], url);
  }
});
