/** Names and numbers in plain words. Text from servers comes in as text and goes out as text. */

const LABELS = { amsterdam: 'Amsterdam', frankfurt: 'Frankfurt', warsaw: 'Warsaw', lisbon: 'Lisbon', origin: 'Origin' };

/** Server names in the order of the page. */
export const NAMES = Object.keys(LABELS);
export const EDGES = NAMES.filter((name) => name !== 'origin');

/** @param {string} name */
export const labelOf = (name) => LABELS[name] ?? name;

/** Short enough for a cell: colour is never the only sign. @param {string} name */
export const letterOf = (name) => labelOf(name).slice(0, 1);

/** @param {string} origin `http://NAME.localhost:PORT` */
export function nameOf(origin) {
  return /^https?:\/\/([^.:/]+)/.exec(origin)?.[1] ?? origin;
}

/** @param {string} text in which origins are given their names */
export function withNames(text) {
  return text.replace(/https?:\/\/[^\s/,;]+/g, (origin) => labelOf(nameOf(origin)));
}

/** @param {readonly string[]} words */
export function list(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** @param {number | null | undefined} value */
export function ms(value) {
  return typeof value === 'number' && Number.isFinite(value) ? `${Math.round(value)} ms` : '–';
}

/** @param {number} bytes */
export function size(bytes) {
  return bytes < 1000 ? `${bytes} B` : `${Math.round(bytes / 1000)} kB`;
}

/** @param {number} bitsPerSecond */
export function rate(bitsPerSecond) {
  return `${(bitsPerSecond / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} Mbit/s`;
}

/** What of a URL tells one request from another. @param {string} url */
export function fileOf(url) {
  return (
    url
      .replace(/[?#].*/, '')
      .split('/')
      .at(-1) || '/'
  );
}

const FAILURES = {
  refused: 'the connection was refused',
  silent: 'it did not answer',
  stalled: 'it fell silent half-way',
  slow: 'it was too slow',
  short: 'the body ended too early',
  late: 'it took longer than the player waits',
  notmedia: 'it sent something else than the stream',
  range: 'it ignored the byte range',
};

/** @param {string} because @param {number} status */
export function failure(because, status) {
  return because === 'status' ? `it answered ${status}` : (FAILURES[because] ?? because);
}

const SIGNS = {
  thinned: 'the stream is thinned',
  throughput: 'it gives less than the best picture needs',
  stalls: 'the picture stood still',
  drain: 'the buffer runs dry',
  failures: 'its requests fail',
  latency: 'it answers later than it used to',
  moveAway: 'it asks its clients to move away',
};

/** Why an edge is judged. @param {string} because */
export const sign = (because) => SIGNS[because] ?? because;

const OUTCOMES = {
  running: 'still running',
  unreachable: 'did not answer: refused or reset',
  unreadable: 'answered without CORS',
  blocked: 'blocked by the page’s policy',
  late: 'too late',
};

/** @param {{outcome: string, status: number | null}} probe */
export function outcome({ outcome: kind, status }) {
  return kind === 'status' ? `answered ${status}` : (OUTCOMES[kind] ?? kind);
}

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [members] of the element: `textContent`, `className`, `title` and so on
 * @param {readonly Node[]} [children]
 */
export function element(tag, members = {}, children = []) {
  const made = Object.assign(document.createElement(tag), members);
  made.append(...children);
  return made;
}

/** The colour and letter of a server. @param {string} name */
export function mark(name) {
  return paint(element('span', { className: 'mark', ariaHidden: 'true' }), name);
}

/** @param {HTMLElement} made @param {string} name */
export function paint(made, name) {
  made.dataset.edge = name;
  made.textContent = letterOf(name);
  return made;
}
