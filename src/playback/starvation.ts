/**
 * When a media element has waited for its server long enough. In: the element's events and the clock. Out: one call.
 * It changes nothing, and blames nobody while nobody else answers: a browser left alone would try again for minutes, and
 * so outlast a tunnel.
 */
import type { Platform } from '../platform.js';

/** What it needs. */
export interface StarvationTools {
  readonly platform: Pick<Platform, 'now' | 'after' | 'hidden'>;
  /** How long the server may send nothing; null: it may. */
  patienceMs(): number | null;
  /** Whether another server answers, now. */
  othersAnswer(withinMs: number): Promise<boolean>;
  /** There is nothing to play, the server has sent nothing for `patienceMs`, and others do. Called until that changes. */
  starved(): void;
}

/** Part of the patience after which others are asked: so that what they say is known when it is at its end. */
const ASK_AT = 2 / 3;
/** When a line comes back all answer at once, and of what its own server sends an element tells within 350 ms. */
const PROOF_MS = 500;
/**
 * Firefox (ESR 153, progressive files) says neither `waiting` nor another `readyState` while its decoder waits for bytes,
 * and WebKitGTK (2.50) says besides that it loads nothing: all there is to see is a clock that stands, where it would tell
 * of itself every 250 ms.
 */
const STILL_MS = 1000;
const LOADING = 2;
const HAVE_METADATA = 1;
const HAVE_FUTURE_DATA = 3;
/** Durations and ends of buffers differ by a frame or two. */
const END_SECONDS = 0.2;
/** A decoder needs no more after where it is to begin. */
const SEEK_SECONDS = 1;
/** `emptied`: the first of a new source; in Firefox `loadstart` comes after other events that make it look. */
const BYTES_OR_BEGINNING = ['progress', 'emptied', 'loadstart', 'seeking'];
/** After each of these it may be starving, or not any more. */
const EVENTS = [...BYTES_OR_BEGINNING, 'suspend', 'waiting', 'stalled', 'timeupdate', 'play', 'playing', 'pause'];

/** @returns ends it */
export function watchStarvation(element: HTMLMediaElement, tools: StarvationTools): () => void {
  const { now, after } = tools.platform;
  let silentSince = now();
  let seenAt = silentSince;
  let wasWaiting = false;
  let position = element.currentTime;
  let movedAt = silentSince;
  let isAsking = false;
  let askedAt = -Infinity;
  /** When another server answered since this one fell silent. */
  let answeredAt: number | null = null;
  let isOver = false;
  let cancel = (): void => undefined;

  const hear = ({ type }: Event): void => {
    if (BYTES_OR_BEGINNING.includes(type)) begin();
    look();
  };
  // capturing, as others keep events of a change from those who come later
  for (const name of EVENTS) element.addEventListener(name, hear, true);
  return () => {
    isOver = true;
    cancel();
    for (const name of EVENTS) element.removeEventListener(name, hear, true);
  };

  function begin(): void {
    silentSince = now();
    askedAt = -Infinity;
    answeredAt = null;
  }

  function look(): void {
    cancel();
    const patienceMs = tools.patienceMs();
    if (patienceMs === null || isOver) return;
    // a page that slept, or was not given its turn, has not watched
    const isAwake = now() - seenAt <= 2 * patienceMs;
    seenAt = now();
    if (element.currentTime !== position || !isRunning(element) || tools.platform.hidden()) movedAt = now();
    position = element.currentTime;
    const isStill = now() - movedAt >= STILL_MS && !hasTheRest(element);
    // a browser that has enough asks for no more: that is no silence of the server's
    const isWaiting = element.networkState === LOADING || isStill;
    if (!isAwake || !isWaiting || !wasWaiting) begin();
    wasWaiting = isWaiting;
    if (!isWanting(element)) return;
    // asked while there is still something to play, so that nothing is lost by it when there is not
    const askAt = Math.max(silentSince + ASK_AT * patienceMs, askedAt + patienceMs);
    const leaveAt = Math.max(silentSince + patienceMs, (answeredAt ?? 0) + PROOF_MS);
    const dueAt = answeredAt === null ? askAt : leaveAt;
    cancel = after(dueAt > now() ? dueAt - now() : patienceMs, look);
    if (dueAt > now()) return;
    if (answeredAt === null) ask(patienceMs);
    else if (element.readyState < HAVE_FUTURE_DATA || isStill) tools.starved();
  }

  function ask(withinMs: number): void {
    if (isAsking) return;
    isAsking = true;
    askedAt = now();
    const since = silentSince;
    void tools.othersAnswer(withinMs).then((answered) => {
      isAsking = false;
      if (isOver || since !== silentSince || !answered) return;
      answeredAt = now();
      look();
    });
  }
}

function isWanting({ paused, ended, seeking, readyState, networkState }: HTMLMediaElement): boolean {
  return seeking || (!paused && !ended) || (readyState < HAVE_METADATA && networkState === LOADING);
}

/**
 * Whether something should move: its clock, or a seek to what is not loaded (WebKitGTK has enough, it says, while it
 * starves there); within what is loaded only the decoder can be slow.
 */
function isRunning(element: HTMLMediaElement): boolean {
  const { paused, ended, seeking, playbackRate, currentTime } = element;
  return seeking ? !isLoaded(element, currentTime + SEEK_SECONDS) : !paused && !ended && playbackRate !== 0;
}

/** Whether it can play to its end without any server. */
export function hasTheRest(element: HTMLMediaElement): boolean {
  return isLoaded(element, element.duration - END_SECONDS);
}

function isLoaded({ buffered, currentTime }: HTMLMediaElement, until: number): boolean {
  return Array.from({ length: buffered.length }).some(
    (_, i) => buffered.start(i) <= currentTime && buffered.end(i) >= until,
  );
}
