import QUnit from 'qunit';
import type { EdgeSelect, EdgeSelectOptions } from '../../src/index.js';
import {
  cleanUp,
  engine,
  hls,
  logged,
  network,
  once,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  until,
  type TestPlayer,
  type World,
} from './tools.js';

const { module, test } = QUnit;

/** In Chromium with `--js-flags=--expose-gc`, in Firefox with the preference `dom.testing.testutils.enabled`. */
const collector = globalThis as {
  readonly gc?: (how: { type: 'major'; execution: 'async' }) => Promise<void>;
  readonly TestUtils?: { gc(): Promise<void> };
};
/** What was under way when a player was disposed of ends within some collections; what is held never goes. */
const COLLECTIONS = 200;
/** Some megabytes of objects, a thousand at a time. */
const LITTER = 100;

/** WebKitGTK's collector keeps what a number on the stack looks like a reference to: once by chance, a leak each time. */
const LIVES = engine === 'webkit' ? 3 : 1;

/** 16 kB of a segment take 0.7 s. */
const SLOW = { bitsPerSecond: 200_000 };
const SEGMENT = /\.ts$/;

module('leaks', { afterEach: cleanUp });

/** Where a player is when it is disposed of, and what of the network is bent for that. */
interface Moment {
  readonly a?: object;
  readonly b?: object;
  readonly map?: object;
  readonly until: (player: TestPlayer, world: World) => Promise<unknown>;
}

const selected = (player: TestPlayer): Promise<unknown> => until(player, 'edgeselect:selected', () => true);

const MOMENTS: Readonly<Record<string, Moment>> = {
  'before there is a source': { until: () => Promise.resolve() },
  'while it looks up': {
    map: { latencyMs: 80 },
    until: (_player, world) => logged(world, ({ server }) => server === 'nameserver:map'),
  },
  'while the edges race': {
    a: { latencyMs: 400 },
    until: (_player, world) => logged(world, ({ server }) => server === 'edge:a'),
  },
  'when an edge is selected': { until: selected },
  'while it plays': { a: SLOW, until: (player) => playedTo(player, 0.2) },
  'while an edge is silent in the middle of a segment': {
    a: { rules: [{ path: SEGMENT.source, stallAfterBytes: 4000 }] },
    until: (_player, world) => logged(world, ({ url, bytes }) => url.endsWith('.ts') && bytes > 0),
  },
  'while another edge goes on with a segment': {
    a: { rules: [{ path: SEGMENT.source, stallAfterBytes: 8000 }] },
    b: { rules: [{ path: SEGMENT.source, stallAfterBytes: 2000 }] },
    until: (_player, world) =>
      logged(world, ({ server, url, bytes }) => server === 'edge:b' && url.endsWith('.ts') && bytes > 0),
  },
  'while it looks for another edge': {
    a: { rules: [{ path: SEGMENT.source, status: 503 }] },
    b: { rules: [{ method: 'HEAD', path: '.', silent: true }] },
    until: (_player, world) => logged(world, ({ server, method }) => server === 'edge:b' && method === 'HEAD'),
  },
  'after it has gone to another edge': {
    a: { rules: [{ path: SEGMENT.source, status: 503 }] },
    until: (player) => Promise.all([once(player, 'edgeselect:switched'), playedTo(player, 0.2)]),
  },
  'while it is bypassed': {
    map: { fault: 'nxdomain' },
    until: (player) => Promise.all([once(player, 'edgeselect:bypassed'), playedTo(player, 0.2)]),
  },
};

/** References to what one player had, in a function of its own so that nothing on the stack holds it. */
async function lived(world: World, moment: Moment): Promise<Readonly<Record<string, WeakRef<object>>>> {
  // only what conducts the source holds this
  const edgeUrl: EdgeSelectOptions['edgeUrl'] = (url, { origin }) => origin + url.slice(new URL(url).origin.length);
  const player = testPlayer(patient(world, { edgeUrl, stallMs: 400 }));
  const part: EdgeSelect = player.edgeSelect();
  const reached = moment.until(player, world);
  if (moment !== MOMENTS['before there is a source']) player.src(hls(world));
  player.play().catch(() => undefined);
  await reached;
  player.dispose();
  return {
    'what edgeSelect() returned': new WeakRef(part),
    'the options, and who conducts by them': new WeakRef(edgeUrl),
  };
}

/** Those that are still there. */
async function held(refs: Readonly<Record<string, WeakRef<object>>>): Promise<readonly string[]> {
  const left = (): string[] => Object.keys(refs).filter((name) => refs[name]?.deref() !== undefined);
  for (let times = 0; times < COLLECTIONS && left().length > 0; times += 1) await collect();
  return left();
}

function collect(): Promise<void> {
  const { gc, TestUtils } = collector;
  if (gc) return gc({ type: 'major', execution: 'async' });
  return TestUtils ? TestUtils.gc() : litter();
}

/** WebKitGTK, as the tests start it, collects when there is much to collect. */
function litter(): Promise<void> {
  for (let i = 0; i < LITTER; i += 1) Array.from({ length: 1000 }, () => ({}));
  // a reference that was looked at holds until the task ends
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      resolve();
    });
  });
}

