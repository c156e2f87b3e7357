import QUnit from 'qunit';
import type { ReportOptions } from '../../src/options.js';
import type { Probe } from '../../src/probe.js';
import { makeReport, sendReport } from '../../src/report.js';
import type { Selection } from '../../src/selection.js';
import type { Edge } from '../../src/servers.js';
import { fakePlatform, nothingLeft } from '../support/platform.js';
import { settings } from './given.js';

const { module, test } = QUnit;

const TOKEN = 'tok-4711.token.example';
const URL_ = 'https://a.example/.well-known/edge-select';
const edge = (name: string): Edge => ({ origin: `https://${name}.example`, rank: 0, weight: 10 });
const probe = (name: string, more: Partial<Probe> = {}): Probe => ({
  ...{ edge: edge(name), method: 'GET', outcome: 'ok', status: 200, elapsedMs: 20.4, requestMs: null },
  capabilities: { protocol: 'h2' },
  ...more,
});
const selection: Selection = {
  service: '_https._tcp.video.example',
  tokens: [TOKEN, 'other.token.example'],
  edges: [edge('a'), edge('b')],
  expiresAt: 0,
  chosen: edge('a'),
  reason: 'quickest',
  probes: [probe('a'), probe('b', { outcome: 'late', status: null, elapsedMs: null, requestMs: Infinity })],
  measuredAt: 0,
};
const LEFT = { because: 'thinned', bytes: 1, requests: 1, failures: 0, bitsPerSecond: null };

function reportOf(
  assert: Assert,
  report: ReportOptions = {},
  from: string | null = null,
  of = selection,
): Promise<Record<string, unknown>> {
  return makeReport(
    of,
    settings({ report }),
    { sessionId: 'a1b2', left: from === null ? null : { from, ...LEFT } },
    fakePlatform(assert).platform,
  );
}

module('report', nothingLeft);

test('tells the choice, its reason, and how each edge fared, in whole milliseconds', async (assert) => {
  const { tokens, ...others } = await reportOf(assert);
  assert.deepEqual(others, {
    v: 1,
    service: '_https._tcp.video.example',
    session: 'a1b2',
    chosen: 'https://a.example',
    reason: 'quickest',
    edges: [
      {
        ...{ origin: 'https://a.example', rank: 0, weight: 10, method: 'GET', outcome: 'ok' },
        ...{ status: 200, elapsedMs: 20, requestMs: null, capabilities: { protocol: 'h2' } },
      },
      {
        ...{ origin: 'https://b.example', rank: 0, weight: 10, method: 'GET', outcome: 'late' },
        ...{ status: null, elapsedMs: null, requestMs: null, capabilities: { protocol: 'h2' } },
      },
    ],
  });
  assert.strictEqual((tokens as string[]).length, 2);
});

test('holds digests in place of the tokens', async (assert) => {
  const report = await reportOf(assert);
  assert.false(JSON.stringify(report).includes('4711'));
  assert.notEqual((report.tokens as string[])[0], (report.tokens as string[])[1]);
});

test('names the edge that served before, at a switch', async (assert) => {
  const report = await reportOf(assert, {}, 'https://z.example');
  assert.strictEqual(report.from, 'https://z.example');
});

test('names no other edge to the chosen one when it is to know them without their names', async (assert) => {
  const report = await reportOf(assert, { edges: 'anonymous' }, 'https://z.example');
  const [a, b] = report.edges as Record<string, unknown>[];
  assert.strictEqual(a?.origin, 'https://a.example');
  assert.strictEqual(b?.outcome, 'late');
  assert.deepEqual([b?.origin, b?.capabilities], [undefined, undefined]);
  assert.false(/[bz]\.example/.test(JSON.stringify(report)));
});

test('tells nothing of the others when the chosen one is to know itself alone', async (assert) => {
  const report = await reportOf(assert, { edges: 'chosen' }, 'https://z.example');
  assert.strictEqual((report.edges as unknown[]).length, 1);
  assert.false(/[bz]\.example/.test(JSON.stringify(report)));
});

test('holds what the site adds', async (assert) => {
  const report = await reportOf(assert, { fields: () => ({ release: '1.2' }) });
  assert.strictEqual(report.release, '1.2');
});

test('leaves probes out, from the last on, to stay within 8 KiB', async (assert) => {
  const probes = Array.from({ length: 16 }, (_, i) =>
    probe(i === 0 ? 'a' : `b${i}`, { capabilities: { serverTiming: 'é'.repeat(256), allow: 'x'.repeat(256) } }),
  );
  const report = await reportOf(assert, {}, null, { ...selection, probes });
  const sent = report.edges as { origin: string }[];
  assert.true(new TextEncoder().encode(JSON.stringify(report)).length <= 8192);
  assert.true(sent.length > 5 && sent.length < 16, `${sent.length} are left`);
  assert.strictEqual(sent[0]?.origin, 'https://a.example');
});

test('is one POST that needs no CORS preflight, sends no cookie, and outlives the page', async (assert) => {
  const fake = fakePlatform(assert);
  fake.respond(URL_, { status: 204 });
  assert.true(await sendReport({ v: 1 }, URL_, fake.platform));
  assert.strictEqual(fake.fetches.length, 1);
  const { method, headers, init } = fake.last(URL_);
  assert.deepEqual([method, headers, init.body], ['POST', { 'content-type': 'text/plain' }, '{"v":1}']);
  assert.deepEqual([init.credentials, init.keepalive], ['omit', true]);
});

test.each(
  'is refused by any answer that is no success, and by none at all',
  { 'a status 404': { status: 404 }, 'a status 500': { status: 500 }, 'no CORS, or nobody': 'fail' } as const,
  async (assert, script) => {
    const fake = fakePlatform(assert);
    fake.respond(URL_, script);
    assert.false(await sendReport({ v: 1 }, URL_, fake.platform));
  },
);
