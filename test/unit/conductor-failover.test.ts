import QUnit from 'qunit';
import { answers, conduct, PLAYLIST, seeing, SETTLED_MS, type Conducting } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;

const A = 'https://a.example';
const B = 'https://b.example';
const ORIGIN = 'https://video.example';

/** The race behind compares what the browser measured, so that it is over with one request each. */
function measured({ fake }: Conducting, ms: Readonly<Record<string, number>>): void {
  for (const [name, requestMs] of Object.entries(ms)) {
    fake.timing(`${name}.example`, { requestStart: 1000, responseStart: 1000 + requestMs });
  }
}

/** a is chosen, b is there as well. */
async function selected(assert: Assert, edges: readonly string[] = ['a', 'b']): Promise<Conducting> {
  const all = conduct(assert, { edges });
  answers(all.fake, { a: 20, b: 60, c: 90, video: 5 });
  measured(all, { a: 20, b: 60, c: 90 });
  await all.select();
  return all;
}

const failovers = ({ of }: Conducting): string[] =>
  of('edgeselect:failedover').map(({ from, to, because }) => `${from} > ${to}: ${because}`);

const PLAYING = {
  ...{ paused: false, seeking: false, complete: false, position: 0, bufferAheadMs: 6000, playbackRate: 1 },
  ...{ playing: null, loading: null, best: null, droppedShare: 0, segmentMs: 4000 },
};

module('conductor, failover', nothingLeft);

test('takes a request from an edge that fails to the next, tells it, and looks for another edge', async (assert) => {
  const all = await selected(assert);
  const { fake, shared, send, of } = all;
  fake.respond('a.example', { status: 503 });
  const sent = send('/live/0.ts');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(sent.body, 'b');
  assert.deepEqual(failovers(all), [`${A} > ${B}: status`]);
  assert.true(shared.cooling(A));
  assert.deepEqual(
    of('edgeselect:switched').map(({ from, selection, because }) => [from, selection.chosen.origin, because]),
    [[A, B, `${A} failed: status`]],
  );
});

test('waits on for edges whose segments come late, as those that are not in their cache do, and knows it the next time', async (assert) => {
  const { fake, send, names } = await selected(assert);
  const before = names().length;
  fake.respond(/(a|b|video)\.example\/live\/\d/, { afterMs: 700, body: 'media' });
  for (const [path, requests] of Object.entries({ '/live/0.ts': 2, '/live/1.ts': 1 })) {
    const sent = send(path);
    await fake.advance(700);
    assert.strictEqual(sent.body, 'media');
    assert.strictEqual(fake.all(path).length, requests);
  }
  await fake.advance(SETTLED_MS);
  assert.deepEqual(names().slice(before), ['served', 'served'], 'nobody has failed');
});

test('waits for an origin that is slow when nobody else is left', async (assert) => {
  const { fake, send } = await selected(assert);
  fake.expect(/[ab]\.example\/live\/0/);
  fake.respond(/video\.example\/live\/0/, { afterMs: 1500, body: 'media' });
  const sent = send('/live/0.ts', { timeoutMs: 9000 });
  await fake.advance(600 + 300 + 1500);
  assert.strictEqual(sent.body, 'media');
  await fake.advance(SETTLED_MS);
});

test('tells each step of a way over several servers', async (assert) => {
  const all = await selected(assert);
  const { fake, send } = all;
  fake.respond('a.example', 'fail');
  fake.respond('b.example', { status: 500 });
  const sent = send('/live/0.ts');
  await fake.advance(5);
  assert.strictEqual(sent.body, 'video');
  assert.deepEqual(failovers(all), [`${A} > ${B}: refused`, `${B} > ${ORIGIN}: status`]);
  await fake.advance(SETTLED_MS);
});

test.each(
  'blames an edge at once for what it answered, even when nobody delivers',
  [429, 500, 503],
  async (assert, status) => {
    const { fake, shared, send } = await selected(assert);
    fake.respond('.example', 'fail');
    fake.respond('a.example', { status });
    send('/live/0.ts');
    await fake.advance(SETTLED_MS);
    assert.true(shared.cooling(A));
    assert.false(shared.cooling(B), 'who may only have been cut off by the line');
  },
);

test.each(
  'blames an edge for its silence only once somebody else delivers',
  { silence: 'wait', refusal: 'fail' } as const,
  async (assert, script) => {
    const { fake, shared, send } = await selected(assert);
    fake.respond(/[ab]\.example/, script);
    fake.respond('video.example', 'fail');
    const sent = send('/live/0.ts');
    await fake.advance(1500);
    assert.strictEqual(sent.end, undefined, 'all of them are asked again');
    assert.deepEqual([shared.cooling(A), shared.cooling(B)], [false, false]);
    fake.respond(/GET .*b\.example/, { body: 'b again' });
    await fake.advance(2000);
    assert.strictEqual(sent.body, 'b again');
    assert.deepEqual([shared.cooling(A), shared.cooling(B)], [true, false]);
    await fake.advance(SETTLED_MS);
  },
);

