/**
 * What reports teach of each network. In: the operator's map, what was learned before, lines of report logs. Out: what is
 * known now. Pure. Whoever can send a request can send a report, so none is believed by itself: each network counts
 * alone, no household and no network counts for much, what a few of them say is outvoted, and no weight moves far.
 */
import { answerFor, placeOf } from './map.js';

/**
 * @typedef {import('./map.js').OperatorMap} OperatorMap
 * @typedef {import('./map.js').Learned} Learned
 *
 * @typedef {object} Report what counts of a line
 * @property {number} at epoch ms
 * @property {string} network of the client, as the edge saw its address
 * @property {string} household one address, or one /64
 * @property {string} chosen token
 * @property {boolean} isRace whether the choice was by time
 * @property {ReadonlyMap<string, boolean>} runners token, and whether it answered well
 *
 * @typedef {'oversized' | 'broken' | 'stale' | 'foreign' | 'check' | 'forged'} Skipped
 *   stale: not of this window; foreign: of another service; check: of an operator at a terminal; forged: contradicts itself, the log, or the map
 */

/** Reports of this long count: long enough for a network's evening, short enough to follow a fault. */
export const WINDOW_MS = 600_000;
/** A clock may be ahead of ours by this much. */
const CLOCK_SKEW_MS = 60_000;
/** A report of 8 KiB whose every character is escaped twice is not longer. */
export const MAX_LINE_BYTES = 40_960;
/** A household has a few players; a carrier's address has thousands, and counts as one household. */
export const MAX_PER_HOUSEHOLD = 20;
export const MAX_PER_NETWORK = 200;
/** Less than this says nothing of a network, or of one edge as seen from there. */
export const MIN_REPORTS = 20;
const MIN_HOUSEHOLDS = 5;
const MIN_RUNS = 10;
/** Households are put into so many groups, of which the middle one counts: up to four of nine may be full of lies. */
const GROUPS = 9;
/** A weight moves by half in one run, and in all by no more than four from what the operator wrote. */
export const LARGEST_STEP = 1.5;
export const LARGEST_FACTOR = 4;
/** Less is noise, and no reason to write a zone. */
const WORTH_A_CHANGE = 1.1;
/** A network that was not heard of for this long has the operator's answer again. */
const KEPT_FOR_MS = 7 * 86_400_000;
const MAX_NETWORKS = 50_000;

const FAILURES = ['status', 'unreachable', 'unreadable', 'late'];
const OUTCOMES = ['ok', ...FAILURES, 'running', 'blocked'];
const MAX_PROBES = 16;
const LONGEST_PROBE_MS = 60_000;

/**
 * @param {OperatorMap} map
 * @param {Learned} before
 * @param {Iterable<string>} lines of the edges' report logs
 * @param {number} nowMs epoch
 * @returns {{learned: Learned, changed: string[], counts: Record<'counted' | 'overCap' | Skipped, number>}}
 *   `changed`: the networks whose answer is another one now
 */
export function learn(map, before, lines, nowMs) {
  const counts = { counted: 0, overCap: 0, oversized: 0, broken: 0, stale: 0, foreign: 0, check: 0, forged: 0 };
  const tokenOf = new Map(
    Object.entries(map.tokens).flatMap(([token, { servers }]) => servers.map((server) => [server, token])),
  );
  /** @type {Map<string, Report[]>} */
  const byNetwork = new Map();
  for (const line of lines) {
    const read = readLine(line, map, tokenOf, nowMs);
    if (typeof read === 'string') counts[read] += 1;
    else listIn(byNetwork, read.network).push(read);
  }
  const learned = Object.fromEntries(Object.entries(before).filter(([, { at }]) => nowMs - at < KEPT_FOR_MS));
  const changed = Object.keys(before).filter((network) => !learned[network]);
  for (const [network, reports] of byNetwork) {
    const within = capped(reports);
    counts.counted += within.length;
    counts.overCap += reports.length - within.length;
    const known = learned[network];
    if (!known && Object.keys(learned).length >= MAX_NETWORKS) continue;
    const factors = nextFactors(
      answerFor(map, network).map(([, , token]) => token),
      known?.factors ?? {},
      within,
    );
    if (!factors) continue;
    const isNews = Object.entries(factors).some(([token, factor]) => factor !== (known?.factors[token] ?? 1));
    if (known || isNews) learned[network] = { at: nowMs, factors };
    if (isNews) changed.push(network);
  }
  return { learned, changed, counts };
}

/**
 * @param {string} line
 * @param {OperatorMap} map
 * @param {ReadonlyMap<string, string>} tokenOf by origin
 * @param {number} nowMs
 * @returns {Report | Skipped}
 */
