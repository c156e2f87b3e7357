import QUnit from 'qunit';
import type { Edge } from '../../src/servers.js';
import type { Lane, Outcome, Parked } from '../../src/transport/attempt.js';
import { deliver, type End } from '../../src/transport/deliver.js';
import type { Flow } from '../../src/transport/pace.js';
import type { MediaRequest, Try } from '../../src/transport/route.js';
import { fakePlatform, nothingLeft, type FakePlatform } from '../support/platform.js';

const { module, test } = QUnit;

const LENGTH = 60_000;
/** More than is compared, less than the whole. */
const FIRST = 40_000;
const AT = FIRST - 16_384;

/** Bytes that look like compressed media. */
function media(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}
const FILE = media(LENGTH);
const OTHER = media(LENGTH, 2);

interface Resuming {
  readonly fake: FakePlatform;
  /** `headers of a`, `resumed`. */
  readonly marks: string[];
  /** What VHS would have. */
  bytes: Uint8Array;
  readonly failures: string[];
  readonly strangers: string[];
  outcome?: Outcome;
  end?: End;
}

interface Change {
  readonly request?: Partial<MediaRequest>;
  readonly resumes?: boolean;
  readonly isTooSlow?: (flow: Flow) => boolean;
}

/** Delivers a segment over a, b, c and then the origin. */
function resuming(assert: Assert, { request = {}, resumes = true, isTooSlow = () => false }: Change = {}): Resuming {
  const fake = fakePlatform(assert);
  fake.expect('.example');
  const resumed: Resuming = { fake, marks: [], bytes: new Uint8Array(), failures: [], strangers: [] };
  const stops = ['a', 'b', 'c', null];
  const asked: MediaRequest = {
    ...{ url: 'https://origin.example/0.ts', method: 'GET', headers: {}, withCredentials: false },
    ...{ requestType: 'segment', timeoutMs: 0, binary: true },
    ...request,
  };
  const edgeOf = (name: string | null): Edge | null =>
    name === null ? null : { origin: `https://${name}.example`, rank: 0, weight: 1 };
  const routes = {
    next(_: MediaRequest, tries: readonly Try[]): Lane | null {
      const name = stops[tries.length];
      if (name === undefined) return null;
      const edge = edgeOf(name);
      return {
        ...{ edge, url: `https://${name ?? 'origin'}.example/0.ts`, opened: null, guarded: false },
        ...{ patienceMs: 600, checksLength: true, resumes, limitMs: 0, isTooSlow, rateShown: (rate) => rate },
      };
    },
    ended(_: MediaRequest, tries: readonly Try[], __: Lane | null, outcome: Outcome): void {
      resumed.failures.push(...tries.map(({ because }) => because));
      resumed.outcome = outcome;
    },
    prove(silent: ReadonlyMap<Try, Parked>): void {
      for (const { abort } of silent.values()) abort();
    },
    differs: (_: readonly Try[], { edge }: Lane): unknown => resumed.strangers.push(edge?.origin ?? 'origin'),
    again: () => null,
    newest: (_: string, text: string) => text,
    serviceUrl: (url: string) => url,
  };
  const sink = {
    headers(response: Response, _: number, { url }: Lane): void {
      resumed.marks.push(`${response.status} of ${new URL(url).hostname.slice(0, 1)}`);
      resumed.bytes = new Uint8Array();
    },
    resumed: (): unknown => resumed.marks.push('resumed'),
    chunk(bytes: Uint8Array): void {
      resumed.bytes = Uint8Array.from([...resumed.bytes, ...bytes]);
    },
  };
  const tools = { platform: fake.platform, signal: new AbortController().signal };
  void deliver(asked, routes, sink, tools).then((end) => {
    resumed.end = end;
  });
  return resumed;
}

