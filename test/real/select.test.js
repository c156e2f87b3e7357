// Two lookups and a race, in a real browser against PowerDNS, dnsdist, BIND and nginx, by HTTP/1.1 and by HTTP/2 over TLS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../demo/stack/ask.js';
import { EDGES } from '../../demo/stack/stack.js';
import { openBrowser } from './browser.js';
import { limited } from './edges.js';
import { fileAt, SCHEMES, useLab } from './lab.js';

const MANIFEST = '/hls/main.m3u8';
const lab = useLab();

/** Tokens and servers without what is drawn at random, by name of the edge. */
function named(/** @type {Record<string, any>} */ selection) {
  return {
    tokens: selection['tokens'].toSorted(),
    edges: selection['edges'].map((/** @type {{origin: string}} */ edge) => lab().nameOf(edge.origin)).toSorted(),
  };
}

/** @param {Record<string, any>} selection @returns {Record<string, any>} probes by name of the edge */
const probesOf = (selection) =>
  Object.fromEntries(selection['probes'].map((/** @type {any} */ probe) => [lab().nameOf(probe.edge.origin), probe]));

/** The requests of each edge that are no media, as nginx logged them. */
const raced = () =>
  Object.fromEntries(
    EDGES.map((name) => [
      name,
      lab()
        .logged(name)
        .filter(({ url }) => url === MANIFEST)
        .map(({ method, status }) => `${method} ${status}`),
    ]),
  );

/** @template T @param {T} value */
const atEachEdge = (value) => Object.fromEntries(EDGES.map((name) => [name, value]));

for (const { scheme, protocol } of SCHEMES) {
  const suffix = scheme === 'http' ? '.plain.token.example' : '.token.example';

  test(`over ${protocol} the map gives tokens, the second level their servers, and all of these are raced by GET`, async (t) => {
    const viewer = await lab().watch(t, scheme);
    const { selection } = await viewer.until('raced');
    assert.equal(selection.service, `_${scheme}._tcp.origin.localhost`);
    assert.deepEqual(named(selection), {
      tokens: EDGES.map((name) => name + suffix).toSorted(),
      edges: EDGES.toSorted(),
    });
    const probes = probesOf(selection);
    for (const name of EDGES) {
      const { method, outcome, status, elapsedMs, requestMs, capabilities } = probes[name];
      assert.deepEqual([method, outcome, status], ['GET', 'ok', 200], name);
      assert.ok(elapsedMs > 0, `${name}: ${elapsedMs} ms`);
      assert.equal(capabilities.ranges, true);
      assert.equal(capabilities.etpKbps, 20_000);
      assert.match(capabilities.etag, /^"[\da-f]+-[\da-f]+"$/);
      assert.ok(Number.isFinite(Date.parse(capabilities.date)), capabilities.date);
      assert.ok(Number.isFinite(requestMs), `${name}: ${requestMs} ms, by the browser’s own clock`);
      assert.equal(capabilities.protocol, protocol, name);
    }
    await viewer.playedTo(0.5);
    assert.deepEqual(raced(), atEachEdge(['GET 200']), 'each was asked once, and without a CORS preflight');
  });

  test(`over ${protocol} all of the stream comes from the chosen edge, byte for byte, and none from the origin`, async (t) => {
    const viewer = await lab().watch(t, scheme);
    const { selection } = await viewer.until('selected');
    const last = await viewer.until('served', ({ url }) => url.endsWith('-04.ts'));
    assert.equal(last['edge'], selection.chosen.origin);
    await viewer.playedTo(1);
    assert.deepEqual([...new Set(viewer.segments().map(({ edge }) => edge))], [selection.chosen.origin]);
    for (const { path, sha256 } of viewer.all('answer')) assert.equal(sha256, fileAt(path).sha256, path);
    const spoken = await viewer.requests(selection.chosen.origin);
    assert.deepEqual([...new Set(spoken.map((request) => request.protocol))], [protocol]);
    assert.deepEqual(lab().logged('origin'), []);
    for (const server of /** @type {const} */ (['nameserver', 'secondNameserver'])) {
      const url = new URL(lab().stack[scheme][server]);
      const protocols = (await viewer.requests(url.origin)).map((request) => request.protocol);
      assert.ok(protocols.length > 0 && protocols.every((one) => one === protocol), `${server}: ${protocols}`);
    }
    assert.equal(viewer.all('failedover').length, 0);
  });

  for (const { preflight, status, asked } of [
    { preflight: 'HEAD', status: 200, asked: ['HEAD 200'] },
    // the browser itself asks first whether it may: the method is not one of those that need no CORS preflight
    { preflight: 'OPTIONS', status: 204, asked: ['OPTIONS 204', 'OPTIONS 204'] },
  ]) {
    test(`over ${protocol} edges can be raced by ${preflight}, and the browser tells protocol and time of each`, async (t) => {
      const viewer = await lab().watch(t, scheme, { preflight });
      const { selection } = await viewer.until('raced');
      for (const [name, probe] of Object.entries(probesOf(selection))) {
        const { method, outcome, capabilities } = probe;
        assert.deepEqual([method, outcome, probe.status], [preflight, 'ok', status], name);
        assert.equal(capabilities.protocol, protocol, name);
        assert.ok(Number.isFinite(probe.requestMs), `${name}: ${probe.requestMs} ms`);
      }
      await viewer.playedTo(0.5);
      const chosen = lab().nameOf(selection.chosen.origin);
      assert.deepEqual(raced(), { ...atEachEdge(asked), [chosen]: [...asked, 'GET 200'] });
    });
  }

  test(`over ${protocol} the quickest edge is chosen, and keeps the stream`, async (t) => {
    await lab().alter(t, Object.fromEntries(EDGES.map((name) => [name, lab().gated(name)])));
    lab().delay({ amsterdam: 600, frankfurt: 500, lisbon: 400 });
    const viewer = await lab().watch(t, scheme);
    const { selection } = await viewer.until('raced');
    assert.equal(lab().nameOf(selection.chosen.origin), 'warsaw');
    assert.equal(selection.reason, 'quickest');
    const { amsterdam, frankfurt, lisbon } = probesOf(selection);
    for (const [probe, delayMs] of [
      [amsterdam, 600],
      [frankfurt, 500],
      [lisbon, 400],
    ]) {
      assert.ok(probe.elapsedMs >= delayMs - 1, `${probe.edge.origin}: ${probe.elapsedMs} ms`);
    }
    await viewer.playedTo(0.5);
    assert.ok(viewer.segments().every(({ edge }) => edge === selection.chosen.origin));
  });
}