test('leaves an edge alone during its cool-down, and asks it again after', async (assert) => {
  const all = await selected(assert);
  const { fake, shared, send } = all;
  const asked = fake.all(/^\w+ https:\/\/a\.example/).length;
  shared.failed(A);
  const during = send('/live/0.ts');
  await fake.advance(60);
  assert.strictEqual(during.body, 'b');
  assert.strictEqual(fake.all(/^\w+ https:\/\/a\.example/).length, asked);
  await fake.advance(61_000);
  assert.false(shared.record(A).isOut, 'a probe let it back');
});

test('asks the others by the time they took in the race', async (assert) => {
  const all = await selected(assert, ['a', 'c', 'b']);
  const { fake, send } = all;
  fake.respond(/[ab]\.example/, { status: 500 });
  send('/live/0.ts');
  await fake.advance(100);
  assert.deepEqual(failovers(all), [`${A} > ${B}: status`, `${B} > https://c.example: status`]);
  await fake.advance(SETTLED_MS);
});

test.each(
  'leaves requests of a type that edges deny twice in a row, and the origin does not, to the origin for a while',
  [401, 403],
  async (assert, status) => {
    const all = await selected(assert);
    const { fake, conducting, shared, send, of } = all;
    fake.respond(/GET .*[ab]\.example.*ts/, { status });
    for (const path of ['/live/0.ts', '/live/1.ts']) {
      const sent = send(path);
      await fake.flush();
      await fake.advance(5);
      assert.strictEqual(sent.body, 'video');
    }
    assert.strictEqual(of('edgeselect:warned').length, 1);
    assert.false(shared.cooling(A), 'it is no fault of the edge');
    const before = fake.all('GET https://a.example').length;
    send('/live/2.ts');
    await fake.advance(5);
    assert.strictEqual(fake.all('GET https://a.example').length, before, 'it is not asked again');
    const playlist = send('/live/low.m3u8');
    await fake.advance(20);
    assert.strictEqual(playlist.body, 'a', 'other types still go to the edge');
    conducting.reselect('asked for');
    await fake.advance(SETTLED_MS);
    send('/live/3.ts');
    await fake.advance(100);
    assert.strictEqual(fake.all('GET https://a.example/live/3.ts').length, 1, 'the next selection begins anew');
  },
);

test.each(
  'asks the origin for a URL that edges do not have, and no more than that',
  [404, 410],
  async (assert, status) => {
    const { fake, shared, send, of } = await selected(assert);
    fake.respond(/GET .*[ab]\.example.*0\.ts/, { status });
    const first = send('/live/0.ts');
    await fake.advance(5);
    assert.strictEqual(first.body, 'video');
    assert.deepEqual([shared.cooling(A), of('edgeselect:warned').length], [false, 0]);
    const second = send('/live/1.ts');
    await fake.advance(20);
    assert.strictEqual(second.body, 'a');
  },
);

test('is as patient as a blocking playlist request wants it', async (assert) => {
  const { fake, send } = await selected(assert);
  fake.expect('_HLS_msn');
  const sent = send('/live/low.m3u8?_HLS_msn=7', { requestType: 'hls-playlist' });
  await fake.advance(5000);
  assert.strictEqual(sent.end, undefined);
  assert.strictEqual(fake.all('_HLS_msn').length, 1, 'nobody else is asked');
  fake.last('_HLS_msn').respond({ body: `${PLAYLIST}new` });
  await fake.flush();
  assert.strictEqual(sent.body, 'new');
});

test('asks others too when a blocking request takes longer than a segment', async (assert) => {
  const { fake, conducting, send } = await selected(assert);
  conducting.watch(seeing(() => PLAYING));
  fake.respond(`GET ${A}`, 'wait');
  const sent = send('/live/low.m3u8?_HLS_msn=7', { requestType: 'hls-playlist' });
  await fake.advance(PLAYING.segmentMs + 600);
  assert.strictEqual(sent.body, '');
  await fake.advance(60);
  assert.strictEqual(sent.body, 'b');
  await fake.advance(SETTLED_MS);
});

test('a blocking request that began while paused asks others too, when no segment can be as long', async (assert) => {
  const { fake, conducting, send } = await selected(assert);
  conducting.watch(seeing(() => ({ ...PLAYING, paused: true })));
  fake.respond(`GET ${A}`, 'wait');
  const sent = send('/live/low.m3u8?_HLS_msn=7', { requestType: 'hls-playlist', timeoutMs: 45_000 });
  await fake.advance(10_600);
  assert.strictEqual(sent.body, '');
  await fake.advance(60);
  assert.strictEqual(sent.body, 'b');
  await fake.advance(SETTLED_MS);
});

test('a URL that everybody answers without CORS ends soon, as it would without us at once', async (assert) => {
  const { fake, shared, send } = await selected(assert);
  fake.respond('missing', ({ init }) => (init.mode === 'no-cors' ? { opaque: true } : 'fail'));
  const sent = send('/live/missing.ts', { timeoutMs: 45_000 });
  await fake.advance(510);
  assert.strictEqual(sent.end, 'error');
  assert.strictEqual(fake.all('missing').length, 8, 'all of them twice, as the line may have come back between');
  assert.false(shared.cooling(A));
});

