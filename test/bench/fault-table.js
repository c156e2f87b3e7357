/** The table in text. */
import { FAULTS } from './fault-scenarios.js';

/** As in watch.js. */
const SAMPLE_MS = 50;

/** @typedef {import('./fault-scenarios.js').Case & ReturnType<typeof import('./fault-figures.js').summaryOf> & {bitrateShare: number, misses: string[], runs: Lateness[]}} Line */
/** @typedef {{serversLateMs: number, figures: {latestSampleMs: number}}} Lateness */
/** @type {readonly (readonly [string, number, (line: Line) => string])[]} heading, width, cell */
const COLUMNS = [
  ['fault', -34, ({ fault }) => FAULTS[fault]?.title ?? fault],
  ['player', -6, ({ isPlain, networkInformation }) => (isPlain ? 'plain' : networkInformation ? 'net' : 'ours')],
  ['goal', 4, ({ bufferSeconds }) => `${bufferSeconds}`],
  ['seg', 3, ({ segmentSeconds }) => `${segmentSeconds}`],
  ['in', -4, ({ container }) => container],
  ['buffer', 6, ({ bufferAtFault }) => bufferAtFault.toFixed(1)],
  ['stall s', 7, ({ stall }) => stall.median.toFixed(1)],
  ['(least..most)', -13, ({ stall }) => `(${stall.least.toFixed(1)}..${stall.most.toFixed(1)})`],
  ['1st byte', 8, ({ firstByteMs }) => milliseconds(firstByteMs)],
  ['low', 4, ({ leastAheadSeconds }) => leastAheadSeconds.toFixed(1)],
  ['bitrate', 7, ({ bitrateShare }) => percent(bitrateShare)],
  ['bytes', 6, ({ overhead }) => `${overhead >= 0 ? '+' : ''}${percent(overhead)}`],
  ['VHS sees', 9, ({ vhsShare }) => `${(vhsShare.least * 100).toFixed(0)}..${percent(vhsShare.most)}`],
  ['excl', 4, ({ excluded }) => `${excluded}`],
  ['moves', 7, ({ failovers, switches }) => `${failovers}+${switches}`],
  [
    'out',
    3,
    ({ fault, isPlain, mostOut }) => (FAULTS[fault]?.hitsNone && fault !== 'none' && !isPlain ? `${mostOut}` : '-'),
  ],
  ['late', 4, ({ runs }) => Math.max(...runs.map(latenessMs)).toFixed(0)],
  ['', -6, ({ isPlain, misses }) => (isPlain ? '' : misses.length > 0 ? `MISSED ${misses.join(', ')}` : 'ok')],
];

export const HEAD = COLUMNS.map(([heading, width]) => padded(heading, width)).join('  ');

/** @param {Line} line */
export function row(line) {
  return COLUMNS.map(([, width, cell]) => padded(cell(line), width))
    .join('  ')
    .trimEnd();
}

/** How long the machine kept a server or the page waiting: what was measured is as uncertain as that. @param {Lateness} run */
export function latenessMs({ serversLateMs, figures }) {
  return Math.max(serversLateMs, figures.latestSampleMs - SAMPLE_MS);
}

/** @param {string} text @param {number} width negative: flush left */
function padded(text, width) {
  return width < 0 ? text.padEnd(-width) : text.padStart(width);
}

/** @param {number | null} value null: the fault was never met */
function milliseconds(value) {
  if (value === null) return '-';
  return value === Infinity ? 'never' : value.toFixed(0);
}

function percent(/** @type {number} */ share) {
  return Number.isFinite(share) ? `${(share * 100).toFixed(0)}%` : '-';
}
