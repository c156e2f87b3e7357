import QUnit from 'qunit';
import type { EdgeSelectError } from '../../src/errors.js';
import { hookRequests, type RequestHook, type VhsXhr, type XhrOptions } from '../../src/playback/vhs.js';
import { TransportRequest } from '../../src/transport/xhr.js';
import type { MediaRequest } from '../../src/transport/route.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';

const { module, test } = QUnit;

const URI = 'https://video.example/live/0.ts';

/** `vhs.xhr` as VHS 3 makes it: a set of hooks, each given what the one before returned. */
interface FakeXhr extends VhsXhr {
  /** What VHS then makes a request of. */
  run(options: XhrOptions): XhrOptions;
}

function vhsXhr(...hooks: RequestHook[]): FakeXhr {
  const set = new Set(hooks);
  return {
    _requestCallbackSet: set,
    onRequest: (hook) => set.add(hook),
    offRequest: (hook) => set.delete(hook),
    run(options) {
      let given: XhrOptions | undefined = options;
      for (const hook of set) {
        if (!given) throw new TypeError('VHS gives this hook nothing');
        given = hook(given);
      }
      return given ?? options;
    },
  };
}

/** A hook on the player's `xhr`; requests of video.example are ours. */
function hooked(
  assert: Assert,
  xhr: VhsXhr,
  global: VhsXhr = vhsXhr(),
): { remove: () => void; requests: MediaRequest[]; fake: FakePlatform } {
  const fake = fakePlatform(assert, { page: 'https://video.example/watch/' });
  const requests: MediaRequest[] = [];
  let isBypassed = false;
  const routes = {
    isRerouted: (url: string) => !isBypassed && url.startsWith('https://video.example/'),
    bypass({ code }: EdgeSelectError) {
      isBypassed = code === 'VHS_REPLACED';
    },
    next: (request: MediaRequest) => {
      requests.push(request);
      return Promise.resolve(null);
    },
    ended: () => undefined,
    prove: () => undefined,
    differs: () => undefined,
    again: () => null,
    newest: (_: string, text: string) => text,
    serviceUrl: (url: string) => url,
  };
  return { remove: hookRequests(xhr, global, routes, fake.platform), requests, fake };
}

module('vhs-hook', nothingLeft);

test('gives a request of the source a transport, and leaves its URL as it is', (assert) => {
  const xhr = vhsXhr();
  hooked(assert, xhr);
  const options = { uri: URI, timeout: 9000, requestType: 'segment', responseType: 'arraybuffer' };
  const { xhr: transport, ...rest } = xhr.run(options);
  assert.true(transport instanceof TransportRequest);
  assert.deepEqual(rest, { uri: URI, timeout: 0, requestType: 'segment', responseType: 'arraybuffer' } as XhrOptions);
});

test('leaves VHS to itself where it does not say what its first request is for', (assert) => {
  const xhr = vhsXhr();
  hooked(assert, xhr);
  for (const options of [{ uri: URI }, { uri: URI, requestType: 'segment' }]) {
    assert.deepEqual(xhr.run({ ...options }), options);
  }
});

test('is not misled by a look at the container, which no VHS says it is for', (assert) => {
  const xhr = vhsXhr();
  hooked(assert, xhr);
  const look = { uri: URI, beforeSend: () => undefined };
  assert.true(xhr.run(look).xhr instanceof TransportRequest, 'when the plugin came to what plays already');
  assert.true(xhr.run({ uri: URI, requestType: 'segment' }).xhr instanceof TransportRequest);
});

test('takes a request of the site for one of a VHS that says it', (assert) => {
  const xhr = vhsXhr();
  hooked(assert, xhr);
  xhr.run({ uri: URI, requestType: 'hls-playlist' });
  assert.true(xhr.run({ uri: URI }).xhr instanceof TransportRequest);
});

test("tells the transport VHS's limit and its word for the request", (assert) => {
  const xhr = vhsXhr();
  const { requests } = hooked(assert, xhr);
  const { xhr: transport } = xhr.run({ uri: URI, timeout: 9000, requestType: 'segment' });
  if (!(transport instanceof TransportRequest)) throw new Error('no transport');
  transport.open('GET', URI);
  transport.send();
  assert.deepEqual([requests[0]?.timeoutMs, requests[0]?.requestType], [9000, 'segment']);
  transport.abort();
});

