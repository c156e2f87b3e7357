/**
 * What service is acceptable: the limits of the verdict, their defaults and the checks of each. In: the group that an
 * integrator gave. Out: the whole group. A part that is not said has its default.
 */

import type { Check } from './checks.js';

/** A whole group of limits, or a part of one. */
type Partly<T> = { readonly [K in keyof T]?: T[K] extends number ? number : Partly<T[K]> };

/** Where acceptable service of an edge ends. Times are milliseconds. */
export interface Acceptable {
  /** A rendition that is less than the best for this display by `amount` (0.5: half), for so long. */
  readonly thinning: { readonly amount: number; readonly forMs: number };
  /** A rate below `headroom` times what the best rendition needs, until so much of the stream is behind. */
  readonly throughput: { readonly headroom: number; readonly behindMs: number };
  /** A playhead that stands still for so long, or so often within a time, because nothing comes. */
  readonly stalls: { readonly forMs: number; readonly times: number; readonly withinMs: number };
  /** A buffer that falls although segments come, and will be empty within this. */
  readonly drainMs: number;
  /** Requests that failed, so many within a time. */
  readonly failures: { readonly times: number; readonly withinMs: number };
  /** First bytes that take so many times what the edge usually takes, and at least `minMs`, for so long. */
  readonly latency: { readonly times: number; readonly minMs: number; readonly forMs: number };
}

/** {@link Acceptable} as an integrator may say it. */
export type AcceptableOptions = Partly<Acceptable>;

/** The defaults. */
export const ACCEPTABLE: Acceptable = {
  // one step of a usual ladder is less than half; 10 s outlasts the low start and the single late segment of a good edge
  thinning: { amount: 0.5, forMs: 10_000 },
  // VHS wants 1.2 times to choose a rendition; to hold it takes 1. A rate with a noise of 40 % around 8 Mbit/s stays above
  // 1.06 times 4.5 Mbit/s. 400 ms are two bodies of 2 s that come a tenth too slowly, or a single one that is far too slow
  throughput: { headroom: 1.05, behindMs: 400 },
  // playback is looked at once a second, so 1 s is the first stall that is sure; a third one in a minute is no accident
  stalls: { forMs: 1000, times: 3, withinMs: 60_000 },
  // a race (1.5 s) and a segment of 6 s from another edge
  drainMs: 8000,
  // one is a restart, two may be the same fault seen by sound and picture
  failures: { times: 3, withinMs: 30_000 },
  // noise of 30 % is far from 4 times; below half a second a buffer does not feel it
  latency: { times: 4, minMs: 500, forMs: 10_000 },
};

type Group = Readonly<Record<string, unknown>>;

const between = (min: number, max: number, passes = Number.isFinite): Check => [
  `a${passes === Number.isInteger ? ' whole' : ''} number from ${min} to ${max}`,
  (value) => passes(value) && Number(value) >= min && Number(value) <= max,
];

/** By the last part of a limit's name; all others are times. */
const LEAVES: Readonly<Record<string, Check>> = {
  amount: between(0.01, 1),
  headroom: between(0.1, 10),
  times: between(1, 100, Number.isInteger),
};
const A_TIME = between(0, 600_000, Number.isInteger);

/** Dotted name of each limit and group -> its check. */
export const ACCEPTABLE_CHECKS: Readonly<Record<string, Check>> = Object.fromEntries(
  checksOf('acceptable', { ...ACCEPTABLE }),
);

function checksOf(path: string, group: Group): [string, Check][] {
  const own: Check = [`an object with ${Object.keys(group).join(', ')}`, isGroup];
  const below = Object.entries(group).flatMap(([key, value]): [string, Check][] =>
    isGroup(value) ? checksOf(`${path}.${key}`, value) : [[`${path}.${key}`, LEAVES[key] ?? A_TIME]],
  );
  return [[path, own], ...below];
}

/** Each option of `given` by its name, members of a group by dotted names; `known` are the names there are. */
export function namesOf(given: Group, known: readonly string[], path = ''): (readonly [string, unknown])[] {
  return Object.entries(given).flatMap(([key, value]) => {
    const name = path + key;
    const hasMembers = isGroup(value) && known.some((one) => one.startsWith(`${name}.`));
    return [[name, value] as const, ...(hasMembers ? namesOf(value, known, `${name}.`) : [])];
  });
}

/** The whole group; `given` has passed its checks. */
export function acceptable(given: AcceptableOptions = {}): Acceptable {
  return Object.freeze(filled({ ...ACCEPTABLE }, given)) as Acceptable & Group;
}

function filled(defaults: Group, given: Group): Group {
  const entries = Object.entries(defaults).map(([key, value]): [string, unknown] => {
    const own = given[key];
    return [key, isGroup(value) ? filled(value, isGroup(own) ? own : {}) : (own ?? value)];
  });
  return Object.fromEntries(entries);
}

function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
