/** The strip chart: a row for each server, a column for each segment, a cell where it came from, a cross where it failed. */
import { NAMES, element, failure, fileOf, labelOf, mark, ms, nameOf, size } from './words.js';

const MAX_COLUMNS = 150;
const LABEL_EVERY = 5;

/** @param {{names: HTMLElement, columns: HTMLElement, note: HTMLElement}} where */
export function strip({ names, columns, note }) {
  /** Failures of requests that somebody else is about to serve, by URL. */
  const failures = new Map();
  let count = 0;
  names.append(
    ...NAMES.map((name) => element('li', {}, [mark(name), element('span', { textContent: labelOf(name) })])),
  );

  return {
    /** @param {any} event `edgeselect:failedover` */
    failedOver(event) {
      failures.set(event.url, [...(failures.get(event.url) ?? []), event]);
    },
    /** @param {any} event `edgeselect:served` */
    served(event) {
      const failed = failures.get(event.url) ?? [];
      failures.delete(event.url);
      if (event.requestType !== 'segment') return;
      const isAtEnd = columns.scrollLeft + columns.clientWidth >= columns.scrollWidth - 40;
      columns.append(column(event, failed));
      if (columns.children.length > MAX_COLUMNS) columns.firstElementChild?.remove();
      if (isAtEnd) columns.scrollLeft = columns.scrollWidth;
    },
  };

  function column(event, failed) {
    count += 1;
    const server = nameOf(event.edge);
    const { rendition, text } = describe(event, failed);
    note.textContent = text;
    const cells = NAMES.map((name) => {
      const lost = failed.some(({ from }) => nameOf(from) === name);
      const cell = element('span', { className: name === server ? 'cell' : lost ? 'cell lost' : 'cell none' });
      cell.dataset.edge = name;
      if (name === server) cell.dataset.rendition = rendition;
      return cell;
    });
    const number = element('span', {
      className: 'number',
      textContent: count === 1 || count % LABEL_EVERY === 0 ? String(count) : '',
    });
    const made = element('li', { title: text }, [
      ...cells,
      number,
      element('span', { className: 'unseen', textContent: text }),
    ]);
    made.classList.toggle('failedover', failed.length > 0);
    return made;
  }
}

/** @returns {{rendition: string, text: string}} */
function describe({ url, edge, bytes, elapsedMs }, failed) {
  const file = fileOf(url);
  const [, rendition = '', number = ''] = /^(\d+p)-(\d+)\./.exec(file) ?? [];
  const what = number ? `Segment ${Number(number) + 1} of the clip (${rendition})` : file;
  const after = failed.map(
    ({ from, because, status }) => `${labelOf(nameOf(from))} failed: ${failure(because, status)}`,
  );
  const text = `${what} came from ${labelOf(nameOf(edge))}, ${size(bytes)} in ${ms(elapsedMs)}.`;
  return { rendition, text: after.length > 0 ? `${text} Before that, ${after.join('; ')}.` : text };
}
