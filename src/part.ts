/**
 * The plugin's part of one player. In: the site's options, the sources that are set, who plays them. Out: what conducts
 * each. Puts back what it changed when it goes.
 */
import { conductor, type Conductor } from './conductor.js';
import type { Directory } from './directory.js';
import { EdgeSelectError, isError } from './errors.js';
import type { EdgeSelectEvent } from './events.js';
import { readOptions, type Settings } from './options.js';
import type { Platform } from './platform.js';
import { sense, type Display, type SensedPlayer, type SensedVhs, type Selector } from './playback/sense.js';
import { hookRequests, type VhsXhr } from './playback/vhs.js';
import type { Selection } from './selection.js';
import { edgeSource, hostOf, type EdgeSource, type SourceObject } from './source.js';
import type { State } from './switch.js';
import { tokenQuestion } from './tokens.js';

/** What `player.edgeSelect()` returns; the same thing each time until it is disposed. */
export interface EdgeSelect {
  /** `bypassed`: the source plays from its own host. `idle`: there is no source, or it is none of ours. */
  readonly state: State['kind'];
  /** null until an edge is chosen, and while bypassed. Holds tokens: not for logs. */
  readonly selection: Selection | null;
  /** Looks for the best edge again; playback goes on meanwhile. `reason` comes back in `edgeselect:switched`. */
  reselect(reason?: string): void;
  /** Takes the plugin off this player; VHS goes on from the source's own host, the browser from where it is. Twice is fine. */
  dispose(): void;
}

/** The VHS of one player. */
export interface Vhs extends SensedVhs {
  readonly xhr: VhsXhr;
}

/** The least shape of a Video.js player. */
export interface Player extends SensedPlayer {
  id(): string;
  el(): unknown;
  ready(run: () => void): void;
  on(type: string, listener: () => void): void;
  one(type: string, listener: () => void): void;
  off(type: string, listener: () => void): void;
  trigger(event: EdgeSelectEvent): void;
  /** Reads or sets the source; read in the prototype, and set on the player while it has the plugin. */
  src: (...given: unknown[]) => unknown;
  tech(safety: true): { readonly vhs?: Vhs; el(): Display } | undefined;
  currentSource(): Partial<SourceObject>;
  /** 0 where the element has no source; undefined before there is one. */
  networkState(): number | undefined;
  isDisposed(): boolean;
  readonly log: { error(...what: unknown[]): void; warn(...what: unknown[]): void };
  /** Of videojs-contrib-ads. */
  readonly ads?: { inAdBreak?(): boolean };
}

/** The plugin's part of one player. */
export interface Part extends EdgeSelect {
  /** A source is about to be set: decides whether it is ours, and begins at once. */
  sourceSet(source: SourceObject): void;
  /** What conducts this source, which is about to be played; null when it is none of ours. */
  conducting(source: SourceObject): Conducting | null;
  /** Takes the requests of this VHS, which plays the source. */
  hook(vhs: Vhs): void;
  /** Whether videojs-contrib-ads plays an ad; never without it. */
  readonly isAdBreak: () => boolean;
  /** The browser plays the source; `release` takes off the element what was put on it for that. */
  playsNatively(release: () => void): void;
}

/** A source of ours, with the options that hold for it. */
export interface Conducting {
  readonly source: SourceObject;
  readonly settings: Settings;
  readonly conductor: Conductor;
}

/** What the page lends to each player. */
export interface PartTools {
  readonly platform: Platform;
  readonly directory: Directory;
  /** The VHS of all players; undefined in core builds. */
  vhs(): { readonly xhr: VhsXhr; readonly STANDARD_PLAYLIST_SELECTOR?: Selector } | undefined;
  /** What is said once a page. */
  readonly said: Set<string>;
  onDisposed(): void;
}

const OPEN_HOSTS = "without 'allowedHosts' any host the nameserver names may serve media";

