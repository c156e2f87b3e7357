/**
 * Streams of which one segment is large enough to be cut in its middle, played through a fault of the quicker edge; and
 * whether what VHS was handed and what was appended are the true files, which are read beside all edges.
 */
import type { EdgeSelectEvents, EdgeSelectOptions } from '../../src/index.js';
import videojs from 'video.js';
import { copyOf, firstDifference, isMadeOf, recordAppends, type AppendRecord } from '../support/appended.js';
import {
  all,
  asked,
  cleanUp,
  network,
  ORIGIN,
  patient,
  playedTo,
  testPlayer,
  testWorld,
  type Entry,
  type TestPlayer,
  type VhsXhr,
  type World,
} from './tools.js';

/** Where the faults of these tests strike, in bytes from the beginning of an answer. */
export const STOP = 28_000;
/** How far a resumed request reaches back, where what is there is no padding. */
export const OVERLAP = 16_384;

/** A stream; `bent` is the file with the large segment. */
export interface Stream {
  readonly media: string;
  readonly path: string;
  readonly type: string;
  readonly bent: string;
  /** Where the bent segment begins in its file. */
  readonly offset: number;
  /** Seconds; some way into the bent segment. */
  readonly playTo: number;
}

const HLS = 'application/x-mpegURL';
const DASH = 'application/dash+xml';
const THICK = { media: 'test/media', type: HLS, offset: 0, playTo: 2.4 };

export const STREAMS = {
  ts: { ...THICK, media: 'demo/media', path: '/hls/180p.m3u8', bent: '/hls/180p-01.ts', playTo: 3.4 },
  fmp4: { ...THICK, path: '/thick/video.m3u8', bent: '/thick/video-1.m4s' },
  byterange: { ...THICK, path: '/thick/byterange.m3u8', bent: '/thick/video.mp4', offset: 1648 },
  aes: { ...THICK, path: '/thick/aes.m3u8', bent: '/thick/aes-1.ts' },
  audio: { ...THICK, path: '/thick/sound.m3u8', bent: '/thick/audio-1.m4s' },
  template: { ...THICK, path: '/thick/template.mpd', type: DASH, bent: '/thick/video-1.m4s' },
  sidx: { ...THICK, path: '/thick/sidx.mpd', type: DASH, bent: '/thick/video.mp4', offset: 1648 },
  padded: { ...THICK, path: '/thick/padded.m3u8', bent: '/thick/padded-1.ts' },
  leading: { ...THICK, path: '/thick/leading.m3u8', bent: '/thick/leading-1.ts' },
  free: { ...THICK, path: '/thick/free.m3u8', bent: '/thick/free-1.m4s' },
} as const satisfies Record<string, Stream>;

/** The rule of an edge for the bent segment alone, and not for the start of its file. */
export function bend({ bent, offset }: Stream, rule: object): object {
  return { path: `^${bent.replaceAll('.', '\\.')}$`, ...(offset > 0 && { ranged: true }), ...rule };
}

/** An answer that VHS was handed. */
export interface Answer {
  readonly path: string;
  /** As VHS asked for it. */
  readonly range: string | undefined;
  readonly body: ArrayBuffer | string;
}

const stops = new Set<() => void>();

/** Every good answer that VHS is handed from now on, until the test is over. */
export function answersToVhs(): readonly Answer[] {
  const { xhr } = (videojs as unknown as { Vhs: { xhr: VhsXhr } }).Vhs;
  const answers: Answer[] = [];
  const hook = (request: XMLHttpRequest & { uri: string; headers?: Record<string, string> }, error: unknown): void => {
    if (error || request.status >= 300) return;
    const response = request.response as ArrayBuffer | string;
    const body = typeof response === 'string' ? response : (copyOf(response).buffer as ArrayBuffer);
    answers.push({ path: new URL(request.uri).pathname, range: request.headers?.Range, body });
  };
  xhr.onResponse(hook);
  stops.add(() => {
    xhr.offResponse(hook);
  });
  return answers;
}

/** What is appended from now on, until the test is over. */
export function appends(): AppendRecord {
  const record = recordAppends();
  stops.add(record.stop);
  return record;
}

/** To be called after each test, in the place of `cleanUp()`. */
export async function leave(): Promise<void> {
  for (const stop of stops) stop();
  stops.clear();
  await cleanUp();
}

