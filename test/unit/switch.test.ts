import QUnit from 'qunit';
import { EdgeSelectError } from '../../src/errors.js';
import type { EdgeSelectEvent } from '../../src/events.js';
import type { Probe } from '../../src/probe.js';
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
const b = { ...selection('b'), measuredAt: 1 };
const PROBE: Probe = {
  ...{ edge: a.chosen, method: 'HEAD', outcome: 'ok', status: 200, elapsedMs: 20, requestMs: 20 },
  capabilities: {},
};
const error = new EdgeSelectError('TOKENS_EMPTY', {});
const otherError = new EdgeSelectError('EDGES_COOLING', { edges: 1 });

const STATES = {
  idle: { kind: 'idle' },
  selecting: { kind: 'selecting' },
  steady: { kind: 'steady', selection: a, isBeaten: false },
  asked: { kind: 'reselecting', selection: a, isBeaten: false, because: 'asked for', how: 'asked' },
  comparing: { kind: 'reselecting', selection: a, isBeaten: false, because: 'the map moved', how: 'compare' },
  'comparing again': { kind: 'reselecting', selection: a, isBeaten: true, because: 'a second look', how: 'compare' },
  leaving: { kind: 'reselecting', selection: a, isBeaten: false, because: 'stalls', how: 'leave' },
  bypassed: { kind: 'bypassed', error },
  disposed: { kind: 'disposed' },
} satisfies Record<string, State>;

const INPUTS = {
  begin: { kind: 'begin' },
  known: { kind: 'known', selection: b },
  'found a': { kind: 'found', selection: { ...a } },
  'found b': { kind: 'found', selection: b },
  'raced a': { kind: 'raced', selection: { ...a, probes: [] } },
  'raced b': { kind: 'raced', selection: b },
  failed: { kind: 'failed', error: otherError },
  'refreshed, the same': { kind: 'refreshed', candidates: { ...a, expiresAt: 99 } },
  'refreshed, others': { kind: 'refreshed', candidates: { ...a, edges: [b.chosen] } },
  'reselect: asked': { kind: 'reselect', because: 'asked for', how: 'asked' },
  'reselect: compare': { kind: 'reselect', because: 'a gain', how: 'compare' },
  'reselect: leave': { kind: 'reselect', because: 'stalls', how: 'leave' },
  dispose: { kind: 'dispose' },
} satisfies Record<string, Input>;

type InputName = keyof typeof INPUTS;

/** What comes of each input in each state. What is not here is ignored, and nothing is done. */
const TABLE: Record<keyof typeof STATES, Partial<Record<InputName, string>>> = {
  idle: {
    begin: 'selecting: search',
    known: 'steady b: tell selected b, report b',
    failed: 'bypassed EDGES_COOLING: tell bypassed EDGES_COOLING',
    dispose: 'disposed',
  },
  selecting: {
    'found a': 'steady a: tell selected a',
    'found b': 'steady b: tell selected b',
    failed: 'bypassed EDGES_COOLING: tell bypassed EDGES_COOLING',
    dispose: 'disposed',
  },
  steady: {
    'raced a': 'steady a: tell raced a, report a',
    failed: 'bypassed EDGES_COOLING: tell bypassed EDGES_COOLING',
    'refreshed, the same': 'steady a',
    'refreshed, others': 'steady a: compare because the map moved',
    'reselect: asked': 'asked a because asked for: search',
    'reselect: compare': 'compare a because a gain: search',
    'reselect: leave': 'leave a because stalls: search',
    dispose: 'disposed',
  },
  asked: {
    'found a': 'steady a: tell selected a',
    'found b': 'steady b: tell selected b, tell switched b from a because asked for, move from a: asked',
    failed: 'steady a: tell warned no other edge could be looked for: EDGES_COOLING',
    'refreshed, the same': 'asked a because asked for',
    'refreshed, others': 'asked a because asked for: compare because the map moved',
    'reselect: leave': 'leave a because stalls: search',
    dispose: 'disposed',
  },
  comparing: {
    'found a': 'steady a: tell selected a',
    'found b': 'steady a, beaten once: tell selected a, compare because the map moved: a second look',
    failed: 'steady a: tell warned no other edge could be looked for: EDGES_COOLING',
    'refreshed, the same': 'compare a because the map moved',
    'refreshed, others': 'compare a because the map moved: compare because the map moved',
    'reselect: leave': 'leave a because stalls: search',
    dispose: 'disposed',
  },
  'comparing again': {
    'found a': 'steady a: tell selected a',
    'found b': 'steady b: tell selected b, tell switched b from a because a second look, move from a: compare',
    failed: 'steady a, beaten once: tell warned no other edge could be looked for: EDGES_COOLING',
    'refreshed, the same': 'compare a because a second look',
    'refreshed, others': 'compare a because a second look: compare because the map moved',
    'reselect: leave': 'leave a because stalls: search',
    dispose: 'disposed',
  },
  leaving: {
    'found a': 'steady a: tell selected a',
    'found b': 'steady b: tell selected b, tell switched b from a because stalls, move from a: leave',
    failed: 'steady a: tell warned no other edge could be looked for: EDGES_COOLING',
    'refreshed, the same': 'leave a because stalls',
    'refreshed, others': 'leave a because stalls: compare because the map moved',
    dispose: 'disposed',
  },
  bypassed: {
    'reselect: asked': 'selecting: search',
    'reselect: compare': 'selecting: search',
    'reselect: leave': 'selecting: search',
    dispose: 'disposed',
  },
  disposed: {},
};

const letterOf = (origin: string): string => origin.slice(8, 9);
const nameOf = ({ chosen }: Selection): string => letterOf(chosen.origin);

