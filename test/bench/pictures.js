/** An SVG of one scenario: a lane for each player, with the edge in use, the buffer and the stalls, over the time of the fault. */

const LABELS = 190;
const WIDTH = 960;
const LANE = 44;
const STRIP = 7;
const HEAD = 46;
const FOOT = 26;
/** The edge with the fault, the one that came second, the third, and the origin. */
const COLOURS = {
  bad: '#e39a2d',
  second: '#2f6fb0',
  other: '#2f9e77',
  origin: '#8a8a8a',
  stall: '#d7263d',
  buffer: '#b9cbe0',
};

/** @typedef {import('./peers/trace.js').Trace} Trace */
/** @typedef {{title: string, note: string, trace: Trace, bad: string, second: string}} PictureLane */

/**
 * @param {string} title
 * @param {number} bufferSeconds the goal: the height of a full lane is a little more
 * @param {readonly PictureLane[]} lanes
 * @returns {string}
 */
export function picture(title, bufferSeconds, lanes) {
  const from = Math.min(...lanes.map(({ trace }) => trace.beginsAt));
  const to = Math.max(...lanes.map(({ trace }) => trace.endsAt));
  const x = (/** @type {number} */ at) => round(LABELS + ((at - from) / (to - from)) * (WIDTH - LABELS - 10));
  const height = HEAD + lanes.length * LANE + FOOT;
  const bottom = height - FOOT;
  const ticks = range(Math.ceil(from / 5) * 5, to, 5).map(
    (at) =>
      `<line x1="${x(at)}" y1="${HEAD - 6}" x2="${x(at)}" y2="${bottom}" stroke="#e4e4e4"/>` +
      `<text x="${x(at)}" y="${bottom + 14}" text-anchor="middle" fill="#666">${at} s</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="11">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="10" y="17" font-size="14" fill="#111">${escaped(title)}</text>`,
    legend(),
    ...ticks,
    `<line x1="${x(0)}" y1="${HEAD - 6}" x2="${x(0)}" y2="${bottom}" stroke="#111" stroke-dasharray="3 3"/>`,
    ...lanes.map((lane, i) => drawn(lane, HEAD + i * LANE, bufferSeconds, x)),
    '</svg>\n',
  ].join('\n');
}

/** @param {PictureLane} lane @param {number} top @param {number} goalSeconds @param {(at: number) => number} x */
function drawn({ title, note, trace, bad, second }, top, goalSeconds, x) {
  const mostSeconds = goalSeconds * 1.25;
  const room = LANE - STRIP - 8;
  const floor = top + room;
  const y = (/** @type {number} */ seconds) => round(floor - (Math.min(seconds, mostSeconds) / mostSeconds) * room);
  const points = trace.ahead.map(([at, seconds]) => `${x(at)},${y(seconds)}`);
  const [first, last] = [trace.ahead[0]?.[0] ?? 0, trace.ahead.at(-1)?.[0] ?? 0];
  const colour = (/** @type {string} */ server) =>
    server === bad
      ? COLOURS.bad
      : server === second
        ? COLOURS.second
        : server === 'origin'
          ? COLOURS.origin
          : COLOURS.other;
  const bar = (/** @type {{from: number, to: number}} */ { from, to }) => {
    return `x="${x(from)}" width="${round(Math.max(0.8, x(to) - x(from)))}"`;
  };
  return [
    `<text x="10" y="${top + 16}" fill="#111">${escaped(title)}</text>`,
    `<text x="10" y="${top + 30}" fill="#666">${escaped(note)}</text>`,
    `<polygon points="${x(first)},${floor} ${points.join(' ')} ${x(last)},${floor}" fill="${COLOURS.buffer}"/>`,
    `<line x1="${LABELS}" y1="${y(goalSeconds)}" x2="${WIDTH - 10}" y2="${y(goalSeconds)}" stroke="${COLOURS.buffer}" stroke-dasharray="2 4"/>`,
    `<text x="${LABELS - 4}" y="${y(goalSeconds) + 3}" font-size="8" text-anchor="end" fill="#888">${goalSeconds} s</text>`,
    ...trace.stalls.map(
      (stall) => `<rect ${bar(stall)} y="${top}" height="${room}" fill="${COLOURS.stall}" opacity="0.75"/>`,
    ),
    ...trace.edges.map(
      (stretch) => `<rect ${bar(stretch)} y="${floor + 1}" height="${STRIP}" fill="${colour(stretch.server)}"/>`,
    ),
  ].join('\n');
}

function legend() {
  const words = /** @type {const} */ ([
    ['bad', 'edge that gets the fault'],
    ['second', 'another edge'],
    ['other', 'the third'],
    ['origin', 'origin'],
    ['buffer', 'seconds ahead, and goal'],
    ['stall', 'picture stands still'],
  ]);
  return words
    .map(([kind, text], i) => {
      const at = 10 + i * 155;
      return `<rect x="${at}" y="25" width="10" height="8" fill="${COLOURS[kind]}"/><text x="${at + 15}" y="33" fill="#444">${text}</text>`;
    })
    .join('');
}

/** @param {number} from @param {number} to @param {number} step */
function range(from, to, step) {
  return Array.from({ length: Math.max(0, Math.floor((to - from) / step) + 1) }, (_, i) => from + i * step);
}

function round(/** @type {number} */ value) {
  return Math.round(value * 10) / 10;
}

function escaped(/** @type {string} */ text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
