import QUnit from 'qunit';
import { browserPlatform, type Timing, type TimingWatch } from '../../src/platform.js';
import { cleanUp, testWorld } from '../functional/tools.js';

const { module, test } = QUnit;

/** A pretend edge in the network on loopback. */
async function edgeUrl(more: object = {}): Promise<string> {
  const world = await testWorld({ media: 'test/media', edges: { a: more } });
  return `${world.edges.a ?? ''}/ts/low.m3u8`;
}

/** The timing of a request once the browser has made it: the entry comes some tasks after the answer. */
async function timingOf(watch: TimingWatch, url: string, startedAt: number): Promise<Timing> {
  for (;;) {
    const timing = watch.find(url, startedAt);
    if (timing) return timing;
    await new Promise<void>((resolve) => browserPlatform().after(0, resolve));
  }
}

module('platform, in this browser', { afterEach: cleanUp });

test('fetches', async (assert) => {
  const response = await browserPlatform().fetch(await edgeUrl(), { method: 'GET' });
  assert.strictEqual(response.status, 200);
  assert.true((await response.text()).startsWith('#EXTM3U'));
});

test('looks each global up when it is used, so that a page may replace it', async (assert) => {
  const platform = browserPlatform();
  const real = globalThis.fetch;
  const answer = new Response('of the page');
  globalThis.fetch = () => Promise.resolve(answer);
  try {
    assert.strictEqual(await platform.fetch('https://nowhere.invalid/', {}), answer);
  } finally {
    globalThis.fetch = real;
  }
});

test('now() is on the time line of Resource Timing, and never goes back', (assert) => {
  const platform = browserPlatform();
  const before = performance.now();
  const [one, two] = [platform.now(), platform.now()];
  assert.true(before <= one && one <= two && two <= performance.now());
});

test('wallClock() is the time of day', (assert) => {
  const before = Date.now();
  const at = browserPlatform().wallClock();
  assert.true(before <= at && at <= Date.now());
});

test('after() runs once, in order', async (assert) => {
  const platform = browserPlatform();
  const ran: string[] = [];
  await new Promise<void>((resolve) => {
    platform.after(30, () => {
      ran.push('second');
      resolve();
    });
    platform.after(1, () => void ran.push('first'));
  });
  assert.deepEqual(ran, ['first', 'second']);
});

test('what after() returns cancels it, twice if need be', async (assert) => {
  const platform = browserPlatform();
  const ran: string[] = [];
  const cancel = platform.after(0, () => void ran.push('cancelled'));
  cancel();
  cancel();
  await new Promise<void>((resolve) => platform.after(1, resolve));
  assert.deepEqual(ran, []);
});

test('random() is 0 or more and less than 1', (assert) => {
  const platform = browserPlatform();
  const values = Array.from({ length: 100 }, () => platform.random());
  assert.true(values.every((value) => value >= 0 && value < 1));
  assert.true(new Set(values).size > 1);
});

test('randomId() is 32 hexadecimal digits, another each time', (assert) => {
  const platform = browserPlatform();
  const [one, two] = [platform.randomId(), platform.randomId()];
  assert.true(/^[\da-f]{32}$/.test(one), one);
  assert.notStrictEqual(one, two);
});

test("digest() is the first 8 bytes of the text's SHA-256", async (assert) => {
  // FIPS 180-4's own example
  assert.strictEqual(await browserPlatform().digest('abc'), 'ba7816bf8f01cfea');
  assert.strictEqual(await browserPlatform().digest(''), 'e3b0c44298fc1c14');
});

test('knows the page: its URL, its scheme, and that no service worker stands between', (assert) => {
  const platform = browserPlatform();
  assert.strictEqual(platform.page(), document.baseURI);
  assert.strictEqual(platform.secure(), location.protocol === 'https:');
  assert.false(platform.controlled());
});

/** What the browser says of itself while `run` runs. */
function saying(owner: object, name: string, value: unknown, run: () => void): void {
  Object.defineProperty(owner, name, { configurable: true, value });
  try {
    run();
  } finally {
    Reflect.deleteProperty(owner, name); // that of the prototype is back
  }
}

test('knows whether there is a network, and takes a browser that does not say for one that has', (assert) => {
  const platform = browserPlatform();
  assert.strictEqual(platform.online(), navigator.onLine);
  for (const [onLine, online] of [
    [true, true],
    [false, false],
    [undefined, true],
  ]) {
    saying(navigator, 'onLine', onLine, () => {
      assert.strictEqual(platform.online(), online, String(onLine));
    });
  }
});

