/**
 * A change of a media element's source in mid-play. In: the element, and what gives it another URL. Out: the element at
 * the same position, playing or paused as it was. Whoever listens to the element hears of a wait at most, never of a
 * new source: to Video.js that would be a poster, a clock at zero, and a site's `loadedmetadata` handler once more.
 */

/** What is less of `HTMLMediaElement` than TypeScript knows: the tracks that Safari has. */
interface Tracks {
  readonly audioTracks?: ArrayLike<{ readonly label: string; readonly language: string; enabled: boolean }>;
}

/** What listeners of the element believe to be so. */
interface Told {
  paused: boolean;
  rate: number;
  duration: number;
  seeking: boolean;
}

/** Where the viewer has sought to, and is not yet. */
export interface Seek {
  readonly to: number;
  /** `seeking` was heard of. */
  isTold: boolean;
}

/** Changes of one element. */
export interface Resumption {
  /**
   * @param load  gives the element another URL
   * @param wentOn  is called once there is a picture again; `isThere` is false if the new server cannot begin there:
   *                it is to be changed once more, or stopped
   * @param seek  under way; once its source has died, Firefox knows no more where to
   */
  change(load: () => void, wentOn: (isThere: boolean) => void, seek?: Seek | null): void;
  /** Nothing is kept from listeners any more. */
  stop(): void;
}

/** What `load()` of an element fires and a mere wait does not (HTML, sections 4.8.11.5 and 4.8.11.9). */
const ARTEFACTS = [
  // Video.js shows the poster, forgets an error and resets its clock
  ...['abort', 'emptied', 'loadstart'],
  // a site that goes to a remembered position would do so again
  ...['loadedmetadata', 'loadeddata'],
  // at 0, before the element is back where it was
  'timeupdate',
  // passed on when they tell something new
  ...['durationchange', 'ratechange', 'play', 'pause', 'seeking', 'seeked'],
];
/** Where an element begins that did not go where it was told to; players round, so no exact zero. */
const START_SECONDS = 0.5;
/** Another position, and the same picture. */
const NUDGE_SECONDS = 0.001;

/** @param play  as Video.js would */
export function resumption(element: HTMLMediaElement, play: () => Promise<void> | undefined): Resumption {
  let told: Told | null = null;
  let position = 0;
  let secondsFromLive: number | null = null;
  let hasData = false;
  /** It sought, and `seeked` was not told yet: an element that is done says `loadeddata` and `timeupdate` before that. */
  let isSeekOpen = false;
  /** The viewer has, and `seeking` was not told yet. */
  let hasSeekToTell = false;
  /** The picture is of another position: the next change is to go on where this one should have. */
  let isLost = false;
  let restore = (): void => undefined;
  let whenOn: (isThere: boolean) => void = () => undefined;

  return { change, stop };

  function change(load: () => void, wentOn: (isThere: boolean) => void, seek: Seek | null = null): void {
    const { paused, playbackRate } = element;
    // when a change is changed it is the position of the first
    if (!isLost) position = seek?.to ?? element.currentTime;
    isLost = false;
    hasSeekToTell = seek?.isTold === false;
    if (!told) {
      told = { paused, rate: playbackRate, duration: element.duration, seeking: element.seeking && !hasSeekToTell };
      secondsFromLive = element.duration === Infinity ? endOf(element.seekable) - position : null;
      restore = keep(element);
      for (const name of ARTEFACTS) element.addEventListener(name, hear, true);
    }
    hasData = false;
    isSeekOpen = false;
    whenOn = wentOn;
    load();
    // before there is metadata this is where playback begins: no `#t=`, which would show, and would not be told by the
    // clock meanwhile. A live stream counts from where its window begins now
    if (secondsFromLive === null) element.currentTime = position;
    element.playbackRate = playbackRate;
    // loading makes it paused without saying so; pause() keeps `autoplay` from playing
    if (paused) element.pause();
    else {
      play()?.catch(() => {
        // refused by the browser's policy: what nobody was told of yet
        if (element.paused && told && !told.paused) element.dispatchEvent(new Event('pause'));
      });
    }
  }

  function hear(event: Event): void {
    if (!told) return;
    if (event.type === 'loadedmetadata') goThere();
    if (event.type === 'loadeddata') hasData = true;
    // the source before may have left a seek of its own open
    if (['loadstart', 'seeked'].includes(event.type)) isSeekOpen = false;
    if (event.type === 'seeking' || element.seeking) isSeekOpen = true;
    if (!isNews(told, event.type)) event.stopImmediatePropagation();
    if (hasData && !element.seeking && !isSeekOpen) {
      isLost = position >= START_SECONDS && element.currentTime < START_SECONDS;
      if (!isLost) stop();
      hasData = false;
      whenOn(!isLost);
    }
  }

  /** What is heard of during a change was done by the viewer, or is another than before. */
  function isNews(known: Told, type: string): boolean {
    const { paused, playbackRate: rate, duration, seeking } = element;
    const before = { ...known };
    switch (type) {
      case 'play':
      case 'pause':
        // what is told of late may be undone by now
        if (paused !== (type === 'pause')) return false;
        known.paused = paused;
        return paused !== before.paused;
      case 'ratechange':
        known.rate = rate;
        return rate !== before.rate;
      case 'durationchange':
        if (Number.isNaN(duration)) return false;
        known.duration = duration;
        return duration !== before.duration;
      case 'seeking':
        known.seeking ||= hasSeekToTell || Math.abs(element.currentTime - position) > START_SECONDS;
        return known.seeking && !before.seeking;
      case 'seeked':
        known.seeking = seeking;
        return before.seeking && !seeking;
      default:
        return false;
    }
  }

  /** Where the browser did not go where it was told to, and for live streams. */
  function goThere(): void {
    if (secondsFromLive !== null) position = Math.max(0, endOf(element.seekable) - secondsFromLive);
    if (position < START_SECONDS) return;
    if (element.currentTime < START_SECONDS) element.currentTime = position;
    // WebKitGTK (2.50) tells the position, seeks to nowhere, and its clock never moves again: a seek to the same is none
    else if (!element.seeking && element.currentTime === position) element.currentTime = position + NUDGE_SECONDS;
  }

  function stop(): void {
    isLost = false;
    if (!told) return;
    told = null;
    for (const name of ARTEFACTS) element.removeEventListener(name, hear, true);
    restore();
  }
}

