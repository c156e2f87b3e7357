import QUnit from 'qunit';
import { engine, ORIGIN } from './tools.js';
import { bend, leave, OVERLAP, playBent, starts, STOP, STREAMS, untrue, type Played, type Stream } from './truth.js';

const { module, test } = QUnit;
const { ts, byterange, padded, leading, free } = STREAMS;
const STALL = { stallAfterBytes: STOP };
const RESUMED = STOP - OVERLAP;

module('splice', { afterEach: leave });

/** What the next edge is like, from where it is asked, and whether it has another file. */
const NEXT: Record<string, { slow: Next; asked: readonly (number | null)[]; instead?: string }> = {
  'takes what follows from an answer 200 to a Range': {
    slow: { rule: { ranged: true, ignoresRange: true } },
    asked: [RESUMED],
  },
  'asks for the whole where the next edge answers 416': {
    slow: { rule: { ranged: true, status: 416 } },
    asked: [RESUMED, null],
  },
  'asks for the whole where the next edge has a file of another length': {
    slow: { rule: { file: '/hls/270p-01.ts' } },
    asked: [RESUMED, null],
    instead: '/hls/270p-01.ts',
  },
  'asks for the whole where the strong ETag is another': {
    slow: { rule: { headers: { ETag: '"another"' } } },
    asked: [RESUMED, null],
  },
  'does not mind a weak ETag': { slow: { rule: { headers: { ETag: 'W/"another"' } } }, asked: [RESUMED] },
  'goes on by the length alone where Content-Range and ETag are not exposed': {
    slow: { edge: { expose: 'Date' } },
    asked: [RESUMED],
  },
};

test.each('after a fault in the middle of a segment', NEXT, async (assert, { slow, asked, instead }) => {
  const played = await stalled(ts, slow);
  assert.deepEqual(played.failed, [['quick', 'slow', 'stalled']], 'the next edge is to blame for nothing');
  assert.deepEqual(await starts(played, 'slow', ts), asked);
  assert.deepEqual(await untrue(played, ts, instead), []);
  assert.strictEqual(played.player.error(), null);
});

test('leaves no byte of a longer file of another edge behind those of the first, where that ignores a Range', async (assert) => {
  const played = await stalled(ts, { rule: { ignoresRange: true, file: '/hls/270p-01.ts' } });
  assert.deepEqual(await untrue(played, ts, '/hls/270p-01.ts'), []);
});

test('asks for the whole where nobody told how long it is', async (assert) => {
  // Chromium gives every answer to a Range a length, so it is the first edge that has to leave it out
  const unknown = { ...STALL, shortAfterBytes: Number.MAX_SAFE_INTEGER };
  const played = await playBent(ts, { quick: unknown, slow: { expose: 'Date' } });
  assert.deepEqual(played.failed, [['quick', 'slow', 'stalled']]);
  assert.deepEqual(await starts(played, 'slow', ts), [RESUMED, null]);
  assert.deepEqual(await untrue(played, ts), []);
});

/** How the next edge refuses a Range, and what the event says. */
const REFUSALS = {
  'answers 503 to': { rule: { ranged: true, status: 503 }, because: 'status' },
  'answers 403 to': { rule: { ranged: true, status: 403 }, because: 'status' },
  // Firefox tries again by itself, for longer than an edge may be silent
  'resets the connection at': {
    rule: { reset: true },
    because: engine === 'firefox' ? 'silent' : 'refused',
  },
};

test.each('takes what it has on to the origin when the next edge', REFUSALS, async (assert, { rule, because }) => {
  const played = await stalled(ts, { rule });
  assert.deepEqual(played.failed, [
    ['quick', 'slow', 'stalled'],
    ['slow', ORIGIN, because],
  ]);
  assert.deepEqual(await starts(played, ORIGIN, ts), [RESUMED]);
  assert.deepEqual(await untrue(played, ts), []);
  assert.strictEqual(played.player.error(), null);
});

