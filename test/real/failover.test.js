// An edge that dies, freezes or has enough: the stream goes on at another, with the bytes that are there already.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EDGES } from '../../demo/stack/stack.js';
import { limited, paced } from './edges.js';
import { fileAt, SCHEMES, useLab } from './lab.js';

/** One rendition, so that what is asked for is known. */
const PLAYLIST = '/hls/180p.m3u8';
/** A segment of 55 kB takes a second, and is 3 s long. */
const BYTES_PER_SECOND = 50_000;
/** Of a segment that is then broken off: more than the 16 KiB that are asked for again, to compare them. */
const ENOUGH_BYTES = 20_000;
/** Above the pauses between the pieces of a paced body on a busy machine, and short of the 4.5 s that VHS gives a segment. */
const PATIENCE = { stallMs: 1200 };
/** The number of the segment that is broken off, and when it has been played. */
const BROKEN = 1;
const PLAYED = 6.5;
const lab = useLab();

const segment = (/** @type {number} */ n) => `/hls/180p-${String(n).padStart(2, '0')}.ts`;
const everyEdge = (/** @type {(config: string) => string} */ change) =>
  Object.fromEntries(EDGES.map((name) => [name, change]));

/** A viewer in the middle of the second segment, and who serves it. */
async function inMidBody(
  /** @type {import('node:test').TestContext} */ t,
  /** @type {import('./lab.js').SchemeName} */ scheme,
) {
  await lab().alter(t, everyEdge(paced(BYTES_PER_SECOND)));
  const viewer = await lab().watch(t, scheme, PATIENCE, PLAYLIST);
  const { selection } = await viewer.until('selected');
  await viewer.until('progress', ({ path, loaded }) => path === segment(BROKEN) && loaded >= ENOUGH_BYTES);
  return { viewer, chosen: selection.chosen.origin };
}

/** VHS is handed all segments up to this one, each once, and each the true file. */
async function assertTrue(/** @type {import('./viewer.js').Viewer} */ viewer, /** @type {number} */ last) {
  await viewer.until('answer', ({ path }) => path === segment(last));
  const wanted = Array.from({ length: last + 1 }, (_, n) => ({ path: segment(n), sha256: fileAt(segment(n)).sha256 }));
  const answers = viewer.all('answer').map(({ path, sha256 }) => ({ path, sha256 }));
  assert.deepEqual(answers.slice(0, last + 1), wanted);
}

const dies = (/** @type {string} */ name) => lab().stack.stopEdge(name);
const freezes = (/** @type {string} */ name) => lab().stack.freezeEdge(name);
const ENDS = [
  { end: dies, inMiddle: ['short', 'refused'], between: 'refused' },
  { end: freezes, inMiddle: ['stalled'], between: 'silent' },
];

for (const { scheme, protocol } of SCHEMES) {
  for (const { end, inMiddle, between } of ENDS) {
    test(`over ${protocol} an edge that ${end.name} in the middle of a segment is left, and only the rest asked of another`, async (t) => {
      const { viewer, chosen } = await inMidBody(t, scheme);
      await end(lab().nameOf(chosen));
      const failed = await viewer.until('failedover');
      assert.equal(new URL(failed['url']).pathname, segment(BROKEN));
      assert.equal(failed['from'], chosen);
      assert.ok(inMiddle.includes(failed['because']), failed['because']);
      const { selection } = await viewer.until('switched');
      assert.notEqual(selection.chosen.origin, chosen);
      await assertTrue(viewer, 3);
      const { bytes: size } = fileAt(segment(BROKEN));
      const [resumed] = lab()
        .logged(lab().nameOf(failed['to']))
        .filter(({ url }) => url === segment(BROKEN));
      assert.equal(resumed?.status, 206);
      assert.ok(resumed.bytes <= size - ENOUGH_BYTES + 16_384, `${resumed.bytes} bytes of ${size} came from the other`);
      assert.deepEqual(lab().logged('origin'), []);
      // past the segment that was made of two edges' bytes
      await viewer.playedTo(PLAYED);
      assert.equal(viewer.all('failedover').length, 1, 'one request failed, and all others avoided the edge');
    });

    test(`over ${protocol} an edge that ${end.name} while nothing is asked of it is left at the next request`, async (t) => {
      await lab().alter(t);
      const viewer = await lab().watch(t, scheme, PATIENCE, PLAYLIST);
      const { selection } = await viewer.until('selected');
      // 30 s are loaded: the next segment is asked for when one has been played
      await viewer.until('served', ({ url }) => url.endsWith(segment(10)));
      const { origin } = selection.chosen;
      await end(lab().nameOf(origin));
      const { from, because, url } = await viewer.until('failedover');
      assert.deepEqual([from, because, new URL(url).pathname], [origin, between, segment(11)]);
      await viewer.until('switched');
      await assertTrue(viewer, 12);
      assert.deepEqual(lab().logged('origin'), []);
    });
  }

  test(`over ${protocol} an edge that answers 429 in mid-play is left for one that serves`, async (t) => {
    const far = Object.fromEntries(['amsterdam', 'frankfurt', 'lisbon'].map((name) => [name, lab().gated(name)]));
    await lab().alter(t, { ...far, warsaw: limited(4) });
    lab().delay({ amsterdam: 300, frankfurt: 300, lisbon: 300 });
    const viewer = await lab().watch(t, scheme, PATIENCE, PLAYLIST);
    const failed = await viewer.until('failedover');
    const { warsaw } = lab().stack[scheme].origins;
    assert.deepEqual([failed['from'], failed['because'], failed['status']], [warsaw, 'status', 429]);
    assert.equal(new URL(failed['url']).pathname, segment(3), 'the playlist and three segments were what it took');
    const { selection } = await viewer.until('switched');
    assert.notEqual(selection.chosen.origin, warsaw);
    await assertTrue(viewer, 6);
    assert.deepEqual(
      viewer.segments().filter(({ edge }) => edge === warsaw),
      [0, 1, 2].map((n) => ({ edge: warsaw, path: segment(n) })),
    );
    await viewer.playedTo(1);
  });

  test(`over ${protocol} the origin serves when every edge is dead, and plays on`, async (t) => {
    const { viewer } = await inMidBody(t, scheme);
    await Promise.all(EDGES.map((name) => lab().stack.stopEdge(name)));
    const { origin } = lab().stack[scheme].origins;
    await viewer.until('served', ({ url, edge }) => url.endsWith(segment(4)) && edge === origin);
    await assertTrue(viewer, 4);
    await viewer.playedTo(PLAYED);
  });
}