/** Server a gives the first part, and falls silent. */
async function stalled(resumed: Resuming, headers: Record<string, string> = {}, first = FILE): Promise<void> {
  await resumed.fake.flush();
  const length = String(LENGTH);
  const body = resumed.fake.last('a.example').respondStream({ headers: { 'content-length': length, ...headers } });
  body.chunk(first.slice(0, FIRST));
  await resumed.fake.advance(600);
}

const rest = (from: number, headers: Record<string, string> = {}, file = FILE): object => ({
  status: 206,
  headers: {
    'content-length': String(LENGTH - from),
    'content-range': `bytes ${from}-${LENGTH - 1}/${LENGTH}`,
    ...headers,
  },
  body: file.slice(from),
});

module('resume', nothingLeft);

test('asks a server that refuses the Range for the whole: older browsers ask first whether they may send one', async (assert) => {
  const resumed = resuming(assert);
  await stalled(resumed);
  resumed.fake.last('b.example').fail();
  await resumed.fake.flush();
  const asked = resumed.fake.last('b.example');
  assert.deepEqual([asked.headers.range, resumed.fake.all('b.example').length], [undefined, 2]);
  assert.deepEqual(resumed.strangers, [], 'it may be gone');
  asked.respond({ headers: { 'content-length': String(LENGTH) }, body: FILE });
  await resumed.fake.flush();
  assert.strictEqual(resumed.end, 'answered');
  assert.deepEqual(resumed.bytes, FILE);
  assert.deepEqual(resumed.failures, ['stalled']);
  assert.deepEqual(resumed.strangers, ['https://b.example'], 'and is not asked for a Range again');
});

test('goes to the next server when one refuses the whole too', async (assert) => {
  const resumed = resuming(assert);
  await stalled(resumed);
  for (let i = 0; i < 2; i += 1) {
    resumed.fake.last('b.example').fail();
    await resumed.fake.flush();
  }
  resumed.fake.last('c.example').respond(rest(AT));
  await resumed.fake.flush();
  assert.deepEqual([resumed.bytes, resumed.failures], [FILE, ['stalled', 'refused']]);
  assert.deepEqual(resumed.strangers, []);
});

test('goes on at the next server where the first stopped, with 16 KiB to compare', async (assert) => {
  const resumed = resuming(assert);
  await stalled(resumed);
  const asked = resumed.fake.last('b.example');
  assert.strictEqual(asked.headers.range, `bytes=${AT}-`);
  asked.respond(rest(AT));
  await resumed.fake.flush();
  assert.strictEqual(resumed.end, 'answered');
  assert.deepEqual(resumed.marks, ['200 of a', 'resumed'], 'VHS sees one answer');
  assert.deepEqual(resumed.bytes, FILE);
  assert.deepEqual(resumed.failures, ['stalled']);
  assert.deepEqual(resumed.outcome?.bytes, LENGTH - AT, 'each is credited with its own bytes');
});

test('goes on where a body was cut short', async (assert) => {
  const resumed = resuming(assert);
  await resumed.fake.flush();
  const headers = { 'content-length': String(LENGTH) };
  resumed.fake.last('a.example').respond({ headers, body: FILE.slice(0, FIRST) });
  await resumed.fake.flush();
  resumed.fake.last('b.example').respond(rest(AT));
  await resumed.fake.flush();
  assert.deepEqual([resumed.bytes, resumed.failures], [FILE, ['short']]);
});

test('goes on within the range that was asked for', async (assert) => {
  const resumed = resuming(assert, { request: { headers: { Range: `bytes=1000-${1000 + LENGTH - 1}` } } });
  await resumed.fake.flush();
  const headers = { 'content-length': String(LENGTH) };
  const body = resumed.fake.last('a.example').respondStream({ status: 206, headers });
  body.chunk(FILE.slice(0, FIRST));
  await resumed.fake.advance(600);
  const asked = resumed.fake.last('b.example');
  assert.strictEqual(asked.headers.range, `bytes=${1000 + AT}-${1000 + LENGTH - 1}`);
  asked.respond(rest(AT, { 'content-range': `bytes ${1000 + AT}-${1000 + LENGTH - 1}/900000` }));
  await resumed.fake.flush();
  assert.deepEqual(resumed.bytes, FILE);
});