test('asks the next edge for the whole when it refuses the Range alone, as one may without a preflight', async (assert) => {
  const played = await stalled(ts, { rule: { ranged: true, reset: true } });
  // Firefox tries a Range again by itself, for longer than an edge may be silent
  const isHeld = engine === 'firefox';
  assert.deepEqual(played.failed.slice(0, 1), [['quick', 'slow', 'stalled']]);
  assert.strictEqual(played.failed.length, isHeld ? 2 : 1);
  if (!isHeld) assert.deepEqual((await starts(played, 'slow', ts)).slice(-1), [null]);
  assert.deepEqual(await untrue(played, ts), []);
});

test('asks for the whole range again where the total of Content-Range is another', async (assert) => {
  const total = { 'Content-Range': `bytes ${byterange.offset + RESUMED}-42499/99999`, ETag: null };
  const played = await stalled(byterange, { rule: { headers: total, times: 1 } });
  assert.deepEqual(played.failed, [['quick', 'slow', 'stalled']]);
  const asked = await starts(played, 'slow', byterange);
  assert.deepEqual(asked.slice(0, 2), [RESUMED, 0]);
  assert.deepEqual(await untrue(played, byterange), []);
});

/** 6392 bytes of pictures, 24440 of null packets, 10716 of pictures. */
const PADDING = { from: 6392, to: 30_832 };

test('looks behind padding for bytes that prove something', async (assert) => {
  const played = await stalled(padded);
  assert.deepEqual(played.failed, [['quick', 'slow', 'stalled']]);
  const [start] = await starts(played, 'slow', padded);
  assert.true(typeof start === 'number' && start > 0 && start <= PADDING.from - 1024, `asked from ${String(start)}`);
  assert.deepEqual(await untrue(played, padded), []);
});

test('asks for the whole where there is nothing but padding', async (assert) => {
  const played = await playBent(leading, { quick: { stallAfterBytes: 24_000 } });
  assert.deepEqual(played.failed, [['quick', 'slow', 'stalled']]);
  assert.deepEqual(await starts(played, 'slow', leading), [null]);
  assert.deepEqual(await untrue(played, leading), []);
});

/** Two files of one length, with their padding in one place: another encoder's work. */
const OTHERS = {
  'a transport stream, stopped in its padding': { stream: padded, instead: '/thick/other-1.ts', stop: STOP },
  'a transport stream, stopped behind its padding': { stream: padded, instead: '/thick/other-1.ts', stop: 36_000 },
  'fragmented MP4, stopped in a free box': { stream: free, instead: '/thick/other-free-1.m4s', stop: STOP },
  'fragmented MP4, stopped behind a free box': { stream: free, instead: '/thick/other-free-1.m4s', stop: 38_000 },
};

test.each('splices no two files of one length:', OTHERS, async (assert, { stream, instead, stop }) => {
  // the files tell themselves apart by their bytes alone
  const rule = { file: instead, headers: { ETag: null } };
  const played = await playBent(stream, { quick: { stallAfterBytes: stop }, slow: { rules: [bend(stream, rule)] } });
  assert.deepEqual(played.failed, [['quick', 'slow', 'stalled']]);
  assert.deepEqual((await starts(played, 'slow', stream)).at(-1), null, 'the next edge was asked for the whole');
  assert.deepEqual(await untrue(played, stream, instead), []);
  assert.strictEqual(played.player.error(), null);
});

test('splices no two files of one length where the other edge ignores a Range', async (assert) => {
  const instead = '/thick/other-1.ts';
  const played = await stalled(padded, { rule: { file: instead, ignoresRange: true, headers: { ETag: null } } });
  assert.deepEqual(played.failed, [['quick', 'slow', 'stalled']]);
  assert.deepEqual(await untrue(played, padded, instead), []);
});

interface Next {
  readonly edge?: object;
  readonly rule?: object;
}

/** The quicker edge falls silent in the middle of the bent segment; the next one is as described. */
function stalled(stream: Stream, { edge = {}, rule }: Next = {}): Promise<Played> {
  return playBent(stream, { quick: STALL, slow: { ...edge, ...(rule && { rules: [bend(stream, rule)] }) } });
}
