/** What happened, in plain words, the newest first. */
import { element, failure, fileOf, labelOf, list, mark, nameOf, outcome, sign, withNames } from './words.js';

const MAX_EVENTS = 60;

/**
 * @param {HTMLElement} where
 * @returns {(text: string, kind?: '' | 'good' | 'bad', server?: string) => void} `server`: whose mark stands before it
 */
export function eventList(where) {
  const startedAt = performance.now();
  return (text, kind = '', server = '') => {
    const time = ((performance.now() - startedAt) / 1000).toFixed(1);
    where.prepend(
      element('li', { className: kind }, [
        element('span', { className: 'at', textContent: `${time} s` }),
        server ? mark(server) : element('span'),
        element('span', { textContent: text }),
      ]),
    );
    if (where.children.length > MAX_EVENTS) where.lastElementChild?.remove();
  };
}

/**
 * Says what the player's events mean.
 *
 * @param {any} player
 * @param {ReturnType<typeof eventList>} say
 */
export function sayEvents(player, say) {
  const name = (origin) => labelOf(nameOf(origin));
  let chosenWords = '';
  player.on('edgeselect:selected', ({ selection }) => {
    const { chosen, edges } = selection;
    const isNamed = edges.some(({ origin }) => origin === chosen.origin);
    const of = `${edges.length} ${edges.length === 1 ? 'edge' : 'edges'}`;
    chosenWords = isNamed
      ? `${name(chosen.origin)} is chosen, of ${of}.`
      : `${name(chosen.origin)} stays, though the map names it no more.`;
    // when the edge is another one, `switched` says so in this same task, and says more
    queueMicrotask(() => {
      if (chosenWords) say(chosenWords, 'good', nameOf(chosen.origin));
    });
  });
  player.on('edgeselect:switched', ({ from, selection, because }) => {
    chosenWords = '';
    const { origin } = selection.chosen;
    say(`Switched from ${name(from)} to ${name(origin)}: ${withNames(sign(because))}.`, 'good', nameOf(origin));
  });
  player.on('edgeselect:raced', ({ selection }) => {
    const bad = selection.probes.filter((probe) => probe.outcome !== 'ok');
    const words = bad.map((probe) => `${name(probe.edge.origin)} ${outcome(probe)}`);
    say(words.length === 0 ? 'The race is over: every edge answered.' : `The race is over: ${list(words)}.`);
  });
  player.on('edgeselect:reported', ({ edge, accepted }) => {
    say(`${name(edge)} ${accepted ? 'took' : 'refused'} the report.`, '', nameOf(edge));
  });
  player.on('edgeselect:failedover', ({ url, from, to, because, status }) => {
    say(`${fileOf(url)} went from ${name(from)} to ${name(to)}: ${failure(because, status)}.`, 'bad', nameOf(from));
  });
  player.on('edgeselect:judged', ({ edge, verdict, because }) => {
    const next = verdict === 'leave' ? 'It is to be left' : 'Another is looked for';
    say(`${name(edge)}: ${sign(because)}. ${next}.`, 'bad', nameOf(edge));
  });
  player.on('edgeselect:bypassed', ({ error }) => {
    say(`The origin serves, as it would without the plugin: ${error.code}.`, 'bad', 'origin');
  });
  player.on('edgeselect:warned', ({ text }) => say(`The plugin warns: ${withNames(text)}.`));
}
