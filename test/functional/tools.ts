/**
 * What the functional tests share: a pretend network of the test's own, a real player in the page, and waits for what
 * happens. No test waits for a number of milliseconds.
 */
import videojs from 'video.js';
import type { EdgeSelect, EdgeSelectEvents, EdgeSelectOptions, SourceObject } from '../../src/index.js';
import '../../src/index.js';

declare const __karma__: { readonly config: { readonly control: string; readonly engine: Engine } };

/** What runs the tests. */
export type Engine = 'chromium' | 'firefox' | 'webkit';
export const { engine } = __karma__.config;

/** One entry of the network's log. */
export interface Entry {
  readonly seq: number;
  readonly server: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number | null;
  readonly bytes: number;
  readonly body: unknown;
  readonly connection: number;
  /** When it came, in ms since 1970, as all times here. */
  readonly t: number;
  /** When the first byte of its body was sent; null before. */
  readonly tFirst: number | null;
  /** When its answer was over; null while it is under way. */
  readonly tEnd: number | null;
  readonly aborted: boolean;
}

/** A running network. */
export interface World {
  readonly nameservers: Readonly<Record<string, string>>;
  readonly edges: Readonly<Record<string, string>>;
  patch(description: object): Promise<void>;
  log(): Promise<readonly Entry[]>;
  /** Entries of one server, such as `edge:a` or `nameserver:map`. */
  of(server: string): Promise<readonly Entry[]>;
  close(): Promise<void>;
}

/** The service origin's host in every test. */
export const ORIGIN = 'origin';

/** `_http._tcp.origin.localhost` -> token -> edges. */
export function zones(edges: readonly (string | object)[], more: object = {}): object {
  const records = edges.map((edge) =>
    typeof edge === 'string' ? { type: 'SRV', priority: 10, weight: 10, target: `edge:${edge}` } : edge,
  );
  return {
    '_http._tcp.origin.localhost': [
      { type: 'SRV', priority: 10, weight: 10, port: 8053, target: 'eu1.token.localhost' },
    ],
    'eu1.token.localhost': records,
    ...more,
  };
}

/** One map that knows the given edges, and the edges; `origin` is always there. */
export function network(
  edges: Readonly<Record<string, object>>,
  more: { map?: object; origin?: object; media?: string } = {},
): object {
  return {
    media: more.media ?? 'test/media',
    nameservers: { map: { zones: zones(Object.keys(edges)), ...more.map } },
    edges: { ...edges, [ORIGIN]: more.origin ?? {} },
  };
}

