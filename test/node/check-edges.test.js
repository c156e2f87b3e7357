// What the check finds at edges: each thing once, with its exit code, by the built program on a pretend world.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { checkJson } from '../support/checking.js';

const SEGMENT = 'high-0\\.ts$';
const segmentBytes = statSync(new URL('../media/ts/high-0.ts', import.meta.url)).size;
const MANIFEST = 'main\\.m3u8$';
const reads = 'GET|HEAD';

test('all is well: exit code 0, no finding, and every answer that a browser needs', async (context) => {
  const { code, json, findings, world } = await checkJson(context);
  assert.deepEqual([code, json.result, findings], [0, 'works', []]);
  assert.equal(json.segment.url, `${world.urls.edges.origin}/ts/high-0.ts`);
  const [origin, near] = json.servers;
  const answers = { manifest: 200, head: 200, options: 204, segment: 200, range: 206 };
  assert.deepEqual([origin.isEdge, origin.answers], [false, answers]);
  assert.deepEqual([near.isEdge, near.answers], [true, { ...answers, report: 204 }]);
  assert.deepEqual([near.rank, near.addresses, near.protocol], [0, ['127.0.0.1', '::1'], 'http/1.1']);
  assert.deepEqual(
    json.servers.map(({ weight }) => weight),
    [null, 39321, 26214],
  );
});

test('a slow edge is shown as slow', async (context) => {
  const { json } = await checkJson(context, { far: { latencyMs: 300 } });
  const [, near, far] = json.servers;
  assert.ok(far.firstByteMs >= 290 && near.firstByteMs < far.firstByteMs, `${near.firstByteMs} and ${far.firstByteMs}`);
});

for (const path of [
  '/fmp4/main.m3u8',
  '/ts/low.m3u8',
  '/byterange/main.m3u8',
  '/dash/manifest.mpd',
  '/dash-sidx/manifest.mpd',
  '/clip.mp4',
]) {
  test(`a segment of ${path} is found and checked`, async (context) => {
    const { code, json, findings } = await checkJson(context, { path });
    assert.deepEqual([code, findings], [0, []]);
    assert.ok(json.segment.url.length > 0);
    assert.equal(json.servers[1].answers.range, 206);
  });
}

test('of a film its beginning is read, and not all that a slow edge would take its time for', async (context) => {
  const film = { media: 'demo/media', path: '/clip.mp4' };
  const slow = { bitsPerSecond: 1_000_000 };
  const { code, findings } = await checkJson(context, { ...film, every: slow, args: ['--timeout', '10'] });
  assert.deepEqual([code, findings], [0, []]);
});

/** One edge of two has it: its name, what is changed at the edge, what is found. */
const FAULTS_OF_ONE = [
  ['no CORS', { cors: false }, ['CORS_MANIFEST', 'CORS_SEGMENT', 'EXPOSE', 'HEAD', 'OPTIONS', 'REPORT']],
  ['no CORS on segments', { rules: [{ path: SEGMENT, method: 'GET', cors: false }] }, ['CORS_SEGMENT', 'EXPOSE']],
  ['the header twice', { headers: { 'access-control-allow-origin': '*, *' } }, ['CORS_MANIFEST', 'CORS_SEGMENT', 'HEAD', 'OPTIONS', 'REPORT']],
  ['no Timing-Allow-Origin', { timingAllowOrigin: false }, ['TIMING']],
  ['headers that are not exposed', { expose: 'Date' }, ['EXPOSE']],
  ['HEAD refused', { rules: [{ path: MANIFEST, method: 'HEAD', status: 405 }] }, ['HEAD']],
  ['OPTIONS refused', { rules: [{ options: { status: 405 } }] }, ['OPTIONS']],
  ['Range not allowed', { rules: [{ options: { headers: { 'access-control-allow-headers': 'Accept' } } }] }, ['OPTIONS_HEADERS']],
  ['no report endpoint', { rules: [{ path: 'well-known', method: 'POST', status: 404 }] }, ['REPORT']],
  ['an unreadable report endpoint', { rules: [{ path: 'well-known', method: 'POST', cors: false }] }, ['REPORT']],
  ['a wish that clients move away', { headers: { 'cmsd-dynamic': '"e";du' } }, ['MOVE_AWAY']],
  ['another ETag', { headers: { etag: '"other"' } }, ['OTHER_ETAG']],
  ['a redirect', { rules: [{ path: MANIFEST, method: reads, redirect: '/ts/low.m3u8' }] }, ['REDIRECTED']],
  ['status 503', { fault: 'status:503' }, ['HEAD', 'OPTIONS', 'REPORT', 'STATUS']],
  ['a login page', { rules: [{ path: MANIFEST, method: reads, html: true }] }, ['NOT_MEDIA']],
  ['a login page for segments', { rules: [{ path: SEGMENT, method: 'GET', html: true }] }, ['NOT_MEDIA', 'RANGE']],
  ['no length', { rules: [{ path: SEGMENT, shortAfterBytes: segmentBytes + 1 }] }, ['LENGTH']],
  ['a segment that breaks off', { rules: [{ path: SEGMENT, method: 'GET', cutAfterBytes: 1000 }] }, ['BROKEN']],
  ['another length', { rules: [{ path: SEGMENT, method: 'GET', body: 'short', type: 'video/mp2t' }] }, ['OTHER_LENGTH', 'RANGE']],
  ['other bytes', { rules: [{ path: SEGMENT, method: 'GET', body: 'x'.repeat(segmentBytes), type: 'video/mp2t' }] }, ['OTHER_BYTES', 'RANGE']],
  ['another total', { rules: [{ path: SEGMENT, method: 'GET', headers: { 'content-range': contentRange(1) } }] }, ['RANGE_WRONG']],
  ['another range', { rules: [{ path: SEGMENT, method: 'GET', headers: { 'content-range': `bytes 0-9/${segmentBytes}` } }] }, ['RANGE_WRONG']],
  ['no Content-Range', { rules: [{ path: SEGMENT, method: 'GET', headers: { 'content-range': null } }] }, ['RANGE']],
  ['no listener', { fault: 'refuse' }, ['UNREACHABLE']],
  ['resets', { fault: 'reset' }, ['BROKEN']],
]; // prettier-ignore

