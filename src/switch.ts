/**
 * The state machine of one source. In: a state and an input. Out: the next state and what is to be done.
 * Pure: no player, no network, no time. What is not written here is ignored on purpose.
 */
import type { EdgeSelectError } from './errors.js';
import type { EdgeSelectEvent } from './events.js';
import type { Candidates, Selection } from './selection.js';
import type { Edge } from './servers.js';

/**
 * How another edge is looked for. `leave`: the one in use must go; `compare`: it stays unless it is clearly beaten,
 * twice; `asked`: the site wants to know, once is enough.
 */
export type How = 'leave' | 'compare' | 'asked';

/** Each state holds only what is true in it. */
export type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'selecting' }
  /** `isBeaten`: another edge was clearly better, once. */
  | { readonly kind: 'steady'; readonly selection: Selection; readonly isBeaten: boolean }
  | {
      readonly kind: 'reselecting';
      readonly selection: Selection;
      readonly isBeaten: boolean;
      readonly because: string;
      readonly how: How;
    }
  /** The source plays from its own host. */
  | { readonly kind: 'bypassed'; readonly error: EdgeSelectError }
  | { readonly kind: 'disposed' };

/** What can happen to a source. */
export type Input =
  | { readonly kind: 'begin' }
  /** The page knows a selection of this service that is still true. */
  | { readonly kind: 'known'; readonly selection: Selection }
  /** A search found an edge. */
  | { readonly kind: 'found'; readonly selection: Selection }
  /** The race of that search has ended: the same selection with every probe. */
  | { readonly kind: 'raced'; readonly selection: Selection }
  | { readonly kind: 'failed'; readonly error: EdgeSelectError }
  /** The lookups were repeated. */
  | { readonly kind: 'refreshed'; readonly candidates: Candidates }
  | { readonly kind: 'reselect'; readonly because: string; readonly how: How }
  | { readonly kind: 'dispose' };

/** What the conductor is to do. */
export type Effect =
  | { readonly do: 'search' }
  /** Look whether another edge is better, as soon as this one has served long enough. */
  | { readonly do: 'compare'; readonly because: string }
  | { readonly do: 'report'; readonly selection: Selection }
  /** Another edge serves. `from` is to be left alone for a while if it had to go. */
  | { readonly do: 'move'; readonly from: Edge; readonly how: How; readonly because: string }
  | { readonly do: 'tell'; readonly event: EdgeSelectEvent };

/** The next state, and what is to be done because of it, in order. */
export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

type Reselecting = Extract<State, { kind: 'reselecting' }>;

/** Pure; see the drawing in README.md. */
export function step(state: State, input: Input): Step {
  const stay: Step = { state, effects: [] };
  if (state.kind === 'disposed') return stay;
  switch (input.kind) {
    case 'begin':
      return state.kind === 'idle' ? search({ kind: 'selecting' }) : stay;
    case 'known':
      return state.kind === 'idle' ? settle(input.selection, [reported(input.selection)]) : stay;
    case 'found':
      if (state.kind === 'selecting') return settle(input.selection, []);
      return state.kind === 'reselecting' ? replace(state, input.selection) : stay;
    case 'raced':
      return state.kind === 'steady' ? complete(state, input.selection) : stay;
    case 'failed':
      return fail(state, input.error);
    case 'refreshed':
      return state.kind === 'steady' || state.kind === 'reselecting' ? refresh(state, input.candidates) : stay;
    case 'reselect':
      return reselect(state, input);
    case 'dispose':
      return { state: { kind: 'disposed' }, effects: [] };
    default:
      return input satisfies never;
  }
}

function search(state: State): Step {
  return { state, effects: [{ do: 'search' }] };
}

function reported(selection: Selection): Effect {
  return { do: 'report', selection };
}

function settle(selection: Selection, more: readonly Effect[], isBeaten = false): Step {
  const told: Effect = { do: 'tell', event: { type: 'edgeselect:selected', selection } };
  return { state: { kind: 'steady', selection, isBeaten }, effects: [told, ...more] };
}

function reselect(state: State, { because, how }: Extract<Input, { kind: 'reselect' }>): Step {
  const stay: Step = { state, effects: [] };
  if (state.kind === 'bypassed') return mayPass(state.error) ? search({ kind: 'selecting' }) : stay;
  const isMoreUrgent = state.kind === 'reselecting' && how === 'leave' && state.how !== 'leave';
  if (state.kind !== 'steady' && !isMoreUrgent) return stay;
  return search({ ...state, kind: 'reselecting', because, how });
}

/**
 * What is better once may be chance: a switch for a gain alone waits for the second time. Who wins then need not be who
 * won before: among several that are as good, each race has another winner.
 */
function replace({ selection, isBeaten, how, because }: Reselecting, next: Selection): Step {
  const { chosen } = selection;
  if (next.chosen.origin === chosen.origin) return settle(next, []);
  if (how === 'compare' && !isBeaten) {
    const look: Effect = { do: 'compare', because: `${because}: a second look` };
    return settle({ ...next, chosen, reason: 'stayed' }, [look], true);
  }
  const from = chosen.origin;
  return settle(next, [
    { do: 'tell', event: { type: 'edgeselect:switched', from, selection: next, because } },
    { do: 'move', from: chosen, how, because },
  ]);
}

function complete(state: Extract<State, { kind: 'steady' }>, raced: Selection): Step {
  // another race's, if the candidates are not the same
  if (state.selection.measuredAt !== raced.measuredAt) return { state, effects: [] };
  const selection = { ...state.selection, probes: raced.probes };
  return {
    state: { ...state, selection },
    effects: [{ do: 'tell', event: { type: 'edgeselect:raced', selection } }, reported(selection)],
  };
}

function refresh(state: Extract<State, { selection: Selection }>, { tokens, edges, expiresAt }: Candidates): Step {
  const { selection } = state;
  const isSame =
    edges.length === selection.edges.length &&
    edges.every(({ origin, rank }) => selection.edges.some((edge) => edge.origin === origin && edge.rank === rank));
  return {
    state: { ...state, selection: { ...selection, tokens, edges, expiresAt } },
    effects: isSame ? [] : [{ do: 'compare', because: 'the map moved' }],
  };
}

/** An edge in use is not given up because a better one cannot be looked for. */
function fail(state: State, error: EdgeSelectError): Step {
  if (state.kind === 'reselecting' && mayPass(error)) {
    const text = `no other edge could be looked for: ${error.code}`;
    const { selection, isBeaten } = state;
    return {
      state: { kind: 'steady', selection, isBeaten },
      effects: [{ do: 'tell', event: { type: 'edgeselect:warned', text } }],
    };
  }
  // what will not pass is the last word
  if (state.kind === 'bypassed' && (mayPass(error) || !mayPass(state.error))) return { state, effects: [] };
  return {
    state: { kind: 'bypassed', error },
    effects: [{ do: 'tell', event: { type: 'edgeselect:bypassed', error } }],
  };
}

/** What a lookup or a race failed at may be well the next time; what the page itself forbids will not. */
export function mayPass({ code }: EdgeSelectError): boolean {
  return /^(LOOKUP|TOKENS|SERVERS|EDGES)_/.test(code);
}
