/** Part two: what a player costs the page. */
import { median } from '../figures.js';
import { AWAKE_FLAGS } from '../fault-run.js';
import { openLab } from '../lab.js';
import { BARE, bareRun, costRun, sizes } from './cost-run.js';
import { turned } from './plan.js';
import { SCRIPTS } from './players.js';
import { spreadOf, table } from './table.js';

const LEAST_ROUNDS = 3;

/** @typedef {import('./players.js').Lane} Lane */
/** @typedef {import('./table.js').Verdict} Verdict */

/** @param {import('../peers.js').Bench} bench @returns {Promise<import('../peers.js').Part>} */
export async function costs({ dist, lanes, rounds, tried }) {
  const queue = costRunsOf({ lanes, rounds });
  const priced = [...new Set(queue.map(({ lane }) => lane))];
  const runs = priced.map((lane) => ({ lane, runs: /** @type {import('./cost-run.js').Cost[]} */ ([]) }));
  const bare = /** @type {(keyof typeof BARE)[]} */ (Object.keys(BARE)).map((title) => ({
    title,
    runs: /** @type {import('./cost-run.js').Cost[]} */ ([]),
  }));
  const lab = await openLab(dist, AWAKE_FLAGS, SCRIPTS);
  try {
    for (let round = 0; round < Math.max(rounds, LEAST_ROUNDS); round += 1) {
      for (const each of round % 2 ? [...bare].reverse() : bare) each.runs.push(await bareRun(lab, each.title));
    }
    for (const [i, { lane, round }] of queue.entries()) {
      await tried(`cost of ${lane.title}`, async () => {
        runs.find((each) => each.lane === lane)?.runs.push(await costRun(lab, lane));
      });
      if (queue[i + 1]?.round !== round) console.log(`  cost: round ${round + 1}`);
    }
  } finally {
    await lab.close();
  }
  const summary = costSummary([...runs.map(({ lane, runs }) => ({ title: lane.title, lane, runs })), ...bare], sizes());
  const text = `CPU time of the page's main thread while 148 s of 4.5 Mbit/s are loaded in 2 s segments.`;
  return {
    figures: { costs: runs.map(({ lane, ...rest }) => ({ player: lane.name, ...rest })), bare, sizes: sizes() },
    sections: [{ part: 'cost', heading: 'cost', text: `${text}\n\n${summary.text}`, verdicts: summary.verdicts }],
  };
}

/**
 * In a quick run the others once: what is promised is promised of ours and plain.
 *
 * @param {Pick<import('../peers.js').Bench, 'lanes' | 'rounds'>} bench
 */
export function costRunsOf({ lanes, rounds }) {
  const priced = lanes.filter(({ isTuned }) => !isTuned);
  const compared = priced.filter(({ name, isOurs }) => isOurs || name === 'plain');
  return Array.from({ length: Math.max(rounds, LEAST_ROUNDS) }, (_, round) =>
    turned(round < rounds ? priced : compared, round).map((lane) => ({ lane, round })),
  ).flat();
}

/** @typedef {{title: string, lane?: Lane, runs: readonly import('./cost-run.js').Cost[]}} Costs `lane`: none, where there is no player */

/** @param {readonly Costs[]} costs @param {Record<string, number>} sizes @returns {{text: string, verdicts: Verdict[]}} */
function costSummary(costs, sizes) {
  const perSegment = (/** @type {Costs} */ { runs }, /** @type {'taskMs' | 'scriptMs'} */ what) =>
    runs.map((run) => run[what] / run.segments);
  const plain = costs.find(({ lane }) => lane?.name === 'plain');
  const ratioOf = (/** @type {Costs} */ cost, /** @type {'taskMs' | 'scriptMs'} */ what) =>
    plain ? median(perSegment(cost, what).map((value, i) => value / (perSegment(plain, what)[i] ?? NaN))) : NaN;
  const ms = (/** @type {number} */ value) => value.toFixed(2);
  const rows = costs.map((cost) => [
    cost.title,
    spreadOf(perSegment(cost, 'taskMs'), ms),
    ratioOf(cost, 'taskMs').toFixed(2),
    spreadOf(perSegment(cost, 'scriptMs'), ms),
    ratioOf(cost, 'scriptMs').toFixed(2),
    spreadOf(
      cost.runs.map(({ segments }) => segments),
      (value) => value.toFixed(0),
    ),
  ]);
  const weights = Object.entries(sizes).map(([name, bytes]) => [name, (bytes / 1000).toFixed(1)]);
  const text = [
    table(['player', 'CPU ms per segment', 'of plain', 'script ms per segment', 'of plain', 'segments'], rows),
    table(['script', 'kB gzipped'], weights),
  ].join('\n\n');
  const verdicts = costs
    .filter(({ lane }) => lane?.isOurs)
    .map((cost) => {
      const ratio = ratioOf(cost, 'taskMs');
      return {
        name: `${cost.title}: CPU per segment at most 1.10 times plain VHS`,
        kept: ratio <= 1.1,
        found: ratio.toFixed(3),
      };
    });
  return { text, verdicts };
}
