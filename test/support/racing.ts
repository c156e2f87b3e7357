/** What the tests of the race share: edges, a race on the fake platform, and what became of it so far. */
import { readOptions } from '../../src/options.js';
import { race, type RaceRules, type Win } from '../../src/preflight.js';
import type { Probe, RaceRequest } from '../../src/probe.js';
import type { Edge } from '../../src/servers.js';
import { fakePlatform, type FakePlatform } from './platform.js';

/** What is known of a race at this moment; undefined: nothing yet. */
export interface Course {
  winner?: Win | null;
  probes?: readonly Probe[];
  readonly warnings: string[];
  readonly abort: () => void;
}

/** How the race is to differ from: GET, by arrival, of a playlist. */
export interface RaceChange {
  readonly rules?: Partial<RaceRules>;
  readonly request?: Partial<RaceRequest>;
}

export const PLAYLIST = 'https://video.example/live/main.m3u8';

/** `https://<name>.example` */
export const edge = (name: string, { rank = 0, weight = 10 } = {}): Edge => ({
  origin: `https://${name}.example`,
  rank,
  weight,
});

export function raceOn(fake: FakePlatform, edges: readonly Edge[], { rules, request }: RaceChange = {}): Course {
  const controller = new AbortController();
  const course: Course = {
    warnings: [],
    abort: () => {
      controller.abort();
    },
  };
  const settings = readOptions({ nameserver: 'https://map.example/' }, () => undefined);
  const running = race(
    edges,
    { url: PLAYLIST, headers: {}, withCredentials: false, ...request },
    { ...settings, method: 'GET', rank: 'arrival', ...rules },
    { platform: fake.platform, signal: controller.signal, warn: (text) => course.warnings.push(text) },
  );
  void Promise.all([running.first, running.winner]).then(([first, edge]) => {
    course.winner = edge && { edge, opened: first?.opened ?? null };
  });
  void running.ended.then((probes) => (course.probes = probes));
  return course;
}

/** Each edge's answer and its delay in ms: `a: 20`, or more of an answer. */
export function racing(assert: Assert, answers: Readonly<Record<string, number | object>>): FakePlatform {
  const fake = fakePlatform(assert);
  for (const [name, answer] of Object.entries(answers)) {
    fake.respond(`https://${name}.example`, typeof answer === 'number' ? { afterMs: answer } : answer);
  }
  return fake;
}

/** The name of the winner; `nobody`; or `open` while it is not decided. */
export function winnerOf({ winner }: Course): string {
  if (winner === undefined) return 'open';
  return winner ? winner.edge.origin.slice(8, 9) : 'nobody';
}

/** `a: ok`, for each that ran. */
export function outcomesOf({ probes }: Course): string[] {
  return (probes ?? []).map((probe) => `${probe.edge.origin.slice(8, 9)}: ${probe.outcome}`);
}