test.each("nothing holds the plugin's part of a player that was disposed of", MOMENTS, async (assert, moment) => {
  const { a = {}, b = {}, map = {} } = moment;
  let left: readonly string[] = ['not looked yet'];
  for (let times = 0; times < LIVES && left.length > 0; times += 1) {
    const world = await testWorld(network({ a, b: { latencyMs: 100, ...b } }, { map }));
    left = await held(await lived(world, moment));
  }
  assert.deepEqual(left, []);
});

/** What was put on, and not taken off again. */
interface Listening {
  left(): readonly string[];
  stop(): void;
}

/** Counts, until it is stopped, the listeners of the page and of all that is in it. */
function listening(): Listening {
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const kept: { readonly on: EventTarget; readonly type: string; readonly listener: unknown }[] = [];
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...given: Parameters<typeof addEventListener>) {
    const [type, listener] = given;
    if (isOfPage(this)) kept.push({ on: this, type, listener });
    addEventListener.apply(this, given);
  };
  EventTarget.prototype.removeEventListener = function (
    this: EventTarget,
    ...given: Parameters<typeof removeEventListener>
  ) {
    const [type, listener] = given;
    const at = kept.findIndex((one) => one.on === this && one.type === type && one.listener === listener);
    if (at >= 0) kept.splice(at, 1);
    removeEventListener.apply(this, given);
  };
  return {
    left: () =>
      kept.map(({ on, type }) => `${type} on ${on instanceof Element ? on.tagName : on.constructor.name}`).sort(),
    stop() {
      Object.assign(EventTarget.prototype, { addEventListener, removeEventListener });
    },
  };
}

/** Requests and their signals go with the garbage; buttons and menus are none of ours. */
function isOfPage(target: EventTarget): boolean {
  const isPlayer = target instanceof Element && target.localName === 'video-js';
  return target === window || target === document || isPlayer || target instanceof HTMLMediaElement;
}

/** The same for what is put on a player by its own methods. */
function heard(player: TestPlayer): () => readonly string[] {
  const { on, one, off } = player;
  const kept: (readonly [type: string, listener: unknown])[] = [];
  const put =
    (method: TestPlayer['on']): TestPlayer['on'] =>
    (type, listener) => {
      kept.push([type, listener]);
      method.call(player, type, listener);
    };
  Object.assign(player, {
    on: put(on),
    one: put(one),
    off(type: string, listener: never) {
      const at = kept.findIndex((known) => known[0] === type && known[1] === listener);
      if (at >= 0) kept.splice(at, 1);
      off.call(player, type, listener);
    },
  });
  return () => kept.map(([type]) => [type].flat().join()).sort();
}

/** What the page has once, for all players, comes with the first one's source. */
async function aPlayerBefore(): Promise<void> {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(patient(world));
  player.src(hls(world));
  await selected(player);
  player.dispose();
}

/** How a player loses the plugin. */
type End = 'taken off' | 'disposed of';

/** @returns what listens at the end of a stream that has played through a failover, or without the plugin */
async function listenersAfter(world: World, withPlugin: boolean, path: string, end: End): Promise<readonly string[]> {
  const page = listening();
  try {
    // after two seconds of nobody's doing Video.js listens to the mouse: one of the two may play that long
    const player = testPlayer(null, { inactivityTimeout: 0 });
    const ofPlayer = heard(player);
    const plugin = withPlugin ? player.edgeSelect(patient(world, { stallMs: 1200 })) : null;
    const failedOver = plugin ? once(player, 'edgeselect:failedover') : null;
    player.src(path.endsWith('.mp4') ? { src: hls(world, path).src, type: 'video/mp4' } : hls(world, path));
    await Promise.all([failedOver, playedTo(player, 0.5)]);
    if (end === 'taken off') plugin?.dispose();
    else player.dispose();
    // what was under way has ended by then
    await world.log();
    const mine = ['edgeselect:failedover', 'timeupdate', 'error'];
    return [...page.left(), ...ofPlayer()].filter((one) => !mine.some((type) => one.startsWith(type)));
  } finally {
    page.stop();
  }
}

test.each(
  'no listener of the plugin is left',
  {
    'played by VHS, and the plugin is taken off': ['ts/main.m3u8', 'taken off'],
    'played by VHS, and the player is disposed of': ['ts/main.m3u8', 'disposed of'],
    'played by the browser, and the plugin is taken off': ['clip.mp4', 'taken off'],
    'played by the browser, and the player is disposed of': ['clip.mp4', 'disposed of'],
  } as const,
  async (assert, [path, end]) => {
    const rule = { path: path === 'clip.mp4' ? 'clip' : SEGMENT.source, method: 'GET', status: 503 };
    const world = await testWorld(network({ a: { rules: [rule] }, b: { latencyMs: 100 } }));
    await aPlayerBefore();
    const without = await listenersAfter(world, false, path, end);
    const after = await listenersAfter(world, true, path, end);
    assert.true(without.length > 0, 'there is something to compare');
    assert.deepEqual(beyond(after, without), []);
  },
);

/** What is in the first list, and not as often in the second. */
function beyond(some: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return some.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
