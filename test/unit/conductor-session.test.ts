import QUnit from 'qunit';
import { answers, conduct, SETTLED_MS } from '../support/conducting.js';
import { nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const SWITCHES = 200;
/** So that each edge is back before its turn comes again: its cool-down is 5 min at most. */
const APART_MS = 45_000;

/** Counts the listeners of each object, wherever they are put on, until `stop`. */
function countListeners(): { most(): number; stop(): void } {
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const kept = new Map<EventTarget, Set<unknown>>();
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...given: Parameters<typeof addEventListener>) {
    kept.set(this, (kept.get(this) ?? new Set()).add(given[1]));
    addEventListener.apply(this, given);
  };
  EventTarget.prototype.removeEventListener = function (
    this: EventTarget,
    ...given: Parameters<typeof removeEventListener>
  ) {
    kept.get(this)?.delete(given[1]);
    removeEventListener.apply(this, given);
  };
  return {
    most: () => Math.max(0, ...[...kept.values()].map(({ size }) => size)),
    stop() {
      Object.assign(EventTarget.prototype, { addEventListener, removeEventListener });
    },
  };
}

module('conductor, a long session', nothingLeft);

test('nothing grows in 200 switches, and every request is delivered', async (assert) => {
  const listeners = countListeners();
  const all = conduct(assert, { edges: NAMES, options: { maxEdges: NAMES.length } });
  const { fake, conducting, send, of, shared, silenced, resolver } = all;
  const { resolve } = resolver;
  let round = 0;
  // a map that gives another token with each answer
  Object.assign(resolver, {
    resolve: async (...given: Parameters<typeof resolve>) => {
      const answer = await resolve(...given);
      const renamed = answer.records.map((record) => ({ ...record, target: `tok-${round}.token.example` }));
      return given[0].lookup === 'tokens' ? { ...answer, records: renamed } : answer;
    },
  });
  try {
    answers(fake, Object.fromEntries(NAMES.map((name, i) => [name, 20 + 10 * i])));
    answers(fake, { video: 5 });
    await all.select();
    const timers: number[] = [];
    const most: number[] = [];
    const undelivered: string[] = [];
    for (round = 1; round <= SWITCHES; round += 1) {
      const chosen = conducting.selection()?.chosen.origin ?? '-';
      // by turns
      const name = new URL(chosen).hostname.split('.')[0] ?? '';
      fake.respond(new RegExp(`^(GET|HEAD) ${chosen}`), round % 2 === 0 ? 'fail' : { status: 503 });
      const sent = send(`/live/${round}.ts`);
      await fake.advance(APART_MS - SETTLED_MS);
      answers(fake, { [name]: 20 + 10 * NAMES.indexOf(name) });
      await fake.advance(SETTLED_MS);
      if (sent.end !== 'answered' || sent.status !== 200 || sent.body === 'video') undelivered.push(sent.body);
      timers.push(fake.liveTimers());
      most.push(listeners.most());
    }
    assert.strictEqual(of('edgeselect:switched').length, SWITCHES);
    assert.deepEqual(undelivered, []);
    assert.deepEqual([...new Set(timers)], timers.slice(0, 1), 'as many timers as after the first');
    assert.true(Math.max(...most) <= 12, `${Math.max(...most)} listeners on one object`);
    assert.deepEqual(
      fake.fetches.filter((one) => one.pending()).map(({ url }) => url),
      [],
    );
    assert.deepEqual([shared.onTrial.size, shared.waitedInVain.size, silenced.size], [0, 0, 0]);
    assert.strictEqual(conducting.selection()?.edges.length, NAMES.length);
  } finally {
    listeners.stop();
  }
});

test('twenty players of a page measure once more what it knows', async (assert) => {
  const first = conduct(assert);
  const { fake } = first;
  answers(fake, { a: 10, b: 20, video: 30 });
  await first.select();
  await fake.advance(20_000);
  const before = fake.all('HEAD ').length;
  for (let i = 0; i < 19; i += 1) conduct(assert, { page: first }).conducting.begin();
  await fake.advance(SETTLED_MS);
  const asked = fake.all('HEAD ').length - before;
  assert.true(asked > 0 && asked <= 4, `${asked} requests`);
  await fake.advance(20_000);
  conduct(assert, { page: first }).conducting.begin();
  await fake.advance(SETTLED_MS);
  assert.true(fake.all('HEAD ').length > before + asked, 'and again after a while');
});
