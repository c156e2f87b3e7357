// The map looks after its edges itself.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { get } from '../../demo/stack/ask.js';
import { EDGES, startStack } from '../../demo/stack/stack.js';
import { until } from './tools.js';

/** @type {import('../../demo/stack/stack.js').Stack} */
let stack;
before(async () => {
  stack = await startStack({ media: 'demo/media' });
});
after(() => stack?.stop());
afterEach(() => mapNames(EDGES));

/** Waits until the map names these and no others. */
function mapNames(/** @type {readonly string[]} */ edges, /** @type {import('../../demo/stack/ask.js').As} */ as = {}) {
  return until(async () => (await stack.named(as)).join() === edges.join(), `the map names ${edges.join(', ')}`);
}

test('an edge that is stopped is out of the map, and back when it is started', async () => {
  await stack.stopEdge('lisbon');
  await mapNames(['amsterdam', 'frankfurt', 'warsaw']);
  await stack.startEdge('lisbon');
  await mapNames(EDGES);
});

test('an edge that is frozen is out of the map, and back when it is thawed', async () => {
  stack.freezeEdge('warsaw');
  await mapNames(['amsterdam', 'frankfurt', 'lisbon']);
  stack.thawEdge('warsaw');
  await mapNames(EDGES);
});

test('an edge that is taken out before maintenance goes on serving those who are there', async () => {
  await stack.drainEdge('amsterdam', true);
  await mapNames(['frankfurt', 'warsaw', 'lisbon']);
  assert.equal((await get(`${stack.http.origins['amsterdam']}/hls/main.m3u8`)).status, 200);
  await stack.drainEdge('amsterdam', false);
});

test('a client of whose own row an edge is out gets the rest of that row', async () => {
  await stack.drainEdge('amsterdam', true);
  await mapNames(['frankfurt', 'lisbon'], { subnet: '198.51.100.0/24' });
  await stack.drainEdge('amsterdam', false);
  await mapNames(['amsterdam', 'frankfurt', 'lisbon'], { subnet: '198.51.100.0/24' });
});

test('a row of which nobody is left is given whole', async () => {
  for (const name of ['warsaw', 'lisbon']) await stack.drainEdge(name, true);
  await mapNames(['amsterdam', 'frankfurt']);
  assert.deepEqual(await stack.named({ id: 'trial-1' }), ['warsaw', 'lisbon']);
  for (const name of ['warsaw', 'lisbon']) await stack.drainEdge(name, false);
});
