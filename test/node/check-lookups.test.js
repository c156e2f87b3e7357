// What the check finds of nameservers, tokens, records and certificates, by the built program on a pretend world.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { selfSignedCertificate } from '../support/certificate.js';
import { checkJson, checkWorld, foundIn, run, worldToCheck } from '../support/checking.js';
import { createWorld } from '../support/world.js';

const SERVICE = '_http._tcp.origin.localhost';
const TOKEN = 'eu1.token.localhost';
const toEdges = [
  { type: 'SRV', target: 'edge:near' },
  { type: 'SRV', target: 'edge:far' },
];

/** Each way of a nameserver to fail: what is found, and in which words. */
const FAULTS = [
  ['swallow', 'NAMESERVER_UNREACHABLE', /within the time that a player waits/],
  ['slowbody', 'NAMESERVER_UNREACHABLE', /within the time that a player waits/],
  ['refuse', 'NAMESERVER_UNREACHABLE', /refuses the connection/],
  ['http500', 'MAP_ANSWER', /HTTP status 500/],
  ['html', 'MAP_ANSWER', /media type "text\/html"/],
  ['wrongtype', 'MAP_ANSWER', /media type "text\/plain"/],
  ['garbage', 'MAP_ANSWER', /no DNS answer/],
  ['pointerloop', 'MAP_ANSWER', /no DNS answer/],
  ['truncated', 'MAP_ANSWER', /cut message/],
  ['servfail', 'MAP_ANSWER', /SERVFAIL/],
  ['refused', 'MAP_ANSWER', /RCODE 5/],
  ['nxdomain', 'MAP_RECORD', /NXDOMAIN/],
  ['nodata', 'MAP_RECORD', /NODATA/],
  ['noCors', 'NAMESERVER_CORS', /no Access-Control-Allow-Origin/],
];

for (const [fault, code, words] of FAULTS) {
  test(`a nameserver with ${fault}: it does not work (exit code 2), and ${code} says why`, async (context) => {
    const { code: exitCode, codes, findings } = await checkJson(context, { map: { fault }, args: ['--timeout', '8'] });
    assert.deepEqual([codes, exitCode], [[code], 2]);
    assert.match(findings[0].says, words);
    assert.ok(findings[0].nginx.length > 0);
    if (code === 'MAP_RECORD') assert.match(findings[0].zone[0], /IN SRV/);
  });
}

test('a service with the target "." has no token: exit code 2', async (context) => {
  const { code, codes } = await checkJson(context, { map: { zones: { [SERVICE]: [{ type: 'SRV', target: '.' }] } } });
  assert.deepEqual([codes, code], [['MAP_RECORD'], 2]);
});

test('one of two tokens has no record: found, and it works by the other', async (context) => {
  const tokens = [
    { type: 'SRV', target: TOKEN },
    { type: 'SRV', target: 'lost.token.localhost', priority: 5 },
  ];
  const { code, findings } = await checkJson(context, { map: { zones: { [SERVICE]: tokens, [TOKEN]: toEdges } } });
  assert.equal(code, 1);
  assert.deepEqual(
    findings.map((one) => [one.code, one.where]),
    [['TOKEN_RECORD', 'SRV lost.token.localhost']],
  );
});

test('tokens and edges of every class are shown, best rank first', async (context) => {
  const tokens = [
    { type: 'SRV', target: 'us1.token.localhost', priority: 20 },
    { type: 'SRV', target: TOKEN, priority: 10 },
  ];
  const zones = { [SERVICE]: tokens, [TOKEN]: [toEdges[0]], 'us1.token.localhost': [toEdges[1]] };
  const { code, json, world } = await checkJson(context, { map: { zones } });
  assert.equal(code, 0);
  assert.deepEqual(
    json.tokens.map(({ name }) => name),
    [TOKEN, 'us1.token.localhost'],
  );
  const edges = json.servers.filter(({ isEdge }) => isEdge).map(({ origin, rank }) => [origin, rank]);
  assert.deepEqual(edges, [
    [world.urls.edges.near, 0],
    [world.urls.edges.far, 1],
  ]);
});

test('a server record that a page cannot use is told', async (context) => {
  const records = [...toEdges, { type: 'SRV', target: 'edge_9.localhost', port: 80 }];
  const { code, findings } = await checkJson(context, {
    map: { zones: { [SERVICE]: [{ type: 'SRV', target: TOKEN }], [TOKEN]: records } },
  });
  assert.equal(code, 1);
  assert.deepEqual(
    findings.map((one) => [one.code, one.where, one.says]),
    [['SERVER_RECORD', TOKEN, 'names "edge_9.localhost:80", which a page cannot use']],
  );
});