export async function world(description: object): Promise<World> {
  const { control } = __karma__.config;
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(control + path, { method, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  const made = (await call('POST', '/worlds', description)) as {
    id: string;
    urls: { nameservers: Record<string, string>; edges: Record<string, string> };
  };
  const log = async (): Promise<readonly Entry[]> =>
    ((await call('GET', `/worlds/${made.id}/log?since=0`)) as { entries: Entry[] }).entries;
  return {
    ...made.urls,
    patch: async (change) => {
      await call('PATCH', `/worlds/${made.id}`, change);
    },
    log,
    of: async (server) => (await log()).filter((entry) => entry.server === server),
    close: async () => {
      await call('DELETE', `/worlds/${made.id}`);
    },
  };
}

/** The least shape of a Video.js player that tests use. */
export interface TestPlayer {
  edgeSelect(options?: unknown): EdgeSelect;
  src(source?: unknown): string;
  currentSrc(): string;
  currentSource(): SourceObject;
  currentSources(): readonly SourceObject[];
  currentTime(time?: number): number;
  duration(): number;
  seekable(): TimeRanges;
  playbackRate(rate: number): void;
  play(): Promise<void>;
  pause(): void;
  paused(): boolean;
  load(): void;
  reset(): void;
  dispose(): void;
  isDisposed(): boolean;
  ready(run: () => void): void;
  error(): { readonly code: number; readonly message: string } | null;
  on(type: string, listener: (event: never) => void): void;
  one(type: string, listener: (event: never) => void): void;
  off(type: string, listener: (event: never) => void): void;
  trigger(type: string): void;
  tech(safety: true): {
    el(): HTMLVideoElement;
    readonly vhs?: { readonly xhr: VhsXhr; readonly stats: Record<string, number> };
  };
  textTracks(): ArrayLike<TextTrack>;
  audioTracks(): ArrayLike<{ enabled: boolean; label: string }>;
  ads?: { inAdBreak(): boolean };
}
/** The options of a request as a hook of the site sees them. */
export interface HookOptions {
  uri: string;
  headers?: Record<string, string>;
}
/** `videojs.Vhs.xhr`, or that of one player. */
export interface VhsXhr {
  beforeRequest?: (options: HookOptions) => unknown;
  onRequest(hook: (options: HookOptions) => unknown): void;
  offRequest(hook: (options: HookOptions) => unknown): void;
  onResponse(hook: (request: XMLHttpRequest & { uri: string }, error: unknown, response: object) => void): void;
  offResponse(hook: (request: XMLHttpRequest & { uri: string }, error: unknown, response: object) => void): void;
}

/** What VHS itself needs, with or without the plugin: in WebKit; the last for audio apart from the picture. */
export const HTML5 = {
  vhs: { useNetworkInformationApi: false },
  ...(engine === 'webkit' && { nativeTextTracks: false, nativeAudioTracks: false }),
};

const players = new Set<TestPlayer>();
const worlds = new Set<World>();

/** A world that ends with the test. */
export async function testWorld(description: object): Promise<World> {
  const made = await world(description);
  worlds.add(made);
  return made;
}

/** A muted player in the page, with the plugin when options are given. It ends with the test. */
export function testPlayer(
  options?: Partial<EdgeSelectOptions> | null,
  { html5 = {}, ...playerOptions }: { readonly html5?: object; readonly [option: string]: unknown } = {},
  element: HTMLElement = document.createElement('video-js'),
): TestPlayer {
  document.body.append(element);
  const player = videojs(element, {
    muted: true,
    width: 160,
    height: 90,
    html5: { ...HTML5, ...html5 },
    ...playerOptions,
  }) as unknown as TestPlayer;
  players.add(player);
  if (options) player.edgeSelect(options);
  return player;
}

/** To be called after each test. */
export async function cleanUp(): Promise<void> {
  for (const player of players) if (!player.isDisposed()) player.dispose();
  players.clear();
  await Promise.all([...worlds].map((one) => one.close()));
  worlds.clear();
}

/** The next event of this name, with its payload. */
export function once<N extends keyof EdgeSelectEvents>(player: TestPlayer, name: N): Promise<EdgeSelectEvents[N]>;
export function once(player: TestPlayer, name: string): Promise<unknown>;
export function once(player: TestPlayer, name: string): Promise<unknown> {
  return new Promise((resolve) => {
    player.one(name, resolve);
  });
}

/** Every event of this name from now on. */
export function all<N extends keyof EdgeSelectEvents>(player: TestPlayer, name: N): EdgeSelectEvents[N][] {
  const events: EdgeSelectEvents[N][] = [];
  player.on(name, (event: EdgeSelectEvents[N]) => {
    events.push(event);
  });
  return events;
}

/** Plays until the clock passes `seconds`. Rejects on a player error. */
export function playedTo(player: TestPlayer, seconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      if (player.currentTime() < seconds) return;
      player.off('timeupdate', check);
      resolve();
    };
    player.on('timeupdate', check);
    player.on('error', () => {
      reject(new Error(`the player shows an error: ${player.error()?.message ?? ''}`));
    });
    player.play().catch(() => undefined);
    // with or without the plugin, WebKitGTK takes a live stream for ended while VHS seeks to where it begins, and Firefox at
    // times forgets a play() that came before the source
    if (engine !== 'chromium') player.one('loadeddata', () => player.paused() && player.play().catch(() => undefined));
  });
}

/** So patient that a busy machine cannot make an edge look dead, or the origin take part. */
export const PATIENT = {
  originAfterMs: 20_000,
  lookupStaggerMs: 20_000,
  lookupTimeoutMs: 20_000,
  preflightTimeoutMs: 20_000,
  stallMs: 20_000,
} as const;

/** The plugin's options for a world, patient unless `more` says otherwise. */
export const patient = (world_: World, more: Partial<EdgeSelectOptions> = {}): Partial<EdgeSelectOptions> => ({
  nameserver: world_.nameservers.map ?? '',
  ...PATIENT,
  ...more,
});

/** What one edge, or the origin, was asked for: its requests but for races by HEAD or OPTIONS, and reports. */
export async function asked(world_: World, edge: string, path = /./): Promise<readonly Entry[]> {
  return (await world_.of(`edge:${edge}`)).filter(({ method, url }) => method === 'GET' && path.test(url));
}

/** Resolves once the network's log holds such an entry. */
export async function logged(world_: World, passes: (entry: Entry) => boolean): Promise<void> {
  while (!(await world_.log()).some(passes)); // each turn waits for an answer
}

/** Resolves once the player has loaded all but the last second of a clip of 12 s; it must be playing. */
export function loadedToTheEnd(player: TestPlayer): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      const { buffered } = player.tech(true).el();
      if (buffered.length === 0 || buffered.end(buffered.length - 1) < 11) return;
      player.off('timeupdate', check);
      resolve();
    };
    player.on('timeupdate', check);
  });
}

/** The events of this name until one passes, and that one. */
export function until<N extends keyof EdgeSelectEvents>(
  player: TestPlayer,
  name: N,
  passes: (event: EdgeSelectEvents[N]) => boolean,
): Promise<EdgeSelectEvents[N]> {
  return new Promise((resolve) => {
    const listener = (event: EdgeSelectEvents[N]): void => {
      if (!passes(event)) return;
      player.off(name, listener);
      resolve(event);
    };
    player.on(name, listener);
  });
}

export const hls = (world_: World, path = 'ts/main.m3u8'): SourceObject => ({
  src: `${world_.edges[ORIGIN] ?? ''}/${path}`,
  type: 'application/x-mpegURL',
});
