import QUnit from 'qunit';
import { nothingLeft } from '../support/platform.js';
import { plain, storm, type Loaded, type Played } from '../support/storm.js';
import { fileOf } from '../support/weather.js';

const { module, test } = QUnit;

/** Each seed is another session. */
const SEEDS = Array.from({ length: 150 }, (_, i) => i + 100);

/** A body is one file of one encoder, from its first byte to its last. */
function isWhole({ path, bytes }: Loaded): boolean {
  return ([1, 2] as const).some((version) => {
    const file = fileOf(path, version);
    return file.length === bytes.length && file.every((byte, i) => byte === bytes[i]);
  });
}

function check(assert: Assert, { loaded }: Played): void {
  const segments = loaded.filter(({ path, end, status }) => path.endsWith('.ts') && end === 'load' && status < 300);
  const broken = segments.filter((one) => !isWhole(one)).map(({ path, bytes }) => `${path}: ${bytes.length} bytes`);
  assert.deepEqual(broken, [], 'no body is mixed or short');
  const faults = loaded.flatMap((one) => one.faults);
  assert.deepEqual(faults, [], 'no event contradicts one before it');
  const endless = loaded.filter(({ end }) => end === null).map(({ path }) => path);
  assert.deepEqual(endless, [], 'every request ends');
}
module('a storm', nothingLeft);

for (const seed of SEEDS) {
  const mixed = seed % 2 === 0;

  test(`over the edges alone: nothing that is asked for fails, and nothing stalls (seed ${seed})`, async (assert) => {
    const played = await storm(assert, seed, { hits: 'edges', mixed });
    check(assert, played);
    const failed = played.loaded.filter(({ end, status }) => end !== 'abort' && (end !== 'load' || status >= 300));
    assert.deepEqual(
      failed.map(({ path, end, status }) => `${path}: ${end ?? ''} ${status}`),
      [],
    );
    assert.strictEqual(played.stalledMs, 0);
  });

  test(`over everything: what is given is whole, it plays in the end, and no worse than without us (seed ${seed})`, async (assert) => {
    const played = await storm(assert, seed, { hits: 'all', mixed });
    check(assert, played);
    assert.strictEqual(played.loaded.filter(({ end }) => end === 'load').at(-1)?.status, 200);
  });
}
