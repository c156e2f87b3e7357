/**
 * Sources that the browser plays by itself: progressive files, native HLS. In: the element, and who picks the edge. Out:
 * the element with the edge's URL, while Video.js goes on to see the service's. An edge that fails, or falls silent, is
 * left before Video.js shows an error: before there is a picture for the origin, and a refusal is charged only when that
 * shows one; later for the next pick, at the same position. Where a change would end what the viewer has (AirPlay, a small
 * window) nothing is changed.
 */
import type { ElementSource } from '../conductor.js';
import { knock, type Platform } from '../platform.js';
import type { Edge } from '../servers.js';
import { isElsewhere, resumption, type Seek } from './resumption.js';
import { hasTheRest, watchStarvation } from './starvation.js';

/** The least shape of Video.js's Html5 tech. */
export interface NativeTech {
  readonly options_?: { readonly enableSourceset?: boolean };
  /** Called for each source that the element gets; tells the player, which then takes it for its own. */
  triggerSourceset: (src: string) => void;
  /** All seeks of the player come by here. */
  setCurrentTime: (seconds: number) => void;
  el(): HTMLMediaElement;
  paused(): boolean;
  play(): Promise<void> | undefined;
}

/** What it needs of the conductor. */
export interface NativePicker {
  readonly source: { readonly src: string; readonly type: string; readonly origin: string };
  selection(): { readonly edges: readonly Edge[] } | null;
  pick(crossOrigin: string | null): Promise<ElementSource | null>;
  /** @param isLast  the origin is next, and no other edge */
  edgeFailed(edge: Edge, because: 'refused' | 'stalled' | 'range', isLast: boolean): void;
  /** Calls `listener` when the edge in use is dead or unacceptable; returns what ends that. */
  onMoved(listener: () => void): () => void;
}

/** What it acts with. */
export interface NativeTools {
  readonly platform: Pick<Platform, 'after' | 'now' | 'fetch' | 'online' | 'hidden'>;
  /** How long a request may wait for bytes. */
  readonly stallMs: number;
  /** Whether an ad interrupts the source. */
  isAdBreak(): boolean;
  /** Gives the element a URL, as Video.js would; null: the URL of the service. */
  load(url: string | null): void;
}

/**
 * Times `stallMs`, since an element tells of bytes every 350 ms at best (HTML, section 4.8.11.5), and makes connections
 * of its own, unseen: 1.5 s by default.
 */
const FILE_PATIENCE = 2.5;
/** Of native HLS it tells when a segment is whole: one and a half of those of 10 s, which is VHS's limit too. */
const HLS_PATIENCE = 25;
/** `MediaError.MEDIA_ERR_DECODE`. */
const DECODE = 3;
/** When a change that had to wait may be due. */
const MOMENTS = ['loadeddata', 'timeupdate', 'pause', 'seeking'];

/** A source handler as Video.js keeps it: disposed when the source goes. */
export interface NativeHandler {
  dispose(): void;
  /** The plugin goes, and the source stays: it plays on from where it is loaded. Nothing of ours is left on the element. */
  readonly release: () => void;
}

