// What a run of the herd is held to.
import { SCENARIOS, VICTIM } from './scenarios.js';
import { EDGES } from './world.js';

const OVERSHOOT = 1.15;
const OVERSHOOT_S = 10;
const PROBES = 3;
const SWITCHES = 0.2;
const PEAK = 1.5;

/** The mean over five seconds: what one second holds too few transfers to tell. */
export const smooth = (/** @type {readonly number[]} */ series, width = 5) =>
  series.map((_, i) => mean(series.slice(Math.max(0, i - width + 1), i + 1)));

/** @param {any} figures */
export function judge(figures) {
  const { name, players, seconds, counts, loads, mapQueries, probed, switches } = figures;
  const { faultAt = 0, backAt } = SCENARIOS.find((one) => one.name === name) ?? {};
  const promises = [];
  const add = (what, seen, limit, unit = '') => promises.push({ what, seen, limit, unit, ok: seen <= limit });
  const windows = faultAt > 0 ? [[faultAt, backAt], [backAt, seconds]] : []; // prettier-ignore
  const survivors = loads.slice(0, EDGES).filter((_, i) => i !== VICTIM);
  const over = windows.map(([from, to], i) =>
    overshoot(i === 1 && name !== 'moves' ? [loads[VICTIM]] : survivors, from, to),
  );
  if (name === 'dies') {
    add(`longest time a survivor is above ${OVERSHOOT} of its steady state`, over[0].longestS, OVERSHOOT_S, 's');
    add(
      'most races and probes of one player at one survivor (lines that bear the best)',
      probed[0].most.length - 1,
      PROBES,
    );
  }
  const perHour = (counts.switches * 3600) / (players * (seconds - faultAt));
  if (name === 'calm') add('switches per player and hour', perHour, SWITCHES);
  // the first questions of a crowd are no repetition
  const asked = smooth(name === 'crowd' ? mapQueries.slice(20) : mapQueries);
  add('peak of questions at the map, times their mean', Math.max(...asked) / mean(asked), PEAK);
  add('questions at the map per player and minute', (mean(asked) * 60) / players, 1);
  return {
    promises,
    over,
    perHour,
    mapMean: mean(asked),
    mapPeak: Math.max(...asked),
    switchesPeak: Math.max(...switches),
  };
}

/** Against the mean of the window's last minute. */
function overshoot(all, from, to) {
  let worst = 0;
  let longestS = 0;
  for (const series of all) {
    const steady = mean(series.slice(to - 60, to));
    let lastsS = 0;
    for (const load of smooth(series.slice(from, to)).slice(5)) {
      worst = Math.max(worst, load / steady);
      lastsS = load > OVERSHOOT * steady ? lastsS + 1 : 0;
      longestS = Math.max(longestS, lastsS);
    }
  }
  return { worst, longestS };
}

/** @param {readonly any[]} judged */
export function table(judged) {
  return judged
    .map(({ figures, promises, over, perHour, mapMean, mapPeak, switchesPeak }) => {
      const { name, players, tookMs, counts, probed, loads } = figures;
      const origin = Math.max(...smooth(loads[EDGES])) / 1e9;
      const share = (/** @type {number[]} */ histogram) => histogram.map((n, i) => (n > 0 ? `${i}: ${n}` : '')).filter(Boolean).join(', '); // prettier-ignore
      return [
        `${name} (${players} players, ${(tookMs / 1000).toFixed(0)} s)`,
        ...promises.map(({ what, seen, limit, unit, ok }) => `  ${ok ? 'ok    ' : 'MISSED'} ${what}: ${seen.toFixed(2)} ${unit} (at most ${limit})`), // prettier-ignore
        ...over.map(({ worst, longestS }, i) => `  ${i === 0 ? 'fault' : 'back '}: worst edge ${worst.toFixed(2)} of its steady state, above 1.15 for ${longestS} s`), // prettier-ignore
        `  switches: ${perHour.toFixed(3)} per player and hour (${counts.leaves} of ${counts.switches} because an edge had to go), at most ${switchesPeak} a second`, // prettier-ignore
        `  map: ${mapMean.toFixed(0)} questions a second, at most ${mapPeak.toFixed(0)}; answered from the page's cache: ${counts.early}`, // prettier-ignore
        `  searches: ${counts.searches}; origin: at most ${origin.toFixed(1)} Gbit/s; standing still: ${(counts.stillMs / players).toFixed(0)} ms per player`, // prettier-ignore
        `  judged: ${JSON.stringify(counts.judged)}`,
        ...probed.map(({ most }) => `  players and edges by races and probes there: ${share(most)}`),
      ].join('\n');
    })
    .join('\n');
}

function mean(/** @type {readonly number[]} */ values) {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
