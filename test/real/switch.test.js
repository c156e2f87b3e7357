// Another edge takes over in mid-play, because it is quicker, or because the map named it before the old one died.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EDGES } from '../../demo/stack/stack.js';
import { Tail } from '../../demo/stack/tail.js';
import { until } from '../stack/tools.js';
import { paced } from './edges.js';
import { fileAt, SCHEMES, useLab } from './lab.js';

const PLAYLIST = '/hls/180p.m3u8';
/** A segment of 55 kB takes more than a second, and is 3 s long: the stream is under way for as long as a test. */
const BYTES_PER_SECOND = 50_000;
/** Of this network amsterdam and frankfurt are the edges, and lisbon is for when neither can be had. */
const SUBNET = '198.51.100.0/24';
const lab = useLab();

for (const { scheme, protocol } of SCHEMES) {
  test(`over ${protocol} a second race costs each edge one HEAD, since they let the page see their times`, async (t) => {
    const viewer = await lab().watch(t, scheme, {}, PLAYLIST);
    await viewer.until('raced');
    await viewer.until('served', ({ url }) => url.endsWith('-03.ts'));
    for (const name of EDGES) lab().logged(name);
    await viewer.reselect('a test');
    const { selection } = await viewer.until('raced', (told) => told['selection'].probes[0].method === 'HEAD');
    assert.equal(selection.probes.length, EDGES.length);
    for (const { outcome, requestMs, capabilities } of selection.probes) {
      assert.deepEqual([outcome, capabilities.protocol], ['ok', protocol]);
      assert.ok(Number.isFinite(requestMs));
    }
    for (const name of EDGES) {
      const heads = lab()
        .logged(name)
        .filter(({ method }) => method === 'HEAD');
      assert.deepEqual(
        heads.map(({ url, status }) => `${status} ${url}`),
        [`200 ${PLAYLIST}`],
        name,
      );
    }
  });

  test(`over ${protocol} an edge that has become clearly quicker takes over, and its report names the one before`, async (t) => {
    const altered = (/** @type {string} */ name) => (/** @type {string} */ config) =>
      paced(BYTES_PER_SECOND)(lab().gated(name)(config));
    await lab().alter(t, Object.fromEntries(EDGES.map((name) => [name, altered(name)])));
    lab().delay({ amsterdam: 0, frankfurt: 400, warsaw: 400, lisbon: 400 });
    const reports = new Tail();
    reports.newLines(lab().stack.logs.reports('frankfurt'));
    const { amsterdam, frankfurt } = lab().stack[scheme].origins;
    const viewer = await lab().watch(t, scheme, {}, PLAYLIST);
    assert.equal((await viewer.until('raced'))['selection'].chosen.origin, amsterdam);
    await viewer.playedTo(0.5);
    // less than a request may be silent, else a segment asked for meanwhile would leave amsterdam by itself
    lab().delay({ amsterdam: 400, frankfurt: 0, warsaw: 400, lisbon: 400 });
    await viewer.reselect('a test');
    const { from, selection, because } = await viewer.until('switched');
    assert.deepEqual([from, selection.chosen.origin, because], [amsterdam, frankfurt, 'a test']);
    const last = await viewer.until('served', ({ url, edge }) => url.endsWith('.ts') && edge === frankfurt);
    const path = new URL(last['url']).pathname;
    const { sha256 } = await viewer.until('answer', (answer) => answer['path'] === path);
    assert.equal(sha256, fileAt(path).sha256);
    assert.equal(viewer.all('failedover').length, 0, 'no request was broken off');
    const [line = ''] = await until(() => {
      const lines = reports.newLines(lab().stack.logs.reports('frankfurt'));
      return lines.length > 0 && lines;
    }, 'the report of the switch');
    const body = JSON.parse(JSON.parse(line).body);
    assert.deepEqual([body.chosen, body.from, body.left.because], [frankfurt, amsterdam, 'a test']);
  });

  test(`over ${protocol} an edge that is out of the map serves on, and when it dies the edge of the next answer takes over`, async (t) => {
    await lab().alter(t, Object.fromEntries(EDGES.map((name) => [name, paced(BYTES_PER_SECOND)])));
    const { origins } = lab().stack[scheme];
    const { lisbon = '' } = origins;
    const options = { client: { subnet: SUBNET }, refreshMinMs: 1000, stallMs: 1200 };
    const viewer = await lab().watch(t, scheme, options, PLAYLIST);
    const { selection } = await viewer.until('raced');
    const chosen = lab().nameOf(selection.chosen.origin);
    assert.deepEqual(selection.probes.map(({ edge }) => lab().nameOf(edge.origin)).toSorted(), ['amsterdam', 'frankfurt']); // prettier-ignore
    for (const name of ['amsterdam', 'frankfurt']) await lab().stack.drainEdge(name, true);
    await lab().named(['lisbon'], { subnet: SUBNET });
    await viewer.knows([lisbon]);
    const servedBefore = viewer.segments().length;
    await viewer.until('served', () => viewer.segments().length > servedBefore + 1);
    assert.equal(viewer.segments().at(-1)?.edge, origins[chosen], 'the map moved, and nobody was torn away');
    await lab().stack.stopEdge(chosen);
    const switched = await viewer.until('switched');
    assert.deepEqual([switched['from'], switched['selection'].chosen.origin], [origins[chosen], lisbon]);
    const ofLisbon = () => viewer.segments().filter(({ edge }) => edge === lisbon).length;
    await viewer.until('served', () => ofLisbon() >= 2);
    assert.deepEqual(viewer.segments().slice(-2).map(({ edge }) => edge), [lisbon, lisbon]); // prettier-ignore
    for (const { path, sha256 } of viewer.all('answer')) assert.equal(sha256, fileAt(path).sha256, path);
    assert.deepEqual(lab().logged('origin'), []);
  });
}
