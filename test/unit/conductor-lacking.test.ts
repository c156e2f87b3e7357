import QUnit from 'qunit';
import { answers, conduct, seeing, type Conducting } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;

const [A, B, C] = ['https://a.example', 'https://b.example', 'https://c.example'];
const SEGMENT_MS = 6000;

/** Playback from a, as it should be. */
async function playing(assert: Assert): Promise<Conducting> {
  const all = conduct(assert, { edges: ['a', 'b', 'c'] });
  all.conducting.watch(
    seeing(() => ({
      ...{ paused: false, seeking: false, complete: false, playbackRate: 1, droppedShare: 0, segmentMs: SEGMENT_MS },
      ...{ position: all.fake.platform.now(), bufferAheadMs: 12_000, playing: 4e6, loading: 4e6, best: 4e6 },
    })),
  );
  answers(all.fake, { a: 20, b: 60, c: 90, video: 30 });
  await all.select();
  return all;
}

/** Who served so many segments. */
async function segments({ fake, send }: Conducting, count: number, beside?: (i: number) => void): Promise<string> {
  const served: string[] = [];
  for (let i = 0; i < count; i += 1) {
    beside?.(i);
    const sent = send(`/live/${i}.ts`);
    await fake.advance(SEGMENT_MS);
    served.push(sent.body);
  }
  return [...new Set(served)].join(' ');
}

module('conductor, what only the origin has', nothingLeft);

test.each('subtitles that only the origin has move no picture from its edge:', [403, 404], async (assert, status) => {
  const all = await playing(assert);
  all.fake.respond(/GET https:\/\/[abc]\.example\/live\/sub/, { status, afterMs: 20 });
  const served = await segments(all, 40, (i) => all.send(`/live/sub${i}.vtt`));
  assert.strictEqual(served, 'a');
  assert.deepEqual(
    [A, B, C].filter((edge) => all.shared.record(edge).isOut),
    [],
    'nobody is out',
  );
  assert.deepEqual(all.of('edgeselect:switched'), []);
});

test('an edge that lacks what all others and itself lack, one after the other, is left', async (assert) => {
  const all = await playing(assert);
  all.fake.respond(/GET https:\/\/a\.example\/live\/\d/, { status: 404, afterMs: 20 });
  all.fake.respond(/GET https:\/\/b\.example\/live\/\d/, { status: 404, afterMs: 20 });
  await segments(all, 10);
  assert.strictEqual(all.conducting.selection()?.chosen.origin, C);
});

test('what edges deny twice in a row is asked of them again after a while', async (assert) => {
  const all = await playing(assert);
  all.fake.respond(/GET https:\/\/[abc]\.example\/live\/\d/, { status: 403, afterMs: 20 });
  assert.strictEqual(await segments(all, 3), 'video');
  const asked = all.fake.all(`GET ${A}/live/2.ts`).length;
  answers(all.fake, { a: 20, b: 60, c: 90 });
  assert.strictEqual(asked, 0, 'it is not asked at once');
  assert.strictEqual((await segments(all, 15)).split(' ').at(-1), 'a');
});

test('one edge that denies a file and others that are dead keep nothing at the origin', async (assert) => {
  const { fake, send } = await playing(assert);
  fake.respond(`GET ${A}/live/0.ts`, { status: 403, afterMs: 20 });
  fake.respond(`GET ${B}/live/0.ts`, 'fail');
  fake.respond(`GET ${C}/live/0.ts`, 'fail');
  send('/live/0.ts');
  await fake.advance(2000);
  const next = send('/live/1.ts');
  await fake.advance(1000);
  assert.strictEqual(next.body, 'a');
});
