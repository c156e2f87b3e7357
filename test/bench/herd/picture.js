// One picture of a run: the load of each edge over time, what races and probes cost them, switches, and the map.
import { smooth } from './judge.js';
import { SCENARIOS, VICTIM } from './scenarios.js';
import { EDGES } from './world.js';

const WIDTH = 900;
const LEFT = 70;
const PANELS = [
  { title: 'load of each edge, Gbit/s (bad one red, origin black, capacity dashed)', height: 240 },
  { title: 'races and probes a second at each edge', height: 110 },
  { title: 'switches a second', height: 80 },
  { title: 'questions a second at the map', height: 80 },
];

/** @param {any} figures @returns {string} SVG */
export function picture(figures) {
  const { name, players, seconds, loads, probes, switches, mapQueries, capacityBps } = figures;
  const scenario = SCENARIOS.find((one) => one.name === name);
  const width = Math.max(1, Math.round(seconds / 300));
  const colour = (/** @type {number} */ i) =>
    i === VICTIM ? '#c00' : i === EDGES ? '#000' : `hsl(${200 + i * 4} 45% 55%)`;
  const gigabits = loads.map((series) => smooth(series, 5).map((bps) => bps / 1e9));
  const lines = [
    gigabits.map((series, i) => ({ series, colour: colour(i) })),
    probes.slice(0, EDGES).map((series, i) => ({ series: smooth(series, 5), colour: colour(i) })),
    [{ series: smooth(switches, 5), colour: '#a50' }],
    [{ series: smooth(mapQueries, 5), colour: '#060' }],
  ];
  let top = 40;
  const panels = PANELS.map(({ title, height }, i) => {
    const most = Math.max(
      1e-9,
      ...lines[i].flatMap(({ series }) => Math.max(...series)),
      i === 0 ? (1.05 * capacityBps) / 1e9 : 0,
    );
    const drawn = panel({ title, height, top, most, seconds, lines: lines[i], width, events: scenario?.events ?? [] });
    const y = top + height - (height * capacityBps) / 1e9 / most;
    const capacity = i === 0 ? `<path d="M${LEFT} ${y}H${LEFT + WIDTH}" stroke="#888" stroke-dasharray="4"/>` : '';
    top += height + 40;
    return drawn + capacity;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 20} ${top}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="16" font-size="14">${name}: ${scenario?.title ?? ''} (${players} players)</text>
${panels.join('\n')}
</svg>
`;
}

function panel({ title, height, top, most, seconds, lines, width, events }) {
  const x = (/** @type {number} */ second) => (LEFT + (WIDTH * second) / seconds).toFixed(1);
  const y = (/** @type {number} */ value) => (top + height - (height * value) / most).toFixed(1);
  const path = ({ series, colour }) => {
    const points = series.filter((_, i) => i % width === 0).map((value, i) => `${x(i * width)} ${y(value)}`);
    return `<polyline fill="none" stroke="${colour}" points="${points.join(' ')}"/>`;
  };
  const marks = events.map(([at, what]) => `<path d="M${x(at)} ${top}v${height}" stroke="#bbb"/><text x="${x(at)}" y="${top + 12}" fill="#888">${what}</text>`); // prettier-ignore
  const scale = [0, most / 2, most].map((value) => `<text x="${LEFT - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${value.toFixed(most < 10 ? 1 : 0)}</text>`); // prettier-ignore
  return `<text x="${LEFT}" y="${top - 6}">${title}</text><rect x="${LEFT}" y="${top}" width="${WIDTH}" height="${height}" fill="none" stroke="#ccc"/>
${marks.join('')}${scale.join('')}${lines.map(path).join('')}<text x="${LEFT + WIDTH}" y="${top + height + 14}" text-anchor="end">${seconds} s</text>`;
}
