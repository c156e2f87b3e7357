import QUnit from 'qunit';
import { browserPlatform } from '../../src/platform.js';
import type { Lane } from '../../src/transport/attempt.js';
import { TransportRequest } from '../../src/transport/xhr.js';
import { cleanUp, network, ORIGIN, testWorld, type World } from '../functional/tools.js';
import { EVENTS } from '../support/transporting.js';

const { module, test } = QUnit;

type Request = XMLHttpRequest | TransportRequest;

/** What one request is to do, on either kind of object. */
interface Errand {
  readonly path?: string;
  readonly method?: string;
  readonly send?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly responseType?: 'arraybuffer';
  readonly mimeType?: string;
  /** Aborts at the first event of this name in this readyState, such as `progress 3`. */
  readonly abortAt?: string;
  readonly fault?: string;
  readonly rule?: object;
}

const LATIN_1 = { body: 'caf\u00e9', type: 'text/plain; charset=iso-8859-1' };
// a browser that hears of the end together with the bytes may drop these
const CUT = { cutAfterBytes: 5000, lingerMs: 300 };

const ERRANDS: Record<string, Errand> = {
  'a playlist': {},
  'a segment': { path: 'low-0.ts', responseType: 'arraybuffer' },
  'a range of a segment': { path: 'low-0.ts', responseType: 'arraybuffer', headers: { Range: 'bytes=100-199' } },
  'headers alone': { method: 'HEAD' },
  'a body of its own': { method: 'POST', send: 'token=1', rule: { status: 200, body: 'a key', type: 'text/plain' } },
  'a method that is not allowed': { method: 'POST', responseType: 'arraybuffer' },
  'a GET with a body': { send: 'nobody sends this' },
  'a status 404 with a body': { path: 'nothing-here.ts' },
  'a status 503 for an array buffer': { responseType: 'arraybuffer', rule: { status: 503 } },
  'a status 204': { rule: { status: 204 } },
  'a body of no bytes': { rule: { body: '', type: 'text/plain' } },
  'a charset of its own': { rule: LATIN_1 },
  'a charset that nobody knows': { rule: { body: 'plain', type: 'text/plain; charset=klingon' } },
  'another charset by overrideMimeType': { rule: LATIN_1, mimeType: 'text/plain; charset=utf-8' },
  'bytes as text': { path: 'low-0.ts', mimeType: 'text/plain; charset=x-user-defined' },
  'a byte order mark': { rule: { body: '\ufeff#EXTM3U', type: 'text/plain' } },
  'a redirect': { path: 'old.m3u8', rule: { path: 'old', redirect: '/ts/low.m3u8' } },
  'no length': { path: 'low-0.ts', responseType: 'arraybuffer', rule: { headers: { 'content-length': null } } },
  'a body that is cut': { path: 'low-0.ts', responseType: 'arraybuffer', rule: CUT },
  'no CORS header': { rule: { cors: false } },
  'nobody there': { fault: 'refuse' },
  'an abort at once': { abortAt: 'loadstart 1' },
  'an abort at the headers': { abortAt: 'readystatechange 2' },
  'an abort in the body': { path: 'low-0.ts', abortAt: 'progress 3', rule: { stallAfterBytes: 5000 } },
  'an abort after the end': { abortAt: 'loadend 4' },
};

module('xhr, beside a real XMLHttpRequest', { afterEach: cleanUp });

test.each('does the same with', ERRANDS, async (assert, errand) => {
  const { fault = null, rule } = errand;
  const world = await testWorld(network({}, { origin: { fault, rules: rule ? [rule] : [] } }));
  const real = await run(new XMLHttpRequest(), world, errand);
  const ours = await run(transport(), world, errand);
  assert.deepEqual(ours, real);
  assert.true(real.events.length > 1);
});

/** A transport of the origin alone, in the real browser. */
function transport(): TransportRequest {
  const lane: Omit<Lane, 'url'> = {
    ...{ edge: null, opened: null, guarded: false, patienceMs: 0, limitMs: 0, checksLength: false, resumes: true },
    isTooSlow: () => false,
    rateShown: (rate) => rate,
  };
  const routes = {
    next: ({ url }: { url: string }, tries: readonly unknown[]) =>
      Promise.resolve(tries.length === 0 ? { ...lane, url } : null),
    ended: () => undefined,
    prove: () => undefined,
    differs: () => undefined,
    again: () => null,
    newest: (_: string, text: string) => text,
    serviceUrl: (url: string) => url,
  };
  return new TransportRequest({
    routes,
    platform: browserPlatform(),
    requestType: '',
    timeoutMs: 0,
    onDenied: () => undefined,
  });
}

/** Everything that Video.js, VHS and @videojs/xhr look at. */
interface Record_ {
  readonly events: string[];
  readonly end: object;
}

async function run(request: Request, world: World, errand: Errand): Promise<Record_> {
  const events: string[] = [];
  let isAborted = false;
  for (const name of EVENTS) {
    (request as EventTarget).addEventListener(name, (event) => {
      // Chromium may tell a progress event that it put off when the state is 4 already
      const line = `${name} ${name === 'progress' ? 3 : request.readyState}`;
      const isRepeated = /(readystatechange|progress) 3/.test(line) && events.includes(line);
      // how many pieces a body comes in is up to chance
      if (!isRepeated) events.push(line + (event.target === request ? '' : ' of another target'));
      if (line !== errand.abortAt || isAborted) return;
      isAborted = true;
      request.abort();
      events.push(`aborted: ${request.readyState}`);
    });
  }
  // after the listeners above, so that what they do is seen as well
  const ended = new Promise((resolve) => {
    (request as EventTarget).addEventListener('loadend', resolve);
  });
  request.open(errand.method ?? 'GET', `${world.edges[ORIGIN] ?? ''}/ts/${errand.path ?? 'low.m3u8'}`);
  for (const [name, value] of Object.entries(errand.headers ?? {})) request.setRequestHeader(name, value);
  if (errand.mimeType) request.overrideMimeType(errand.mimeType);
  if (errand.responseType) request.responseType = errand.responseType;
  request.send(errand.send);
  await ended;
  return { events, end: endOf(request) };
}

function endOf(request: Request): object {
  const { response } = request as { response: unknown };
  return {
    readyState: request.readyState,
    status: request.status,
    statusText: request.statusText,
    responseURL: request.responseURL,
    // two requests are made at two moments
    headers: request.getAllResponseHeaders().replace(/^(date|last-modified): .*/gm, '$1: ...'),
    type: request.getResponseHeader('Content-Type'),
    none: request.getResponseHeader('X-None'),
    body: response instanceof ArrayBuffer ? sumOf(Array.from(new Uint8Array(response))) : typeof response,
    text:
      request.responseType === 'arraybuffer'
        ? null
        : sumOf(Array.from(request.responseText, (char) => char.charCodeAt(0))),
  };
}

/** Stands for many bytes where a difference is to be shown. */
function sumOf(numbers: readonly number[]): string {
  const sum = numbers.reduce((all, next) => (all * 31 + next) % 1_000_003, 0);
  return `${numbers.length} of sum ${sum}`;
}