test('goes on over two servers that stop, each where the one before it did', async (assert) => {
  const resumed = resuming(assert);
  await stalled(resumed);
  const { headers } = rest(AT) as { headers: Record<string, string> };
  const body = resumed.fake.last('b.example').respondStream({ status: 206, headers });
  body.chunk(FILE.slice(AT, 50_000));
  await resumed.fake.advance(600);
  const asked = resumed.fake.last('c.example');
  assert.strictEqual(asked.headers.range, `bytes=${50_000 - 16_384}-`);
  asked.respond(rest(50_000 - 16_384));
  await resumed.fake.flush();
  assert.deepEqual(resumed.bytes, FILE);
});

test('skips what is there when the next server answers a Range with the whole', async (assert) => {
  const resumed = resuming(assert);
  await stalled(resumed);
  resumed.fake.last('b.example').respond({ headers: { 'content-length': String(LENGTH) }, body: FILE });
  await resumed.fake.flush();
  assert.deepEqual(resumed.marks, ['200 of a', 'resumed']);
  assert.deepEqual(resumed.bytes, FILE);
});

/** What the next server may say to the Range; each time the answer has to begin anew, with it alone. */
const OTHERS: Readonly<Record<string, object>> = {
  'other bytes': rest(AT, {}, OTHER),
  'another total': rest(AT, { 'content-range': `bytes ${AT}-${LENGTH}/${LENGTH + 1}` }),
  '416': { status: 416 },
  'another ETag': rest(AT, { etag: '"b"' }),
};

test.each('begins anew at the next server when that has', OTHERS, async (assert, answer) => {
  const resumed = resuming(assert);
  await stalled(resumed, { etag: '"a"' });
  resumed.fake.last('b.example').respond(answer);
  await resumed.fake.flush();
  const again = resumed.fake.last('b.example');
  assert.strictEqual(again.headers.range, undefined, 'the same server, from the beginning');
  again.respond({ headers: { 'content-length': String(LENGTH) }, body: OTHER });
  await resumed.fake.flush();
  assert.deepEqual(resumed.marks, ['200 of a', '200 of b']);
  assert.deepEqual(resumed.bytes, OTHER, 'no byte of the one is beside a byte of the other');
  assert.deepEqual([resumed.failures, resumed.strangers], [['stalled'], ['https://b.example']]);
});

/** Whole answers that are not the same file: what is in them is used at once. */
const WHOLES: Readonly<Record<string, { readonly before: number; readonly etag: string }>> = {
  'of the same length': { before: LENGTH, etag: '"a"' },
  'of another length': { before: LENGTH + 5, etag: '"a"' },
  'with another ETag': { before: LENGTH, etag: '"b"' },
};

test.each('begins anew with a whole answer', WHOLES, async (assert, { before, etag }) => {
  const resumed = resuming(assert);
  await stalled(resumed, { 'content-length': String(before), etag: '"a"' });
  // the same beginning, as two renditions of one film may have
  const other = Uint8Array.from([...FILE.slice(0, 500), ...OTHER.slice(500)]);
  resumed.fake.last('b.example').respond({ headers: { 'content-length': String(LENGTH), etag }, body: other });
  await resumed.fake.flush();
  assert.strictEqual(resumed.fake.all('b.example').length, 1);
  assert.deepEqual(resumed.marks, ['200 of a', '200 of b']);
  assert.deepEqual(resumed.bytes, other);
});

/** Bodies of which nothing can be joined: they begin anew without another try. */
const ALONE: Readonly<Record<string, Change & { readonly first?: Uint8Array<ArrayBuffer> }>> = {
  'that are text': { request: { binary: false } },
  'at servers that are known to have other files': { resumes: false },
  'that are padding so far': { first: new Uint8Array(LENGTH) },
};

