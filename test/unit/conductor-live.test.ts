import QUnit from 'qunit';
import { answers, conduct, type Conducting, type Sent } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;

const ORIGIN = 'https://video.example';
const PATH = '/live/low.m3u8';
const NAMES = ['a', 'b', 'c', 'd'];

/** Four segments, from this one on. */
function playlist(first: number, targetSeconds = 2): string {
  const segments = [0, 1, 2, 3].map((i) => `#EXTINF:${targetSeconds},\n${first + i}.ts\n`);
  return `#EXTM3U\n#EXT-X-TARGETDURATION:${targetSeconds}\n#EXT-X-MEDIA-SEQUENCE:${first}\n${segments.join('')}`;
}

/** a is chosen, the others are farther away. @param random  all chance */
async function selected(assert: Assert, edges: readonly string[] = ['a', 'b'], random = 0.5): Promise<Conducting> {
  const all = conduct(assert, { edges });
  Object.assign(all.fake.platform, { random: () => random });
  answers(all.fake, { a: 20, b: 60, c: 90, d: 120, video: 5 });
  for (const [i, name] of edges.entries()) {
    all.fake.timing(`${name}.example`, { requestStart: 1000, responseStart: 1020 + 30 * i });
  }
  await all.select();
  return all;
}

/** Asks as VHS does: after an update when the last segment is over, else half a target duration later, one after the other. */
async function poll(
  { fake, send }: Conducting,
  forMs: number,
  targetMs: number,
  each: (sent: Sent) => void = () => undefined,
): Promise<void> {
  const until = fake.platform.now() + forMs;
  let before = '';
  while (fake.platform.now() < until) {
    const sent = send(PATH, { timeoutMs: 45_000 });
    while (!sent.end && fake.platform.now() < until) await fake.advance(50);
    each(sent);
    await fake.advance(sent.body === before ? targetMs / 2 : targetMs);
    before = sent.body;
  }
}

/** How often somebody was asked for the playlist. */
const asked = ({ fake }: Conducting, name: string): number => fake.all(`GET https://${name}.example${PATH}`).length;

module('conductor, live', nothingLeft);

test('asks one edge alone while its playlist moves, though caches and the encoder are late', async (assert) => {
  const all = await selected(assert);
  const { fake } = all;
  const began = fake.platform.now();
  let held = { at: -Infinity, body: '' };
  fake.respond(`GET https://a.example${PATH}`, () => {
    const at = fake.platform.now() - began;
    // each third segment 0.6 s late, in a cache for 2 s
    const late = Math.floor(at / 2000) % 3 === 0 && at % 2000 < 600 ? 1 : 0;
    if (at - held.at >= 2000) held = { at, body: playlist(Math.floor(at / 2000) - late) };
    return { body: held.body, afterMs: 20 };
  });
  await poll(all, 300_000, 2000);
  assert.deepEqual([asked(all, 'b'), asked(all, 'video')], [0, 0]);
});

test.each(
  'plays on when the encoder does after a pause, whatever the origin is like meanwhile',
  { 'is silent': 'wait', 'has no such file': { status: 404 }, 'denies it': { status: 403 } } as const,
  async (assert, origin) => {
    const all = await selected(assert, ['a', 'b'], 0);
    const { fake } = all;
    let first = 5;
    fake.respond(/GET .*[ab]\.example\/live\/low/, () => ({ body: playlist(first), afterMs: 20 }));
    fake.respond(`GET ${ORIGIN}${PATH}`, origin);
    const ends = new Set<unknown>();
    await poll(all, 10_000, 2000, ({ end, status }) => ends.add(end && `${end} ${status}`));
    first = 6;
    let body = '';
    await poll(all, 5000, 2000, (sent) => (body = sent.body));
    assert.deepEqual([...ends], ['answered 200']);
    assert.true(body.includes(':6\n'), body);
  },
);

test.each('asks the edges again once an encoder that paused goes on', [0, 0.2], async (assert, random) => {
  const all = await selected(assert, ['a', 'b'], random);
  const { fake } = all;
  const began = fake.platform.now();
  const first = (): number => {
    const at = fake.platform.now() - began;
    return Math.floor(Math.min(at, 20_000) / 2000) + Math.floor(Math.max(0, at - 26_000) / 2000);
  };
  fake.respond(PATH, () => ({ body: playlist(first()), afterMs: 20 }));
  await poll(all, 34_000, 2000);
  const before = asked(all, 'video');
  assert.true(before > 0, 'it was asked meanwhile');
  await poll(all, 30_000, 2000);
  assert.strictEqual(asked(all, 'video'), before);
});

test('goes on by the origin, at most two target durations late, where every edge has an old playlist', async (assert) => {
  const all = await selected(assert, NAMES, 0.2);
  const { fake } = all;
  const began = fake.platform.now();
  const first = (): number => Math.floor((fake.platform.now() - began) / 6000);
  fake.respond(/GET .*[a-d]\.example\/live\/low/, { body: playlist(0, 6), afterMs: 20 });
  fake.respond(`GET ${ORIGIN}${PATH}`, () => ({ body: playlist(first(), 6), afterMs: 20 }));
  let body = '';
  let movedAt = began;
  let longestMs = 0;
  await poll(all, 240_000, 6000, (sent) => {
    const now = fake.platform.now();
    if (now - began > 60_000) longestMs = Math.max(longestMs, now - movedAt);
    if (sent.body !== body) movedAt = now;
    body = sent.body;
  });
  assert.true(longestMs <= 12_000, `${longestMs} ms`);
});

test('an older playlist of another edge is not shown to VHS, though each request tells of the player', async (assert) => {
  const all = conduct(assert);
  const { fake, send } = all;
  answers(fake, { a: 5, b: 20, video: 30 });
  await all.select();
  const live = (first: number): string =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n#EXTINF:2,\n${first}.ts\n#EXTINF:2,\n${first + 1}.ts\n`;
  fake.respond('GET https://a.example/live/low', { body: live(10), afterMs: 20 });
  fake.respond('GET https://b.example/live/low', { body: live(9), afterMs: 20 });
  send('/live/low.m3u8?CMCD=sn%3D1');
  await fake.advance(1000);
  fake.respond('GET https://a.example/live/low', 'fail');
  const sent = send('/live/low.m3u8?CMCD=sn%3D2');
  await fake.advance(100);
  assert.strictEqual(/SEQUENCE:(\d+)/.exec(sent.body)?.[1], '10');
  await fake.advance(3000);
});
