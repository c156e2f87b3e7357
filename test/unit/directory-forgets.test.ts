import QUnit from 'qunit';
import { directory } from '../../src/directory.js';
import { fakePlatform, nothingLeft } from '../support/platform.js';
import { answer, question, settings, srv } from './given.js';

const { module, test } = QUnit;

/** Chromium started with `--js-flags=--expose-gc` has it. */
const collect = (globalThis as { gc?: (how: { type: 'major'; execution: 'async' }) => Promise<void> }).gc;
const testHere = collect ? test : test.skip;

module('directory, what it forgets', nothingLeft);

testHere(
  'keeps no answer that has run out once something else is asked, though a map may give other tokens each time',
  async (assert) => {
    const fake = fakePlatform(assert);
    const page = directory(fake.platform);
    const records: WeakRef<object>[] = [];
    const resolver = {
      resolve: () => {
        const answered = answer([srv('a.example')], 60);
        records.push(new WeakRef(answered.records));
        return Promise.resolve(answered);
      },
    };
    const own = settings({ resolver });
    for (let i = 0; i < 50; i += 1) {
      await page.ask(question({ lookup: 'servers', name: `tok-${i}.example` }), own);
      await fake.advance(61_000);
    }
    await page.ask(question(), own);
    await fake.flush();
    for (let times = 0; times < 10; times += 1) await collect?.({ type: 'major', execution: 'async' });
    assert.strictEqual(records.filter((record) => record.deref() !== undefined).length, 1);
  },
);
