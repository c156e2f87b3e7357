/** Part one: how long until the first frame, for each player and each order of the edges. */
import { median, withConfidence } from '../figures.js';
import { AWAKE_FLAGS } from '../fault-run.js';
import { openLab } from '../lab.js';
import { nameOfLine, turned } from './plan.js';
import { SCRIPTS, laneOf } from './players.js';
import { ORDERS, startRun, startWorld } from './start-run.js';
import { mean, megabits, spreadOf, table } from './table.js';

/** @typedef {import('./players.js').Lane} Lane */
/** @typedef {import('./table.js').Verdict} Verdict */

/**
 * Every player in turn, one order of the edges after the other; alone, because a start is a matter of milliseconds.
 *
 * @param {import('../peers.js').Bench} bench
 * @returns {Promise<import('../peers.js').Part>}
 */
export async function starts(bench) {
  const parts = [];
  for (const tls of bench.startsOver) parts.push(await startsOver(bench, tls));
  return {
    figures: { starts: parts.flatMap(({ figures }) => figures) },
    sections: parts.map(({ section }) => section),
  };
}

/**
 * Who starts: all that are not tuned, and those again that begin with a thinner rendition, told to begin alike.
 *
 * @param {Pick<import('../peers.js').Bench, 'lanes' | 'isWhole'>} bench
 * @returns {[Lane, ...Lane[]]} the oracle first
 */
export function startersOf({ lanes, isWhole }) {
  const oracle = { ...laneOf('plain'), name: 'oracle', title: 'oracle: Video.js on the 20 ms edge' };
  const starters = lanes.filter(({ isTuned }) => !isTuned);
  // hls.js, Shaka and dash.js begin with the thinnest rendition: beside them, ours with VHS's option for the same
  const light = lanes.find(({ name }) => name === 'ours-get');
  if (light) starters.push({ ...light, name: 'ours-light', title: `${light.title}, thinnest first`, isLight: true });
  const others = isWhole
    ? ['ours-head', 'ours-options'].filter((name) => lanes.every((lane) => lane.name !== name))
    : [];
  starters.push(...others.map((name) => laneOf(name)));
  starters.push(
    ...lanes.filter(({ isTuned, player }) => !isTuned && player.isStarter).map(({ name }) => laneOf(name, true)),
  );
  return [oracle, ...starters];
}

/** @param {import('../peers.js').Bench} bench @param {boolean} tls */
async function startsOver(bench, tls) {
  const { dist, media, rounds, line, tried } = bench;
  const starters = startersOf(bench);
  const [oracle] = starters;
  const runs = starters.flatMap((lane) =>
    ORDERS.map((order) => ({
      lane,
      order: order.join(),
      runs: /** @type {import('./start-run.js').Start[]} */ ([]),
    })),
  );
  const lab = await openLab(dist, AWAKE_FLAGS, SCRIPTS);
  const place = await startWorld(media, tls, line);
  const nearest = ORDERS.find(([first]) => first === 'e20') ?? [];
  try {
    await startRun(lab, place, oracle, nearest);
    for (let round = 0; round < rounds; round++) {
      for (const [i, order] of ORDERS.entries()) {
        for (const lane of turned(starters, round * ORDERS.length + i)) {
          const own = runs.find((each) => each.lane === lane && each.order === order.join());
          await tried(`start of ${lane.title}, ${order.join()}`, async () => {
            own?.runs.push(await startRun(lab, place, lane, lane === oracle ? nearest : order));
          });
        }
      }
      console.log(`  starts${tls ? ' over TLS' : ''}: round ${round + 1} of ${rounds}`);
    }
  } finally {
    await place.world.close();
    await lab.close();
  }
  const summary = startSummary(runs);
  const shape = `edges at 20, 80 and 200 ms, 8 Mbit/s each, ${nameOfLine(line, tls)}`;
  const text = `First frame from a cold page; ${shape}; n = ${rounds} of each order.`;
  const heading = tls ? 'start over TLS and HTTP/2' : 'start';
  return {
    figures: runs.map(({ lane, ...rest }) => ({ player: lane.name, tls, ...rest })),
    section: {
      ...{ part: tls ? 'start-tls' : 'start', heading, text: `${text}\n\n${summary.text}` },
      verdicts: summary.verdicts,
    },
  };
}

/** @typedef {{lane: Lane, order: string, runs: readonly import('./start-run.js').Start[]}} Starts */

/** @param {readonly Starts[]} starts @returns {{text: string, verdicts: Verdict[]}} */
function startSummary(starts) {
  const lanes = [...new Set(starts.map(({ lane }) => lane))];
  const meanOf = (/** @type {Lane} */ lane) => mean(mediansOf(starts, lane));
  const ratesOf = (/** @type {Lane} */ lane) =>
    starts.filter((each) => each.lane === lane).flatMap(({ runs }) => runs.map((run) => run.bitsPerSecond));
  const rateOf = (/** @type {Lane} */ lane) => median(ratesOf(lane));
  const rows = lanes.map((lane) => {
    const medians = mediansOf(starts, lane);
    return [
      lane.title,
      mean(medians).toFixed(0),
      `${Math.min(...medians).toFixed(0)}..${Math.max(...medians).toFixed(0)}`,
      spreadOf(ratesOf(lane), megabits),
    ];
  });
  const oracle = starts.filter(({ lane }) => lane.name === 'oracle');
  const verdicts = lanes
    .filter(({ isOurs }) => isOurs)
    .flatMap((lane) => {
      const ratios = starts
        .filter((each) => each.lane === lane)
        .flatMap(({ order, runs }) => runs.map((run, i) => run.firstFrameMs / frameOf(oracle, order, i)));
      const { median: middle, low, high } = withConfidence(ratios);
      const own = meanOf(lane);
      const others = lanes.filter((other) => !other.isOurs && other.name !== 'oracle');
      const alike = others.filter((other) => rateOf(other) === rateOf(lane));
      const compared = (/** @type {string} */ what, /** @type {readonly Lane[]} */ list) => {
        const quicker = list.filter((other) => meanOf(other) <= own);
        const told = quicker.map((other) => `${other.title} ${meanOf(other).toFixed(0)} ms`).join(', ') || 'none';
        return {
          ...{ name: `${lane.title}: start below the mean of every peer${what}`, kept: quicker.length === 0 },
          found: `${own.toFixed(0)} ms; quicker: ${told}`,
        };
      };
      const both = [compared(' that begins with the same rendition', alike), compared('', others)];
      if (lane.isLight) return both;
      return [
        {
          ...{
            name: `${lane.title}: start at most 1.05 times the oracle's`,
            kept: middle <= 1.05 || lane.name !== 'ours-get',
          },
          found: `${middle.toFixed(3)} (${low.toFixed(3)} .. ${high.toFixed(3)})${lane.name === 'ours-get' ? '' : ', promised of GET alone'}`,
        },
        ...both,
      ];
    });
  return {
    text: table(['player', 'mean over the orders, ms', 'least..most order', 'first rendition, Mbit/s'], rows),
    verdicts,
  };
}

/** @param {readonly Starts[]} starts @param {Lane} lane @returns {number[]} by order */
function mediansOf(starts, lane) {
  const own = starts.filter((each) => each.lane === lane && each.runs.length > 0);
  return own.map(({ runs }) => median(runs.map(({ firstFrameMs }) => firstFrameMs)));
}

/** @param {readonly Starts[]} starts @param {string} order @param {number} round */
function frameOf(starts, order, round) {
  return starts.find((each) => each.order === order)?.runs[round]?.firstFrameMs ?? NaN;
}
