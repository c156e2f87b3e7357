import QUnit from 'qunit';
import { hasTheRest, watchStarvation } from '../../src/playback/starvation.js';
import { fakeElement, ranges, type FakeElement } from '../support/element.js';
import { fakePlatform, nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;

interface Watched {
  readonly element: FakeElement;
  readonly log: string[];
  readonly advance: (ms: number) => Promise<void>;
  readonly stop: () => void;
}

interface Given {
  readonly like?: object;
  readonly patienceMs?: number | null;
  readonly answer?: boolean;
  readonly hidden?: boolean;
}

const IDLE = 1;

/** An element that wants to play, has nothing, and whose server has just begun to be silent. */
function watched(assert: Assert, { like = {}, patienceMs = 1500, answer = true, hidden = false }: Given = {}): Watched {
  const { platform, advance, setHidden } = fakePlatform(assert);
  setHidden(hidden);
  const element = fakeElement({ readyState: 2, ...like });
  const log: string[] = [];
  const stop = watchStarvation(element.media, {
    platform,
    patienceMs: () => patienceMs,
    othersAnswer: (withinMs) => {
      log.push(`ask within ${String(withinMs)}`);
      return Promise.resolve(answer);
    },
    starved: () => log.push('starved'),
  });
  element.fire('loadstart');
  return { element, log, advance, stop };
}

module('starvation', nothingLeft);

test('tells of it when there is nothing to play, the server is silent, and another answers', async (assert) => {
  const { log, advance, stop } = watched(assert);
  await advance(999);
  assert.deepEqual(log, []);
  await advance(1);
  assert.deepEqual(log, ['ask within 1500'], 'others are asked before the patience is at its end');
  await advance(499);
  assert.strictEqual(log.length, 1);
  await advance(1);
  assert.deepEqual(log, ['ask within 1500', 'starved']);
  stop();
});

test('says so again until something changes', async (assert) => {
  const { log, advance, stop } = watched(assert);
  await advance(3000);
  assert.deepEqual(log.slice(1), ['starved', 'starved']);
  stop();
});

test('gives a new source all its time, from its first event on', async (assert) => {
  const { element, log, advance, stop } = watched(assert);
  await advance(1500);
  assert.deepEqual(log, ['ask within 1500', 'starved']);
  element.fire('emptied', 'timeupdate');
  await advance(900);
  assert.strictEqual(log.length, 2);
  stop();
});

test('blames nobody while nobody answers, and asks no more than once in a patience', async (assert) => {
  const { element, log, advance, stop } = watched(assert, { answer: false });
  for (let i = 0; i < 24; i += 1) {
    await advance(250);
    element.fire('timeupdate');
  }
  // at 1 s, and then every 1.5 s
  assert.deepEqual(
    log,
    Array.from({ length: 4 }, () => 'ask within 1500'),
  );
  stop();
});

test('gives its own server time to come back with the line', async (assert) => {
  const { element, log, advance, stop } = watched(assert);
  await advance(1400);
  element.fire('progress');
  await advance(900);
  assert.deepEqual(log, ['ask within 1500']);
  stop();
});

test('asks while there is something to play, and leaves at once when there is not', async (assert) => {
  const { element, log, advance, stop } = watched(assert, { like: { readyState: 4 } });
  for (let i = 0; i < 12; i += 1) {
    await advance(250);
    element.currentTime += 0.25;
    element.fire('timeupdate');
  }
  assert.deepEqual(log, ['ask within 1500']);
  element.readyState = 2;
  element.fire('waiting');
  assert.deepEqual(log, ['ask within 1500', 'starved']);
  stop();
});

test('knows by a clock that stands that there is nothing to play, where the browser does not say so', async (assert) => {
  const { element, log, advance, stop } = watched(assert, { like: { readyState: 4 } });
  for (let i = 0; i < 8; i += 1) {
    await advance(250);
    element.currentTime += 0.25;
    element.fire('timeupdate');
  }
  assert.deepEqual(log, ['ask within 1500']);
  await advance(2500);
  assert.strictEqual(log.at(-1), 'starved');
  stop();
});

/** In which there is nothing to wait for. */
const CONTENT = {
  'is paused': { paused: true },
  'has ended': { ended: true },
  'is paused, with enough': { paused: true, networkState: IDLE },
  'is paused and loads nothing yet': { paused: true, readyState: 0, networkState: IDLE },
  'is played at no speed, with enough': { playbackRate: 0, readyState: 4, networkState: IDLE },
  'has all that is left': { readyState: 4, networkState: IDLE, buffered: ranges([0, 60]) },
};

test.each('waits for nothing while it', CONTENT, async (assert, like) => {
  const { log, advance, stop } = watched(assert, { like });
  await advance(10_000);
  assert.deepEqual(log, []);
  stop();
});

/** In which it is waited for though it does not play. */
const WANTING = {
  seeks: { paused: true, seeking: true },
  'knows nothing of its source yet': { paused: true, readyState: 0 },
};

test.each('waits too while it', WANTING, async (assert, like) => {
  const { log, advance, stop } = watched(assert, { like });
  await advance(1500);
  assert.deepEqual(log, ['ask within 1500', 'starved']);
  stop();
});

/** Plays for so long, and tells of it as browsers do. */
async function play({ element, advance }: Watched, ms: number): Promise<void> {
  for (let played = 0; played < ms; played += 250) {
    await advance(250);
    element.currentTime += 0.25;
    element.fire('timeupdate');
  }
}

test('waits for nothing while it plays, and loads nothing as it has enough', async (assert) => {
  const player = watched(assert, { like: { readyState: 4, networkState: IDLE } });
  await play(player, 10_000);
  assert.deepEqual(player.log, []);
  player.stop();
});

test('believes a clock that stands, and not a browser that says it has enough', async (assert) => {
  const player = watched(assert, { like: { readyState: 4, networkState: IDLE } });
  await play(player, 3000);
  await player.advance(3000);
  assert.deepEqual(player.log.slice(0, 2), ['ask within 1500', 'starved']);
  player.stop();
});

test('believes a seek that does not end, and not a browser that says it has enough', async (assert) => {
  const { log, advance, stop } = watched(assert, {
    like: { paused: true, seeking: true, readyState: 4, networkState: IDLE },
  });
  await advance(3000);
  assert.deepEqual(log.slice(0, 2), ['ask within 1500', 'starved']);
  stop();
});

test('leaves it to the decoder how long a seek takes within what is loaded', async (assert) => {
  const { log, advance, stop } = watched(assert, {
    like: {
      paused: true,
      seeking: true,
      readyState: 1,
      networkState: IDLE,
      currentTime: 20,
      buffered: ranges([0, 21]),
    },
  });
  await advance(10_000);
  assert.deepEqual(log, []);
  stop();
});

test('does not mind a clock that stands where nobody sees the page', async (assert) => {
  const player = watched(assert, { like: { readyState: 4, networkState: IDLE }, hidden: true });
  await play(player, 3000);
  await player.advance(10_000);
  assert.deepEqual(player.log, []);
  player.stop();
});

test('a clock that stood while it was paused says nothing', async (assert) => {
  const { element, log, advance, stop } = watched(assert, {
    like: { readyState: 4, networkState: IDLE, paused: true },
  });
  await advance(10_000);
  element.paused = false;
  element.fire('play');
  await advance(900);
  assert.deepEqual(log, []);
  stop();
});

test('counts from the moment on which the browser asks again', async (assert) => {
  const player = watched(assert, { like: { networkState: IDLE } });
  await play(player, 1500);
  player.element.networkState = 2;
  player.element.fire('waiting');
  await player.advance(900);
  assert.deepEqual(player.log, []);
  player.stop();
});

test('has not watched while the page slept', async (assert) => {
  const { element, log, advance, stop } = watched(assert, { like: { paused: true, readyState: 4 } });
  await advance(60_000);
  Object.assign(element, { paused: false, readyState: 2 });
  element.fire('play');
  await advance(900);
  assert.deepEqual(log, []);
  stop();
});

test('does nothing where there is no limit, nor after its end', async (assert) => {
  const endless = watched(assert, { patienceMs: null });
  await endless.advance(10_000);
  assert.deepEqual(endless.log, []);
  endless.stop();
  const { element, log, advance, stop } = watched(assert);
  await advance(1200);
  stop();
  element.fire('waiting');
  await advance(10_000);
  assert.deepEqual(log, ['ask within 1500']);
});

/** `[buffered], currentTime` of 60 s, and whether that is the rest. */
const BUFFERED = {
  nothing: { buffered: ranges(), currentTime: 0, rest: false },
  'a part': { buffered: ranges([0, 30]), currentTime: 10, rest: false },
  'to the end': { buffered: ranges([0, 20], [30, 59.9]), currentTime: 40, rest: true },
  'to the end, but not from here': { buffered: ranges([0, 20], [30, 60]), currentTime: 10, rest: false },
};

test.each('knows whether it has the rest when it has', BUFFERED, (assert, { rest, ...like }) => {
  assert.strictEqual(hasTheRest(fakeElement(like).media), rest);
});
