/**
 * What a player shows of its playback. In: a player, and the VHS in it. Out: that part of a look which only they can
 * tell. Reads, and changes nothing; whatever is missing (core builds, native playback, other versions) is null.
 */
import type { Demand } from '../transport/pace.js';
import type { Look } from '../watch.js';

/** The part of a look that a player can tell. */
export type Sensed = Omit<Look, 'at' | 'lateMs' | 'hidden' | 'offline'>;

interface Rendition {
  readonly id?: string;
  readonly attributes?: { readonly BANDWIDTH?: number };
  readonly targetDuration?: number;
  /** VHS hides it until then (epoch ms); Infinity: this browser cannot play it. */
  readonly excludeUntil?: number;
  /** The viewer does not want it. */
  readonly disabled?: boolean;
}

/** The least shape of a player's VHS. */
export interface SensedVhs {
  readonly playlists?: {
    readonly main?: { readonly playlists?: readonly Rendition[] };
    media?(): Rendition | undefined;
  };
}

/** Of the element; null: there is none. */
export type Display = { readonly clientWidth: number; readonly clientHeight: number } | null;

/** The least shape of a Video.js player. */
export interface SensedPlayer {
  tech(safety: true): { readonly vhs?: SensedVhs; el(): Display } | undefined;
  paused(): boolean;
  ended(): boolean;
  seeking(): boolean;
  /** Seconds. */
  currentTime(): number | undefined;
  /** Seconds; Infinity when live. */
  duration(): number | undefined;
  playbackRate(): number | undefined;
  buffered(): Pick<TimeRanges, 'length' | 'start' | 'end'>;
  textTracks(): ArrayLike<{ readonly label: string; readonly activeCues: ArrayLike<unknown> | null }>;
  getVideoPlaybackQuality(): Partial<VideoPlaybackQuality> | undefined;
}

/** `videojs.Vhs.STANDARD_PLAYLIST_SELECTOR`: called on a VHS, the rendition that suits its bandwidth and its display. */
export type Selector = (this: SensedVhs) => unknown;

/** Parts of a segment that sound and picture, or two segments, may be apart without a gap. */
const GAP_MS = 100;

/** Sees a player. */
export interface Sense {
  /** All of it; frames are counted from one look to the next. */
  look(): Sensed;
  /** What playback can bear: asked for each body some times a second. null: unknown, or it needs nothing now. */
  demand(): Demand | null;
}

/** @param selector  VHS may come later than the player, or never */
export function sense(player: SensedPlayer, selector: () => Selector | undefined): Sense {
  let best: { readonly key: string; readonly bandwidth: number } | null = null;
  let frames = { dropped: 0, total: 0 };

  return {
    look() {
      const tech = player.tech(true);
      const position = positionMs();
      const bufferAheadMs = aheadOf(position);
      return {
        paused: isPaused(),
        seeking: player.seeking(),
        position,
        bufferAheadMs,
        complete: position + bufferAheadMs >= (player.duration() ?? Infinity) * 1000 - GAP_MS,
        playbackRate: player.playbackRate() ?? 1,
        playing: playing(),
        loading: bandwidthOf(loading()),
        best: tech?.vhs ? bestOf(tech.vhs, tech.el()) : null,
        droppedShare: droppedShare(),
        segmentMs: segmentMs(),
      };
    },
    demand() {
      const targetMs = segmentMs();
      if (!targetMs || isPaused()) return null;
      const speed = player.playbackRate() ?? 0;
      const rate = speed > 0 ? speed : 1;
      return { bufferMs: aheadOf(positionMs()) / rate, segmentMs: targetMs / rate, targetMs };
    },
  };

  function isPaused(): boolean {
    return player.paused() || player.ended();
  }

  function positionMs(): number {
    return (player.currentTime() ?? 0) * 1000;
  }

  function loading(): Rendition | undefined {
    return player.tech(true)?.vhs?.playlists?.media?.();
  }

  function segmentMs(): number | null {
    const seconds = loading()?.targetDuration;
    return seconds ? seconds * 1000 : null;
  }

  function aheadOf(position: number): number {
    const ranges = player.buffered();
    for (let i = 0; i < ranges.length; i += 1) {
      const [startMs, endMs] = [ranges.start(i) * 1000, ranges.end(i) * 1000];
      if (startMs - GAP_MS <= position && position < endMs) return endMs - position;
    }
    return 0;
  }

  /** VHS keeps a cue for each segment in the buffer. */
  function playing(): number | null {
    const track = Array.from(player.textTracks()).find(({ label }) => label === 'segment-metadata');
    const [cue] = Array.from(track?.activeCues ?? []) as { readonly value?: { readonly bandwidth?: unknown } }[];
    const bandwidth = cue?.value?.bandwidth;
    return typeof bandwidth === 'number' ? bandwidth : null;
  }

  function bestOf(vhs: SensedVhs, display: Display): number | null {
    const main = vhs.playlists?.main;
    // what VHS hides for a while because of a failure is eligible all the same
    const eligible = (main?.playlists ?? []).filter((one) => !one.disabled && one.excludeUntil !== Infinity);
    const ladder = eligible.map((one) => [one.id, bandwidthOf(one)]);
    const key = JSON.stringify([display?.clientWidth, display?.clientHeight, ladder]);
    if (best?.key === key) return best.bandwidth;
    // asked only when there is something new: the selector writes into the log of Video.js
    const bandwidth = bandwidthOf(select(vhs, { ...main, playlists: eligible.map(shown) }));
    best = bandwidth === null ? null : { key, bandwidth };
    return bandwidth;
  }

  function select(vhs: SensedVhs, main: object): Rendition | undefined {
    try {
      const unlimited = { systemBandwidth: { value: Infinity }, playlists: { value: { main } } };
      return selector()?.call(Object.create(vhs, unlimited) as SensedVhs) as Rendition | undefined;
    } catch {
      return undefined; // no ladder yet, or another VHS than we know
    }
  }

  function droppedShare(): number {
    const { droppedVideoFrames: dropped = 0, totalVideoFrames: total = 0 } = player.getVideoPlaybackQuality() ?? {};
    const before = frames;
    frames = { dropped, total };
    return total > before.total ? Math.max(0, dropped - before.dropped) / (total - before.total) : 0;
  }
}

function shown(one: Rendition): Rendition {
  return { ...one, excludeUntil: 0 };
}

function bandwidthOf(one: Rendition | null | undefined): number | null {
  return one?.attributes?.BANDWIDTH ?? null;
}
