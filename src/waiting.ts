/**
 * Who waits for the race. In: requests that come before there is a selection. Out: where each goes, at most
 * `originAfterMs` later. Whatever need not wait does not.
 */
import type { Directory } from './directory.js';
import { hold, type Held } from './hold.js';
import type { Settings } from './options.js';
import type { Permit } from './permit.js';
import type { Platform } from './platform.js';
import type { RaceRequest } from './probe.js';
import type { Search } from './search.js';
import { raceMethod } from './selection.js';
import type { Edge } from './servers.js';
import { isPlaylist, withoutDirectives, type MediaRequest } from './transport/route.js';

/** A request whose wait is over. */
export interface Waited extends Held {
  readonly waitedMs: number;
}

/** The waiting room of one source. */
export interface Waiting {
  /** @returns null when the request is none that waits: it goes its way without a selection, which is to the origin */
  hold(request: MediaRequest, running: Search, signal: AbortSignal): Promise<Waited> | null;
  /** For a media element, which is to have its URL within `originAfterMs`; null when there is no search to wait for. */
  pick(running: Search | null, crossOrigin: string | null, signal: AbortSignal): Promise<Edge | null> | null;
  /** Remembers what a race may ask for, and says once when no edge may have a request. */
  saw(request: MediaRequest): void;
  /** What races that nothing waits for ask for the headers of: the last playlist, or what a media element loads. */
  readonly lastAsked: () => RaceRequest;
}

/** What the room works with. */
export interface WaitingTools {
  readonly directory: Directory;
  readonly platform: Platform;
  readonly warn: (text: string) => void;
}

/**
 * @param key      what makes two searches the same, for all players of the page
 * @param request  what races ask for before there was a playlist
 */
export function waiting(
  key: string,
  request: RaceRequest,
  settings: Settings,
  rules: Permit,
  { directory, platform, warn }: WaitingTools,
): Waiting {
  let lastAsked = request;
  let heldFor: Search | null = null;
  let heldSince = 0;
  let isTold = false;
  return { hold: holdIt, pick, saw, lastAsked: () => lastAsked };

  function saw(seen: MediaRequest): void {
    // what the player knows already is nothing to ask another server for, and least to be held for
    const url = withoutDirectives(seen.url);
    if (isPlaylist(seen)) lastAsked = rules.raceRequest({ ...seen, url });
    // of cookies the conductor tells
    if (isTold || rules.allowsCredentials || seen.withCredentials || !rules.isGuarded(seen)) return;
    isTold = true;
    warn("requests with headers of the site stay with its own host: 'allowedHosts' names no other");
  }

  function holdIt(asked: MediaRequest, running: Search, signal: AbortSignal): Promise<Waited> | null {
    const mayRace = !rules.isGuarded(asked) || rules.allowsCredentials;
    const isRaceable = isPlaylist(asked) && asked.method === 'GET';
    // a lookup that is out for longer than a request or a second nameserver would have had to wait is not waited for
    const now = platform.now();
    const lateMs = Math.max(settings.lookupStaggerMs, settings.originAfterMs);
    const isLate = running.lookingUp() && (now - running.startedAt > lateMs || directory.waitedInVain.has(key));
    // one after the other, requests are held for no longer than one alone
    const since = heldFor === running ? heldSince : now;
    const leftMs = settings.originAfterMs - (now - since);
    const waits = isRaceable && mayRace && !isLate && leftMs >= 0;

    const method = raceMethod(settings.preflight, asked, waits);
    const raced = isRaceable ? rules.raceRequest(asked) : lastAsked;
    let held = waits;
    const isMine = running.run({ request: raced, method, held: () => held });
    if (!waits) return null;
    heldFor = running;
    heldSince = since;

    const isRace = isMine && method === 'GET' && !platform.controlled();
    const win = isRace ? running.win : running.win.then((winner) => winner && { ...winner, opened: null });
    const patience = { originAfterMs: leftMs, limitMs: asked.timeoutMs, raced: isRace };
    return hold(raced, win, patience, { platform, signal }).then((found) => {
      held = false;
      if (running.lookingUp()) directory.waitedInVain.add(key);
      return { ...found, waitedMs: platform.now() - now };
    });
  }

  function pick(running: Search | null, crossOrigin: string | null, signal: AbortSignal): Promise<Edge | null> | null {
    // without `crossorigin` the element loads without CORS, and so must the race
    const opaque = crossOrigin === null;
    const wanted = { ...rules.plainRequest(crossOrigin === 'use-credentials'), opaque, media: true };
    lastAsked = wanted;
    if (!running) return null;
    running.run({ request: wanted, method: raceMethod(settings.preflight, wanted, false), held: () => true });
    const patience = { originAfterMs: settings.originAfterMs, limitMs: 0, raced: false };
    return hold(wanted, running.win, patience, { platform, signal }).then(({ edge }) => edge);
  }
}