function stateText(state: State): string {
  switch (state.kind) {
    case 'steady':
      return `steady ${nameOf(state.selection)}${state.isBeaten ? ', beaten once' : ''}`;
    case 'reselecting':
      return `${state.how} ${nameOf(state.selection)} because ${state.because}`;
    case 'bypassed':
      return `bypassed ${state.error.code}`;
    default:
      return state.kind;
  }
}

function effectText(effect: Effect): string {
  switch (effect.do) {
    case 'search':
      return 'search';
    case 'report':
      return `report ${nameOf(effect.selection)}`;
    case 'compare':
      return `compare because ${effect.because}`;
    case 'move':
      return `move from ${letterOf(effect.from.origin)}: ${effect.how}`;
    case 'tell':
      return `tell ${eventText(effect.event)}`;
    default:
      return effect satisfies never;
  }
}

function eventText(event: EdgeSelectEvent): string {
  switch (event.type) {
    case 'edgeselect:selected':
    case 'edgeselect:raced':
      return `${event.type.slice(11)} ${nameOf(event.selection)}`;
    case 'edgeselect:switched':
      return `switched ${nameOf(event.selection)} from ${letterOf(event.from)} because ${event.because}`;
    case 'edgeselect:bypassed':
      return `bypassed ${event.error.code}`;
    case 'edgeselect:warned':
      return `warned ${event.text}`;
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
    Object.fromEntries(Object.keys(INPUTS).map((name) => [name, name as InputName])),
    (assert, name) => {
      assert.strictEqual(stepText(STATES[kind], INPUTS[name]), TABLE[kind][name] ?? '-');
    },
  );
}

test('keeps the newest selection of the edge it stays with', (assert) => {
  const fresher = { ...a, measuredAt: 99 };
  const next = step(STATES.asked, { kind: 'found', selection: fresher });
  assert.deepEqual(next.state, { kind: 'steady', selection: fresher, isBeaten: false });
});

test('keeps what a race measured even where it does not follow it, and says that the edge stayed', (assert) => {
  const { state } = step(STATES.comparing, { kind: 'found', selection: { ...b, measuredAt: 99 } });
  const selection: Selection = { ...b, measuredAt: 99, chosen: a.chosen, reason: 'stayed' };
  assert.deepEqual(state, { kind: 'steady', selection, isBeaten: true });
});

test('goes to whoever is clearly better the second time, the winner of the first or another one', (assert) => {
  for (const second of [b, { ...selection('c'), measuredAt: 2 }]) {
    let state: State = STATES.steady;
    for (const found of [b, second]) {
      state = step(state, INPUTS['reselect: compare']).state;
      state = step(state, { kind: 'found', selection: found }).state;
    }
    assert.deepEqual(state, { kind: 'steady', selection: second, isBeaten: false });
  }
});

test('forgets that another edge was better once, when the second look says otherwise', (assert) => {
  let state: State = STATES['comparing again'];
  for (const input of [INPUTS['found a'], INPUTS['reselect: compare'], INPUTS['found b']] as const) {
    state = step(state, input).state;
  }
  assert.deepEqual(stateText(state), 'steady a, beaten once');
});

test('takes the probes that ended after the choice into its selection', (assert) => {
  const full = { ...a, probes: [PROBE] };
  const { state } = step(STATES.steady, { kind: 'raced', selection: full });
  assert.deepEqual(state, { kind: 'steady', selection: full, isBeaten: false });
});

test('ignores the end of a race that is not the last', (assert) => {
  const earlier = { ...a, measuredAt: -5 };
  assert.strictEqual(step(STATES.steady, { kind: 'raced', selection: earlier }).state, STATES.steady);
});

test('holds the tokens and edges of the newest answer, and goes on with the edge in use', (assert) => {
  const candidates = { tokens: ['t2'], edges: [b.chosen], expiresAt: 9 };
  const { state } = step(STATES.steady, { kind: 'refreshed', candidates });
  assert.deepEqual(state, { kind: 'steady', selection: { ...a, ...candidates }, isBeaten: false });
});

test('looks around when the map has the same edges in other classes', (assert) => {
  const edges = [a.chosen, b.chosen];
  const steady: State = { ...STATES.steady, selection: { ...a, edges } };
  const others = [b.chosen, { ...a.chosen, rank: 1 }];
  const { effects } = step(steady, { kind: 'refreshed', candidates: { ...a, edges: others } });
  assert.deepEqual(effects, [{ do: 'compare', because: 'the map moved' }]);
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
    const next = step(STATES.asked, { kind: 'failed', error: new EdgeSelectError(code, {}) });
    assert.strictEqual(next.state.kind, 'bypassed');
  },
);

test.each(
  'tells it too when it is bypassed for what may pass',
  ['CREDENTIALS_NOT_ALLOWED', 'VHS_REPLACED'] as const,
  (assert, code) => {
    const passing: State = { kind: 'bypassed', error: new EdgeSelectError('EDGES_FAILED', { edges: [] }) };
    const error = new EdgeSelectError(code, {});
    const next = step(passing, { kind: 'failed', error });
    assert.deepEqual(next.state, { kind: 'bypassed', error });
    assert.deepEqual(next.effects, [{ do: 'tell', event: { type: 'edgeselect:bypassed', error } }]);
    assert.deepEqual(step(next.state, { kind: 'failed', error }).effects, [], 'and once');
  },
);

test.each(
  'does not look again for what the page itself forbids',
  ['CREDENTIALS_NOT_ALLOWED', 'VHS_REPLACED'] as const,
  (assert, code) => {
    const state: State = { kind: 'bypassed', error: new EdgeSelectError(code, {}) };
    assert.deepEqual(step(state, { kind: 'reselect', because: 'asked for', how: 'asked' }), { state, effects: [] });
  },
);
