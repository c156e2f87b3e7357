import QUnit from 'qunit';
import { EdgeSelectError } from '../../src/errors.js';
import type { Selection } from '../../src/selection.js';
import { step, type Effect, type Input, type State } from '../../src/switch.js';

const { module, test } = QUnit;

const selection = (name: string): Selection => ({
  service: '_https._tcp.video.example',
  tokens: [],
  edges: [],
  expiresAt: 1,
  chosen: { origin: `https://${name}.example`, rank: 0, weight: 1 },
  reason: 'quickest',
  probes: [],
  measuredAt: 0,
});
const a = selection('a');
const b = selection('b');
const error = new EdgeSelectError('TOKENS_EMPTY', {});
const otherError = new EdgeSelectError('EDGES_COOLING', { edges: 1 });

const STATES = {
  idle: { kind: 'idle' },
  selecting: { kind: 'selecting' },
  steady: { kind: 'steady', selection: a },
  reselecting: { kind: 'reselecting', selection: a, because: 'a failed' },
  bypassed: { kind: 'bypassed', error },
  disposed: { kind: 'disposed' },
} satisfies { [K in State['kind']]: Extract<State, { kind: K }> };

const INPUTS = {
  begin: { kind: 'begin' },
  known: { kind: 'known', selection: b },
  'found a': { kind: 'found', selection: { ...a } },
  'found b': { kind: 'found', selection: b },
  'raced a': { kind: 'raced', selection: { ...a, measuredAt: 5 } },
  'raced b': { kind: 'raced', selection: b },
  failed: { kind: 'failed', error: otherError },
  reselect: { kind: 'reselect', because: 'asked for' },
  dispose: { kind: 'dispose' },
} satisfies Record<string, Input>;

/** What comes of each input in each state. A dash: it is ignored, and nothing is done. */
const TABLE: Record<State['kind'], Record<keyof typeof INPUTS, string>> = {
  idle: {
    begin: 'selecting: search',
    known: 'steady b: tell selected b, report b',
    'found a': '-',
    'found b': '-',
    'raced a': '-',
    'raced b': '-',
    failed: 'bypassed EDGES_COOLING: tell bypassed EDGES_COOLING',
    reselect: '-',
    dispose: 'disposed',
  },
  selecting: {
    begin: '-',
    known: '-',
    'found a': 'steady a: tell selected a',
    'found b': 'steady b: tell selected b',
    'raced a': '-',
    'raced b': '-',
    failed: 'bypassed EDGES_COOLING: tell bypassed EDGES_COOLING',
    reselect: '-',
    dispose: 'disposed',
  },
  steady: {
    begin: '-',
    known: '-',
    'found a': '-',
    'found b': '-',
    'raced a': 'steady a: tell raced a, report a',
    'raced b': '-',
    failed: 'bypassed EDGES_COOLING: tell bypassed EDGES_COOLING',
    reselect: 'reselecting a because asked for: search',
    dispose: 'disposed',
  },
  reselecting: {
    begin: '-',
    known: '-',
    'found a': 'steady a: tell selected a',
    'found b': 'steady b: tell selected b, tell switched b from https://a.example because a failed',
    'raced a': '-',
    'raced b': '-',
    failed: 'steady a: tell warned no other edge could be looked for: EDGES_COOLING',
    reselect: '-',
    dispose: 'disposed',
  },
  bypassed: {
    begin: '-',
    known: '-',
    'found a': '-',
    'found b': '-',
    'raced a': '-',
    'raced b': '-',
    failed: '-',
    reselect: 'selecting: search',
    dispose: 'disposed',
  },
  disposed: {
    begin: '-',
    known: '-',
    'found a': '-',
    'found b': '-',
    'raced a': '-',
    'raced b': '-',
    failed: '-',
    reselect: '-',
    dispose: '-',
  },
};

const nameOf = ({ chosen }: Selection): string => chosen.origin.slice(8, 9);

function stateText(state: State): string {
  switch (state.kind) {
    case 'steady':
      return `steady ${nameOf(state.selection)}`;
    case 'reselecting':
      return `reselecting ${nameOf(state.selection)} because ${state.because}`;
    case 'bypassed':
      return `bypassed ${state.error.code}`;
    default:
      return state.kind;
  }
}

function effectText(effect: Effect): string {
  if (effect.do === 'search') return 'search';
  if (effect.do === 'report') return `report ${nameOf(effect.selection)}`;
  const { event } = effect;
  switch (event.type) {
    case 'edgeselect:selected':
    case 'edgeselect:raced':
      return `tell ${event.type.slice(11)} ${nameOf(event.selection)}`;
    case 'edgeselect:switched':
      return `tell switched ${nameOf(event.selection)} from ${event.from} because ${event.because}`;
    case 'edgeselect:bypassed':
      return `tell bypassed ${event.error.code}`;
    case 'edgeselect:warned':
      return `tell warned ${event.text}`;
    default:
      return event.type;
  }
}

function stepText(state: State, input: Input): string {
  const next = step(state, input);
  if (next.state === state && next.effects.length === 0) return '-';
  return [stateText(next.state), next.effects.map(effectText).join(', ')].filter(Boolean).join(': ');
}

module('switch');

for (const kind of Object.keys(STATES) as (keyof typeof STATES)[]) {
  test.each(
    `when ${kind}, does what the table says for every input, and ignores the others`,
    Object.fromEntries(Object.keys(INPUTS).map((name) => [name, name as keyof typeof INPUTS])),
    (assert, name) => {
      assert.strictEqual(stepText(STATES[kind], INPUTS[name]), TABLE[kind][name]);
    },
  );
}

test('keeps the newest selection of the edge it stays with', (assert) => {
  const fresher = { ...a, measuredAt: 99 };
  const next = step(STATES.reselecting, { kind: 'found', selection: fresher });
  assert.deepEqual(next.state, { kind: 'steady', selection: fresher });
});

test('takes the probes that ended after the choice into its selection', (assert) => {
  const full = { ...a, measuredAt: 77 };
  assert.deepEqual(step(STATES.steady, { kind: 'raced', selection: full }).state, { kind: 'steady', selection: full });
});

test('ignores the end of a race whose edge is no longer the one in use', (assert) => {
  const earlier = { ...a, chosen: { ...a.chosen } };
  assert.strictEqual(step(STATES.steady, { kind: 'raced', selection: earlier }).state, STATES.steady);
});

test('writes into no state that it is given', (assert) => {
  for (const state of Object.values(STATES)) Object.freeze(state);
  for (const state of Object.values(STATES)) for (const input of Object.values(INPUTS)) step(state, input);
  assert.strictEqual(STATES.steady.selection, a);
});

test.each(
  'is bypassed, even while an edge is in use, when edges must not serve',
  ['CREDENTIALS_NOT_ALLOWED', 'VHS_REPLACED'] as const,
  (assert, code) => {
    const next = step(STATES.reselecting, { kind: 'failed', error: new EdgeSelectError(code, {}) });
    assert.strictEqual(next.state.kind, 'bypassed');
  },
);

test.each(
  'does not look again for what the page itself forbids',
  ['CREDENTIALS_NOT_ALLOWED', 'VHS_REPLACED'] as const,
  (assert, code) => {
    const state: State = { kind: 'bypassed', error: new EdgeSelectError(code, {}) };
    assert.deepEqual(step(state, { kind: 'reselect', because: 'asked for' }), { state, effects: [] });
  },
);
