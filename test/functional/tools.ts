/**
 * What the functional tests share: a pretend network of the test's own, a real player in the page, and waits for what
 * happens. No test waits for a number of milliseconds.
 */
import videojs from 'video.js';
import type { EdgeSelect, EdgeSelectEvents, EdgeSelectOptions, SourceObject } from '../../src/index.js';
import '../../src/index.js';

declare const __karma__: { readonly config: { readonly control: string } };

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
    patch: async (change) => void (await call('PATCH', `/worlds/${made.id}`, change)),
    log,
    of: async (server) => (await log()).filter((entry) => entry.server === server),
    close: async () => void (await call('DELETE', `/worlds/${made.id}`)),
  };
}

/** The least shape of a Video.js player that tests use. */
export interface TestPlayer {
  edgeSelect(options?: unknown): EdgeSelect;
  src(source?: unknown): string;
  currentSrc(): string;
  currentSource(): SourceObject;
  currentTime(time?: number): number;
  duration(): number;
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
interface VhsXhr {
  onRequest(hook: (options: { uri: string; headers?: Record<string, string> }) => unknown): void;
}

const players = new Set<TestPlayer>();
const worlds = new Set<World>();

/** A world that ends with the test. */
export async function testWorld(description: object): Promise<World> {
  const made = await world(description);
  worlds.add(made);
  return made;
}

/** A muted player in the page, with the plugin when options are given. It ends with the test. */
export function testPlayer(options?: Partial<EdgeSelectOptions> | null, playerOptions: object = {}): TestPlayer {
  const element = document.createElement('video-js');
  document.body.append(element);
  const player = videojs(element, {
    muted: true,
    width: 160,
    height: 90,
    html5: { vhs: { useNetworkInformationApi: false } },
    ...playerOptions,
  } as never) as unknown as TestPlayer;
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
    player.one(name, resolve as (event: never) => void);
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
  });
}

export const hls = (world_: World, path = 'ts/main.m3u8'): SourceObject => ({
  src: `${world_.edges[ORIGIN] ?? ''}/${path}`,
  type: 'application/x-mpegURL',
});