function endOf(ranges: TimeRanges): number {
  return ranges.length > 0 ? ranges.end(ranges.length - 1) : 0;
}

/** @returns puts back what a new source takes away: the choice of tracks, by their labels, as the tracks are new ones */
function keep(element: HTMLMediaElement & Tracks): () => void {
  const nameOf = ({ label, language }: { label: string; language: string }, kind = ''): string =>
    [kind, language, label].join('\n');
  const texts = new Map(Array.from(element.textTracks, (track) => [nameOf(track, track.kind), track.mode]));
  const audios = new Map(Array.from(element.audioTracks ?? [], (track) => [nameOf(track), track.enabled]));
  const { preload } = element;
  const poster = element.getAttribute('poster');
  // the element would show its poster until there is a frame
  element.removeAttribute('poster');
  // and with 'none' there would be no frame at all while it is paused
  element.preload = 'auto';

  const chooseTracks = (): void => {
    for (const track of Array.from(element.textTracks)) {
      const mode = texts.get(nameOf(track, track.kind));
      if (mode && mode !== track.mode) track.mode = mode;
    }
    for (const track of Array.from(element.audioTracks ?? [])) {
      const enabled = audios.get(nameOf(track));
      if (enabled !== undefined && enabled !== track.enabled) track.enabled = enabled;
    }
  };
  element.textTracks.addEventListener('addtrack', chooseTracks);
  return () => {
    element.textTracks.removeEventListener('addtrack', chooseTracks);
    chooseTracks();
    element.preload = preload;
    if (poster !== null && !element.hasAttribute('poster')) element.setAttribute('poster', poster);
  };
}

/** What not every browser has, or TypeScript does not know. */
interface Bonds {
  readonly remote?: { readonly state: string };
  readonly mediaKeys?: unknown;
  readonly webkitKeys?: unknown;
  readonly webkitCurrentPlaybackTargetIsWireless?: boolean;
  readonly webkitPresentationMode?: string;
  readonly webkitDisplayingFullscreen?: boolean;
  getRootNode(): unknown;
}

/** Whether the picture is on another device, in a window of its own, or decrypted: a new source would end that. */
export function isElsewhere(element: Bonds): boolean {
  const { pictureInPictureElement } = element.getRootNode() as Partial<DocumentOrShadowRoot>;
  return (
    (element.remote?.state ?? 'disconnected') !== 'disconnected' ||
    element.webkitCurrentPlaybackTargetIsWireless === true ||
    (pictureInPictureElement as unknown) === element ||
    element.webkitPresentationMode === 'picture-in-picture' ||
    element.webkitDisplayingFullscreen === true ||
    Boolean(element.mediaKeys ?? element.webkitKeys)
  );
}
