import QUnit from 'qunit';
import { attempt, type Lane, type Outcome, type Parked } from '../../src/transport/attempt.js';
import type { MediaRequest } from '../../src/transport/route.js';
import { Received } from '../../src/transport/received.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';

const { module, test } = QUnit;

const URL_ = 'https://a.example/low-0.ts';
const edge = { origin: 'https://a.example', rank: 0, weight: 1 };

interface Trial {
  readonly fake: FakePlatform;
  readonly got: string[];
  readonly abort: () => void;
  outcome?: Outcome;
}

/** One attempt; the request is a segment at an edge unless told otherwise. */
function attempting(
  assert: Assert,
  lane: Partial<Lane> = {},
  request: Partial<MediaRequest> = {},
  fake = fakePlatform(assert),
): Trial {
  fake.expect(lane.url ?? URL_);
  const controller = new AbortController();
  const trial: Trial = {
    fake,
    got: [],
    abort: () => {
      controller.abort();
    },
  };
  const asked = {
    ...{ url: 'https://video.example/low-0.ts', method: 'GET', headers: {}, withCredentials: false },
    ...{ requestType: 'segment', timeoutMs: 0, binary: true },
    ...request,
  };
  const to = {
    edge,
    url: URL_,
    opened: null,
    guarded: false,
    patienceMs: 600,
    limitMs: 0,
    checksLength: true,
    resumes: true,
    isTooSlow: (): boolean => false,
    rateShown: (rate: number): number => rate,
    ...lane,
  };
  const sink = {
    headers: ({ status }: Response): unknown => trial.got.push(`headers ${status}`),
    chunk: (bytes: Uint8Array): unknown => trial.got.push(new TextDecoder().decode(bytes)),
    resumed: (): unknown => trial.got.push('resumed'),
  };
  const received = new Received();
  void attempt(asked, to, received, null, sink, { platform: fake.platform, signal: controller.signal }).then(
    (outcome) => {
      if (typeof outcome !== 'string') trial.outcome = outcome;
    },
  );
  return trial;
}

/** `silent`, `status 503`, `delivered`; `open` while it runs. */
function outcomeOf({ outcome }: Trial): string {
  if (!outcome) return 'open';
  if (outcome.kind === 'delivered') return 'delivered';
  return outcome.because === 'status' ? `status ${outcome.status}` : outcome.because;
}

function parkedOf({ outcome }: Trial): Parked | null {
  return outcome?.kind === 'failed' ? outcome.parked : null;
}

module('attempt', nothingLeft);

test('hands on each piece of the body at once, and tells how quick the server was', async (assert) => {
  const trial = attempting(assert);
  await trial.fake.advance(40);
  const body = trial.fake.last(URL_).respondStream();
  body.chunk('one');
  await trial.fake.flush();
  assert.deepEqual(trial.got, ['headers 200', 'one']);
  await trial.fake.advance(30);
  body.chunk('three');
  body.end();
  await trial.fake.flush();
  assert.deepEqual(trial.got, ['headers 200', 'one', 'three']);
  assert.deepEqual(trial.outcome, {
    kind: 'delivered',
    firstByteMs: 40,
    elapsedMs: 70,
    bytes: 8,
    isMedia: true,
    moveAway: false,
  });
});

test('hands on a body as a whole where a polyfill of fetch has no stream of it', async (assert) => {
  const trial = attempting(assert);
  trial.fake.last(URL_).respond({ unstreamed: true, headers: { 'content-length': '5' }, body: 'media' });
  await trial.fake.advance(0);
  assert.deepEqual(trial.got, ['headers 200', 'media']);
  assert.propContains(trial.outcome, { kind: 'delivered', bytes: 5, isMedia: true });
});

test('takes the body of a polyfill for an empty one, or a broken one, where it is that', async (assert) => {
  const empty = attempting(assert);
  empty.fake.last(URL_).respond({ unstreamed: true });
  await empty.fake.advance(0);
  assert.strictEqual(outcomeOf(empty), 'notmedia');
  const broken = attempting(assert);
  broken.fake.last(URL_).respondStream({ unstreamed: true }).fail();
  await broken.fake.advance(0);
  assert.strictEqual(outcomeOf(broken), 'short');
});

test('sends the request as VHS and the site made it', async (assert) => {
  const trial = attempting(assert, {}, { method: 'HEAD', headers: { Range: 'bytes=0-9' }, withCredentials: true });
  const { method, headers, init } = trial.fake.last(URL_);
  assert.deepEqual([method, headers], ['HEAD', { range: 'bytes=0-9' }]);
  assert.deepEqual([init.credentials, init.redirect, init.cache], ['include', 'follow', undefined]);
  trial.abort();
  await trial.fake.flush();
});

