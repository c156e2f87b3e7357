/**
 * The seam to Video.js: registers once a page, keeps what all players share, and finds the player's own part.
 * In: `videojs`. Out: `player.edgeSelect()`. Its types come from unchecked JSDoc, so its least shape is written here.
 */
import { conductor, type Conductor } from './conductor.js';
import { directory, type Directory } from './directory.js';
import { EdgeSelectError, isError } from './errors.js';
import type { EdgeSelectEvent } from './events.js';
import { readOptions, type Settings } from './options.js';
import { browserPlatform, type Platform } from './platform.js';
import { playNative, type NativeTech } from './playback/native.js';
import { sense, type SensedPlayer, type SensedVhs, type Selector } from './playback/sense.js';
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

interface Vhs extends SensedVhs {
  readonly xhr: VhsXhr;
}

interface Tech extends Omit<NativeTech, 'el'> {
  el(): HTMLMediaElement;
  readonly vhs?: Vhs;
}

/** The least shape of a Video.js player. */
export interface Player extends SensedPlayer {
  ready(run: () => void): void;
  on(type: string, listener: () => void): void;
  one(type: string, listener: () => void): void;
  off(type: string, listener: () => void): void;
  trigger(event: EdgeSelectEvent): void;
  /** Reads or sets the source; read in the prototype, and set on the player while it has the plugin. */
  src: (...given: unknown[]) => unknown;
  tech(safety: true): Tech | undefined;
  currentSource(): Partial<SourceObject>;
  isDisposed(): boolean;
  readonly log: { error(...what: unknown[]): void; warn(...what: unknown[]): void };
  /** Of videojs-contrib-ads. */
  readonly ads?: { inAdBreak?(): boolean };
}

interface SourceHandler {
  canHandleSource(source: SourceObject, options?: object): string;
  canPlayType(type: string, options?: object): string;
  handleSource(source: SourceObject, tech: Tech, options?: object): unknown;
}

/** The least shape of `videojs`. `Vhs` and its handler are missing in core builds. */
export interface VideoJs {
  readonly Vhs?: Vhs & { readonly STANDARD_PLAYLIST_SELECTOR?: Selector };
  readonly VhsSourceHandler?: SourceHandler;
  getPlugin(name: string): unknown;
  registerPlugin(name: string, plugin: (this: Player, options?: unknown) => EdgeSelect): void;
  use(type: string, factory: (player: Player) => Middleware): void;
  getPlayer(id: string): Player | undefined;
  getTech(name: string): {
    readonly sourceHandlers?: readonly SourceHandler[];
    readonly nativeSourceHandler: SourceHandler;
    registerSourceHandler(handler: SourceHandler, index: number): void;
  };
}

interface Middleware {
  setSource(source: SourceObject, next: (error: null, source: SourceObject) => void): void;
}

/** The plugin's part of one player. */
interface Part extends EdgeSelect {
  /** `src()` is called: asks the first question. Video.js comes to its middleware a task later, set-up first. */
  foresee(given: unknown): void;
  /** A source is about to be set: decides whether it is ours, and begins at once. */
  sourceSet(source: SourceObject): void;
  /** What conducts this source; null when it is none of ours. */
  conducting(source: SourceObject): Conducting | null;
  /** Takes the requests of this VHS, which plays the source. */
  hook(vhs: Vhs): void;
  /** The browser plays the source; `release` takes off the element what was put on it for that. */
  playsNatively(release: () => void): void;
}

/** A source of ours, with the options that hold for it. */
interface Conducting {
  readonly source: SourceObject;
  readonly settings: Settings;
  readonly conductor: Conductor;
}

/** The same, and who plays it. */
interface Found extends Conducting {
  readonly player: Player;
  readonly part: Part;
}

const NAME = 'edgeSelect';

/**
 * Registers the plugin with this `videojs`; a second call does nothing.
 *
 * @param platform  the browser; another one for tests
 */
