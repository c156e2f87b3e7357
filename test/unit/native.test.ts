import QUnit from 'qunit';
import type { ElementSource } from '../../src/conductor.js';
import { playNative, type NativeTech } from '../../src/playback/native.js';
import { fakePlatform } from '../support/platform.js';

const { module, test } = QUnit;

/** A file that the browser can play, and one that is none. */
const CLIP = '/base/test/media/clip.mp4';
const BROKEN = 'data:video/mp4,broken';
const SERVICE = 'https://video.example/clip.mp4';

interface Playing {
  readonly element: HTMLVideoElement;
  readonly tech: NativeTech;
  /** What happened, in order. */
  readonly log: string[];
  /** Answers the question for an edge: the URL there, or null for the origin. */
  readonly pick: (url: string | null) => Promise<void>;
  readonly dispose: () => void;
}

const elements = new Set<HTMLVideoElement>();
const disposals = new Set<() => void>();

/** A real element; the service's URL is `serviceUrl` for it. */
function playing(
  assert: Assert,
  { crossOrigin = null as string | null, serviceUrl = CLIP, enableSourceset = false } = {},
): Playing {
  const element = document.createElement('video');
  elements.add(element);
  element.muted = true;
  element.crossOrigin = crossOrigin;
  const log: string[] = [];
  let answer: (picked: ElementSource | null) => void = () => undefined;
  const tech: NativeTech = {
    options_: { enableSourceset },
    triggerSourceset: (src) => log.push(`sourceset ${src}`),
    setCurrentTime: (seconds) => {
      element.currentTime = seconds;
    },
    el: () => element,
    paused: () => element.paused,
    play: () => {
      log.push('play');
      return element.play();
    },
  };
  const picker = {
    source: { src: SERVICE, type: 'video/mp4', origin: 'https://video.example' },
    selection: () => null,
    onMoved: () => () => undefined,
    pick: (crossOrigin: string | null) => {
      log.push(`pick${crossOrigin === null ? ' opaque' : ''}`);
      return new Promise<ElementSource | null>((resolve) => (answer = resolve));
    },
    edgeFailed: ({ origin }: { origin: string }) => log.push(`failed ${origin}`),
  };
  const { dispose } = playNative(tech, picker, {
    platform: fakePlatform(assert).platform,
    stallMs: 600,
    isAdBreak: () => false,
    load(url) {
      log.push(`load ${url === null ? 'service' : 'edge'}`);
      element.src = url ?? serviceUrl;
    },
  });
  disposals.add(dispose);
  const pick = async (url: string | null): Promise<void> => {
    answer(url === null ? null : { edge: { origin: 'https://a.example', rank: 0, weight: 1 }, url });
    // those who wait for the answer come before us
    await Promise.resolve();
    await Promise.resolve();
  };
  return { element, tech, log, pick, dispose };
}

function next(element: HTMLVideoElement, name: string): Promise<Event> {
  return new Promise((resolve) => {
    element.addEventListener(name, resolve, { once: true });
  });
}

module('native', {
  afterEach() {
    for (const dispose of disposals) dispose();
    disposals.clear();
    for (const element of elements) element.removeAttribute('src');
    elements.clear();
  },
});

test('gives the element the URL at the edge', async (assert) => {
  const { element, log, pick } = playing(assert);
  assert.strictEqual(element.src, '', 'nothing before the edge is known');
  const loaded = next(element, 'loadeddata');
  await pick(CLIP);
  await loaded;
  assert.deepEqual(log, ['pick opaque', 'load edge']);
});

test('gives it the URL of the service when there is no edge', async (assert) => {
  const { element, log, pick } = playing(assert);
  const loaded = next(element, 'loadeddata');
  await pick(null);
  await loaded;
  assert.deepEqual(log, ['pick opaque', 'load service']);
});

test('asks for an edge that can be read where the element loads with CORS', (assert) => {
  assert.deepEqual(playing(assert, { crossOrigin: 'anonymous' }).log, ['pick']);
});

test('leaves an edge that fails before there is a picture for the service, and shows no error', async (assert) => {
  const { element, log, pick } = playing(assert);
  const seen: string[] = [];
  element.addEventListener('error', () => seen.push('error'));
  const loaded = next(element, 'loadeddata');
  await pick(BROKEN);
  await loaded;
  assert.deepEqual(log, ['pick opaque', 'load edge', 'load service', 'failed https://a.example']);
  assert.deepEqual(seen, []);
});

test('shows the error of the service, which comes after that of the edge, and charges nobody for it', async (assert) => {
  const { element, log, pick } = playing(assert, { serviceUrl: BROKEN });
  const failed = next(element, 'error');
  await pick(BROKEN);
  await failed;
  assert.deepEqual(log, ['pick opaque', 'load edge', 'load service']);
});

test('shows the error when the service itself was played', async (assert) => {
  const { element, log, pick } = playing(assert, { serviceUrl: BROKEN });
  const failed = next(element, 'error');
  await pick(null);
  await failed;
  assert.deepEqual(log, ['pick opaque', 'load service']);
});

test('leaves an error of the service after the first picture to Video.js', async (assert) => {
  const { element, log, pick } = playing(assert);
  const loaded = next(element, 'canplay');
  await pick(null);
  await loaded;
  const failed = next(element, 'error');
  element.dispatchEvent(new Event('error'));
  await failed;
  assert.deepEqual(log, ['pick opaque', 'load service']);
});

test('leaves an edge that fails after it for the next, and shows no error', async (assert) => {
  const { element, log, pick } = playing(assert);
  const seen: string[] = [];
  const loaded = next(element, 'canplay');
  await pick(CLIP);
  await loaded;
  for (const name of ['error', 'loadstart', 'loadedmetadata']) element.addEventListener(name, () => seen.push(name));
  element.dispatchEvent(new Event('error'));
  const again = next(element, 'canplay');
  await pick(`${CLIP}?b`);
  await again;
  assert.deepEqual(log.slice(2), ['failed https://a.example', 'pick opaque', 'load edge']);
  assert.true(element.src.endsWith('?b'));
  assert.deepEqual(seen, []);
});

test('goes on with a play() that came while the edge was picked', async (assert) => {
  const { element, log, pick } = playing(assert);
  element.play().catch(() => undefined);
  const going = next(element, 'playing');
  await pick(CLIP);
  await going;
  assert.deepEqual(log, ['pick opaque', 'load edge', 'play']);
});

test('goes on with it at the service too, when the edge fails', async (assert) => {
  const { element, log, pick } = playing(assert);
  element.play().catch(() => undefined);
  const going = next(element, 'playing');
  await pick(BROKEN);
  await going;
  assert.deepEqual(log.slice(-3), ['load service', 'play', 'failed https://a.example']);
});

test('does nothing after it is disposed', async (assert) => {
  const { element, log, pick, dispose } = playing(assert);
  dispose();
  await pick(CLIP);
  assert.strictEqual(element.src, '');
  assert.deepEqual(log, ['pick opaque']);
});

test("tells the player of the service's URL, once, and never of the edge's", async (assert) => {
  const { tech, log, pick, dispose } = playing(assert, { enableSourceset: true });
  const own = tech.triggerSourceset;
  await pick(CLIP);
  own(CLIP);
  own('https://elsewhere.example/');
  assert.deepEqual(log, [
    ...[`sourceset ${SERVICE}`, 'pick opaque', 'load edge'],
    ...[`sourceset ${SERVICE}`, 'sourceset https://elsewhere.example/'],
  ]);
  dispose();
  assert.notStrictEqual(tech.triggerSourceset, own, 'the tech has its own again');
});