test('sends cookies to the own origin of the page alone, unless they are asked for', async (assert) => {
  const trial = attempting(assert);
  assert.strictEqual(trial.fake.last(URL_).init.credentials, 'same-origin');
  trial.abort();
  await trial.fake.flush();
});

test('follows no redirect with a request that carries secrets', async (assert) => {
  const trial = attempting(assert, { guarded: true });
  assert.strictEqual(trial.fake.last(URL_).init.redirect, 'error');
  trial.abort();
  await trial.fake.flush();
});

test('goes on with an answer that the race has opened, and counts from its start', async (assert) => {
  const aborted: string[] = [];
  const opened = { response: new Response('raced'), startedAt: 9900, abort: () => aborted.push('it') };
  const trial = attempting(assert, { opened });
  await trial.fake.flush();
  assert.deepEqual(trial.got, ['headers 200', 'raced']);
  assert.strictEqual(trial.fake.fetches.length, 0);
  assert.deepEqual(trial.outcome, {
    kind: 'delivered',
    firstByteMs: 100,
    elapsedMs: 100,
    bytes: 5,
    isMedia: true,
    moveAway: false,
  });
  assert.deepEqual(aborted, []);
});

test('fails when nobody is there', async (assert) => {
  const trial = attempting(assert);
  trial.fake.last(URL_).fail();
  await trial.fake.flush();
  assert.strictEqual(outcomeOf(trial), 'refused');
});

test.each(
  'takes a status outside 200-299 for a failure, and leaves its body unread',
  [403, 404, 429, 500, 503],
  async (assert, status) => {
    const trial = attempting(assert);
    const body = trial.fake.last(URL_).respondStream({ status });
    body.chunk('why');
    await trial.fake.flush();
    assert.strictEqual(outcomeOf(trial), `status ${status}`);
    assert.strictEqual(body.unread(), 1);
    const { outcome } = trial;
    if (outcome?.kind === 'failed') outcome.opened?.abort();
    assert.true(trial.fake.last(URL_).aborted(), 'whoever has it can give it up');
    assert.deepEqual(trial.got, []);
  },
);

test('fails when there are no headers within its patience, and leaves the request open to see whether any come', async (assert) => {
  const trial = attempting(assert);
  await trial.fake.advance(599);
  assert.strictEqual(outcomeOf(trial), 'open');
  await trial.fake.advance(1);
  assert.strictEqual(outcomeOf(trial), 'silent');
  const parked = parkedOf(trial);
  assert.false(trial.fake.last(URL_).aborted());
  assert.false(parked?.spoke());
  trial.fake.last(URL_).respond();
  await trial.fake.flush();
  assert.true(parked?.spoke());
});

test('gives up a silent request that was left open when it is told to, and when the whole is aborted', async (assert) => {
  for (const end of ['parked', 'whole']) {
    const trial = attempting(assert);
    await trial.fake.advance(600);
    if (end === 'whole') trial.abort();
    else parkedOf(trial)?.abort();
    await trial.fake.flush();
    assert.true(trial.fake.last(URL_).aborted());
    assert.false(parkedOf(trial)?.spoke());
  }
});

test('fails when the body stops for longer than its patience, which begins anew with every piece', async (assert) => {
  const trial = attempting(assert);
  await trial.fake.advance(500);
  const body = trial.fake.last(URL_).respondStream();
  for (const piece of ['one', 'two', 'three']) {
    body.chunk(piece);
    await trial.fake.advance(500);
  }
  assert.strictEqual(outcomeOf(trial), 'open');
  await trial.fake.advance(100);
  assert.strictEqual(outcomeOf(trial), 'stalled');
  assert.false(parkedOf(trial)?.spoke());
  body.chunk('four');
  await trial.fake.flush();
  assert.true(parkedOf(trial)?.spoke());
  assert.deepEqual(trial.got, ['headers 200', 'one', 'two', 'three'], 'what comes too late is nobody’s');
  parkedOf(trial)?.abort();
});

/** A browser that runs timers only so often, as in a hidden page. */
function throttled(assert: Assert, everyMs: number): FakePlatform {
  const fake = fakePlatform(assert);
  const { after, now } = fake.platform;
  const late = (ms: number): number => Math.ceil((now() + ms) / everyMs) * everyMs - now();
  return { ...fake, platform: { ...fake.platform, after: (ms, run) => after(late(ms), run) } };
}