export function register(videojs: VideoJs, platform: Platform = browserPlatform()): void {
  if (videojs.getPlugin(NAME)) return;
  const parts = new WeakMap<Player, Part>();
  const silenced = new Set<string>();
  let shared: Directory | null = null;

  // middleware cannot be taken back: one for the page, and the player's own part is found inside
  videojs.use('*', (player) => ({
    setSource(source, next) {
      try {
        parts.get(player)?.sourceSet(source);
      } catch (error) {
        player.log.error(NAME, error); // a fault of ours: the source plays without us
      }
      next(null, source);
    },
  }));

  const html5 = videojs.getTech('Html5');
  html5.registerSourceHandler(sourceHandler(), 0);

  videojs.registerPlugin(NAME, function (given) {
    const known = parts.get(this);
    if (known) return known;
    shared ??= directory(platform);
    const part = playerPart(this, given, shared);
    parts.set(this, part);
    return part;
  });

  function playerPart(player: Player, given: unknown, page: Directory): Part {
    let settings: Settings | null = null;
    let current: Conducting | null = null;
    let firstHost: string | null = null;
    /** The last source that was ours: contrib-ads sets it again at the end of a break. */
    let contentSrc: string | null = null;
    /** The source that is set has options of its own, and they are wrong. */
    let isRefused = false;
    let isDisposed = false;
    let unhook = (): void => undefined;
    const warn = (text: string): void => {
      player.log.warn(`${NAME}: ${text}`);
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
      unhook();
      current?.conductor.dispose();
      current = null;
      isRefused = false;
    };
    const { src } = player;
    const foreseeing = (...sources: unknown[]): unknown => {
      try {
        parts.get(player)?.foresee(sources[0]);
      } catch {
        // the middleware meets it too, and says it
      }
      return src.apply(player, sources);
    };
    const dispose = (): void => {
      drop();
      isDisposed = true;
      // somebody may have put a function of their own in its place since: then it stays below, and does nothing
      if (player.src === foreseeing) player.src = src;
      player.off('dispose', dispose);
      player.off('playerreset', drop);
      parts.delete(player);
    };

    try {
      settings = readOptions(given, warn);
      if (settings.allowedHosts.length === 0 && !settings.discover) warnOfOpenHosts(player);
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
      foresee,
      sourceSet,
      conducting: ({ src }) => (current?.source.src === src ? current : null),
      hook,
      playsNatively(release) {
        unhook = release;
      },
    };

    function foresee(sources: unknown): void {
      const [first] = [sources].flat();
      const source = (typeof first === 'string' ? { src: first } : first) as Partial<SourceObject> | undefined;
      if (typeof source?.src !== 'string' || typeof source.edgeSelect === 'object') return;
      const ours = settings && oursOf({ ...source, src: source.src }, settings);
      if (!ours || !settings || settings.discover) return;
      // an error is told by the search that asks again
      page.ask(tokenQuestion(ours, settings, page.pageId), settings).catch(() => undefined);
    }

    function oursOf(source: SourceObject, own: Settings): EdgeSource | null {
      if (isAdBreak() && source.src !== contentSrc) return null;
      const base = platform.page();
      return edgeSource(source, own, { page: base, firstHost: firstHost ?? hostOf(source.src, base) });
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
      const made = conductor(ours, source, own, { platform, directory: page, tell, page: platform.page(), silenced });
      current = { source, settings: own, conductor: made };
      made.watch(sense(player, () => videojs.Vhs?.STANDARD_PLAYLIST_SELECTOR));
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

    /** The plugin may be called when a source plays already. */
    function adopt(): void {
      const vhs = player.tech(true)?.vhs;
      const { src, ...rest } = player.currentSource();
      if (src && !isAdBreak()) firstHost = hostOf(src, platform.page());
      if (!vhs || !src || !settings) return;
      sourceSet({ ...rest, src });
      if (!current) return;
      hook(vhs);
      current.conductor.adopt();
    }

    function hook({ xhr }: Vhs): void {
      unhook();
      const all = videojs.Vhs?.xhr;
      if (!current) return;
      if (all?.original === true && 'onRequest' in xhr) unhook = hookRequests(xhr, all, current.conductor, platform);
      else current.conductor.bypass(new EdgeSelectError('VHS_REPLACED', {}));
    }
  }

  /** Stands before whoever would handle a source of ours, and is not there for any other. */
  function sourceHandler(): SourceHandler {
    const find = (source: SourceObject, options?: { playerId?: string }): Found | null => {
      const player = options?.playerId === undefined ? undefined : videojs.getPlayer(options.playerId);
      const part = player && parts.get(player);
      const conducting = part?.conducting(source);
      return player && part && conducting ? { ...conducting, player, part } : null;
    };
    const delegateOf = (source: SourceObject, options?: object): SourceHandler | undefined =>
      html5.sourceHandlers?.find((other) => other !== self && other.canHandleSource(source, options));
    const self: SourceHandler = {
      canPlayType: () => '',
      canHandleSource(source, options) {
        if (!find(source, options)) return '';
        return delegateOf(source, options)?.canHandleSource(source, options) ?? '';
      },
      handleSource(source, tech, options) {
        const delegate = delegateOf(source, options) ?? html5.nativeSourceHandler;
        const found = find(source, options);
        if (!found) return delegate.handleSource(source, tech, options);
        const { player, part, conductor: picker, settings } = found;
        if (delegate === html5.nativeSourceHandler) {
          const handler = playNative(tech, picker, {
            platform,
            stallMs: settings.stallMs,
            isAdBreak: () => player.ads?.inAdBreak?.() === true,
            load(url) {
              delegate.handleSource(url === null ? source : { ...source, src: url }, tech, options);
            },
          });
          part.playsNatively(handler.release);
          return handler;
        }
        if (delegate !== videojs.VhsSourceHandler) return delegate.handleSource(source, tech, options);
        // at this event, and not later, the first request can still be hooked
        const install = (): void => {
          if (tech.vhs) part.hook(tech.vhs);
        };
        player.one('xhr-hooks-ready', install);
        try {
          return delegate.handleSource(source, tech, options);
        } finally {
          player.off('xhr-hooks-ready', install);
          if (tech.vhs && !('onRequest' in tech.vhs.xhr)) install(); // before Video.js 8.5
        }
      },
    };
    return self;
  }

  let warned = false;
  function warnOfOpenHosts(player: Player): void {
    if (warned) return;
    warned = true;
    player.log.warn(`${NAME}: without 'allowedHosts' any host the nameserver names may serve media`);
  }
}
