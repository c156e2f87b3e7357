import QUnit from 'qunit';
import { capabilities, type Capabilities } from '../../src/capabilities.js';

const { module, test } = QUnit;

module('capabilities');

const CASES: readonly [headers: Record<string, string>, known: Capabilities][] = [
  [{}, {}],
  [{ 'x-other': '1' }, {}],
  [{ allow: 'GET, HEAD, OPTIONS' }, { allow: 'GET, HEAD, OPTIONS' }],
  [{ date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, { date: 'Thu, 01 Jan 2026 00:00:00 GMT' }],
  [{ etag: '"7f"' }, { etag: '"7f"' }],
  [{ 'server-timing': 'cdn-cache;desc=HIT' }, { serverTiming: 'cdn-cache;desc=HIT' }],
  [{ 'accept-ranges': 'bytes' }, { ranges: true }],
  [{ 'accept-ranges': 'Bytes' }, { ranges: true }],
  [{ 'accept-ranges': 'none' }, { ranges: false }],
  [{ 'content-length': '303' }, { length: 303 }],
  [{ 'content-length': '0' }, { length: 0 }],
  [{ 'content-length': 'many' }, {}],
  [{ 'cmsd-dynamic': '"edge";etp=5000;mb=4000;rd=20' }, { etpKbps: 5000, maxBitrateKbps: 4000, responseDelayMs: 20 }],
  [{ 'cmsd-dynamic': '"edge";du' }, { moveAway: true }],
  [{ 'cmsd-dynamic': '"edge";du=?1' }, { moveAway: true }],
  [{ 'cmsd-dynamic': '"edge";du=?0' }, {}],
  [{ 'cmsd-dynamic': '"edge";etp=-1;rd="soon"' }, {}],
  [{ 'cmsd-dynamic': '"origin";du;etp=1,"edge";etp=5000' }, { etpKbps: 5000 }],
  [{ 'cmsd-dynamic': ';;=,"' }, {}],
  [{ 'cmsd-dynamic': '' }, {}],
];
for (const [headers, known] of CASES) {
  test(`reads ${JSON.stringify(headers)}`, (assert) => {
    assert.deepEqual(capabilities(new Headers(headers)), known);
  });
}

test('of several headers each is read by itself: a broken one spoils none', (assert) => {
  const headers = new Headers({ 'cmsd-dynamic': ';;=,"', 'accept-ranges': 'bytes', etag: '"7f"' });
  assert.deepEqual(capabilities(headers), { ranges: true, etag: '"7f"' });
});

test('a text of a server is cut at 256 letters', (assert) => {
  assert.strictEqual(capabilities(new Headers({ etag: 'x'.repeat(5000) })).etag?.length, 256);
});
