/** Records for the pretend nameservers, and what their log and that of the edges says, in few words. */
import type { Selection } from '../../src/index.js';
import { hls, once, ORIGIN, type TestPlayer, type World } from './tools.js';

/** The owner name of the first lookup in every test. */
export const SERVICE = '_http._tcp.origin.localhost';
/** The token that a map gives unless a test says otherwise. */
export const TOKEN = 'eu1.token.localhost';

/**
 * Only the edges run, however slow the machine is: the first request waits for the lookups and for the race, and the
 * origin does not step in. For tests of what the edges decide among themselves.
 */
export const EDGES_ALONE = {
  lookupStaggerMs: 20_000,
  lookupTimeoutMs: 20_000,
  originAfterMs: 20_000,
  preflightTimeoutMs: 10_000,
  stallMs: 10_000,
};

/** An SRV record; `target` is a token, or `edge:NAME`. */
export const srv = (target: string, more: object = {}): object => ({
  type: 'SRV',
  priority: 10,
  weight: 10,
  target,
  ...more,
});

/** A network whose map gives each of the edges the SRV fields that stand beside it. */
export function ranked(edges: Readonly<Record<string, { srv: object; edge?: object }>>): object {
  const records = Object.entries(edges).map(([name, { srv: fields }]) => srv(`edge:${name}`, fields));
  return {
    nameservers: { map: { zones: { [SERVICE]: [srv(TOKEN)], [TOKEN]: records } } },
    edges: { ...Object.fromEntries(Object.entries(edges).map(([name, { edge }]) => [name, edge ?? {}])), [ORIGIN]: {} },
  };
}

export const nameserver = (world: World, name = 'map'): string => world.nameservers[name] ?? '';

export const edge = (world: World, name: string): string => world.edges[name] ?? '';

/** A question as the nameserver read it. */
export interface Asked {
  readonly name: string;
  readonly type: string;
  readonly id: string | null;
  readonly idFrom: 'edns' | 'label' | 'url' | null;
  readonly subnet: { readonly family: string; readonly address: string; readonly prefixLength: number } | null;
}

/** What a nameserver was asked, in order. */
export async function asked(world: World, name = 'map'): Promise<Asked[]> {
  return (await world.of(`nameserver:${name}`)).map(({ body }) => body as Asked);
}

/** What an edge was asked for, in order, such as `GET /ts/main.m3u8`; `path` picks those whose URL holds it. */
export async function requests(world: World, name: string, path = ''): Promise<string[]> {
  const entries = await world.of(`edge:${name}`);
  return entries.filter(({ url }) => url.includes(path)).map(({ method, url }) => `${method} ${url}`);
}

/** Sets a stream of the world and waits for the choice. */
export async function selectionOf(player: TestPlayer, world: World, path?: string): Promise<Selection> {
  const selected = once(player, 'edgeselect:selected');
  player.src(hls(world, path));
  return (await selected).selection;
}

/** Once the page has had a whole answer from a URL that begins so. */
export function fetched(url: string): Promise<void> {
  return new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      if (!list.getEntries().some(({ name }) => name.startsWith(url))) return;
      observer.disconnect();
      resolve();
    });
    observer.observe({ type: 'resource' });
  });
}
