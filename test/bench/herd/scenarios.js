// What happens, and when; seconds after the warm-up. `fault` to `back` is judged against its own last minute;
// `share`: of the players (and of the edges' capacity), where an hour of all would take too long.

/** @typedef {{name: string, title: string, seconds: number, faultAt?: number, backAt?: number, startWithin?: number, dips?: boolean, share?: number, events: readonly (readonly [second: number, what: string])[]}} Scenario */

/** The edge that something happens to. */
export const VICTIM = 7;

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  {
    name: 'calm',
    title: 'nothing happens for an hour',
    ...{ seconds: 3600, share: 0.05 },
    events: [],
  },
  {
    name: 'dips',
    title: 'nothing happens for 20 min but to the viewers: each line falls to a quarter for 20 s, three times an hour',
    ...{ seconds: 1200, share: 0.05, dips: true },
    events: [],
  },
  {
    name: 'dies',
    title: 'one edge dies; the map leaves it out 30 s later; it comes back',
    ...{ seconds: 240, faultAt: 30, backAt: 120 },
    events: [
      [30, 'die'],
      [60, 'unname'],
      [120, 'live'],
      [130, 'name'],
    ],
  },
  {
    name: 'slows',
    title: 'one edge falls to 40 % of what its players need; it comes back',
    ...{ seconds: 240, faultAt: 30, backAt: 120 },
    events: [
      [30, 'slow'],
      [120, 'quick'],
    ],
  },
  {
    name: 'moves',
    title: 'the map names other edges for 30 % of the players; and the old ones again',
    ...{ seconds: 240, faultAt: 30, backAt: 120 },
    events: [
      [30, 'move'],
      [120, 'unmove'],
    ],
  },
  {
    name: 'crowd',
    title: 'all players begin within 10 s',
    ...{ seconds: 300, share: 0.2, startWithin: 10 },
    events: [],
  },
];
