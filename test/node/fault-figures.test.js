// The arithmetic of the fault benchmark: it must see what a viewer sees, and charge what a server gave.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstHealthyByte, meanRate, overhead, stallsIn } from '../bench/fault-figures.js';

/** Samples of 50 ms that follow a list of positions; all is buffered for 10 s unless `ahead` says otherwise. */
function samplesOf(positions, ahead = () => 10) {
  return positions.map((currentTime, i) => {
    return { atMs: 1000 + i * 50, currentTime, aheadSeconds: ahead(currentTime), bitsPerSecond: 4_000_000 };
  });
}

/** 2 s of playback, standing at 1 s for some samples. */
function standingFor(samples) {
  const positions = Array.from({ length: 40 }, (_, i) => (i + 1) / 20);
  return positions.flatMap((position) => (position === 1 ? Array(samples).fill(1) : [position]));
}

function entry(server, t, more = {}) {
  const rest = { method: 'GET', url: '/0.ts', headers: {}, status: 200, bytes: 1000, aborted: false };
  return { server: `edge:${server}`, t, tFirst: t + 40, tLast: t + 100, tEnd: t + 100, ...rest, ...more };
}

/** A run with the fault of edge `a` at 1000; every file has 1000 bytes. */
function recording(more) {
  const origins = { a: 'http://a.localhost', b: 'http://b.localhost' };
  const rest = { sends: [], responses: [], faultAtMs: 1000, endAtMs: 46_000, kind: {}, sizeOf: () => 1000 };
  return { bad: ['a'], origins, ...rest, ...more };
}

test('steady playback has no stall', () => {
  assert.deepEqual(stallsIn(samplesOf(standingFor(1))), []);
});

test('a position that stands for 100 ms or more is a stall, and less is not', () => {
  assert.deepEqual(stallsIn(samplesOf(standingFor(2))), []);
  const [stall, ...more] = stallsIn(samplesOf(standingFor(3)));
  assert.deepEqual([Math.round(stall.ms), more.length], [100, 0]);
});

test('a stall that never ends lasts until the end of the window', () => {
  const [stall] = stallsIn(samplesOf([0.95, ...Array(100).fill(1)]));
  assert.equal(Math.round(stall.ms), 99 * 50);
});

test('sound that plays on without a picture is a stall', () => {
  const positions = Array.from({ length: 60 }, (_, i) => (i + 1) / 20);
  const [stall] = stallsIn(samplesOf(positions, (time) => Math.max(0, 2 - time)));
  assert.equal(Math.round(stall.ms), 1000);
});

test('a stall counts as a bitrate of zero', () => {
  const rate = meanRate(samplesOf(standingFor(40)));
  assert.ok(Math.abs(rate / 4_000_000 - 0.5) < 0.02, `${rate}`);
});

test('a request under way is in contact from its last good byte, and answered by another edge for the same path', () => {
  const log = [
    entry('a', 800, { tLast: 990, tEnd: 1600, bytes: 400 }),
    entry('b', 1100, { url: '/other.ts' }),
    entry('b', 1500),
  ];
  assert.deepEqual(firstHealthyByte(recording({ log })), { contactMs: 1000, firstByteMs: 540, answeredAtMs: 1540 });
});

test('with nothing under way, contact is the sending of the first request to the bad edge', () => {
  const sends = [
    { atMs: 1100, url: 'http://b.localhost/x.ts', method: 'GET' },
    { atMs: 1200, url: 'http://a.localhost/0.ts', method: 'GET' },
  ];
  const log = [entry('a', 500), entry('b', 1500)];
  assert.equal(firstHealthyByte(recording({ log, sends })).firstByteMs, 340);
});

test('a fault that is never met has no contact, and one that is never answered no first byte', () => {
  assert.equal(firstHealthyByte(recording({ log: [entry('b', 1500)] })).contactMs, null);
  const hurt = entry('a', 900, { tEnd: null, bytes: 10 });
  const never = firstHealthyByte(recording({ log: [hurt, entry('b', 1500, { status: 503 })] }));
  assert.deepEqual([never.contactMs, never.firstByteMs], [1000, null]);
});

test('bytes that come twice, and those of a segment given up, are more than was needed', () => {
  const responses = [{ atMs: 2000, url: 'http://origin.localhost/0.ts' }];
  const restarted = [entry('a', 900, { bytes: 400 }), entry('b', 1500)];
  assert.equal(overhead(recording({ log: restarted, responses })).toFixed(2), '0.40');
  const resumed = [entry('a', 900, { bytes: 400 }), entry('b', 1500, { headers: { range: 'bytes=400-' }, bytes: 600 })];
  assert.equal(overhead(recording({ log: resumed, responses })), 0);
  const givenUp = [...resumed, entry('b', 3000, { url: '/1.ts', bytes: 100 })];
  assert.equal(overhead(recording({ log: givenUp, responses })).toFixed(2), '0.10');
});

test('of a segment that is under way at the end, each byte is needed once', () => {
  const log = [
    entry('a', 900, { bytes: 400 }),
    entry('b', 1500, { headers: { range: 'bytes=300-' }, bytes: 200, tEnd: null }),
  ];
  assert.equal(overhead(recording({ log })).toFixed(2), '0.20');
});
