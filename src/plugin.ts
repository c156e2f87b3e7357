/**
 * The seam to Video.js: registers once a page, keeps what all players share, and finds the player's own part.
 * In: `videojs`. Out: `player.edgeSelect()`. Its types come from unchecked JSDoc, so its least shape is written here.
 */
import { directory, type Directory } from './directory.js';
import { playerPart, type Conducting, type EdgeSelect, type Part, type Player, type Vhs } from './part.js';
import { browserPlatform, type Platform } from './platform.js';
import { playNative, type NativeTech } from './playback/native.js';
import type { Selector } from './playback/sense.js';
import type { SourceObject } from './source.js';

interface Tech extends NativeTech {
  readonly vhs?: Vhs;
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
    readonly sourceHandlers?: SourceHandler[];
    readonly nativeSourceHandler: SourceHandler;
    registerSourceHandler(handler: SourceHandler, index: number): void;
  };
}

interface Middleware {
  setSource(source: SourceObject, next: (error: null, source: SourceObject) => void): void;
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
  const said = new Set<string>();
  let shared: Directory | null = null;

  // middleware cannot be taken back: one for the page, and the player's own part is found inside
  videojs.use('*', (player) => ({
    setSource(source, next) {
      try {
        claim();
        parts.get(player)?.sourceSet(source);
      } catch (error) {
        player.log.error(NAME, error); // a fault of ours: the source plays without us
      }
      next(null, source);
    },
  }));

  const html5 = videojs.getTech('Html5');
  const handler = sourceHandler();
  html5.registerSourceHandler(handler, 0);

  videojs.registerPlugin(NAME, function (given) {
    const player = itself(this);
    const known = parts.get(player);
    if (known) return known;
    shared ??= directory(platform);
    const part = playerPart(player, given, {
      ...{ platform, said, directory: shared },
      vhs: () => videojs.Vhs,
      onDisposed: () => {
        parts.delete(player);
      },
    });
    parts.set(player, part);
    return part;
  });

  /** A framework may keep the player behind a Proxy, as Vue does: Video.js and others have it as it is. */
  function itself(player: Player): Player {
    const known = videojs.getPlayer(player.id());
    return known && known.el() === player.el() ? known : player;
  }

  /** A VHS that came later has put its own handler before ours. */
  function claim(): void {
    const handlers = html5.sourceHandlers ?? [];
    if (handlers[0] === handler) return;
    handlers.splice(handlers.indexOf(handler), 1);
    html5.registerSourceHandler(handler, 0);
  }

  /** Stands before whoever would handle a source of ours, and is not there for any other. */
  function sourceHandler(): SourceHandler {
    const find = (source: SourceObject, options?: { playerId?: string }): Found | null => {
      const player = options?.playerId === undefined ? undefined : videojs.getPlayer(options.playerId);
      const part = player && parts.get(player);
      if (!part) return null;
      try {
        const conducting = part.conducting(source);
        return conducting && { ...conducting, player, part };
      } catch (error) {
        player.log.error(NAME, error); // as above
        return null;
      }
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
            isAdBreak: part.isAdBreak,
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
}