/** Of the middle of the segment, of a file that is longer by some bytes. */
function contentRange(more) {
  const first = segmentBytes >> 1;
  return `bytes ${first}-${first + 1023}/${segmentBytes + more}`;
}

for (const [name, near, expected] of FAULTS_OF_ONE) {
  test(`one edge with ${name}: found, and it works by the other (exit code 1)`, async (context) => {
    const { code, codes, findings, world } = await checkJson(context, { near });
    assert.deepEqual([codes, code], [expected, 1]);
    const places = new Set(findings.map(({ where }) => where));
    assert.deepEqual([...places], [world.urls.edges.near]);
    for (const { missing, nginx, says } of findings) assert.ok(missing && says && nginx?.length > 0);
  });
}

/** All edges have it. */
const FAULTS_OF_ALL = [
  ['no CORS', { cors: false }, 2],
  ['status 503', { fault: 'status:503' }, 2],
  ['no listener', { fault: 'refuse' }, 2],
  ['no Timing-Allow-Origin', { timingAllowOrigin: false }, 1],
  ['no ranges', { rules: [{ path: SEGMENT, method: 'GET', body: 'x'.repeat(5000), type: 'video/mp2t' }] }, 1],
];

for (const [name, every, expected] of FAULTS_OF_ALL) {
  test(`every edge with ${name}: exit code ${expected}`, async (context) => {
    assert.equal((await checkJson(context, { every })).code, expected);
  });
}

test('the origin alone is down: it is the last resort of every request, so it is said, and it works', async (context) => {
  const { code, codes, json } = await checkJson(context, { origin: { fault: 'refuse' } });
  assert.deepEqual([code, codes], [1, ['UNREACHABLE']]);
  assert.equal(json.servers[1].answers.range, 206, 'the segment is found at an edge');
});

test('segments at another origin than the manifest are told, and not looked for at edges', async (context) => {
  const body = '#EXTM3U\n#EXTINF:2,\nhttp://cdn.localhost:9/0.ts\n#EXT-X-ENDLIST\n';
  const { code, codes } = await checkJson(context, { every: { rules: [{ path: MANIFEST, method: 'GET', body }] } });
  assert.deepEqual([code, codes], [1, ['SEGMENTS_ELSEWHERE']]);
});

test('a manifest without a segment is told', async (context) => {
  const body = '#EXTM3U\n#EXT-X-ENDLIST\n';
  const { code, codes } = await checkJson(context, { every: { rules: [{ path: MANIFEST, method: 'GET', body }] } });
  assert.deepEqual([code, codes], [1, ['NO_SEGMENT']]);
});

test('the report says that it is one of a check, and holds nothing that a map could count', async (context) => {
  const { world } = await checkJson(context);
  const reports = world.log.filter(({ method }) => method === 'POST');
  assert.deepEqual(reports.map(({ server }) => server).sort(), ['edge:far', 'edge:near']);
  for (const { body, headers } of reports) {
    assert.equal(headers['content-type'], 'text/plain');
    const { check, edges, tokens } = JSON.parse(body);
    assert.deepEqual({ check, edges, tokens }, { check: true, edges: [], tokens: [] });
  }
});

test('--no-report sends none, and --report-path another', async (context) => {
  const { world, code } = await checkJson(context, { args: ['--no-report'] });
  assert.deepEqual([code, world.log.filter(({ method }) => method === 'POST')], [0, []]);
  const other = await checkJson(context, { args: ['--report-path', '/told'], every: { reportPath: '/told' } });
  assert.equal(other.code, 0);
});

test('a page in the open and edges on private addresses: the viewer will be asked', async (context) => {
  const { code, codes, findings } = await checkJson(context, { page: 'http://player.invalid' });
  assert.deepEqual([code, codes], [1, ['PRIVATE_ADDRESS']]);
  assert.ok(findings.every(({ zone, missing }) => zone.length > 0 && missing.includes('public address')));
});

test('a page at the origin needs no CORS of it', async (context) => {
  const world = await checkJson(context, { origin: { cors: false } });
  assert.ok(world.codes.includes('CORS_MANIFEST'), 'another page does');
  const { run } = await import('../support/checking.js');
  const { edges, nameservers } = world.world.urls;
  const args = ['check', `${edges.origin}/ts/main.m3u8`, '--nameserver', nameservers.map, '--origin', edges.origin];
  assert.equal((await run(args)).code, 0);
});