test.each('asks for the whole of bodies', ALONE, async (assert, { first, ...change }) => {
  const resumed = resuming(assert, change);
  await stalled(resumed, {}, first);
  const asked = resumed.fake.last('b.example');
  assert.strictEqual(asked.headers.range, undefined);
  asked.respond({ body: FILE });
  await resumed.fake.flush();
  assert.deepEqual(resumed.bytes, FILE);
});

test('leaves a server that is too slow, with what it gave', async (assert) => {
  const flows: Flow[] = [];
  const resumed = resuming(assert, {
    isTooSlow(flow) {
      flows.push(flow);
      return flow.elapsedMs >= 400;
    },
  });
  await resumed.fake.advance(100);
  const body = resumed.fake.last('a.example').respondStream({ headers: { 'content-length': String(LENGTH) } });
  await resumed.fake.flush();
  for (let sent = 0; sent < 3; sent += 1) {
    body.chunk(FILE.slice(sent * 10_000, (sent + 1) * 10_000));
    await resumed.fake.advance(100);
  }
  body.chunk(FILE.slice(30_000, FIRST));
  await resumed.fake.advance(100);
  assert.deepEqual(flows.at(-1), { elapsedMs: 500, bytes: FIRST, leftBytes: LENGTH - FIRST, bytesPerMs: 100 });
  assert.true(resumed.fake.last('a.example').aborted(), 'what is slow would go on to take from the line');
  resumed.fake.last('b.example').respond(rest(AT));
  await resumed.fake.flush();
  assert.deepEqual([resumed.bytes, resumed.failures], [FILE, ['slow']]);
});

test('passes on a body of its own when the whole one breaks off before it has reached what is there', async (assert) => {
  const resumed = resuming(assert);
  await stalled(resumed);
  resumed.fake
    .last('b.example')
    .respond({ headers: { 'content-length': String(LENGTH) }, body: FILE.slice(0, 10_000) });
  await resumed.fake.flush();
  resumed.fake.last('c.example').respond(rest(AT));
  await resumed.fake.flush();
  assert.deepEqual([resumed.bytes, resumed.failures], [FILE, ['stalled', 'short']]);
});

test.each(
  'is whole with a body that was all there, and only its end was missing: no length was told',
  {
    'stalls, and the next gives the overlap': { how: 'stalls', because: 'stalled', answer: rest(LENGTH - 16_384) },
    'breaks, and the next gives the overlap': { how: 'breaks', because: 'short', answer: rest(LENGTH - 16_384) },
    'stalls, and the next gives the whole': { how: 'stalls', because: 'stalled', answer: { body: FILE } },
  },
  async (assert, { how, because, answer }) => {
    const resumed = resuming(assert);
    await resumed.fake.flush();
    const body = resumed.fake.last('a.example').respondStream();
    body.chunk(FILE);
    await resumed.fake.flush();
    if (how === 'breaks') body.fail();
    await resumed.fake.advance(600);
    resumed.fake.last('b.example').respond(answer);
    await resumed.fake.flush();
    assert.deepEqual([resumed.end, resumed.failures], ['answered', [because]]);
    assert.deepEqual(resumed.marks, ['200 of a', 'resumed']);
    assert.deepEqual(resumed.bytes, FILE);
  },
);

test('is short with a body that ends before all that is there was compared', async (assert) => {
  const resumed = resuming(assert);
  await resumed.fake.flush();
  resumed.fake.last('a.example').respondStream().chunk(FILE.slice(0, FIRST));
  await resumed.fake.advance(600);
  const headers = { 'content-range': `bytes ${AT}-${LENGTH - 1}/${LENGTH}` };
  resumed.fake.last('b.example').respond({ status: 206, headers, body: FILE.slice(AT, FIRST - 1) });
  await resumed.fake.flush();
  resumed.fake.last('c.example').respond(rest(AT));
  await resumed.fake.flush();
  assert.deepEqual([resumed.bytes, resumed.failures], [FILE, ['stalled', 'short']]);
});
