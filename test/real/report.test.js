// What the chosen edge is told: from a real page, through nginx, into its log of reports, and on to the feed of the map.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { feed } from '../../demo/stack/feed.js';
import { EDGES } from '../../demo/stack/stack.js';
import { Tail } from '../../demo/stack/tail.js';
import { until } from '../stack/tools.js';
import { SCHEMES, useLab } from './lab.js';

const lab = useLab();
const tail = new Tail();

/** Lines of each edge's log of reports since the last look. */
const newReports = () =>
  Object.fromEntries(
    EDGES.map((name) => [name, tail.newLines(lab().stack.logs.reports(name)).map((line) => JSON.parse(line))]),
  );

for (const { scheme, protocol } of SCHEMES) {
  test(`over ${protocol} the chosen edge gets one report, and its log has it as the page made it`, async (t) => {
    newReports();
    const viewer = await lab().watch(t, scheme);
    const { edge, accepted, report } = await viewer.until('reported');
    assert.equal(accepted, true);
    const name = lab().nameOf(edge);
    await viewer.playedTo(0.5);
    const { [name]: lines = [], ...others } = newReports();
    assert.deepEqual(others, Object.fromEntries(EDGES.filter((one) => one !== name).map((one) => [one, []])));
    assert.equal(lines.length, 1);
    assert.deepEqual([lines[0].ip, lines[0].edge], ['127.0.0.1', name]);
    assert.deepEqual(JSON.parse(lines[0].body), report);
    const methods = lab()
      .logged(name)
      .map(({ method }) => method);
    assert.ok(!methods.includes('OPTIONS'), 'no CORS preflight was needed');
  });

  test(`over ${protocol} a report holds the choice, digests of the tokens, and each edge with its probe`, async (t) => {
    const viewer = await lab().watch(t, scheme);
    const { report } = await viewer.until('reported');
    const { selection } = await viewer.until('raced');
    const { session, edges, ...rest } = report;
    assert.match(session, /^[\da-f]{32}$/);
    assert.deepEqual(rest, {
      v: 1,
      service: `_${scheme}._tcp.origin.localhost`,
      tokens: selection.tokens.map((/** @type {string} */ token) =>
        createHash('sha256').update(token).digest('hex').slice(0, 16),
      ),
      chosen: selection.chosen.origin,
      reason: 'quickest',
    });
    assert.deepEqual(
      edges.map((/** @type {{origin: string}} */ { origin }) => lab().nameOf(origin)).toSorted(),
      EDGES.toSorted(),
    );
    for (const { rank, weight, method, outcome, status, elapsedMs, requestMs, capabilities } of edges) {
      assert.deepEqual([rank, weight > 0, method, outcome, status], [0, true, 'GET', 'ok', 200]);
      assert.ok(Number.isInteger(elapsedMs) && Number.isInteger(requestMs), `${elapsedMs}, ${requestMs}`);
      assert.equal(capabilities.protocol, protocol);
      assert.equal(capabilities.etpKbps, 20_000);
    }
    assert.ok(!JSON.stringify(report).includes('token.example'), 'no token is told');
  });
}

test('the feed of the map counts a report that came this way', async (t) => {
  const before = (await feed(lab().stack.feedFiles)).counts;
  const viewer = await lab().watch(t, 'https');
  await viewer.until('reported');
  const after = await until(async () => {
    const { counts } = await feed(lab().stack.feedFiles);
    return counts.counted > before.counted && counts;
  }, 'the feed counts the report');
  assert.deepEqual(after, { ...before, counted: before.counted + 1 });
});
