import QUnit from 'qunit';
import type { ElementSource } from '../../src/conductor.js';
import { playNative, type NativeTech } from '../../src/playback/native.js';
import { fakeElement, ranges, type FakeElement } from '../support/element.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';

const { module, test } = QUnit;

const SERVICE = 'https://video.example/clip.mp4';
const A = source('a');
const B = source('b');

interface Moving {
  readonly element: FakeElement;
  readonly net: FakePlatform;
  /** What happened after the first picture, in order. */
  readonly log: string[];
  /** What it is told; `next`: where to load from, null is the origin; `isTakenOff`: as soon as an edge is left; `isDead`: no seek moves the clock. */
  readonly told: { next: ElementSource | null; isAdBreak: boolean; isTakenOff: boolean; isDead: boolean };
  readonly tech: NativeTech;
  /** The conductor says that the edge in use had to go. */
  readonly moved: () => Promise<void>;
  readonly dispose: () => void;
  readonly release: () => void;
}

function source(name: string): ElementSource {
  const origin = `https://${name}.example`;
  return { edge: { origin, rank: 0, weight: 1 }, url: `${origin}/clip.mp4` };
}

/** An element that plays from edge a, in the middle. */
async function moving(assert: Assert, like: object = {}): Promise<Moving> {
  const net = fakePlatform(assert);
  const element = fakeElement(like);
  const { media } = element;
  const told = { next: A as ElementSource | null, isAdBreak: false, isTakenOff: false, isDead: false };
  const log: string[] = [];
  const listeners = new Set<() => void>();
  const tech = {
    triggerSourceset: () => undefined,
    setCurrentTime(seconds: number) {
      element.seeking = true;
      if (!told.isDead) element.currentTime = seconds;
    },
    el: () => media,
    paused: () => element.paused,
    play: () => undefined,
  };
  const picker = {
    source: { src: SERVICE, type: 'video/mp4', origin: 'https://video.example' },
    selection: () => ({ edges: [A.edge, B.edge] }),
    pick: () => Promise.resolve(told.next),
    edgeFailed({ origin }: { origin: string }, because: string) {
      log.push(`${origin} ${because}`);
      if (told.isTakenOff) handler.release();
    },
    onMoved: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const handler = playNative(tech, picker, {
    platform: net.platform,
    stallMs: 600,
    isAdBreak: () => told.isAdBreak,
    load(url) {
      log.push(`load ${url ?? 'service'}`);
      element.currentTime = 0;
    },
  });
  const moved = async (): Promise<void> => {
    for (const listener of [...listeners]) listener();
    await net.flush();
  };
  await net.flush();
  element.fire('loadeddata');
  element.currentTime = 20;
  log.length = 0;
  told.next = B;
  const { dispose, release } = handler;
  return { element, net, log, told, tech, moved, dispose, release };
}

module('native moved', nothingLeft);

test('goes to another edge when the one in use had to go', async (assert) => {
  const { log, moved, dispose } = await moving(assert);
  await moved();
  assert.deepEqual(log, [`load ${B.url}`]);
  dispose();
});

test('goes to where the viewer has just sought to, though the source is dead and its clock knows nothing of it', async (assert) => {
  const { element, told, tech, moved, dispose } = await moving(assert);
  told.isDead = true;
  tech.setCurrentTime(40);
  await moved();
  assert.strictEqual(element.currentTime, 40);
  dispose();
});

test('knows nothing more of a seek that has ended', async (assert) => {
  const { element, tech, moved, dispose } = await moving(assert);
  tech.setCurrentTime(40);
  element.seeking = false;
  element.fire('seeked');
  element.currentTime = 41;
  await moved();
  assert.strictEqual(element.currentTime, 41);
  dispose();
});

test('goes to the origin when there is none', async (assert) => {
  const made = await moving(assert);
  made.told.next = null;
  await made.moved();
  assert.deepEqual(made.log, ['load service']);
  made.dispose();
});

test('stays where it is when that is what is picked', async (assert) => {
  const made = await moving(assert);
  made.told.next = A;
  await made.moved();
  assert.deepEqual(made.log, []);
  made.dispose();
});

test('stays where it is once it has the rest', async (assert) => {
  const { log, moved, dispose } = await moving(assert, { buffered: ranges([0, 60]) });
  await moved();
  assert.deepEqual(log, []);
  dispose();
});

test('hears of nothing after its end', async (assert) => {
  const { log, element, moved, dispose } = await moving(assert);
  dispose();
  await moved();
  element.fire('error', 'timeupdate');
  assert.deepEqual(log, []);
});

test('plays on from where it is, and hears of nothing more, when the plugin is taken off', async (assert) => {
  const { log, element, net, moved, release, dispose } = await moving(assert);
  const seen: string[] = [];
  element.media.addEventListener('error', () => seen.push('error'));
  release();
  await moved();
  element.fire('error', 'timeupdate');
  element.readyState = 2;
  element.fire('progress', 'waiting');
  await net.advance(4000);
  assert.deepEqual(log, []);
  assert.deepEqual(seen, ['error'], 'Video.js sees it');
  dispose();
});

test('goes on from the origin, at its position, when the plugin is taken off as an edge is left', async (assert) => {
  const { log, element, net, told, release, dispose } = await moving(assert);
  told.isTakenOff = true;
  element.fire('error');
  await net.flush();
  assert.deepEqual(log, ['https://a.example refused', 'load service']);
  assert.strictEqual(element.currentTime, 20);
  release();
  dispose();
});

type Change = (made: Moving) => void;

/** In which a new source would end what the viewer has; `begin` and `end` of it. */
const FIXED: Readonly<Record<string, readonly [begin: Change, end: Change]>> = {
  AirPlay: [
    ({ element }) => (element.webkitCurrentPlaybackTargetIsWireless = true),
    ({ element }) => (element.webkitCurrentPlaybackTargetIsWireless = false),
  ],
  'remote playback': [
    ({ element }) => (element.remote = { state: 'connected' }),
    ({ element }) => (element.remote = { state: 'disconnected' }),
  ],
  'picture-in-picture': [
    ({ element }) => (element.root = { pictureInPictureElement: element }),
    ({ element }) => (element.root = {}),
  ],
  'fullscreen of iOS': [
    ({ element }) => (element.webkitDisplayingFullscreen = true),
    ({ element }) => (element.webkitDisplayingFullscreen = false),
  ],
  'an ad break': [({ told }) => (told.isAdBreak = true), ({ told }) => (told.isAdBreak = false)],
};

test.each('waits for the end of', FIXED, async (assert, [begin, end]) => {
  const made = await moving(assert);
  begin(made);
  await made.moved();
  made.element.fire('timeupdate');
  await made.net.flush();
  assert.deepEqual(made.log, []);
  end(made);
  made.element.fire('timeupdate');
  await made.net.flush();
  assert.deepEqual(made.log, [`load ${B.url}`]);
  made.dispose();
});

test.each('lets Video.js see an error of the edge during', FIXED, async (assert, [begin]) => {
  const made = await moving(assert);
  const seen: string[] = [];
  made.element.media.addEventListener('error', () => seen.push('error'));
  begin(made);
  made.element.fire('error');
  await made.net.flush();
  assert.deepEqual(made.log, []);
  assert.deepEqual(seen, ['error']);
  made.dispose();
});

test('changes nothing of what is encrypted', async (assert) => {
  const { element, net, log, moved, dispose } = await moving(assert);
  element.fire('encrypted');
  await moved();
  element.fire('timeupdate');
  await net.flush();
  assert.deepEqual(log, []);
  dispose();
});

test('leaves an edge that is silent when the origin or another edge answers', async (assert) => {
  const { element, net, log, dispose } = await moving(assert);
  net.respond('https://b.example/', { status: 204 });
  net.expect('https://video.example/');
  element.readyState = 2;
  element.fire('progress');
  await net.advance(1500);
  assert.deepEqual(log, ['https://a.example stalled', `load ${B.url}`]);
  assert.deepEqual(
    net.fetches.map(({ url, init }) => [url, init.method, init.mode]),
    [
      ['https://video.example/', 'HEAD', 'no-cors'],
      ['https://b.example/', 'HEAD', 'no-cors'],
    ],
  );
  dispose();
});

test('stays with a silent edge while nobody answers', async (assert) => {
  const { element, net, log, dispose } = await moving(assert);
  net.expect('https://');
  element.readyState = 2;
  element.fire('progress');
  await net.advance(4000);
  assert.deepEqual(log, []);
  assert.true(net.fetches.length > 2, 'they are asked again');
  dispose();
  await net.advance(4000);
});

test('leaves one edge after the other, and then the origin to Video.js', async (assert) => {
  const made = await moving(assert);
  const seen: string[] = [];
  made.element.media.addEventListener('error', () => seen.push('error'));
  for (const next of [B, null]) {
    made.told.next = next;
    made.element.fire('error');
    await made.net.flush();
  }
  assert.deepEqual(seen, []);
  made.element.fire('error', 'loadstart');
  assert.deepEqual(made.log, [
    ...['https://a.example refused', `load ${B.url}`],
    ...['https://b.example refused', 'load service'],
  ]);
  assert.deepEqual(seen, ['error']);
  made.dispose();
});

test('leaves a server that cannot begin in the middle', async (assert) => {
  const made = await moving(assert);
  made.element.fire('error');
  await made.net.flush();
  made.told.next = null;
  made.element.currentTime = 0;
  made.element.fire('loadeddata');
  await made.net.flush();
  assert.deepEqual(made.log, [
    ...['https://a.example refused', `load ${B.url}`],
    ...['https://b.example range', 'load service'],
  ]);
  assert.strictEqual(made.element.currentTime, 20);
  made.dispose();
});
