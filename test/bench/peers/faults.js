/** Part three: does each player go on when its edge goes bad? */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saidAgain } from '../awake.js';
import { AWAKE_FLAGS } from '../fault-run.js';
import { FAULTS } from '../fault-scenarios.js';
import { latenessMs } from '../fault-table.js';
import { openLab } from '../lab.js';
import { picture } from '../pictures.js';
import { faultTables, verdictsAt } from './fault-summary.js';
import { interleaved, nameOfLine, nameOfScenario } from './plan.js';
import { SCRIPTS } from './players.js';
import { watchRun } from './watch-run.js';

/** @typedef {import('./plan.js').Scenario} Scenario */
/** @typedef {import('./watch-run.js').WatchRun} WatchRun */
/** @typedef {(scenario: Scenario, lane: Lane) => WatchRun[]} RunsOf */
/** @typedef {import('./players.js').Lane} Lane */

/** @param {import('../peers.js').Bench} bench @returns {Promise<import('../peers.js').Part>} */
export async function faults(bench) {
  const { dist, lanes, rounds, jobs, watchSeconds, segmentSeconds, scenarios, line, folder, tried } = bench;
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
          const run = await watchRun(lab, lane, { ...scenario, line, watchSeconds, round });
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
  const sections = [...new Set(scenarios.map(sectionOf))].map((section) => {
    const own = scenarios.filter((scenario) => sectionOf(scenario) === section);
    const { bufferSeconds = 0, tls = false } = own[0] ?? {};
    const names = own.map(({ fault }) => fault);
    const of = (/** @type {Lane} */ lane, /** @type {string} */ fault) => {
      const scenario = own.find((each) => each.fault === fault);
      return (scenario ? runsOf(scenario, lane) : []).map(inShort);
    };
    const pictures = own.map((scenario) => drawn(scenario, lanes, runsOf)).filter(({ svg }) => svg);
    for (const { name, svg } of pictures) writeFileSync(join(folder, name), svg);
    const heading = `faults at ${bufferSeconds} s buffer${tls ? ' over TLS and HTTP/2' : ''}`;
    const lateMs = Math.max(
      0,
      ...own.flatMap((scenario) => lanes.flatMap((lane) => runsOf(scenario, lane).map(latenessMs))),
    );
    const again = own.flatMap((scenario) => lanes.flatMap((lane) => runsOf(scenario, lane).map((run) => run.again)));
    const text = `${segmentSeconds} s segments, ${watchSeconds} s watched, ${nameOfLine(line, tls)}; n = ${rounds}. ${saidAgain(again)} The machine kept servers or pages waiting for up to ${lateMs.toFixed(0)} ms.`;
    return {
      ...{ part: section, heading, pictures },
      text: `${text}\n\n${faultTables(bufferSeconds, names, lanes, of)}`,
      verdicts: verdictsAt(bufferSeconds, names, lanes, of),
    };
  });
  const figures = runs.map(({ scenario, lane, round, run }) => {
    return { ...scenario, player: lane.name, round, ...run, trace: undefined };
  });
  return { figures: { runs: figures }, sections };
}

/** @param {Scenario} scenario */
function sectionOf({ bufferSeconds, tls }) {
  return `faults-${bufferSeconds}${tls ? '-tls' : ''}`;
}

/** @param {WatchRun} run */
function inShort({ figures: { stallSeconds, bitsPerSecond }, traffic, cpu }) {
  return { stallSeconds, bitsPerSecond, ...traffic, cpu };
}

/** The run in the middle of each lane. @param {Scenario} scenario @param {readonly Lane[]} lanes @param {RunsOf} runsOf */
function drawn(scenario, lanes, runsOf) {
  const rows = lanes.flatMap((lane) => {
    const sorted = runsOf(scenario, lane).sort((one, other) => one.figures.stallSeconds - other.figures.stallSeconds);
    const middle = sorted[Math.floor((sorted.length - 1) / 2)];
    if (!middle) return [];
    const note = `stall ${middle.figures.stallSeconds.toFixed(1)} s`;
    const { bad, second, trace } = middle;
    // without a fault no edge has the colour of the one that gets it
    const victims = FAULTS[scenario.fault]?.hitsNone ? { bad: '', second: bad } : { bad, second };
    return [{ title: lane.title, note, trace, ...victims }];
  });
  const what = FAULTS[scenario.fault]?.title ?? scenario.fault;
  const how = scenario.tls ? 'TLS and HTTP/2' : 'HTTP/1.1';
  const title = `${what} (${scenario.bufferSeconds} s buffer, ${scenario.segmentSeconds} s segments, ${how})`;
  const svg = rows.length === 0 ? '' : picture(title, scenario.bufferSeconds, rows);
  return { name: `${nameOfScenario(scenario)}.svg`, svg };
}
