/**
 * The state machine of one source. In: a state and an input. Out: the next state and what is to be done.
 * Pure: no player, no network, no time. What is not written here is ignored on purpose.
 */
import type { EdgeSelectError } from './errors.js';
import type { EdgeSelectEvent } from './events.js';
import type { Selection } from './selection.js';

/** Each state holds only what is true in it. */
export type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'selecting' }
  | { readonly kind: 'steady'; readonly selection: Selection }
  | { readonly kind: 'reselecting'; readonly selection: Selection; readonly because: string }
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
  | { readonly kind: 'reselect'; readonly because: string }
  | { readonly kind: 'dispose' };

/** What the conductor is to do. */
export type Effect =
  | { readonly do: 'search' }
  | { readonly do: 'report'; readonly selection: Selection }
  | { readonly do: 'tell'; readonly event: EdgeSelectEvent };

/** The next state, and what is to be done because of it, in order. */
export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** Pure; see the drawing in README.md. */
export function step(state: State, input: Input): Step {
  const stay: Step = { state, effects: [] };
  if (state.kind === 'disposed') return stay;
  switch (input.kind) {
    case 'begin':
      return state.kind === 'idle' ? { state: { kind: 'selecting' }, effects: [{ do: 'search' }] } : stay;
    case 'known':
      return state.kind === 'idle' ? settle(input.selection, [reported(input.selection)]) : stay;
    case 'found':
      if (state.kind === 'selecting') return settle(input.selection, []);
      return state.kind === 'reselecting' ? replace(state, input.selection) : stay;
    case 'raced':
      if (state.kind !== 'steady' || state.selection.chosen !== input.selection.chosen) return stay;
      return {
        state: { kind: 'steady', selection: input.selection },
        effects: [
          { do: 'tell', event: { type: 'edgeselect:raced', selection: input.selection } },
          reported(input.selection),
        ],
      };
    case 'failed':
      return fail(state, input.error);
    case 'reselect':
      if (state.kind === 'bypassed' && mayPass(state.error))
        return { state: { kind: 'selecting' }, effects: [{ do: 'search' }] };
      if (state.kind !== 'steady') return stay;
      return {
        state: { kind: 'reselecting', selection: state.selection, because: input.because },
        effects: [{ do: 'search' }],
      };
    case 'dispose':
      return { state: { kind: 'disposed' }, effects: [] };
    default:
      return input satisfies never;
  }
}

function reported(selection: Selection): Effect {
  return { do: 'report', selection };
}

function settle(selection: Selection, more: readonly Effect[]): Step {
  const told: Effect = { do: 'tell', event: { type: 'edgeselect:selected', selection } };
  return { state: { kind: 'steady', selection }, effects: [told, ...more] };
}

function replace({ selection, because }: Extract<State, { kind: 'reselecting' }>, next: Selection): Step {
  const from = selection.chosen.origin;
  if (next.chosen.origin === from) return settle(next, []);
  return settle(next, [{ do: 'tell', event: { type: 'edgeselect:switched', from, selection: next, because } }]);
}

/** An edge in use is not given up because a better one cannot be looked for. */
function fail(state: State, error: EdgeSelectError): Step {
  if (state.kind === 'reselecting' && mayPass(error)) {
    const text = `no other edge could be looked for: ${error.code}`;
    return {
      state: { kind: 'steady', selection: state.selection },
      effects: [{ do: 'tell', event: { type: 'edgeselect:warned', text } }],
    };
  }
  if (state.kind === 'bypassed') return { state, effects: [] };
  return {
    state: { kind: 'bypassed', error },
    effects: [{ do: 'tell', event: { type: 'edgeselect:bypassed', error } }],
  };
}

/** What a lookup or a race failed at may be well the next time; what the page itself forbids will not. */
function mayPass({ code }: EdgeSelectError): boolean {
  return /^(LOOKUP|TOKENS|SERVERS|EDGES)_/.test(code);
}
