import QUnit from 'qunit';
import { playedTo } from './tools.js';
import { leave, OVERLAP, playBent, starts, STOP, STREAMS, untrue, type Stream } from './truth.js';

const { module, test } = QUnit;

module('resume', { afterEach: leave });

/** How the quicker edge breaks off in the middle of a segment. */
const BREAKS = {
  'falls silent': { rule: { stallAfterBytes: STOP }, because: 'stalled' },
  'ends the body too early': { rule: { cutAfterBytes: STOP, lingerMs: 100 }, because: 'short' },
  'resets the connection': { rule: { resetAfterBytes: STOP, lingerMs: 100 }, because: 'short' },
  'gives a byte now and then': {
    rule: { slowAfterBytes: STOP, bitsPerSecond: 4000 },
    because: 'slow',
  },
};

test.each('keeps what it has of a segment when the edge, in its middle,', BREAKS, async (assert, { rule, because }) => {
  await assertResumes(assert, STREAMS.ts, rule, because);
});

const { fmp4, byterange, aes, audio, template, sidx } = STREAMS;
const FORMATS: Record<string, Stream> = {
  'HLS of fragmented MP4': fmp4,
  'HLS of byte ranges': byterange,
  'HLS with AES-128': aes,
  'the audio of HLS that has it apart': audio,
  'DASH with a SegmentTemplate': template,
  'DASH with a sidx': sidx,
};

test.each('goes on at the next edge where the first fell silent, in', FORMATS, async (assert, stream) => {
  await assertResumes(assert, stream, { stallAfterBytes: STOP }, 'stalled');
});

test('knows by its range that an answer of no length is short', async (assert) => {
  // in Chromium it is the browser that tells the length of a range
  await assertResumes(assert, byterange, { shortAfterBytes: STOP }, 'short');
});

test('asks the next edge for the end of the range that VHS asked for, and for no byte behind it', async (assert) => {
  const played = await playBent(byterange, { quick: { stallAfterBytes: STOP } });
  const ranges = (await played.of('slow')).map(({ headers }) => headers.range ?? '');
  assert.true(
    ranges.some((range) => range.endsWith('-42499') && !range.startsWith('bytes=1648-')),
    ranges.join(),
  );
});

test('leaves a slow edge before the buffer runs dry', async (assert) => {
  const stream = STREAMS.ts;
  const { player } = await playBent(
    { ...stream, playTo: 0.1 },
    { quick: { slowAfterBytes: STOP, bitsPerSecond: 4000 } },
  );
  let waits = 0;
  player.on('waiting', () => {
    waits += 1;
  });
  await playedTo(player, stream.playTo + 1);
  assert.strictEqual(waits, 0, 'the viewer saw nothing');
});

test('goes on where a redirect inside the edge had led when that edge fell silent', async (assert) => {
  const stream = STREAMS.ts;
  const moved = { redirect: `${stream.bent}?moved`, times: 1 };
  const played = await playBent(stream, { quick: [moved, { stallAfterBytes: STOP }] });
  assert.deepEqual(played.failed, [['quick', 'slow', 'stalled']]);
  assert.deepEqual(await starts(played, 'slow', stream), [STOP - OVERLAP]);
  assert.deepEqual(await untrue(played, stream), []);
});

/** VHS plays on, with true bytes, and the next edge was asked for no more than what was missing. */
async function assertResumes(assert: Assert, stream: Stream, rule: object, because: string): Promise<void> {
  const played = await playBent(stream, { quick: rule });
  assert.deepEqual(played.failed, [['quick', 'slow', because]], 'one request failed over');
  const [first, ...others] = await starts(played, 'slow', stream);
  assert.true(
    typeof first === 'number' && first >= STOP - OVERLAP && first <= STOP,
    `the next edge was asked for bytes from ${String(first)} on`,
  );
  const again = others.filter((start) => start === null || start === 0);
  assert.deepEqual(again, [], 'and for nothing that was there');
  assert.deepEqual(await untrue(played, stream), [], 'VHS got the true files');
  assert.strictEqual(played.player.error(), null);
}
