/** What the tests of the transport share: one over the fake platform, and a record of what it does. */
import type { Edge } from '../../src/servers.js';
import type { Lane, Outcome, Parked } from '../../src/transport/attempt.js';
import type { Routes } from '../../src/transport/deliver.js';
import type { MediaRequest, Try } from '../../src/transport/route.js';
import { TransportRequest } from '../../src/transport/xhr.js';
import { fakePlatform, type FakePlatform } from './platform.js';

export const EVENTS = [
  ...['readystatechange', 'loadstart', 'progress', 'abort', 'error', 'timeout', 'load', 'loadend'],
] as const;

/** A transport whose requests go to the given servers in turn: names of edges, or `origin`. */
export interface Transporting {
  readonly fake: FakePlatform;
  readonly transport: TransportRequest;
  /** `<event> <readyState>`, in order. */
  readonly events: readonly string[];
  /** The `loaded` of each progress event. */
  readonly loaded: readonly number[];
  readonly requests: readonly MediaRequest[];
  readonly outcomes: readonly Outcome[];
  /** Where requests go: another way may be put in. */
  readonly routes: { next: Routes['next'] };
  /** How often the page's own XMLHttpRequest got what was denied. */
  denied(): number;
  open(url?: string): void;
}

export function transporting(
  assert: Assert,
  stops: readonly string[] = ['a'],
  timeoutMs = 0,
  requestType = 'segment',
): Transporting {
  const fake = fakePlatform(assert);
  const events: string[] = [];
  const loaded: number[] = [];
  const requests: MediaRequest[] = [];
  const outcomes: Outcome[] = [];
  const routes = {
    next(request: MediaRequest, tries: readonly Try[]): ReturnType<Routes['next']> {
      if (tries.length === 0) requests.push(request);
      const name = stops[tries.length];
      if (name === undefined) return Promise.resolve(null);
      const edge: Edge | null = name === 'origin' ? null : { origin: `https://${name}.example`, rank: 0, weight: 1 };
      const url = `https://${name}.example${new URL(request.url).pathname}`;
      const lane = { edge, url, opened: null, guarded: false, limitMs: timeoutMs, checksLength: edge !== null };
      const pace = { isTooSlow: (): boolean => false, rateShown: (rate: number): number => rate };
      return Promise.resolve({ ...lane, patienceMs: edge ? 600 : 0, resumes: true, ...pace });
    },
    ended: (_: MediaRequest, __: readonly Try[], ___: Lane | null, outcome: Outcome): unknown => outcomes.push(outcome),
    prove: (silent: ReadonlyMap<Try, Parked>): void => {
      for (const { abort } of silent.values()) abort();
    },
    differs: () => undefined,
    again: () => null,
    newest: (_: string, text: string) => text,
    serviceUrl: (url: string) => `${url}#mapped`,
  };
  let denied = 0;
  const onDenied = (): void => {
    denied += 1;
  };
  const transport = new TransportRequest({ routes, platform: fake.platform, requestType, timeoutMs, onDenied });
  for (const name of EVENTS) {
    transport.addEventListener(name, (event) => {
      assert.strictEqual(event.target, transport, `the target of ${name}`);
      events.push(`${name} ${transport.readyState}`);
      if (name === 'progress' && event instanceof ProgressEvent) loaded.push(event.loaded);
    });
  }
  const open = (url = 'https://video.example/0.ts'): void => {
    transport.open('GET', url);
  };
  return { fake, transport, events, loaded, requests, outcomes, routes, open, denied: () => denied };
}