/** @param given  options of the site, as they are: when they are wrong, each source plays without us */
export function playerPart(player: Player, given: unknown, tools: PartTools): Part {
  const { platform, directory, said } = tools;
  let settings: Settings | null = null;
  let current: Conducting | null = null;
  let firstHost: string | null = null;
  /** The last source that was ours: contrib-ads sets it again at the end of a break. */
  let contentSrc: string | null = null;
  /** The source that is set has options of its own, and they are wrong. */
  let isRefused = false;
  /** The source that is set is on its way to whoever plays it. */
  let isAwaited = false;
  let isDisposed = false;
  let unhook = (): void => undefined;
  const warn = (text: string): void => {
    player.log.warn(`edgeSelect: ${text}`);
  };
  const tell = (event: EdgeSelectEvent): void => {
    if (player.isDisposed()) return;
    if (event.type === 'edgeselect:warned') warn(event.text);
    if (event.type === 'edgeselect:bypassed') warn(event.error.message);
    player.trigger(event);
  };
  const refuse = (error: unknown): null => {
    if (!isError(error)) throw error;
    // not before the site has had a chance to listen
    player.ready(() => {
      tell({ type: 'edgeselect:bypassed', error });
    });
    return null;
  };
  const isAdBreak = (): boolean => player.ads?.inAdBreak?.() === true;
  const drop = (): void => {
    isAwaited = false;
    unhook();
    current?.conductor.dispose();
    current = null;
    isRefused = false;
  };
  const { src } = player;
  const foreseeing = (...sources: unknown[]): unknown => {
    if (!isDisposed) foresee(sources[0]);
    return src.apply(player, sources);
  };
  const dispose = (): void => {
    drop();
    isDisposed = true;
    // somebody may have put a function of their own in its place since: then it stays below, and does nothing
    if (player.src === foreseeing) player.src = src;
    player.off('dispose', dispose);
    player.off('playerreset', drop);
    tools.onDisposed();
  };

  try {
    settings = readOptions(given, warn);
    if (settings.allowedHosts.length === 0 && !settings.discover && !said.has(OPEN_HOSTS)) {
      said.add(OPEN_HOSTS);
      warn(OPEN_HOSTS);
    }
  } catch (error) {
    refuse(error);
  }
  player.src = foreseeing;
  player.on('dispose', dispose);
  player.on('playerreset', drop);
  adopt();

  return {
    get state() {
      if (isDisposed) return 'disposed';
      return settings && !isRefused ? (current?.conductor.state().kind ?? 'idle') : 'bypassed';
    },
    get selection() {
      return current?.conductor.selection() ?? null;
    },
    reselect(reason = 'asked for') {
      current?.conductor.reselect(reason);
    },
    dispose,
    sourceSet,
    conducting(source) {
      // a middleware behind ours has changed it
      if (isAwaited && current?.source.src !== source.src) sourceSet(source);
      return current?.source.src === source.src ? current : null;
    },
    hook,
    isAdBreak,
    playsNatively(release) {
      isAwaited = false;
      unhook = release;
    },
  };

  /** Asks the first question of a source that Video.js will bring to its middleware some tasks later. */
  function foresee(sources: unknown): void {
    const [first] = [sources].flat();
    const source = (typeof first === 'string' ? { src: first } : first) as Partial<SourceObject> | undefined;
    if (typeof source?.src !== 'string' || typeof source.edgeSelect === 'object') return;
    try {
      const ours = settings && oursOf({ ...source, src: source.src }, settings);
      if (!ours || !settings || settings.discover) return;
      // an error is told by the search that asks again
      directory.ask(tokenQuestion(ours, settings, directory.pageId), settings).catch(() => undefined);
    } catch {
      // the middleware meets it too, and says it
    }
  }

  function oursOf(source: SourceObject, own: Settings): EdgeSource | null {
    if (isAdBreak() && source.src !== contentSrc) return null;
    return edgeSource(source, own, { page: platform.page(), firstHost });
  }

  function sourceSet(source: SourceObject): void {
    const shares = current?.source.src === source.src && current.source.edgeSelect === source.edgeSelect;
    // load(), and Safari's play(), set the source that is set already
    if (shares && ['selecting', 'steady', 'reselecting'].includes(current?.conductor.state().kind ?? '')) return;
    drop();
    const own = settingsOf(source);
    const ours = own && oursOf(source, own);
    if (!isAdBreak()) firstHost ??= hostOf(source.src, platform.page());
    if (!ours) return;
    contentSrc = source.src;
    const made = conductor(ours, source, own, { platform, directory, tell });
    current = { source, settings: own, conductor: made };
    isAwaited = true;
    made.watch(sense(player, () => tools.vhs()?.STANDARD_PLAYLIST_SELECTOR));
    made.begin();
  }

  function settingsOf(source: SourceObject): Settings | null {
    if (!settings || typeof source.edgeSelect !== 'object') return settings;
    try {
      return readOptions({ ...(given as object), ...source.edgeSelect }, warn);
    } catch (error) {
      isRefused = true;
      return refuse(error);
    }
  }

  /** The plugin may be called when a source plays already, or is about to. */
  function adopt(): void {
    const vhs = player.tech(true)?.vhs;
    const { src, ...rest } = player.currentSource();
    if (src && !isAdBreak()) firstHost = hostOf(src, platform.page());
    if (!player.networkState()) foresee(player.currentSource());
    if (!vhs || !src || !settings) return;
    sourceSet({ ...rest, src });
    if (!current) return;
    hook(vhs);
    current.conductor.adopt();
  }

  function hook({ xhr }: Vhs): void {
    isAwaited = false;
    unhook();
    const all = tools.vhs()?.xhr;
    if (!current) return;
    if (all?.original === true && 'onRequest' in xhr) unhook = hookRequests(xhr, all, current.conductor, platform);
    else current.conductor.bypass(new EdgeSelectError('VHS_REPLACED', {}));
  }
}
