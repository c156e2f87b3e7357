/**
 * Trouble that nobody has thought of: four servers whose moods change by chance, and a line that does. The same seed gives
 * the same trouble at the same time, whatever is asked for.
 */
import type { FakeBody, FakeFetch, FakePlatform } from './platform.js';

const MOODS = [
  ...['refuses', 'silent', 'late', 'overloaded', 'unavailable', 'missing', 'forbidden'],
  ...['portal', 'empty', 'nothing', 'cut', 'short', 'stalls', 'drips'],
] as const;
/** What a server does with the next request, and with those under way. */
type Mood = 'good' | (typeof MOODS)[number];

const STATUS: Partial<Record<Mood, number>> = { overloaded: 429, unavailable: 503, missing: 404, forbidden: 403 };
/** Of the origin these are taken as they are, as without us. */
const LIES: readonly Mood[] = ['portal', 'empty', 'nothing', 'short'];

/** How bad it is. */
export interface Weather {
  /** All is well from then on, in ms from the beginning. */
  readonly clearsAfterMs: number;
  /** What may fail: the edges alone, or the origin and the viewer's own line too. */
  readonly hits: 'edges' | 'all';
  /** Whether edges may hold the files of another encoder. */
  readonly mixed: boolean;
}

interface Server {
  readonly isOrigin: boolean;
  readonly firstByteMs: number;
  readonly bytesPerMs: number;
  /** Whether it knows `Range`. */
  readonly ranges: boolean;
  readonly version: 1 | 2;
  /** What the page may read. */
  readonly shows: { readonly range: boolean; readonly etag: boolean };
  mood: Mood;
}

/** The name of the origin beside those of the edges. */
export const ORIGIN = 'video';
/** Names of the edges. */
export const EDGES = ['a', 'b', 'c'];
const CHUNK_MS = 40;

/** Numbers from 0 to 1, the same for the same seed (Park and Miller). */
export function chance(seed: number): () => number {
  let state = (seed * 7919) % 2147483647 || 1;
  const next = (): number => (state = (state * 16_807) % 2147483647) / 2147483647;
  next();
  return next;
}

