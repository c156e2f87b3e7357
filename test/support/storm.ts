/** A stream played through bad weather by somebody who loads one segment after the other, as VHS does. */
import { originLane, type Routes } from '../../src/transport/deliver.js';
import { TransportRequest } from '../../src/transport/xhr.js';
import { SOURCE } from '../unit/given.js';
import { conduct, seeing } from './conducting.js';
import { fakePlatform, type FakePlatform } from './platform.js';
import { brew, chance, EDGES, type Weather } from './weather.js';

/** One request, and what became of it. */
export interface Loaded {
  readonly path: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** null: nothing. */
  readonly end: 'load' | 'error' | 'timeout' | 'abort' | null;
  readonly status: number;
  readonly bytes: Uint8Array;
  /** What was wrong with the events on the way. */
  readonly faults: string[];
}

/** What became of the whole. */
export interface Played {
  readonly loaded: readonly Loaded[];
  readonly stalledMs: number;
}

interface Running {
  readonly transport: TransportRequest;
  readonly one: Loaded;
}

const FOR_MS = 120_000;
/** Long enough for a player to come back. */
const CLEAR_MS = 20_000;
const SEGMENT_MS = 4000;
const MOST_AHEAD_MS = 24_000;
/** VHS's own limits. */
const SEGMENT_LIMIT_MS = 1.5 * SEGMENT_MS;
const PLAYLIST_LIMIT_MS = 45_000;
const STEP_MS = 50;
/** The viewer seeks, or VHS changes its mind. */
const ABORTS_PER_STEP = 0.004;

/** With the plugin. */
export async function storm(assert: Assert, seed: number, weather: Omit<Weather, 'clearsAfterMs'>): Promise<Played> {
  const { fake, conducting } = conduct(assert, { edges: EDGES });
  brew(fake, seed, { ...weather, clearsAfterMs: FOR_MS - CLEAR_MS });
  const buffer = { position: 0, aheadMs: 0 };
  conducting.watch(
    seeing(() => ({
      ...{ paused: false, seeking: false, complete: false, playbackRate: 1, droppedShare: 0, segmentMs: SEGMENT_MS },
      ...{ position: buffer.position, bufferAheadMs: buffer.aheadMs, playing: 4e6, loading: 4e6, best: 4e6 },
    })),
  );
  conducting.begin();
  const played = await play(fake, conducting, buffer, chance(seed + 1));
  conducting.dispose();
  await fake.flush();
  return played;
}

/** Without it: every request to the origin, and once. */
export async function plain(assert: Assert, seed: number, weather: Omit<Weather, 'clearsAfterMs'>): Promise<Played> {
  const fake = fakePlatform(assert);
  brew(fake, seed, { ...weather, clearsAfterMs: FOR_MS - CLEAR_MS });
  const routes: Routes = {
    next: (request, tries) => (tries.length > 0 ? null : originLane(request)),
    ended: () => undefined,
    prove: () => undefined,
    differs: () => undefined,
    again: () => null,
    newest: (_, text) => text,
    serviceUrl: (url) => url,
  };
  return play(fake, routes, { position: 0, aheadMs: 0 }, chance(seed + 1));
}

async function play(
  fake: FakePlatform,
  routes: Routes,
  buffer: { position: number; aheadMs: number },
  random: () => number,
): Promise<Played> {
  const endsAt = fake.platform.now() + FOR_MS;
  const loaded: Loaded[] = [];
  let stalledMs = 0;
  let segment = 0;
  let running: Running | null = load('/live/main.m3u8');
  while (fake.platform.now() < endsAt) {
    await fake.advance(STEP_MS);
    const playedMs = Math.min(STEP_MS, buffer.aheadMs);
    buffer.aheadMs -= playedMs;
    buffer.position += playedMs;
    if (segment > 1) stalledMs += STEP_MS - playedMs;
    if (running?.one.end) {
      const { end, status } = running.one;
      running = null;
      if (end === 'load' && status < 300) {
        if (segment > 0) buffer.aheadMs += SEGMENT_MS;
        segment += 1;
      }
    }
    if (running && random() < ABORTS_PER_STEP) running.transport.abort();
    if (!running && buffer.aheadMs < MOST_AHEAD_MS)
      running = load(segment === 0 ? '/live/main.m3u8' : `/live/${segment}.ts`);
  }
  running?.transport.abort();
  return { loaded, stalledMs };

  function load(path: string): Running {
    const isSegment = path.endsWith('.ts');
    const transport = new TransportRequest({
      routes,
      platform: fake.platform,
      onDenied: () => undefined,
      requestType: isSegment ? 'segment' : 'hls-playlist',
      timeoutMs: isSegment ? SEGMENT_LIMIT_MS : PLAYLIST_LIMIT_MS,
    });
    const one: Loaded = {
      ...{
        path,
        startedAt: fake.platform.now(),
        endedAt: 0,
        end: null,
        status: 0,
        bytes: new Uint8Array(),
        faults: [],
      },
    };
    let told = 0;
    transport.addEventListener('progress', (event) => {
      const { loaded: bytes } = event as ProgressEvent;
      if (bytes < told) one.faults.push(`progress went from ${told} to ${bytes}`);
      told = bytes;
    });
    for (const end of ['load', 'error', 'timeout', 'abort'] as const) {
      transport.addEventListener(end, () => {
        if (one.end) one.faults.push(`${end} after ${one.end}`);
        const { response, status } = transport;
        const bytes = response instanceof ArrayBuffer ? new Uint8Array(response) : new Uint8Array();
        Object.assign(one, { end, endedAt: fake.platform.now(), status, bytes });
      });
    }
    transport.open('GET', SOURCE.origin + path);
    transport.responseType = isSegment ? 'arraybuffer' : 'text';
    transport.send();
    loaded.push(one);
    return { transport, one };
  }
}
