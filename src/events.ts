/**
 * What the site is told. In: nothing. Out: the names of the player's events and what each carries; types alone.
 * Each event is complete in itself, told once, after it is true, in the order of cause and effect.
 */
import type { EdgeSelectError } from './errors.js';
import type { Selection } from './selection.js';
import type { Sign } from './verdict.js';

/**
 * Why a request left an edge. `refused`: no connection, or no CORS; `status`: one that is no success; `silent`: no first byte; `stalled`: no more of them; `slow`: more slowly than the buffer can
 * bear; `late`: VHS's own limit ran out; `short`: the body broke off; `notmedia`: a success, but of a web page, of nothing,
 * or of what is no playlist; `range`: the whole where a part was asked for, or another part than that.
 */
export type FailureKind =
  'refused' | 'silent' | 'stalled' | 'slow' | 'late' | 'short' | 'status' | 'notmedia' | 'range';

/** Event name -> payload; Video.js hands it to listeners as properties of the event. */
export interface EdgeSelectEvents {
  /** An edge is chosen for all requests that follow. Probes may still be running. */
  'edgeselect:selected': { readonly selection: Selection };
  /** Every probe of the race has an outcome. */
  'edgeselect:raced': { readonly selection: Selection };
  /** The chosen edge got the report, or refused it. */
  'edgeselect:reported': {
    readonly edge: string;
    readonly accepted: boolean;
    readonly report: Readonly<Record<string, unknown>>;
  };
  /** One request went on elsewhere. `to` is the source's own origin when no edge was left. */
  'edgeselect:failedover': {
    readonly url: string;
    readonly from: string;
    readonly to: string;
    readonly because: FailureKind;
    readonly status: number;
  };
  /** One request was delivered: by whom, and how quickly. `edge` is the source's own origin when it served. */
  'edgeselect:served': {
    readonly url: string;
    readonly edge: string;
    readonly requestType: string;
    readonly bytes: number;
    readonly firstByteMs: number;
    readonly elapsedMs: number;
  };
  /** The edge in use does not give acceptable service: `seen` is beyond `limit`, in that option's unit; of `throughput` in bits per second. */
  'edgeselect:judged': {
    readonly edge: string;
    /** `suspect`: another is looked for; `leave`: it must go. */
    readonly verdict: 'suspect' | 'leave';
    readonly because: Sign;
    readonly seen: number;
    readonly limit: number;
  };
  /** Another edge serves from now on. */
  'edgeselect:switched': { readonly from: string; readonly selection: Selection; readonly because: string };
  /** The source plays from its own host, as it would without the plugin. */
  'edgeselect:bypassed': { readonly error: EdgeSelectError };
  /** Something a developer should know; playback goes on as it was. */
  'edgeselect:warned': { readonly text: string };
}

/** One event with its payload, as it travels inside. */
export type EdgeSelectEvent = {
  readonly [N in keyof EdgeSelectEvents]: { readonly type: N } & EdgeSelectEvents[N];
}[keyof EdgeSelectEvents];

/** Says one event to the player. */
export type Tell = (event: EdgeSelectEvent) => void;
