/**
 * The first media request, held until a runner is known. In: the request, and the race that is to come. Out: who serves
 * it. The service origin is always a runner: it starts after `originAfterMs`, or as soon as no edge is left.
 */
import type { Platform } from './platform.js';
import type { Win } from './preflight.js';
import { drain, type Opened, type RaceRequest } from './probe.js';
import type { Edge } from './servers.js';

/** Who serves the held request; `edge` is null for the service origin. */
export interface Held {
  readonly edge: Edge | null;
  /** An answer that is there already, when the request itself was raced. */
  readonly opened: Opened | null;
}

/** How long to hold, and what to race. */
export interface HoldRules {
  readonly originAfterMs: number;
  /** Bounds the wait for the origin too; 0: not at all. */
  readonly limitMs: number;
  /** The race is this request itself: the origin's answer counts when its headers come, and the first good one wins. */
  readonly raced: boolean;
}

/**
 * @param win  the race's winner; null when there will be none
 * @returns never rejects; nobody at all means the origin, whose failure is then told as it is
 */
export function hold(
  request: RaceRequest,
  win: Promise<Win | null>,
  { originAfterMs, limitMs, raced }: HoldRules,
  { platform, signal }: { readonly platform: Platform; readonly signal: AbortSignal },
): Promise<Held> {
  return new Promise((resolve) => {
    let settled = false;
    let edgesLeft = true;
    let origin: 'unasked' | 'asked' | 'failed' | Opened = 'unasked';

    const cancelOrigin = platform.after(originAfterMs, startOrigin);
    let giveUpOrigin = (): void => undefined;
    const cancelLimit =
      limitMs > 0
        ? platform.after(limitMs, () => {
            giveUpOrigin();
            settleWithOrigin();
          })
        : (): void => undefined;
    signal.addEventListener('abort', settleWithOrigin);
    void win.then((winner) => {
      if (winner && !settled) settle(winner);
      else if (winner?.opened) void drain(winner.opened, platform);
      else if (!winner) {
        edgesLeft = false;
        if (origin === 'unasked') startOrigin();
        else if (origin !== 'asked') settleWithOrigin();
      }
    });

    function settle(held: Held): void {
      settled = true;
      cancelOrigin();
      cancelLimit();
      signal.removeEventListener('abort', settleWithOrigin);
      if (typeof origin === 'object' && origin !== held.opened) void drain(origin, platform);
      resolve(held);
    }

    function settleWithOrigin(): void {
      if (!settled) settle({ edge: null, opened: typeof origin === 'object' ? origin : null });
    }

    function startOrigin(): void {
      if (settled || origin !== 'unasked') return;
      if (!raced) {
        settleWithOrigin();
        return;
      }
      origin = 'asked';
      const controller = new AbortController();
      const abort = (): void => {
        controller.abort();
      };
      giveUpOrigin = abort;
      signal.addEventListener('abort', abort);
      const startedAt = platform.now();
      platform
        .fetch(request.url, {
          headers: { ...request.headers },
          credentials: request.withCredentials ? 'include' : 'same-origin',
          signal: controller.signal,
        })
        .then(
          (response) => {
            const opened = { response, startedAt, abort };
            if (settled) void drain(opened, platform);
            else {
              origin = opened;
              if (response.ok || !edgesLeft) settleWithOrigin();
            }
          },
          () => {
            origin = 'failed';
            if (!edgesLeft) settleWithOrigin();
          },
        );
    }
  });
}