test.each(
  'has patience no longer than for one late timer more where all of them are late',
  [1000, 60_000],
  async (assert, everyMs) => {
    const trial = attempting(assert, { patienceMs: 300 }, {}, throttled(assert, everyMs));
    await trial.fake.advance(2 * everyMs);
    assert.strictEqual(outcomeOf(trial), 'silent');
    parkedOf(trial)?.abort();
  },
);

test('begins its patience anew after a sleep, since nobody was heard meanwhile, and after each piece', async (assert) => {
  const trial = attempting(assert, { patienceMs: 300 }, {}, throttled(assert, 1000));
  const body = trial.fake.last(URL_).respondStream();
  for (const piece of ['one', 'two', 'three']) {
    await trial.fake.advance(1000);
    assert.strictEqual(outcomeOf(trial), 'open', piece);
    body.chunk(piece);
    await trial.fake.flush();
  }
  await trial.fake.advance(2000);
  assert.strictEqual(outcomeOf(trial), 'stalled');
  parkedOf(trial)?.abort();
});

test('waits as long as it takes where its patience is 0', async (assert) => {
  const trial = attempting(assert, { patienceMs: 0 });
  await trial.fake.advance(3_600_000);
  assert.strictEqual(outcomeOf(trial), 'open');
  trial.fake.last(URL_).respond({ body: 'late' });
  await trial.fake.flush();
  assert.strictEqual(outcomeOf(trial), 'delivered');
});

test('ends at its limit, however steadily bytes come', async (assert) => {
  const trial = attempting(assert, { limitMs: 1500 });
  const body = trial.fake.last(URL_).respondStream();
  for (let sent = 0; sent < 3; sent += 1) {
    body.chunk('.');
    await trial.fake.advance(499);
  }
  assert.strictEqual(outcomeOf(trial), 'open');
  await trial.fake.advance(3);
  assert.strictEqual(outcomeOf(trial), 'late');
  assert.true(trial.fake.last(URL_).aborted());
});

test.each(
  'checks the length of a binary body alone',
  [
    { binary: true, length: 10, outcome: 'short' },
    { binary: true, length: 4, outcome: 'delivered' },
    { binary: true, length: 2, outcome: 'delivered' },
    { binary: false, length: 10, outcome: 'delivered' },
  ],
  async (assert, { binary, length, outcome }) => {
    const trial = attempting(assert, {}, { binary });
    trial.fake.last(URL_).respond({ headers: { 'content-length': String(length) }, body: 'four' });
    await trial.fake.flush();
    assert.strictEqual(outcomeOf(trial), outcome);
  },
);

test.each('fails when the body breaks, be it binary or not', [true, false], async (assert, binary) => {
  const trial = attempting(assert, {}, { binary });
  const body = trial.fake.last(URL_).respondStream();
  body.chunk('one');
  await trial.fake.flush();
  body.fail();
  await trial.fake.flush();
  assert.strictEqual(outcomeOf(trial), 'short');
});

test.each(
  'takes a page where media is due for a failure of an edge, and of nobody else',
  [
    { type: 'text/html', outcome: 'notmedia' },
    { type: 'text/html; charset=utf-8', outcome: 'notmedia' },
    { type: 'text/plain', outcome: 'delivered' },
    { type: 'text/html', edge: null, outcome: 'delivered' },
    { type: 'text/html', url: 'https://video.example/notes.html?x', outcome: 'delivered' },
    { type: 'text/html', requestType: 'hls-playlist', body: '#EXTM3U', outcome: 'delivered' },
    { type: 'text/html', requestType: 'hls-playlist', body: '<html>Sign in', outcome: 'notmedia' },
    { type: 'text/html', requestType: 'dash-manifest', body: '<MPD>', outcome: 'delivered' },
    { type: 'text/html', requestType: 'dash-manifest', body: '<html>Sign in', outcome: 'notmedia' },
  ],
  async (assert, { type, outcome, body = 'text', edge: who = edge, ...request }) => {
    const trial = attempting(assert, { edge: who }, request);
    trial.fake.last(URL_).respond({ headers: { 'content-type': type }, body });
    await trial.fake.flush();
    assert.strictEqual(outcomeOf(trial), outcome);
  },
);

