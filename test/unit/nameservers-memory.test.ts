import QUnit from 'qunit';
import { nameserverHealth } from '../../src/nameservers.js';
import { fakePlatform, nothingLeft } from '../support/platform.js';

const { module, test } = QUnit;
const MINUTE = 60_000;

module('nameservers, memory of failures over pages', nothingLeft);

test('the pause doubles with each failure, to 10 min', async (assert) => {
  const fake = fakePlatform(assert);
  const health = nameserverHealth(fake.platform);
  for (const minutes of [1, 2, 4, 8, 10, 10]) {
    health.failed('https://a.example/');
    await fake.advance(minutes * MINUTE - 1);
    assert.true(health.passedOver('https://a.example/'), `${minutes} min less 1 ms`);
    await fake.advance(1);
    assert.false(health.passedOver('https://a.example/'), `${minutes} min`);
  }
});

test('a clock that is put back does not make a pause longer than the longest', async (assert) => {
  const fake = fakePlatform(assert);
  const aheadMs = 24 * 60 * MINUTE;
  const ahead = { ...fake.platform, wallClock: () => fake.platform.wallClock() + aheadMs };
  nameserverHealth(ahead).failed('https://a.example/');
  assert.true(nameserverHealth(ahead).passedOver('https://a.example/'));
  const health = nameserverHealth(fake.platform);
  assert.false(health.passedOver('https://a.example/'), 'asked a day too early, rather than a day too late');
  health.failed('https://a.example/');
  await fake.advance(MINUTE);
  assert.true(health.passedOver('https://a.example/'), 'it fails anew, and its pause is that of the clock of now');
  await fake.advance(MINUTE);
  assert.false(health.passedOver('https://a.example/'));
});

test('an answer ends the doubling', async (assert) => {
  const fake = fakePlatform(assert);
  const health = nameserverHealth(fake.platform);
  health.failed('https://a.example/');
  health.failed('https://a.example/');
  health.answered('https://a.example/');
  assert.false(health.passedOver('https://a.example/'));
  health.failed('https://a.example/');
  await fake.advance(MINUTE);
  assert.false(health.passedOver('https://a.example/'));
});

test('what was asked before it is passed over, and fails later, is the same failure', async (assert) => {
  const fake = fakePlatform(assert);
  const health = nameserverHealth(fake.platform);
  health.failed('https://a.example/');
  await fake.advance(1000);
  health.failed('https://a.example/');
  await fake.advance(MINUTE - 1000);
  assert.false(health.passedOver('https://a.example/'));
});

test('the next page of the tab remembers', async (assert) => {
  const fake = fakePlatform(assert);
  nameserverHealth(fake.platform).failed('https://a.example/');
  const next = nameserverHealth(fake.platform);
  assert.true(next.passedOver('https://a.example/'));
  assert.false(next.passedOver('https://b.example/'));
  await fake.advance(MINUTE);
  assert.false(next.passedOver('https://a.example/'));
});

test('another frame of the tab sees a failure too, while both are open', (assert) => {
  const fake = fakePlatform(assert);
  const [one, other] = [nameserverHealth(fake.platform), nameserverHealth(fake.platform)];
  one.failed('https://a.example/');
  assert.true(other.passedOver('https://a.example/'));
  other.failed('https://b.example/');
  assert.true(one.passedOver('https://a.example/') && one.passedOver('https://b.example/'));
});

test('where storage is forbidden the page still remembers', (assert) => {
  const fake = fakePlatform(assert);
  fake.forbidStorage();
  const health = nameserverHealth(fake.platform);
  health.failed('https://a.example/');
  assert.true(health.passedOver('https://a.example/'));
});

for (const noise of [
  '',
  'null',
  '7',
  '[]',
  '{"https://a.example/":null}',
  '{"https://a.example/":{"until":"x"}}',
  '{broken',
]) {
  test(`noise in the storage is no memory: ${noise || 'nothing'}`, (assert) => {
    const fake = fakePlatform(assert);
    fake.platform.store('edge-select:nameservers', noise);
    const health = nameserverHealth(fake.platform);
    assert.false(health.passedOver('https://a.example/'));
    health.failed('https://a.example/');
    assert.true(health.passedOver('https://a.example/'));
  });
}

test('a resolver without a URL is never passed over', (assert) => {
  const health = nameserverHealth(fakePlatform(assert).platform);
  health.failed(undefined);
  assert.false(health.passedOver(undefined));
});

test('nobody is blamed for what fails while the browser is offline', (assert) => {
  const fake = fakePlatform(assert);
  const health = nameserverHealth(fake.platform);
  fake.setOnline(false);
  health.failed('https://a.example/');
  fake.setOnline(true);
  assert.false(health.passedOver('https://a.example/'));
  assert.strictEqual(fake.stored.size, 0, 'nor on the next page');
});
