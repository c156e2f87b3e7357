/** Medians, confidence, and drawings in text. */

/** @param {readonly number[]} values @returns {number} */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/**
 * The median, and in which range it lies with 95 % confidence: percentiles of the medians of samples drawn from the
 * values with replacement (bootstrap).
 *
 * @param {readonly number[]} values
 * @returns {{median: number, low: number, high: number}}
 */
export function withConfidence(values) {
  const random = seeded(1);
  const medians = Array.from({ length: 4000 }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? NaN)),
  ).sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => medians[Math.floor(share * (medians.length - 1))] ?? NaN;
  return { median: median(values), low: at(0.025), high: at(0.975) };
}

/** The same draw each time, so that the same figures give the same range (mulberry32). */
export function seeded(/** @type {number} */ seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {string} label @param {readonly number[]} values in ms */
export function spread(label, values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `  ${label.padEnd(34)} ${ms(median(values))} ms   (${ms(least)} .. ${ms(most)}, n = ${values.length})`;
}

function ms(/** @type {number} */ value) {
  return value.toFixed(value < 10 && value > -10 ? 1 : 0).padStart(5);
}

/** @typedef {{url: string, isFetch: boolean, protocol: string, startMs: number, connectMs: number, requestMs: number, headersMs: number, endMs: number}} Request */

/**
 * The requests of a start up to its first frame. `-` connecting or waiting to be sent, `=` waiting for headers, `#` body.
 *
 * @param {{requests: Request[], firstFrameMs: number}} run
 * @param {{edges: Record<string, string>, nameservers: Record<string, string>}} urls of the network
 */
export function waterfall({ requests, firstFrameMs }, urls) {
  const until = requests.filter(({ startMs }) => startMs < firstFrameMs).sort((a, b) => a.startMs - b.startMs);
  const scale = 64 / firstFrameMs;
  const columns = (/** @type {number} */ at) => Math.max(0, Math.round(Math.min(at, firstFrameMs) * scale));
  const lookups = until.filter(({ url }) => nameOf(url, urls.nameservers));
  const lines = until.map((request) => {
    const { url, startMs, connectMs, requestMs, headersMs, endMs, protocol } = request;
    const server = nameOf(url, urls.nameservers) ?? nameOf(url, urls.edges) ?? '?';
    const label = lookups.includes(request) ? `lookup ${lookups.indexOf(request) + 1}` : kindOf(request, until);
    const [from, sent, headers, end] = [startMs, requestMs || startMs, headersMs || endMs, endMs].map(columns);
    const bar =
      ' '.repeat(from ?? 0) +
      '-'.repeat((sent ?? 0) - (from ?? 0)) +
      '='.repeat(Math.max(0, (headers ?? 0) - (sent ?? 0))) +
      '#'.repeat(Math.max(1, (end ?? 0) - (headers ?? 0)));
    const times = [startMs, requestMs, headersMs, endMs].map((at) => at.toFixed(0).padStart(5)).join('');
    const how = `${protocol}${connectMs > 1 ? ' new' : ''}`;
    return `    ${label.padEnd(15)} ${server.padEnd(7)} ${how.padEnd(13)}${times}  |${bar.padEnd(65)}|`;
  });
  const head = `    ${'request'.padEnd(15)} ${'server'.padEnd(7)} ${''.padEnd(13)}start sent head  end`;
  return [head, ...lines, `    first frame after ${firstFrameMs.toFixed(0)} ms`].join('\n');
}

function nameOf(/** @type {string} */ url, /** @type {Record<string, string>} */ urls) {
  const { origin } = new URL(url);
  return Object.keys(urls).find((name) => new URL(urls[name] ?? '').origin === origin);
}

function kindOf(/** @type {Request} */ { url }, /** @type {readonly Request[]} */ all) {
  const { pathname } = new URL(url);
  if (pathname.startsWith('/.well-known/')) return 'report';
  if (!pathname.endsWith('.m3u8')) return 'segment';
  const isMain = pathname.endsWith('/main.m3u8');
  const isRaced = all.filter((other) => new URL(other.url).pathname === pathname).length > 1;
  return isMain ? (isRaced ? 'race, manifest' : 'manifest') : 'media playlist';
}
