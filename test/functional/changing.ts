/** What the tests of a change in mid-play share, where the browser plays the source by itself. */
import type { EdgeSelectEvents } from '../../src/index.js';
import {
  engine,
  network,
  once,
  ORIGIN,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  type TestPlayer,
  type World,
} from './tools.js';

declare const __karma__: { log(level: string, lines: readonly string[]): void };

/** Four times what the clip needs, so that it is never loaded whole. */
export const RATE = { bitsPerSecond: 600_000 };
export const ONLY_GET = { method: 'GET', path: 'clip' };
/** An edge that dies so that the browser itself gives up. */
export const GONE = {
  rules: [
    { ...ONLY_GET, cutAfterBytes: 120_000, times: 1 },
    { ...ONLY_GET, status: 404 },
  ],
};

/** What would make Video.js, or a site, believe in a new source. */
const TELL_TALES = [
  ...['loadstart', 'emptied', 'abort', 'loadedmetadata', 'loadeddata', 'durationchange', 'sourceset', 'error'],
  ...['play', 'pause', 'ratechange', 'volumechange', 'seeking', 'seeked'],
];

export function clip(world: World): { src: string; type: string } {
  return { src: `${world.edges[ORIGIN] ?? ''}/clip.mp4`, type: 'video/mp4' };
}

/** The run prints it; karma quotes it. */
export function printGap(ms: number, where: string): void {
  __karma__.log('log', [`gap: ${String(Math.round(ms))} ms (${where})`]);
}

export function elementSrc(player: TestPlayer): string {
  return player.tech(true).el().src;
}

/** A player that plays from edge a, and has a second edge to go to. */
export interface Playing {
  readonly world: World;
  readonly player: TestPlayer;
  /** The first time that an edge is left. */
  readonly left: Promise<EdgeSelectEvents['edgeselect:failedover']>;
}

/** @param rate  at 3 what is loaded already is soon played */
export async function playing({ a = {}, rate = 3, playerOptions = {} } = {}): Promise<Playing> {
  const edges = { a: { ...RATE, ...a }, b: { latencyMs: 150 } };
  const world = await testWorld(network(edges, { media: 'demo/media' }));
  // an element waits 2.5 times as long as a request
  const player = testPlayer(patient(world, { stallMs: 400 }), playerOptions);
  const left = once(player, 'edgeselect:failedover');
  player.src(clip(world));
  await playedTo(player, 0.2);
  const hurried = once(player, 'ratechange');
  player.playbackRate(rate);
  if (rate !== 1) await hurried;
  return { world, player, left };
}

/** Once the clock passes `seconds`, however it got there. */
export function clockPasses(player: TestPlayer, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (player.currentTime() < seconds) return;
      player.off('timeupdate', check);
      resolve();
    };
    player.on('timeupdate', check);
  });
}

/** Firefox's clock has stood 0.19 s short of where the buffer ends. */
const DRY_SECONDS = 0.5;

/** Once there is nothing to play. Firefox does not say `waiting`. */
export function ranDry(player: TestPlayer): Promise<unknown> {
  if (engine !== 'firefox') return once(player, 'waiting');
  const element = player.tech(true).el();
  return new Promise((resolve) => {
    const look = (): void => {
      const { buffered, currentTime } = element;
      if (buffered.length > 0 && currentTime >= buffered.end(buffered.length - 1) - DRY_SECONDS) resolve(null);
      else requestAnimationFrame(look);
    };
    look();
  });
}

/**
 * The names of those events from now on that a wait alone does not fire. WebKitGTK ends a seek of the change twice, of which
 * the second end is heard.
 */
export function toldOf(player: TestPlayer): string[] {
  const names: string[] = [];
  const isSecondEnd = (name: string): boolean => engine === 'webkit' && name === 'seeked' && !names.includes('seeking');
  for (const name of TELL_TALES) {
    player.on(name, () => {
      if (!isSecondEnd(name)) names.push(name);
    });
  }
  return names;
}

/** @returns how long there was no new picture at most, in ms, since it was called */
export function longestGap(player: TestPlayer): () => number {
  const element = player.tech(true).el();
  let longestMs = 0;
  let lastAt: number | null = null;
  const frame = (at: number): void => {
    longestMs = Math.max(longestMs, at - (lastAt ?? at));
    lastAt = at;
    element.requestVideoFrameCallback(frame);
  };
  element.requestVideoFrameCallback(frame);
  return () => longestMs;
}