test.each(
  'takes what VHS can do nothing with for a failure of an edge, and hands it on from the origin as it is',
  [
    { requestType: 'hls-playlist', body: '', outcome: 'notmedia' },
    { requestType: 'hls-playlist', body: '{"error":"no such zone"}', outcome: 'notmedia' },
    { requestType: 'hls-playlist', body: '\ufeff\n #EXTM3U', outcome: 'delivered' },
    { requestType: 'dash-manifest', body: '#EXTM3U', outcome: 'notmedia' },
    { requestType: 'dash-manifest', body: '<?xml version="1.0"?><!-- (c) --><mpd:MPD>', outcome: 'delivered' },
    { requestType: 'segment', body: '', outcome: 'notmedia' },
    { requestType: 'segment', body: '', binary: false, outcome: 'delivered' },
    { requestType: 'segment', body: 'media', status: 203, outcome: 'notmedia' },
    { requestType: 'hls-playlist', body: '', method: 'HEAD', outcome: 'delivered' },
    { requestType: 'hls-playlist', body: '', edge: null, outcome: 'delivered' },
  ],
  async (assert, { body, status = 200, outcome, edge: who = edge, ...request }) => {
    const trial = attempting(assert, { edge: who }, request);
    trial.fake.last(URL_).respond({ status, body });
    await trial.fake.flush();
    assert.strictEqual(outcomeOf(trial), outcome);
    if (who === null) assert.propContains(trial.outcome, { isMedia: false });
  },
);

test.each('tells whether the server asks its clients to move away', [true, false], async (assert, moveAway) => {
  const trial = attempting(assert);
  trial.fake
    .last(URL_)
    .respond({ headers: { 'cmsd-dynamic': `"cdn";${moveAway ? 'du' : 'etp=9000'}` }, body: 'media' });
  await trial.fake.flush();
  assert.propContains(trial.outcome, { kind: 'delivered', moveAway });
});

test.each(
  'takes a whole answer to a request for a range for a failure of an edge, and of nobody else',
  [
    { name: 'range', status: 200, outcome: 'range' },
    { name: 'Range', status: 200, outcome: 'range' },
    { name: 'Range', status: 206, outcome: 'delivered' },
    { name: 'X-Range', status: 200, outcome: 'delivered' },
    { name: 'Range', status: 200, edge: null, outcome: 'delivered' },
  ],
  async (assert, { name, status, outcome, edge: who = edge }) => {
    const trial = attempting(assert, { edge: who }, { headers: { [name]: 'bytes=0-9' } });
    trial.fake.last(URL_).respond({ status, body: 'bytes' });
    await trial.fake.flush();
    assert.strictEqual(outcomeOf(trial), outcome);
  },
);

test.each(
  'takes another range than what was asked for for a failure of an edge, and of nobody else',
  [
    { place: 'bytes 0-4/5', outcome: 'delivered' },
    { place: 'bytes 0-4/900', outcome: 'range' },
    { place: 'bytes 0-4/900', edge: null, outcome: 'delivered' },
    { range: 'bytes=10-14', place: 'bytes 10-14/900', outcome: 'delivered' },
    { range: 'bytes=10-14', place: 'bytes 0-4/900', outcome: 'range' },
    { range: 'bytes=10-14', place: 'bytes 0-4/900', edge: null, outcome: 'delivered' },
  ],
  async (assert, { range, place, outcome, edge: who = edge }) => {
    const trial = attempting(assert, { edge: who }, { headers: range ? { Range: range } : {} });
    trial.fake.last(URL_).respond({ status: 206, headers: { 'content-range': place }, body: 'bytes' });
    await trial.fake.flush();
    assert.strictEqual(outcomeOf(trial), outcome);
  },
);

test('takes its request back when it is aborted, before the headers and after them', async (assert) => {
  for (const isAnswered of [false, true]) {
    const trial = attempting(assert, { limitMs: 5000 });
    if (isAnswered) trial.fake.last(URL_).respondStream().chunk('one');
    await trial.fake.flush();
    trial.abort();
    await trial.fake.flush();
    assert.true(trial.fake.last(URL_).aborted());
    assert.strictEqual(trial.fake.liveTimers(), 0);
  }
});

test('gives up an opened answer too when it is aborted', async (assert) => {
  const aborted: string[] = [];
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(1));
      aborted.splice(0);
    },
  });
  const opened = { response: new Response(body), startedAt: 9990, abort: () => aborted.push('it') };
  const trial = attempting(assert, { opened, patienceMs: 0 });
  await trial.fake.flush();
  trial.abort();
  await trial.fake.flush();
  assert.deepEqual(aborted, ['it']);
});