test('a line that comes back between two requests ends none', async (assert) => {
  const { fake, send } = await selected(assert);
  fake.respond('/live/0.ts', ({ init }) => {
    if (init.mode !== 'no-cors') return 'fail';
    answers(fake, { a: 20 });
    return { opaque: true };
  });
  const sent = send('/live/0.ts');
  await fake.advance(600);
  assert.strictEqual(sent.body, 'a');
});

test.each('leaves nothing open of asking whether its own host is there', [true, false], async (assert, isAborted) => {
  const { fake, send } = await selected(assert);
  fake.respond('/live/0.ts', ({ init }) => (init.mode === 'no-cors' ? 'wait' : 'fail'));
  const sent = send('/live/0.ts', { timeoutMs: 6000 });
  await fake.advance(isAborted ? 10 : 10_000);
  sent.abort();
  await fake.flush();
  assert.deepEqual(
    fake.all('/live/0.ts').filter((one) => one.pending()),
    [],
  );
});

test('blames nobody who holds a blocking request a little longer than another', async (assert) => {
  const { fake, conducting, shared, send } = await selected(assert);
  conducting.watch(seeing(() => PLAYING));
  const url = '/live/low.m3u8?_HLS_msn=7';
  fake.respond(url, 'wait');
  const sent = send(url, { requestType: 'hls-playlist' });
  await fake.advance(PLAYING.segmentMs + 1000);
  fake.last(`GET ${B}${url}`).respond({ body: `${PLAYLIST}new` });
  await fake.advance(SETTLED_MS);
  assert.strictEqual(sent.body, 'new');
  assert.false(shared.cooling(A));
  assert.true(fake.last(`GET ${A}${url}`).aborted());
});

module('conductor, selecting again', nothingLeft);

test('leaves an edge that begins to ask its clients to move away while it serves', async (assert) => {
  const { fake, conducting, send, of } = await selected(assert);
  let position = 0;
  conducting.watch(seeing(() => ({ ...PLAYING, position: (position += 1000) })));
  fake.respond(A, ({ url }) => ({
    ...{ afterMs: 20, body: url.includes('.m3u8') ? `${PLAYLIST}a` : 'a', headers: { 'cmsd-dynamic': '"a";du' } },
  }));
  for (let i = 0; i < 60 && of('edgeselect:switched').length === 0; i += 1) {
    send(`/live/${i}.ts`);
    await fake.advance(1000);
  }
  await fake.advance(SETTLED_MS);
  assert.propContains(of('edgeselect:judged')[0], { edge: A, verdict: 'suspect', because: 'moveAway' });
  assert.strictEqual(conducting.selection()?.chosen.origin, B);
});

test('races by HEAD of the playlist asked for last, and nothing waits for it', async (assert) => {
  const all = await selected(assert);
  const { fake, conducting, send, names } = all;
  send('/live/low.m3u8');
  await fake.advance(100);
  conducting.reselect('asked for');
  await fake.flush();
  assert.strictEqual(conducting.state().kind, 'reselecting');
  assert.strictEqual(fake.all(/^HEAD .*low\.m3u8/).length, 2);
  const sent = send('/live/0.ts');
  await fake.advance(20);
  assert.strictEqual(sent.body, 'a', 'served meanwhile');
  await fake.advance(SETTLED_MS);
  assert.deepEqual(names().slice(-3), ['selected', 'raced', 'reported']);
});

test('stays with its edge unless another is quicker by a quarter', async (assert) => {
  for (const [requestMs, chosen] of [
    [50, A],
    [40, B],
  ] as const) {
    const all = conduct(assert);
    answers(all.fake, { a: 20, b: 60 });
    await all.select();
    measured(all, { a: 60, b: requestMs });
    all.conducting.reselect('asked for');
    await all.fake.advance(SETTLED_MS);
    assert.strictEqual(all.conducting.selection()?.chosen.origin, chosen, `against ${requestMs} ms`);
    assert.strictEqual(all.of('edgeselect:switched').length, chosen === A ? 0 : 1);
  }
});

test('goes on as it was when no other edge can be looked for', async (assert) => {
  const { fake, conducting, of } = await selected(assert);
  fake.respond('HEAD ', { status: 500 });
  fake.respond('GET ', { status: 500 });
  conducting.reselect('asked for');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(conducting.selection()?.chosen.origin, A);
  assert.true(of('edgeselect:warned').some(({ text }) => text.includes('EDGES_FAILED')));
});

test('comes back from the origin when it is asked to select again', async (assert) => {
  const { fake, conducting, send } = conduct(assert);
  fake.respond(/[ab]\.example/, { status: 404 });
  answers(fake, { video: 5 });
  conducting.begin();
  await fake.flush();
  send('/live/main.m3u8');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(conducting.state().kind, 'bypassed');
  answers(fake, { a: 20, b: 60 });
  await fake.advance(10_000);
  conducting.reselect('asked for');
  const sent = send('/live/main.m3u8');
  await fake.advance(SETTLED_MS);
  assert.strictEqual(sent.body, 'video', 'nothing waits for that search');
  assert.strictEqual(conducting.selection()?.chosen.origin, A);
});