test('makes a transport for each request', (assert) => {
  const xhr = vhsXhr();
  hooked(assert, xhr);
  assert.notStrictEqual(
    xhr.run({ uri: URI, requestType: 'segment' }).xhr,
    xhr.run({ uri: URI, requestType: 'segment' }).xhr,
  );
});

test('leaves requests of others to the browser, timer and all', (assert) => {
  const xhr = vhsXhr();
  hooked(assert, xhr);
  const options = { uri: 'https://ads.example/0.ts', timeout: 9000 };
  assert.strictEqual(xhr.run(options), options);
});

test('finds a relative URL from the page', (assert) => {
  const xhr = vhsXhr();
  hooked(assert, xhr);
  const options = xhr.run({ uri: '../0.ts', requestType: 'segment' });
  assert.true(options.xhr instanceof TransportRequest);
  assert.strictEqual(options.uri, '../0.ts');
});

test("runs the page's hooks, which VHS leaves out once the player has one: ours", (assert) => {
  const order: string[] = [];
  const global = vhsXhr(
    (options) => {
      order.push('first');
      return { ...options, uri: `${options.uri}?signed` };
    },
    // changes in place, and returns nothing
    (options) => void order.push(`second ${options.uri}`),
  );
  const xhr = vhsXhr();
  hooked(assert, xhr, global);
  const options = xhr.run({ uri: URI, requestType: 'segment' });
  assert.deepEqual(order, ['first', `second ${URI}?signed`]);
  assert.strictEqual(options.uri, `${URI}?signed`);
  assert.true(options.xhr instanceof TransportRequest);
});

test("does not run the page's hooks where the player has one of its own, as VHS would not", (assert) => {
  const ran: string[] = [];
  const global = vhsXhr((options) => {
    ran.push('global');
    return options;
  });
  const own: RequestHook = (options) => options;
  const xhr = vhsXhr(own);
  hooked(assert, xhr, global);
  xhr.run({ uri: URI, requestType: 'segment' });
  assert.deepEqual(ran, []);
});

test('does not count the legacy beforeRequest, which VHS adds to the set, as a hook of the player', (assert) => {
  const ran: string[] = [];
  const legacy: RequestHook = (options) => options;
  const global = { ...vhsXhr((options) => void ran.push(options.uri)), beforeRequest: legacy };
  const xhr = vhsXhr();
  hooked(assert, xhr, global);
  xhr.onRequest(legacy);
  xhr.run({ uri: URI, requestType: 'segment' });
  assert.deepEqual(ran, [URI]);
});

test('comes before the hooks of the player, one of which may change the options and return nothing', (assert) => {
  const seen: unknown[] = [];
  const xhr = vhsXhr((options) => void seen.push(options.xhr));
  hooked(assert, xhr);
  const options = xhr.run({ uri: URI, requestType: 'segment' });
  assert.true(options.xhr instanceof TransportRequest);
  assert.deepEqual(seen, [options.xhr]);
});

test('sends what a later hook makes a POST with its body, to its own URL alone', async (assert) => {
  const change = { method: 'POST', body: 'token=1' };
  const xhr = vhsXhr((options) => ({ ...options, ...change }));
  const { requests, fake } = hooked(assert, xhr);
  fake.respond(`POST ${URI}`, { body: 'a key' });
  const { xhr: transport, ...options } = xhr.run({ uri: URI, requestType: 'segment-key' });
  if (!(transport instanceof TransportRequest)) throw new Error('no transport');
  assert.deepEqual(options, { uri: URI, requestType: 'segment-key', timeout: 0, ...change });
  transport.open(change.method, URI);
  transport.send(change.body);
  await fake.flush();
  assert.deepEqual([transport.responseText, fake.last(URI).init.body, requests], ['a key', change.body, []]);
});

test('is gone when it is removed', (assert) => {
  const xhr = vhsXhr();
  const { remove } = hooked(assert, xhr);
  remove();
  assert.strictEqual(xhr.run({ uri: URI, requestType: 'segment' }).xhr, undefined);
  assert.strictEqual(xhr._requestCallbackSet?.size, 0);
});
