/** What the tests of the conductor share: one source, its lookups answered at once, its requests sent as VHS would. */
import { conductor, type Conductor } from '../../src/conductor.js';
import { directory, type Directory } from '../../src/directory.js';
import type { EdgeSelectEvent } from '../../src/events.js';
import type { EdgeSelectOptions } from '../../src/options.js';
import type { Question, Resolver, SrvRecord } from '../../src/resolver.js';
import type { Sense, Sensed } from '../../src/playback/sense.js';
import type { EdgeSource } from '../../src/source.js';
import { deliver, type End } from '../../src/transport/deliver.js';
import type { MediaRequest } from '../../src/transport/route.js';
import { answer, settings, SOURCE, srv } from '../unit/given.js';
import { atEnd, fakePlatform, type FakePlatform } from './platform.js';

export const TOKEN = 'tok-4711.token.example';
/** What makes a text a playlist. */
export const PLAYLIST = '#EXTM3U of ';
/** Long enough for every race, report and re-race to end. */
export const SETTLED_MS = 3000;

/** How the surroundings differ from: edges a and b, a page of its own, defaults. */
export interface Change {
  /** Names of the edges that the token leads to; a record says more. */
  readonly edges?: readonly (string | SrvRecord)[];
  readonly options?: Partial<EdgeSelectOptions>;
  readonly withCredentials?: boolean;
  /** Another than `SOURCE`. */
  readonly source?: Partial<EdgeSource>;
  /** The same page as that of another conductor. */
  readonly page?: Conducting;
}

/** One request under way. */
export interface Sent {
  end?: End;
  status?: number;
  /** Without the {@link PLAYLIST} of one. */
  body: string;
  readonly abort: () => void;
}

/** A conductor and all that it does. */
export interface Conducting {
  readonly fake: FakePlatform;
  readonly conducting: Conductor;
  readonly shared: Directory;
  readonly silenced: Set<string>;
  readonly resolver: Resolver;
  readonly events: readonly EdgeSelectEvent[];
  /** Events by name without its prefix. */
  names(): string[];
  of<T extends EdgeSelectEvent['type']>(type: T): Extract<EdgeSelectEvent, { type: T }>[];
  /** Sends a request for this path of the service. */
  send(path: string, request?: Partial<MediaRequest>): Sent;
  /** Playlist first, then all that comes of it. */
  select(): Promise<void>;
}

/** Answers the map with one token, and the token with these edges. */
export function lookups(edges: readonly (string | SrvRecord)[]): Resolver {
  return {
    resolve: ({ lookup }: Question) =>
      Promise.resolve(
        answer(
          lookup === 'tokens'
            ? [srv(TOKEN)]
            : edges.map((edge) => (typeof edge === 'string' ? srv(`${edge}.example`) : edge)),
        ),
      ),
  };
}

export function conduct(assert: Assert, change: Change = {}): Conducting {
  const { edges = ['a', 'b'], options = {}, withCredentials = false, page } = change;
  const source = { ...SOURCE, ...change.source };
  const fake = page?.fake ?? fakePlatform(assert);
  if (!page) fake.respond('POST ', { status: 204 });
  const shared = page?.shared ?? directory(fake.platform);
  const { silenced } = shared;
  // a resolver is known by its object: only with the same is a search the same
  const resolver = page?.resolver ?? lookups(edges);
  const events: EdgeSelectEvent[] = [];
  const conducting = conductor(source, { src: source.src, withCredentials }, settings({ resolver, ...options }), {
    platform: fake.platform,
    directory: shared,
    tell: (event) => events.push(event),
  });
  atEnd(assert, () => {
    conducting.dispose();
  });
  const send = (path: string, request: Partial<MediaRequest> = {}): Sent => {
    const controller = new AbortController();
    const sent: Sent = {
      body: '',
      abort: () => {
        controller.abort();
      },
    };
    const asked: MediaRequest = {
      url: SOURCE.origin + path,
      method: 'GET',
      headers: {},
      withCredentials,
      requestType: path.includes('.m3u8') ? 'hls-playlist' : 'segment',
      timeoutMs: 0,
      binary: !path.includes('.m3u8'),
      ...request,
    };
    const sink = {
      headers: ({ status }: Response): void => {
        sent.status = status;
        sent.body = '';
      },
      chunk: (bytes: Uint8Array): void => {
        sent.body = (sent.body + new TextDecoder().decode(bytes)).replace(PLAYLIST, '');
      },
      resumed: () => undefined,
    };
    void deliver(asked, conducting, sink, { platform: fake.platform, signal: controller.signal }).then((end) => {
      sent.end = end;
    });
    return sent;
  };
  return {
    fake,
    conducting,
    shared,
    silenced,
    resolver,
    events,
    names: () => events.map(({ type }) => type.slice('edgeselect:'.length)),
    of: <T extends EdgeSelectEvent['type']>(type: T) =>
      events.filter((event): event is Extract<EdgeSelectEvent, { type: T }> => event.type === type),
    send,
    async select() {
      conducting.begin();
      await fake.flush();
      send('/live/main.m3u8');
      await fake.advance(SETTLED_MS);
    },
  };
}

/** Everybody answers after this long, with their name as the body. */
export function answers(fake: FakePlatform, delays: Readonly<Record<string, number>>): void {
  for (const [name, afterMs] of Object.entries(delays)) {
    fake.respond(new RegExp(`^(GET|HEAD|OPTIONS) https://${name}\\.example`), ({ url }) => ({
      ...{ afterMs, body: url.includes('.m3u8') ? PLAYLIST + name : name },
    }));
  }
}

/** What plays looks like this. */
export function seeing(look: () => Sensed): Sense {
  return {
    look,
    demand() {
      const { paused, segmentMs, bufferAheadMs: bufferMs } = look();
      return segmentMs === null || paused ? null : { bufferMs, segmentMs, targetMs: segmentMs };
    },
  };
}