test('knows whether anybody can see the page', (assert) => {
  const platform = browserPlatform();
  assert.strictEqual(platform.hidden(), document.visibilityState === 'hidden');
  for (const state of ['visible', 'hidden']) {
    saying(document, 'visibilityState', state, () => {
      assert.strictEqual(platform.hidden(), state === 'hidden');
    });
  }
});

test('keeps strings in the tab', (assert) => {
  const platform = browserPlatform();
  assert.strictEqual(platform.recall('edge-select:test'), null);
  platform.store('edge-select:test', 'kept');
  assert.strictEqual(browserPlatform().recall('edge-select:test'), 'kept');
  sessionStorage.removeItem('edge-select:test');
});

test('a browser that forbids storage, or has no room, forgets without a word', (assert) => {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'sessionStorage') ?? {};
  const platform = browserPlatform();
  Object.defineProperty(globalThis, 'sessionStorage', {
    configurable: true,
    get() {
      throw new DOMException('forbidden', 'SecurityError');
    },
  });
  try {
    platform.store('edge-select:test', 'kept');
    assert.strictEqual(platform.recall('edge-select:test'), null);
  } finally {
    Object.defineProperty(globalThis, 'sessionStorage', own);
  }
  platform.store('edge-select:test', 'x'.repeat(30_000_000)); // over any quota
  assert.strictEqual(platform.recall('edge-select:test'), null);
});

module('platform, what the browser says of requests', { afterEach: cleanUp });

test('finds the timing of a request by its URL and its start', async (assert) => {
  const platform = browserPlatform();
  const url = await edgeUrl();
  const watch = platform.watchTimings();
  const startedAt = platform.now();
  await (await platform.fetch(url, { cache: 'no-store' })).text();
  const timing = await timingOf(watch, url, startedAt);
  assert.true(timing.startTime >= startedAt - 1);
  assert.true(timing.requestStart > 0 && timing.responseStart >= timing.requestStart);
  assert.strictEqual(timing.nextHopProtocol, 'http/1.1');
  assert.strictEqual(watch.find(`${url}?other`, startedAt), undefined);
  assert.strictEqual(watch.find(url, platform.now() + 2), undefined, 'one that began later is another');
  watch.stop();
});

test('an edge without Timing-Allow-Origin hides its phases', async (assert) => {
  const platform = browserPlatform();
  const url = await edgeUrl({ timingAllowOrigin: false });
  const watch = platform.watchTimings();
  const startedAt = platform.now();
  await (await platform.fetch(url, { cache: 'no-store' })).text();
  assert.strictEqual((await timingOf(watch, url, startedAt)).requestStart, 0);
  watch.stop();
});

test("does not clear the site's own timing buffer", async (assert) => {
  const platform = browserPlatform();
  const url = await edgeUrl();
  const watch = platform.watchTimings();
  const startedAt = platform.now();
  await (await platform.fetch(url, { cache: 'no-store' })).text();
  await timingOf(watch, url, startedAt);
  watch.stop();
  assert.strictEqual(performance.getEntriesByName(url).length, 1);
});

/** As the browser tells the page of a request that its policy refuses. */
function refuse(blockedURI: string, disposition: 'enforce' | 'report' = 'enforce'): void {
  const facts = { blockedURI, documentURI: location.href, violatedDirective: 'connect-src' };
  const more = { effectiveDirective: 'connect-src', originalPolicy: "connect-src 'self'", disposition };
  const event = { ...facts, ...more, statusCode: 200 } as SecurityPolicyViolationEventInit;
  document.dispatchEvent(new SecurityPolicyViolationEvent('securitypolicyviolation', event));
}

test('tells a request that the policy of the page refused, by its origin and since a moment', async (assert) => {
  const platform = browserPlatform();
  const since = platform.now();
  await platform.fetch(await edgeUrl(), {}); // it listens from its first request on
  refuse('https://blocked.example/a?b');
  assert.true(await platform.blocked('https://blocked.example/other', since));
  assert.false(await platform.blocked('https://other.example/a', since));
  assert.false(await platform.blocked('https://blocked.example/a', platform.now() + 1));
});

test('a refusal of something that is no URL is not taken for one of a request', async (assert) => {
  const platform = browserPlatform();
  const since = platform.now();
  await platform.fetch(await edgeUrl(), {});
  refuse('inline');
  assert.false(await platform.blocked('https://blocked.example/', since));
});

test('a policy that only reports has refused nothing', async (assert) => {
  const platform = browserPlatform();
  const since = platform.now();
  await platform.fetch(await edgeUrl(), {});
  refuse('https://blocked.example/a', 'report');
  assert.false(await platform.blocked('https://blocked.example/a', since));
});