/** Answers for `https://<name>.example`; beside a manifest there is a file for every name. */
export function brew(fake: FakePlatform, seed: number, { clearsAfterMs, hits, mixed }: Weather): void {
  const random = chance(seed);
  const between = (least: number, most: number, by = random): number => least + by() * (most - least);
  const clearsAt = fake.platform.now() + clearsAfterMs;
  const isClear = (): boolean => fake.platform.now() >= clearsAt;
  const lastsMs = between(1000, 20_000);
  const badShare = between(0.3, 0.9);
  /** How much of a server's rate the line bears; 0: it is down. */
  let line = 1;
  if (hits === 'all') changeLine(chance(seed + 1000));
  [...EDGES, ORIGIN].forEach((name, i) => {
    const isOrigin = name === ORIGIN;
    const server: Server = {
      isOrigin,
      firstByteMs: between(10, 200),
      bytesPerMs: between(60, 400),
      ranges: random() < 0.8,
      version: random() < 0.4 && mixed && !isOrigin ? 2 : 1,
      shows: { range: random() < 0.5, etag: random() < 0.5 },
      mood: 'good',
    };
    if (hits === 'all' || !isOrigin) changeMood(server, chance(seed + 2000 * (i + 1)));
    const own = chance(seed + 20_000 * (i + 1));
    fake.respond(new RegExp(`^(GET|HEAD|OPTIONS) https://${name}\\.example`), (request) => {
      serve(server, request, own);
      return 'wait';
    });
  });

  function changeMood(server: Server, by: () => number): void {
    const moods = MOODS.filter((mood) => !server.isOrigin || !LIES.includes(mood));
    const isBad = by() < badShare && !isClear();
    const bad = moods[Math.floor(by() * moods.length)];
    server.mood = isBad && bad ? bad : 'good';
    if (isClear()) return;
    fake.later(between(100, lastsMs, by), () => {
      changeMood(server, by);
    });
  }

  function changeLine(by: () => number): void {
    const [isBad, isDown, knows, share] = [by() < 0.3 && !isClear(), by() < 0.4, by() < 0.5, between(0.02, 0.5, by)];
    line = isBad ? (isDown ? 0 : share) : 1;
    // a browser that is cut off may know it, or not
    fake.setOnline(line > 0 || !knows);
    if (isClear()) return;
    fake.later(between(1000, 15_000, by), () => {
      changeLine(by);
    });
  }

  function serve(server: Server, request: FakeFetch, by: () => number): void {
    const { mood } = server;
    if (mood === 'silent' || line === 0) return;
    const waitMs = mood === 'late' ? between(700, 4000, by) : server.firstByteMs;
    fake.later(mood === 'refuses' ? 5 : waitMs, () => {
      if (!request.pending()) return;
      if (mood === 'refuses') request.fail();
      else if (STATUS[mood]) request.respond({ status: STATUS[mood], body: mood });
      else if (mood === 'portal') request.respond({ headers: { 'content-type': 'text/html' }, body: '<html>login' });
      else if (mood === 'nothing') request.respond({ status: 204 });
      else if (mood === 'empty' || request.method !== 'GET') request.respond();
      else begin(server, request, by);
    });
  }

  function begin(server: Server, request: FakeFetch, by: () => number): void {
    const { mood, version, shows, ranges } = server;
    const whole = fileOf(new URL(request.url).pathname, version);
    const [, first] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const isPart = first !== undefined && ranges;
    if (isPart && Number(first) >= whole.length) {
      request.respond({ status: 416 });
      return;
    }
    const bytes = isPart ? whole.slice(Number(first)) : whole;
    const body = request.respondStream({
      status: isPart ? 206 : 200,
      headers: {
        'content-length': String(bytes.length),
        ...(shows.etag && { etag: `"${version}"` }),
        ...(isPart && shows.range && { 'content-range': `bytes ${first}-${whole.length - 1}/${whole.length}` }),
      },
    });
    const isBroken = ['cut', 'short', 'stalls'].includes(mood);
    flow(server, mood, body, isBroken ? bytes.slice(0, Math.floor(by() * bytes.length)) : bytes);
  }

  function flow(server: Server, mood: Mood, body: FakeBody, bytes: Uint8Array<ArrayBuffer>): void {
    const bytesPerMs = line * (mood === 'drips' ? 1 : server.bytesPerMs);
    const count = Math.ceil(bytesPerMs * CHUNK_MS);
    if (bytes.length > 0 && count > 0) body.chunk(bytes.slice(0, count));
    if (bytes.length > count) {
      fake.later(CHUNK_MS, () => {
        // what is under way hangs when its server falls silent
        if (server.mood !== 'silent' && line > 0) flow(server, mood, body, bytes.slice(count));
      });
    } else if (mood === 'cut') body.fail();
    else if (mood !== 'stalls') body.end();
  }
}

const files = new Map<string, Uint8Array<ArrayBuffer>>();

/** What a server of this encoder has under the path. */
export function fileOf(path: string, version: 1 | 2): Uint8Array<ArrayBuffer> {
  if (path.endsWith('.m3u8')) return new TextEncoder().encode('#EXTM3U\n#EXT-X-ENDLIST\n');
  const key = `${path} ${version}`;
  const known = files.get(key);
  if (known) return known;
  const number = Number(/\d+/.exec(path)?.[0]);
  const draw = chance(1 + 2 * number + version * 1000);
  // two encoders give files of nearly the same length, or of the same
  const length = 60_000 + ((number * 7919) % 300_000) + (version === 2 && number % 2 === 1 ? 188 : 0);
  const made = Uint8Array.from({ length }, () => Math.floor(draw() * 256));
  files.set(key, made);
  return made;
}