test('a server whose name has no address is told', async (context) => {
  const records = [toEdges[0], { type: 'SRV', target: 'gone.invalid', port: 80 }];
  const { code, codes } = await checkJson(context, {
    map: { zones: { [SERVICE]: [{ type: 'SRV', target: TOKEN }], [TOKEN]: records } },
  });
  assert.deepEqual([codes, code], [['HOST_ADDRESS'], 1]);
});

test('what a token meets with does not make the map useless: one of two tokens in a loop of aliases', async (context) => {
  const zones = {
    [SERVICE]: [
      { type: 'SRV', target: TOKEN },
      { type: 'SRV', target: 'loop.token.localhost' },
    ],
    [TOKEN]: toEdges,
    'loop.token.localhost': [{ type: 'CNAME', target: 'loop.token.localhost' }],
  };
  const { code, codes } = await checkJson(context, { map: { zones } });
  assert.deepEqual([codes, code], [['TOKEN_RECORD'], 1]);
});

/** A world with a first and a second nameserver. */
async function twoNameservers(context, first = {}, second = {}) {
  const zones = { [SERVICE]: [{ type: 'SRV', target: TOKEN }], [TOKEN]: toEdges };
  const world = await createWorld({
    nameservers: { map: { zones, ...first }, other: { zones, ...second } },
    edges: { near: {}, far: {}, origin: {} },
  });
  context.after(() => world.close());
  return world;
}

test('of two nameservers the first is down: found, and it works by the second', async (context) => {
  const world = await twoNameservers(context, { fault: 'refuse' });
  const { out, code } = await checkWorld(world, { args: ['--nameserver', world.urls.nameservers.other, '--json'] });
  const { findings } = foundIn(out);
  assert.equal(code, 1);
  assert.deepEqual(
    findings.map((one) => [one.code, one.where]),
    [['NAMESERVER_UNREACHABLE', world.urls.nameservers.map]],
  );
});

test('--second-nameserver is asked for tokens, and it alone', async (context) => {
  const world = await twoNameservers(context, { zones: { [SERVICE]: [{ type: 'SRV', target: TOKEN }] } });
  const ended = await checkWorld(world, { args: ['--second-nameserver', world.urls.nameservers.other] });
  assert.equal(ended.code, 0, ended.out);
  const questions = world.log.filter(({ server }) => server.startsWith('nameserver'));
  assert.deepEqual(
    questions.map(({ server, body }) => [server, body.name]),
    [
      ['nameserver:map', SERVICE],
      ['nameserver:other', TOKEN],
    ],
  );
  const failing = await twoNameservers(context, {}, { fault: 'garbage' });
  const { out, code } = await checkWorld(failing, {
    args: ['--second-nameserver', failing.urls.nameservers.other, '--json'],
  });
  assert.deepEqual([foundIn(out).codes, code], [['TOKEN_ANSWER'], 2]);
});

/** Options of a page that change the first question: words, and what the nameserver hears. */
const IDENTITIES = [
  ['a random number as EDNS option', [], { id: /^[\da-f]{32}$/, idFrom: 'edns' }],
  ['an id as EDNS option', ['--client-id', 'gold'], { id: /^gold$/, idFrom: 'edns' }],
  ['an id as label', ['--client-id', 'gold', '--id-as', 'label'], { id: /^gold$/, idFrom: 'label' }],
  ['an id in the URL', ['--client-id', 'gold', '--id-as', 'query'], { id: /^gold$/, idFrom: 'url' }],
  ['no id', ['--no-client-id'], { id: null, idFrom: null }],
  ['a subnet', ['--no-client-id', '--subnet', '198.51.100.0/24'], { id: null, idFrom: null, subnet: '198.51.100.0' }],
  ['the JSON form', ['--json-api', '--client-id', 'gold', '--id-as', 'query'], { id: /^gold$/, idFrom: 'url' }],
];

for (const [name, args, heard] of IDENTITIES) {
  test(`the client is told to the map by ${name}, and not to the second nameserver`, async (context) => {
    const { world, code } = await checkJson(context, { args });
    assert.equal(code, 0);
    const [first, second] = world.log.filter(({ server }) => server === 'nameserver:map').map(({ body }) => body);
    if (heard.id === null) assert.equal(first.id, null);
    else assert.match(first.id, heard.id);
    assert.deepEqual([first.idFrom, first.subnet?.address], [heard.idFrom, heard.subnet]);
    assert.deepEqual([second.name, second.id, second.subnet], [TOKEN, null, null]);
  });
}

