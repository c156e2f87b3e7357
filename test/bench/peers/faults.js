/** Part three: does each player go on when its edge goes bad? */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AWAKE_FLAGS } from '../fault-run.js';
import { FAULTS } from '../fault-scenarios.js';
import { openLab } from '../lab.js';
import { picture } from '../pictures.js';
import { faultTables, faultVerdicts } from './fault-summary.js';
import { interleaved, nameOfScenario } from './plan.js';
import { SCRIPTS } from './players.js';
import { watchRun } from './watch-run.js';

/** @typedef {import('./plan.js').Scenario} Scenario */
/** @typedef {import('./watch-run.js').WatchRun} WatchRun */
/** @typedef {(scenario: Scenario, lane: Lane) => WatchRun[]} RunsOf */
/** @typedef {import('./players.js').Lane} Lane */
/** @typedef {import('./table.js').Verdict} Verdict */

/** @param {import('../peers.js').Bench} bench @returns {Promise<import('../peers.js').Part>} */
export async function faults({ dist, lanes, rounds, jobs, watchSeconds, segmentSeconds, scenarios, folder, tried }) {
  const queue = interleaved(rounds, scenarios, lanes);
  const all = queue.length;
  /** @type {{scenario: Scenario, lane: Lane, round: number, run: WatchRun}[]} */
  const runs = [];
  const work = async () => {
    const lab = await openLab(dist, AWAKE_FLAGS, SCRIPTS);
    try {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const { scenario, lane, round } = next;
        await tried(`${nameOfScenario(scenario)}, ${lane.title}`, async () => {
          const run = await watchRun(lab, lane, { ...scenario, watchSeconds, round });
          runs.push({ scenario, lane, round, run });
          const stall = `stall ${run.figures.stallSeconds.toFixed(1)} s`;
          console.log(
            `  ${runs.length}/${all} ${nameOfScenario(scenario)}, ${lane.title}: ${stall}, ${run.frames} frames`,
          );
        });
      }
    } finally {
      await lab.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, all) }, work));

  const runsOf = (/** @type {Scenario} */ scenario, /** @type {Lane} */ lane) =>
    runs.filter((each) => each.scenario === scenario && each.lane === lane).map(({ run }) => run);
  const sections = [...new Set(scenarios.map(({ bufferSeconds }) => bufferSeconds))].map((bufferSeconds) => {
    const own = scenarios.filter((scenario) => scenario.bufferSeconds === bufferSeconds);
    const names = own.map(({ fault }) => fault);
    const of = (/** @type {Lane} */ lane, /** @type {string} */ fault) => {
      const scenario = own.find((each) => each.fault === fault);
      return (scenario ? runsOf(scenario, lane) : []).map(inShort);
    };
    const pictures = own.map((scenario) => drawn(scenario, lanes, runsOf)).filter(({ svg }) => svg);
    for (const { name, svg } of pictures) writeFileSync(join(folder, name), svg);
    const text = `${segmentSeconds} s segments, ${watchSeconds} s watched, n = ${rounds}.`;
    return {
      ...{ part: `faults-${bufferSeconds}`, heading: `faults at ${bufferSeconds} s buffer`, pictures },
      text: `${text}\n\n${faultTables(bufferSeconds, names, lanes, of)}`,
      verdicts: verdictsAt(bufferSeconds, names, lanes, of),
    };
  });
  const figures = runs.map(({ scenario, lane, round, run }) => {
    return { ...scenario, player: lane.name, round, ...run, trace: undefined };
  });
  return { figures: { runs: figures }, sections };
}

/** @param {WatchRun} run */
function inShort({ figures: { stallSeconds, bitsPerSecond }, traffic }) {
  return { stallSeconds, bitsPerSecond, ...traffic };
}

/**
 * @param {number} bufferSeconds
 * @param {readonly string[]} names of faults
 * @param {readonly Lane[]} lanes
 * @param {(lane: Lane, fault: string) => readonly import('./fault-summary.js').Watched[]} of
 */
function verdictsAt(bufferSeconds, names, lanes, of) {
  const own = faultVerdicts(bufferSeconds, names, lanes, of);
  const isGood = (/** @type {Lane} */ lane) => {
    const control = of(lane, 'none');
    return control.length > 0 && control.every(({ stallSeconds }) => stallSeconds === 0);
  };
  const stalled = lanes.filter((lane) => !isGood(lane)).map(({ title }) => title);
  const name = `no player stalls without a fault at ${bufferSeconds} s buffer`;
  if (stalled.length === 0) return [{ name, kept: true, found: 'none did' }, ...own];
  const busy = 'the machine was too busy, and this proves nothing';
  return [
    { name, kept: false, found: `${stalled.join(', ')} did: ${busy}` },
    ...own.map((verdict) => ({ ...verdict, kept: false, found: `${verdict.found}; ${busy}` })),
  ];
}

/** The run in the middle of each lane. @param {Scenario} scenario @param {readonly Lane[]} lanes @param {RunsOf} runsOf */
function drawn(scenario, lanes, runsOf) {
  const rows = lanes.flatMap((lane) => {
    const sorted = runsOf(scenario, lane).sort((one, other) => one.figures.stallSeconds - other.figures.stallSeconds);
    const middle = sorted[Math.floor((sorted.length - 1) / 2)];
    if (!middle) return [];
    const note = `stall ${middle.figures.stallSeconds.toFixed(1)} s`;
    return [{ title: lane.title, note, trace: middle.trace, bad: middle.bad, second: middle.second }];
  });
  const what = FAULTS[scenario.fault]?.title ?? scenario.fault;
  const title = `${what}: ${scenario.bufferSeconds} s buffer, ${scenario.segmentSeconds} s segments`;
  const svg = rows.length === 0 ? '' : picture(title, scenario.bufferSeconds, rows);
  return { name: `${nameOfScenario(scenario)}.svg`, svg };
}