test('an edge whose rate limit is reached does not win, however quickly it says so', async (t) => {
  const far = Object.fromEntries(['amsterdam', 'frankfurt', 'lisbon'].map((name) => [name, lab().gated(name)]));
  await lab().alter(t, { ...far, warsaw: limited(2) });
  lab().delay({ amsterdam: 500, frankfurt: 500, lisbon: 500 });
  const url = lab().stack.http.origins['warsaw'] + MANIFEST;
  for (const expected of [200, 200, 429]) assert.equal((await get(url)).status, expected);
  const viewer = await lab().watch(t, 'https');
  const { selection } = await viewer.until('raced');
  const { warsaw } = probesOf(selection);
  assert.deepEqual([warsaw.outcome, warsaw.status], ['status', 429]);
  assert.ok(warsaw.elapsedMs < 500, 'it was the first to answer');
  assert.notEqual(lab().nameOf(selection.chosen.origin), 'warsaw');
  await viewer.playedTo(0.5);
});

test('nobody waits for an edge that is frozen, though the map names it', async (t) => {
  await lab().alter(t);
  // when all of a row are out the map gives it whole: they may be well, and its own checks broken
  await lab().stack.drainEdge('lisbon', true);
  lab().stack.freezeEdge('warsaw');
  await lab().named(['amsterdam', 'frankfurt']);
  const viewer = await lab().watch(t, 'https', { client: { id: 'trial-1' }, preflightTimeoutMs: 5000 });
  await viewer.until('answer');
  assert.equal(viewer.all('raced').length, 0, 'it has its first segment before the race is over');
  const { selection } = await viewer.until('raced');
  const { warsaw, lisbon, ...others } = probesOf(selection);
  assert.deepEqual([warsaw.outcome, lisbon.outcome, others], ['late', 'ok', {}]);
  assert.equal(lab().nameOf(selection.chosen.origin), 'lisbon');
});

test('a browser that does not know the authority of the run takes none of the servers', async (t) => {
  const stranger = await openBrowser(null);
  t.after(() => stranger.close());
  const page = await (await stranger.newContext()).newPage();
  const { origins, nameserver } = lab().stack.https;
  for (const url of [origins['warsaw'] + MANIFEST, nameserver]) {
    await assert.rejects(page.goto(url), /ERR_CERT_AUTHORITY_INVALID/);
  }
});
