import QUnit from 'qunit';
import { answers, conduct, seeing, type Conducting } from '../support/conducting.js';
import { nothingLeft, type FakeBody } from '../support/platform.js';

const { module, test } = QUnit;

const [A, B] = ['https://a.example', 'https://b.example'];
const STEP_MS = 200;

interface Stalling extends Conducting {
  readonly body: FakeBody;
  readonly stalledAt: number;
  /** So many ms more of the stall, in which the segment only drips. */
  go(ms: number): Promise<void>;
  end(): Promise<void>;
}

/** Playback from a stalls, while b says nothing. */
async function stalling(assert: Assert): Promise<Stalling> {
  const all = conduct(assert);
  const { fake, conducting, send, shared, select } = all;
  answers(fake, { a: 20, b: 60, video: 5 });
  await select();
  shared.delivered(A, 1_000_000, 1000);
  let stalledAt = Infinity;
  const now = (): number => fake.platform.now();
  conducting.watch(
    seeing(() => ({
      ...{ paused: false, seeking: false, complete: false, playbackRate: 1, droppedShare: 0, segmentMs: null },
      ...{ playing: null, loading: null, best: null },
      position: Math.min(now(), stalledAt),
      bufferAheadMs: now() >= stalledAt ? 0 : 800,
    })),
  );
  await fake.advance(5000);
  fake.expect(`HEAD ${B}`);
  fake.expect(`GET ${A}`);
  stalledAt = now() + 500;
  const sent = send('/live/0.ts');
  await fake.flush();
  const body = fake.last(`GET ${A}/live/0.ts`).respondStream({ headers: { 'content-length': '99999' } });
  return {
    ...{ ...all, body, stalledAt },
    async go(ms) {
      for (let step = 0; step < ms / STEP_MS; step += 1) {
        body.chunk('.');
        await fake.advance(STEP_MS);
      }
    },
    async end() {
      sent.abort();
      await fake.advance(3000);
    },
  };
}

module('conductor, stalls', nothingLeft);

test('a stall that begins while a look around is under way is charged all the same', async (assert) => {
  const { go, end, conducting, of } = await stalling(assert);
  await go(1000);
  conducting.reselect('asked for');
  await go(3000);
  assert.deepEqual(
    of('edgeselect:judged').map(({ verdict, because }) => `${verdict}: ${because}`),
    ['leave: stalls'],
  );
  await end();
});

test('a stall that goes on is charged again, where nobody was found the first time', async (assert) => {
  const { go, end, fake, of } = await stalling(assert);
  fake.respond(B, 'fail');
  await go(10_000);
  fake.respond(B, { body: 'b', afterMs: 20 });
  await go(30_000);
  assert.true(of('edgeselect:judged').length >= 2, `in 40 s of it: ${of('edgeselect:judged').length}`);
  assert.strictEqual(of('edgeselect:switched').at(-1)?.selection.chosen.origin, B);
  await end();
});