function readLine(line, map, tokenOf, nowMs) {
  if (Buffer.byteLength(line) > MAX_LINE_BYTES) return 'oversized';
  let entry, body;
  try {
    entry = JSON.parse(line);
    body = JSON.parse(entry.body);
  } catch {
    return 'broken';
  }
  if (!isObject(entry) || !isObject(body)) return 'broken';
  // nginx's $msec is in seconds
  const at = Number(entry.t) * 1000;
  const place = placeOf(String(entry.ip));
  if (place === null || !Number.isFinite(at)) return 'broken';
  if (nowMs - at > WINDOW_MS || at - nowMs > CLOCK_SKEW_MS) return 'stale';
  if (typeof body.service !== 'string' || !body.service.endsWith(`.${map.service}`)) return 'foreign';
  if (body.check === true) return 'check';
  const chosen = tokenOf.get(String(body.chosen));
  const runners = readProbes(body.edges, tokenOf);
  // a report goes to the edge that was chosen: the log of another one cannot hold it
  if (body.v !== 1 || !chosen || chosen !== entry.edge || !runners || runners.get(chosen) === false) return 'forged';
  // a switch: the edge that served before, and failed
  const left = isObject(body.left) && body.left.failures > 0 ? tokenOf.get(String(body.from)) : undefined;
  if (left && left !== chosen) runners.set(left, false);
  return { at, ...place, chosen, isRace: body.reason === 'quickest', runners };
}

/**
 * @param {unknown} probes
 * @param {ReadonlyMap<string, string>} tokenOf
 * @returns {Map<string, boolean> | null} null: no player made these
 */
function readProbes(probes, tokenOf) {
  if (!Array.isArray(probes) || probes.length > MAX_PROBES) return null;
  /** @type {Map<string, boolean>} */
  const runners = new Map();
  for (const probe of probes) {
    if (!isObject(probe) || !OUTCOMES.includes(String(probe.outcome))) return null;
    if (!isTime(probe.elapsedMs) || !isTime(probe.requestMs)) return null;
    // edges without a name (`report: { edges: 'anonymous' }`), or of another map
    const token = tokenOf.get(String(probe.origin));
    if (!token || probe.outcome === 'running' || probe.outcome === 'blocked') continue;
    if (runners.has(token)) return null;
    runners.set(token, probe.outcome === 'ok');
  }
  return runners;
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value */
function isTime(value) {
  return value === null || (typeof value === 'number' && value >= 0 && value <= LONGEST_PROBE_MS);
}

/**
 * The newest of each household, in turn, so that a loud one takes nobody's place.
 *
 * @param {readonly Report[]} reports of one network
 */
function capped(reports) {
  const rounds = households(reports).map((own) => own.sort((a, b) => b.at - a.at));
  const inTurn = Array.from({ length: MAX_PER_HOUSEHOLD }, (_, i) => rounds.flatMap((own) => own[i] ?? []));
  return inTurn.flat().slice(0, MAX_PER_NETWORK);
}

/** @param {readonly Report[]} reports @returns {Report[][]} one list each, always in the same order */
function households(reports) {
  /** @type {Map<string, Report[]>} */
  const lists = new Map();
  for (const report of reports) listIn(lists, report.household).push(report);
  return [...lists].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, list]) => list);
}

/** @param {Map<string, Report[]>} lists @param {string} key */
function listIn(lists, key) {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/**
 * @param {readonly string[]} tokens of the operator's answer
 * @param {Readonly<Record<string, number>>} before
 * @param {readonly Report[]} reports
 * @returns {Record<string, number> | null} null: too little is known to change anything
 */
function nextFactors(tokens, before, reports) {
  const own = households(reports);
  if (reports.length < MIN_REPORTS || own.length < MIN_HOUSEHOLDS) return null;
  // an odd number has a middle
  const count = Math.min(GROUPS, own.length - 1 + (own.length % 2));
  const groups = Array.from({ length: count }, (_, i) => own.filter((_, j) => j % count === i).flat());
  /** @type {Record<string, number>} */
  const next = {};
  for (const token of tokens) {
    const now = before[token] ?? 1;
    const runs = reports.filter(({ runners }) => runners.has(token)).length;
    const told = groups.map((group) => goodness(token, group)).filter((value) => value !== null);
    const wanted = runs < MIN_RUNS || told.length <= count / 2 ? now : clamp(median(told), LARGEST_FACTOR);
    const isWorthIt = Math.max(wanted / now, now / wanted) >= WORTH_A_CHANGE;
    const moved = isWorthIt ? now * clamp(wanted / now, LARGEST_STEP) : now;
    next[token] = Number(moved.toFixed(4));
  }
  return next;
}

/**
 * How often a token's edge won, against its fair share, and less for each failure: 1 is as good as the others.
 *
 * @param {string} token
 * @param {readonly Report[]} reports
 * @returns {number | null} null: it did not run
 */
function goodness(token, reports) {
  const ran = reports.filter(({ runners }) => runners.has(token));
  if (ran.length === 0) return null;
  const failed = ran.filter(({ runners }) => runners.get(token) === false).length / ran.length;
  // who ran alone has won against nobody
  const races = ran.filter(({ isRace, runners }) => isRace && runners.size > 1);
  const fair = races.reduce((sum, { runners }) => sum + 1 / runners.size, 0);
  const won = races.filter(({ chosen }) => chosen === token).length;
  return (races.length > 0 ? won / fair : 1) * (1 - failed);
}

/** @param {number} value @param {number} times from 1, up and down */
function clamp(value, times) {
  return Math.min(times, Math.max(1 / times, value));
}

/** @param {readonly number[]} values at least one */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (Number(sorted[Math.ceil(half) - 1]) + Number(sorted[Math.floor(half)])) / 2;
}