/** How a stream went. */
export interface Played {
  readonly world: World;
  readonly player: TestPlayer;
  /** Each failover, with the names of the servers. */
  readonly failed: readonly Failover[];
  readonly answers: readonly Answer[];
  readonly appended: AppendRecord;
  /** Requests for the file that holds the bent segment. */
  of(edge: string): Promise<readonly Entry[]>;
}

/** Who was left, for whom, and why. */
export type Failover = readonly [from: string, to: string, because: string];

/**
 * Plays a stream some way into its bent segment.
 *
 * @param quick  how the edge that is chosen treats that segment
 * @param slow   the edge that is next
 */
export async function playBent(
  stream: Stream,
  { quick, slow = {} }: { quick: object | readonly object[]; slow?: object },
  options: Partial<EdgeSelectOptions> = {},
): Promise<Played> {
  const rules = [quick].flat().map((rule: object) => bend(stream, rule));
  // the quicker edge is chosen, on a busy machine too
  // and the browser's cache does not answer for it: of a DASH file VHS begins to read the whole
  const headers = { 'Cache-Control': 'no-store' };
  const edges = { quick: { rules, headers }, slow: { latencyMs: 150, headers, ...slow } };
  const world = await testWorld(network(edges, { media: stream.media }));
  const answers = answersToVhs();
  const appended = appends();
  // patient enough for a busy machine, and short of the 3 s that VHS gives a segment
  const player = testPlayer(patient(world, { stallMs: 1200, ...options }));
  const events = all(player, 'edgeselect:failedover');
  player.src({ src: `${world.edges[ORIGIN] ?? ''}${stream.path}`, type: stream.type });
  await playedTo(player, stream.playTo);
  return {
    world,
    player,
    failed: events.map((event) => failover(world, event)),
    answers,
    appended,
    of: async (edge) => (await asked(world, edge)).filter(({ url }) => url.startsWith(stream.bent)),
  };
}

export function failover(world: World, { from, to, because }: EdgeSelectEvents['edgeselect:failedover']): Failover {
  const nameOf = (url: string): string => Object.keys(world.edges).find((name) => world.edges[name] === url) ?? url;
  return [nameOf(from), nameOf(to), because];
}

/**
 * What is wrong with what VHS got: nothing, where each binary answer is the file that it asked for.
 *
 * @param instead  path of the file that is to stand, whole, in the place of the bent one
 */
export async function untrue(
  { answers, appended }: Pick<Played, 'answers'> & Partial<Pick<Played, 'appended'>>,
  { media, bent }: Pick<Stream, 'media' | 'bent'>,
  instead?: string,
): Promise<string[]> {
  const faults: string[] = [];
  const parts: Uint8Array[] = [];
  let bentAnswers = 0;
  for (const { path, range, body } of answers) {
    if (typeof body === 'string') continue;
    const bytes = new Uint8Array(body);
    const isBent = path === bent;
    if (isBent) bentAnswers += 1;
    const file = await trueFile(media, isBent && instead ? instead : path);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    const truth = first === undefined ? file : file.subarray(Number(first), Number(last) + 1);
    parts.push(truth);
    const at = firstDifference(bytes, truth);
    if (at !== null) faults.push(`${path} ${range ?? ''}: ${bytes.length} bytes of ${truth.length}, another at ${at}`);
  }
  if (bentAnswers === 0) faults.push(`VHS never got ${bent}`);
  // of MPEG-TS nothing is appended as it came
  if (bent.endsWith('.ts') || !appended) return faults;
  for (const { bytes } of appended.pieces) {
    if (!isMadeOf(bytes, parts)) faults.push(`${bytes.length} bytes were appended that are no true files`);
  }
  if (appended.pieces.length === 0) faults.push('nothing was appended');
  return faults;
}

async function trueFile(media: string, path: string): Promise<Uint8Array> {
  const response = await fetch(`/base/${media}${path}`);
  if (!response.ok) throw new Error(`there is no ${media}${path}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The first byte that a request asked for; null for a request of the whole. */
export function firstByte({ headers }: Entry): number | null {
  const [, first] = /^bytes=(\d+)-\d*$/.exec(headers.range ?? '') ?? [];
  return first === undefined ? null : Number(first);
}

/** The requests of an edge for the bent segment: from which byte of it on. */
export async function starts(played: Played, edge: string, { offset }: Stream): Promise<(number | null)[]> {
  const entries = (await played.of(edge)).filter((entry) => offset === 0 || (firstByte(entry) ?? 0) >= offset);
  return entries.map((entry) => {
    const first = firstByte(entry);
    return first === null ? null : first - offset;
  });
}