/** Begins at once. */
export function playNative(tech: NativeTech, picker: NativePicker, tools: NativeTools): NativeHandler {
  const element = tech.el();
  const service = picker.source.src;
  const { crossOrigin } = element;
  const patience = /mpegurl/i.test(picker.source.type) ? HLS_PATIENCE : FILE_PATIENCE;
  let picked: ElementSource | null = null;
  /** Refused before there was a picture: its own fault only if the origin has one. */
  let suspect: Edge | null = null;
  let hasPicture = false;
  let hasKeys = false;
  /** The edge in use is to be left, as soon as that is allowed. */
  let isMoveDue = false;
  let isPicking = true;
  let disposed = false;
  let isReleased = false;
  /** Of those who are asked whether the line works. */
  let asking: AbortController | null = null;

  // the player is told of the service's URL, now as it would be without us, and never of the edge's
  let isLoading = false;
  const { triggerSourceset } = tech;
  const tellSource = (src: string): void => {
    triggerSourceset.call(tech, src === picked?.url ? service : src);
  };
  tech.triggerSourceset = (src) => {
    if (!isLoading) tellSource(src);
  };
  if (tech.options_?.enableSourceset) tellSource(service);

  let seek: Seek | null = null;
  const { setCurrentTime } = tech;
  tech.setCurrentTime = (seconds) => {
    seek = { to: seconds, isTold: false };
    setCurrentTime.call(tech, seconds);
  };
  const hasSought = (): void => {
    if (!element.seeking) seek = null;
  };

  // capturing listeners of the element itself run before Video.js's own, and these before those of a resumption
  const listeners: readonly (readonly [string, (event: Event) => void])[] = [
    ['error', onError],
    ['loadeddata', onPicture],
    ['seeking', () => seek && (seek.isTold = true)],
    ...['loadeddata', 'timeupdate', 'seeked'].map((name) => [name, hasSought] as const),
    ...['encrypted', 'webkitneedkey'].map((name) => [name, () => (hasKeys = true)] as const),
    ...MOMENTS.map((name) => [name, move] as const),
  ];
  for (const [name, listener] of listeners) element.addEventListener(name, listener, true);
  const resumed = resumption(element, () => tech.play());
  const stopWatching = watchStarvation(element, {
    platform: tools.platform,
    patienceMs: () => (picked ? tools.stallMs * patience : null),
    othersAnswer,
    starved() {
      if (picked && !isFixed()) leave(picked, 'stalled');
    },
  });
  const stopHearing = picker.onMoved(() => {
    isMoveDue = true;
    move();
  });

  void picker.pick(crossOrigin).then((choice) => {
    isPicking = false;
    if (disposed) return;
    if (isReleased) goHome();
    else {
      picked = choice;
      loadAndGoOn(choice?.url ?? null);
    }
  });
  return {
    dispose() {
      disposed = true;
      takeOff();
      tech.triggerSourceset = triggerSourceset;
    },
    release() {
      if (disposed || isReleased) return;
      isReleased = true;
      takeOff();
      // else with the URL that the element still waits for
      if (!isPicking) tech.triggerSourceset = triggerSourceset;
    },
  };

  function takeOff(): void {
    asking?.abort();
    tech.setCurrentTime = setCurrentTime;
    for (const [name, listener] of listeners) element.removeEventListener(name, listener, true);
    stopHearing();
    stopWatching();
    resumed.stop();
  }

  /** To the URL of the service, unless it has one that it plays from. */
  function goHome(): void {
    const { currentTime } = element;
    if (!picked) {
      loadAndGoOn(null);
      element.currentTime = currentTime;
    }
    tech.triggerSourceset = triggerSourceset;
  }

  function onError(event: Event): void {
    // broken bytes, and a viewer without a line, are no fault of the edge
    const isEdges = element.error?.code !== DECODE && tools.platform.online();
    if (picked && isEdges && !(hasPicture && isFixed())) {
      event.stopImmediatePropagation();
      leave(picked, 'refused');
    } else resumed.stop(); // the player is to see it all
  }

  function onPicture(): void {
    hasPicture = true;
    if (suspect) picker.edgeFailed(suspect, 'refused', true);
    suspect = null;
  }

  function leave({ edge }: ElementSource, because: 'refused' | 'stalled' | 'range'): void {
    picked = null;
    isMoveDue = false;
    if (!hasPicture && because === 'refused') suspect = edge;
    else picker.edgeFailed(edge, because, !hasPicture);
    if (hasPicture) change();
    else loadAndGoOn(null);
  }

  /** Leaves the edge in use if that is due, and nothing speaks against it. */
  function move(): void {
    if (!isMoveDue || isPicking || !picked || !hasPicture || isFixed() || hasTheRest(element)) return;
    isMoveDue = false;
    change();
  }

  /** To where the next pick says, which may be another one than when the change became due. */
  function change(): void {
    if (isPicking) return;
    isPicking = true;
    void picker.pick(crossOrigin).then((choice) => {
      isPicking = false;
      if (isReleased && !disposed) goHome();
      if (disposed || isReleased || (choice && choice.url === picked?.url)) return;
      picked = choice;
      resumed.change(
        () => {
          setUrl(choice?.url ?? null);
        },
        (isThere) => {
          if (isThere) return;
          if (choice && choice === picked) leave(choice, 'range');
          else resumed.stop(); // the origin is the last: so it begins anew, as it would without us
        },
        seek,
      );
    });
  }

  /** A `play()` that came while the edge was picked was for this source. */
  function loadAndGoOn(url: string | null): void {
    const isWanted = !tech.paused();
    setUrl(url);
    if (isWanted) tech.play()?.catch(() => undefined); // the site has the promise of its own call
  }

  function setUrl(url: string | null): void {
    isLoading = true;
    tools.load(url);
    isLoading = false;
  }

  /** Whether the viewer's line works, which an answer of the origin or of another edge shows. */
  async function othersAnswer(withinMs: number): Promise<boolean> {
    const over = new AbortController();
    asking = over;
    const cancel = tools.platform.after(withinMs, () => {
      over.abort();
    });
    const edges = (picker.selection()?.edges ?? []).filter(({ origin }) => origin !== picked?.edge.origin);
    const asked = [picker.source, ...edges].map(({ origin }) => knock(tools.platform, `${origin}/`, over.signal));
    const answered = await Promise.any(asked).then(
      () => true,
      () => false,
    );
    cancel();
    over.abort();
    return answered;
  }

  function isFixed(): boolean {
    return hasKeys || tools.isAdBreak() || isElsewhere(element);
  }
}
