import QUnit from 'qunit';
import { isRangeAsked, placeOf, rangeFrom, Received } from '../../src/transport/received.js';

const { module, test } = QUnit;

const KIB = 1024;

/** Bytes that look like compressed media: none follows from those before it. */
function media(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

/** Null packets of a transport stream: a header, and stuffing. */
function nullPackets(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => [0x47, 0x1f, 0xff, 0x10][i % 188] ?? 0xff);
}

function received(total: number, ...chunks: readonly Uint8Array[]): Received {
  const body = new Received();
  body.begin({ status: 200, headers: new Headers(total > 0 ? { 'content-length': String(total) } : {}) });
  for (const chunk of chunks) body.push(chunk);
  return body;
}

module('received');

test('another server begins 16 KiB before what is missing', (assert) => {
  assert.strictEqual(received(200 * KIB, media(60 * KIB), media(40 * KIB, 2)).resumeAt(), 84 * KIB);
});

test('a body of which less than that is there is compared from its beginning', (assert) => {
  assert.strictEqual(received(200 * KIB, media(10 * KIB)).resumeAt(), 0);
});

/** What ends the body so far, and where another server has to begin so that the comparison proves something. */
const PADDING = {
  'null packets': nullPackets(30 * 188),
  'many null packets': nullPackets(200 * 188),
  'zeros, as in a free box of MP4': new Uint8Array(100 * KIB),
};

test.each('the overlap reaches back over padding:', PADDING, (assert, padding) => {
  const at = received(0, media(40 * KIB), padding).resumeAt() ?? -1;
  assert.true(at > 0 && at <= 40 * KIB - 950, `from ${at} on, of 40 KiB of media`);
});

/** Bodies of which nobody can tell whether another server's are the same. */
const UNPROVEN = {
  'only padding': [received(0, new Uint8Array(100 * KIB))],
  'only null packets, in chunks that split them': [
    received(0, ...Array.from({ length: 40 }, () => nullPackets(10 * 188).subarray(1))),
  ],
  'some hundred bytes, which tables and headers share': [received(0, media(500))],
  nothing: [received(0)],
  'as many bytes as the length, or more: it is that of an encoded body': [received(20 * KIB, media(21 * KIB))],
};

test.each('nothing is joined to', UNPROVEN, (assert, [body]) => {
  assert.strictEqual(body?.resumeAt(), null);
});

test('bytes are compared across chunks, up to where they differ', (assert) => {
  const bytes = media(3000);
  const body = received(0, bytes.slice(0, 1000), bytes.slice(1000, 1700), bytes.slice(1700));
  assert.strictEqual(body.agree(0, bytes), 3000);
  assert.strictEqual(body.agree(500, bytes.slice(500, 2500)), 2000);
  const other = bytes.slice();
  other[1200] = (other[1200] ?? 0) ^ 1;
  assert.strictEqual(body.agree(900, other.slice(900, 2000)), 300);
});

test('what goes beyond the end has nothing to be compared with', (assert) => {
  const bytes = media(3000);
  assert.strictEqual(received(0, bytes.slice(0, 2000)).agree(1500, bytes.slice(1500)), 500);
});

test('the beginning of a body is given chunk by chunk', (assert) => {
  const body = received(0, media(100), media(100, 2), media(100, 3));
  assert.deepEqual(
    body.head(150).map(({ length }) => length),
    [100, 50],
  );
});

test('an answer that begins anew forgets what was there', (assert) => {
  const body = received(5000, media(2000));
  body.begin({ status: 200, headers: new Headers({ 'content-length': '7000', etag: '"b"' }) });
  assert.deepEqual([body.length, body.total, body.etag, body.chunks.length], [0, 7000, '"b"', 0]);
});

/** Offset, the request's own range, and what is asked for. */
const RANGES = [
  [100, undefined, 'bytes=100-'],
  [100, 'bytes=0-', 'bytes=100-'],
  [100, 'bytes=500-', 'bytes=600-'],
  [100, 'bytes=500-999', 'bytes=600-999'],
] as const;

test('the rest of a range is asked for within it', (assert) => {
  for (const [at, range, wanted] of RANGES) assert.strictEqual(rangeFrom(at, range), wanted);
});