test('--service and --servers A change the questions', async (context) => {
  const world = await worldToCheck(context);
  const { port } = new URL(world.urls.edges.near);
  const zones = {
    'my.service': [{ type: 'SRV', target: TOKEN }],
    [TOKEN]: [{ type: 'A', address: '127.0.0.1' }],
  };
  await world.patch({ nameservers: { map: { zones } } });
  const more = ['--service', 'my.service', '--servers', 'A', '--servers-url', `http://ip-{dashed}.localhost:${port}`];
  const { out, code } = await checkWorld(world, { args: [...more, '--json'] });
  const { json } = foundIn(out);
  assert.deepEqual([code, json.findings, json.service], [0, [], 'my.service']);
  assert.equal(json.servers[1].origin, `http://ip-127-0-0-1.localhost:${port}`);
});

let folder;
let trusted;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-select-check-'));
  const path = join(folder, 'ca.pem');
  writeFileSync(path, (await selfSignedCertificate()).cert);
  trusted = { NODE_EXTRA_CA_CERTS: path };
});
after(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Everything on `localhost`, the one name of the certificate that Node lets a host have.
 *
 * @param {(edges: {near: object, far: object}) => object[]} records of the token
 */
async function checkTls(context, { env = {}, near = {}, records = ({ near: one, far }) => [one, far] } = {}) {
  const world = await worldToCheck(context, { map: { tls: true }, every: { tls: true }, origin: { tls: true }, near });
  const portOf = (name) => Number(new URL(world.urls.edges[name]).port);
  const to = (name) => ({ type: 'SRV', target: 'localhost', port: portOf(name) });
  const zones = {
    '_https._tcp.localhost': [{ type: 'SRV', target: TOKEN }],
    [TOKEN]: records({ near: to('near'), far: to('far') }),
  };
  await world.patch({ nameservers: { map: { zones } } });
  const where = [`https://localhost:${portOf('origin')}/ts/main.m3u8`, '--nameserver', world.urls.nameservers.map];
  const { code, out, err } = await run(['check', ...where, '--origin', 'https://localhost:1234', '--json'], env);
  assert.equal(err, '');
  return { code, ...foundIn(out) };
}

test('over TLS all is well where the certificate is trusted: HTTP/2, and when it ends', async (context) => {
  const { code, findings, json } = await checkTls(context, { env: trusted });
  assert.deepEqual([code, findings], [0, []]);
  const [, near] = json.servers;
  assert.deepEqual([near.protocol, near.certificate.error], ['h2', null]);
  assert.match(near.certificate.names, /DNS:localhost/);
  assert.match(near.certificate.endsOn, /^\d{4}-\d\d-\d\d$/);
});

test('a self-signed certificate is a finding at each server, and no stack trace', async (context) => {
  const { code, codes, findings, json } = await checkTls(context);
  assert.deepEqual([codes, code, findings.length], [['CERTIFICATE'], 2, 4]);
  assert.match(findings[0].says, /self-signed \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
  assert.equal(json.servers[1].answers.range, 206, 'what else is wrong is found in the same run');
});

test('a certificate for other names is told, with those it has', async (context) => {
  const records = ({ near, far }) => [{ ...near, target: 'a.b.localhost' }, far];
  const { code, findings } = await checkTls(context, { env: trusted, records });
  assert.deepEqual([findings.map((one) => one.code), code], [['CERTIFICATE'], 1]);
  assert.match(findings[0].says, /for other names .*"DNS:localhost, DNS:\*\.localhost/);
});

test('https to a port that speaks http is a finding about TLS', async (context) => {
  const { codes, code } = await checkTls(context, { env: trusted, near: { tls: false } });
  assert.deepEqual([codes, code], [['TLS'], 1]);
});

test('an https page has no http edges: told as records that it cannot use', async (context) => {
  const { codes, code } = await checkJson(context, { page: 'https://localhost:1234' });
  assert.deepEqual([codes, code], [['SERVER_RECORD'], 2]);
});

test('nothing of it needs the world to be there: an unknown origin ends with exit code 2', async () => {
  const { code, out, err } = await run(['check', 'http://a.invalid/x.m3u8', '--nameserver', 'http://b.invalid/dns']);
  assert.deepEqual([code, err], [2, '']);
  assert.match(out, /http:\/\/b\.invalid\/dns: has no address in DNS/);
});
