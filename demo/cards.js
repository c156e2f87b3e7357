/** A card for each server: its latency and condition, which the viewer can change, and its own log of requests. */
import { NAMES, element, fileOf, labelOf, ms, paint, rate, size } from './words.js';

const LOG_LINES = 6;
const REPORT_PATH = '/.well-known/edge-select';

/**
 * @param {HTMLElement} where
 * @param {HTMLTemplateElement} template
 * @param {(name: string, change: object) => void} change
 */
export function cards(where, template, change) {
  const made = new Map(NAMES.map((name) => [name, card(name, template, change)]));
  where.append(...[...made.values()].map(({ item }) => item));
  return {
    /**
     * @param {readonly {name: string, latencyMs?: number, bitsPerSecond?: number, condition: string}[]} edges
     * @param {readonly string[]} conditions that a viewer may choose
     */
    show(edges, conditions) {
      for (const edge of edges) made.get(edge.name)?.show(edge, conditions);
    },
    /** @param {string} name @param {string} text such as `serving` */
    badge(name, text) {
      const found = made.get(name);
      if (found) found.badge.textContent = text;
    },
    /** @param {any} entry of the server's log, perhaps one that is there already */
    log(entry) {
      made.get(entry.server.replace('edge:', ''))?.log(entry);
    },
  };
}

/** @param {string} name @param {HTMLTemplateElement} template @param {(name: string, change: object) => void} change */
function card(name, template, change) {
  const item = /** @type {any} */ (template.content.cloneNode(true)).querySelector('article');
  const title = item.querySelector('h3');
  const badge = item.querySelector('.badge');
  const latency = item.querySelector('input');
  const shown = item.querySelector('output');
  const condition = item.querySelector('select');
  const button = item.querySelector('button');
  const list = item.querySelector('.log');
  const lines = new Map();
  paint(item.querySelector('.mark'), name);
  title.textContent = labelOf(name);
  item.querySelector('.condition .unseen').textContent = `Condition of ${labelOf(name)}`;
  latency.setAttribute('aria-label', `Latency of ${labelOf(name)}`);
  list.setAttribute('aria-label', `Requests to ${labelOf(name)}, the newest first`);

  latency.addEventListener('input', () => {
    shown.textContent = ms(latency.valueAsNumber);
  });
  latency.addEventListener('change', () => change(name, { latencyMs: latency.valueAsNumber }));
  condition.addEventListener('change', () => change(name, { condition: condition.value }));
  button.addEventListener('click', () => change(name, { condition: isWell() ? 'refuse' : 'works' }));
  const isWell = () => ['works', 'leave', 'drain'].includes(condition.value);

  return {
    item,
    badge,
    show({ latencyMs, bitsPerSecond, condition: now }, conditions) {
      // real servers have the latency they have
      latency.parentElement.hidden = latencyMs === undefined;
      if (document.activeElement !== latency) latency.value = String(latencyMs);
      shown.textContent = ms(latencyMs);
      for (const option of condition.options) option.hidden = !conditions.includes(option.value);
      condition.value = now;
      item.dataset.condition = now;
      button.textContent = isWell() ? 'Break' : 'Repair';
      button.setAttribute('aria-label', `${button.textContent} ${labelOf(name)}`);
      title.title = bitsPerSecond === undefined ? '' : rate(bitsPerSecond);
    },
    log(entry) {
      let line = lines.get(entry.seq);
      if (!line) {
        line = element('li', {}, [element('span'), element('span'), element('span')]);
        lines.set(entry.seq, line);
        list.prepend(line);
        for (const [seq, old] of lines) {
          if (lines.size <= LOG_LINES) break;
          lines.delete(seq);
          old.remove();
        }
      }
      const { method, url, status, bytes, aborted, tEnd } = entry;
      const isReport = url === REPORT_PATH;
      const [what, result, amount] = line.children;
      what.textContent = isReport ? 'POST report' : `${method} ${fileOf(url)}`;
      what.title = `${method} ${url}`;
      result.textContent = aborted ? 'left' : (status ?? '…');
      amount.textContent = bytes > 0 && tEnd !== null ? size(bytes) : '';
      line.classList.toggle('bad', aborted || status >= 400);
    },
  };
}