interface Place {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly total?: number;
  /** Length of the file; `total` unless told otherwise. */
  readonly file?: number;
  readonly etag?: string | null;
  readonly range?: string;
  readonly place: ReturnType<typeof placeOf>;
}

const REST = { 'content-range': 'bytes 100-999/1000', 'content-length': '900' };

/** An answer to the request for what follows byte 100. */
const PLACES: Readonly<Record<string, Place>> = {
  'the rest, of the same total': { headers: REST, place: 'rest' },
  'the rest, when no total was known': { headers: REST, total: 0, place: 'rest' },
  'the rest by its length alone: Content-Range is not exposed': { headers: { 'content-length': '900' }, place: 'rest' },
  'neither a length nor a Content-Range': { headers: {}, place: 'differs' },
  'only a length, when no total was known': { headers: { 'content-length': '900' }, total: 0, place: 'differs' },
  'another total': { headers: { ...REST, 'content-range': 'bytes 100-999/1001' }, place: 'differs' },
  'another length': { headers: { 'content-length': '901' }, place: 'differs' },
  'another beginning': { headers: { ...REST, 'content-range': 'bytes 90-999/1000' }, place: 'differs' },
  'the same strong ETag': { headers: { ...REST, etag: '"a"' }, etag: '"a"', place: 'rest' },
  'another strong ETag': { headers: { ...REST, etag: '"b"' }, etag: '"a"', place: 'differs' },
  'another weak ETag, which says nothing of bytes': { headers: { ...REST, etag: 'W/"b"' }, etag: '"a"', place: 'rest' },
  'an ETag that cannot be compared': { headers: { ...REST, etag: '"b"' }, place: 'rest' },
  'the rest of a range: the total is the file’s': {
    ...{ headers: { 'content-range': 'bytes 600-1499/9000', 'content-length': '900' }, range: 'bytes=500-1499' },
    ...{ file: 9000, place: 'rest' },
  },
  'the rest of a range of another file': {
    ...{ headers: { 'content-range': 'bytes 600-1499/9001', 'content-length': '900' }, range: 'bytes=500-1499' },
    ...{ file: 9000, place: 'differs' },
  },
  'the wrong part of a range': {
    ...{ headers: { 'content-range': 'bytes 100-999/9000', 'content-length': '900' }, range: 'bytes=500-1499' },
    ...{ file: 9000, place: 'differs' },
  },
  'the whole, of the same length': { status: 200, headers: { 'content-length': '1000' }, place: 'whole' },
  'the whole, of unknown length': { status: 200, headers: {}, place: 'whole' },
  'the whole, of another length': { status: 200, headers: { 'content-length': '1001' }, place: 'anew' },
  'the whole, with another ETag': { status: 200, headers: { etag: '"b"' }, etag: '"a"', place: 'anew' },
  'nothing at all': { status: 204, headers: {}, place: 'differs' },
};

test.each('an answer is told by its headers:', PLACES, (assert, given) => {
  const { status = 206, headers = {}, total = 1000, file = total, etag = null, range, place } = given;
  assert.strictEqual(placeOf({ status, headers: new Headers(headers) }, 100, { total, file, etag }, range), place);
});

/** The request's own range, what a 206 says it is, and whether it is that. */
const ANSWERS: (readonly [string | undefined, string | undefined, boolean])[] = [
  [undefined, undefined, true],
  [undefined, 'bytes 0-999/1000', true],
  [undefined, 'bytes 0-999/*', true],
  [undefined, 'bytes 0-999/1001', false],
  [undefined, 'bytes 1-999/1000', false],
  [undefined, 'bytes 1-999/*', false],
  ['bytes=500-999', undefined, true],
  ['bytes=500-999', 'bytes 500-999/9000', true],
  ['bytes=500-', 'bytes 500-8999/9000', true],
  ['bytes=500-999', 'bytes 0-499/9000', false],
  ['bytes=50-99', 'bytes 500-549/9000', false],
  // where these begin only the server can tell
  ['bytes=-500', 'bytes 8500-8999/9000', true],
  ['bytes=0-9,500-999', 'bytes 500-999/9000', true],
];

test.each('a 206 is told from one of another range, where it can be read:', ANSWERS, (assert, [range, place, isIt]) => {
  const headers = new Headers(place === undefined ? {} : { 'content-range': place });
  assert.strictEqual(isRangeAsked(headers, range), isIt);
});
