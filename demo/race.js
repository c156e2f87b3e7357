/** The race: a bar for each edge, what came of its probe, and what it told of itself. Also: why the chosen one was chosen. */
import { EDGES, element, labelOf, list, mark, ms, nameOf, outcome, rate } from './words.js';

/** The plugin leaves an edge alone for this long after a failure. */
const COOL_DOWN_MS = 60_000;
const SMALLEST_SCALE_MS = 120;

/** @param {{runners: HTMLElement, note: HTMLElement}} where */
export function race({ runners, note }) {
  /** Until when an edge is left alone, as far as a page can tell. @type {Map<string, number>} */
  const coolUntil = new Map();
  const rows = new Map(EDGES.map((name) => [name, row(name)]));
  runners.append(...[...rows.values()].map(({ item }) => item));
  let selection = null;
  let isFirst = true;
  setInterval(showOthers, 1000);

  return {
    /** @param {string} name */
    coolFor: (name) => Math.max(0, (coolUntil.get(name) ?? 0) - performance.now()),
    failed(name) {
      coolUntil.set(name, performance.now() + COOL_DOWN_MS);
      showOthers();
    },
    answered(name) {
      coolUntil.delete(name);
    },
    /** @param {any} next a selection; the same one comes again when its race is over */
    show(next) {
      if (selection && next.measuredAt !== selection.measuredAt) isFirst = false;
      selection = next;
      for (const { edge, outcome: kind } of next.probes) {
        if (kind === 'ok') coolUntil.delete(nameOf(edge.origin));
        else if (kind !== 'running') coolUntil.set(nameOf(edge.origin), performance.now() + COOL_DOWN_MS);
      }
      const longestMs = Math.max(SMALLEST_SCALE_MS, ...next.probes.map(({ elapsedMs }) => elapsedMs ?? 0));
      for (const probe of next.probes) showProbe(probe, longestMs);
      showOthers();
      note.textContent = isFirst
        ? 'In a first race the order of arrival counts: the whole bar. Pale: connecting. Full: from request to answer.'
        : 'Some connections are warm by now, so only the full part counts: from request to answer.';
    },
    why,
  };

  /** @param {any} probe @param {number} longestMs what a whole bar stands for */
  function showProbe(probe, longestMs) {
    const found = rows.get(nameOf(probe.edge.origin));
    if (!found) return;
    const { item, bar, time, fact } = found;
    const { elapsedMs, requestMs, capabilities } = probe;
    const isChosen = selection.chosen.origin === probe.edge.origin;
    item.dataset.state = probe.outcome === 'ok' ? (isChosen ? 'chosen' : 'ok') : probe.outcome;
    const wholeMs = elapsedMs ?? longestMs;
    const lastMs = requestMs !== null && Number.isFinite(requestMs) ? Math.min(requestMs, wholeMs) : wholeMs;
    bar.style.setProperty('--whole', `${(100 * wholeMs) / longestMs}%`);
    bar.style.setProperty('--request', `${wholeMs > 0 ? (100 * lastMs) / wholeMs : 100}%`);
    time.textContent = probe.outcome === 'ok' ? ms(elapsedMs) : '';
    const told = [
      capabilities.moveAway && 'asks to move away',
      isFirst || requestMs === null ? '' : `${ms(requestMs)} to answer`,
      capabilities.protocol && capabilities.protocol.toUpperCase(),
      capabilities.ranges && 'byte ranges',
      capabilities.etpKbps !== undefined && `offers ${rate(capabilities.etpKbps * 1000)}`,
    ];
    fact.textContent = probe.outcome === 'ok' ? told.filter(Boolean).join(' · ') : outcome(probe);
  }

  /** Those that did not run, and why not. */
  function showOthers() {
    if (!selection) return;
    const named = selection.edges.map(({ origin }) => nameOf(origin));
    const ran = selection.probes.map(({ edge }) => nameOf(edge.origin));
    for (const [name, { item, time, fact }] of rows) {
      const cooling = Math.ceil(((coolUntil.get(name) ?? 0) - performance.now()) / 1000);
      const isWell = item.dataset.state === 'ok' || item.dataset.state === 'chosen';
      if (ran.includes(name)) {
        if (cooling > 0 && isWell) fact.textContent = `has failed since, and is left alone for ${cooling} s more`;
        continue;
      }
      item.dataset.state = 'idle';
      time.textContent = '';
      if (!named.includes(name)) fact.textContent = 'not named by the map';
      else fact.textContent = cooling > 0 ? `failed, and is left alone for ${cooling} s more` : 'did not run';
    }
  }

  /** Why this edge and not another, in plain words. @param {any} selection */
  function why({ chosen, reason, probes }) {
    const timeOf = ({ elapsedMs, requestMs }) => (isFirst ? elapsedMs : (requestMs ?? elapsedMs)) ?? Infinity;
    const arrived = probes.filter((probe) => probe.outcome === 'ok').sort((a, b) => timeOf(a) - timeOf(b));
    const own = arrived.find(({ edge }) => edge.origin === chosen.origin);
    const name = (probe) => labelOf(nameOf(probe.edge.origin));
    if (reason === 'only') return 'The only edge that the map named.';
    if (reason === 'known') return 'Known from a moment ago; nothing had to wait.';
    if (reason === 'stayed')
      return 'Another was quicker, but not by a quarter, or only once so far: not worth a switch.';
    if (!own) return 'The first that answered.';
    const leaving = arrived.filter((probe) => probe.capabilities.moveAway && timeOf(probe) < timeOf(own)).map(name);
    if (leaving.length > 0) return `${list(leaving)} answered sooner, but asks its clients to move away.`;
    const next = arrived.find((probe) => probe !== own && timeOf(probe) >= timeOf(own));
    const first = `Answered first, after ${ms(timeOf(own))}`;
    return next ? `${first}; ${name(next)} took ${ms(timeOf(next))}.` : `${first}.`;
  }
}

/** @param {string} name */
function row(name) {
  const bar = element('span', { className: 'bar' }, [element('span', { className: 'request' })]);
  bar.dataset.edge = name;
  const time = element('span', { className: 'time' });
  const fact = element('span', { className: 'fact', textContent: 'not asked yet' });
  const title = element('span', { className: 'name', textContent: labelOf(name) });
  const item = element('li', {}, [mark(name), title, element('span', { className: 'track' }, [bar]), time, fact]);
  item.dataset.state = 'idle';
  return { item, bar, time, fact };
}
