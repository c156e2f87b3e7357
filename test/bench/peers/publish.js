/** The newest summary and pictures, kept where readers find them: each part between its marks in RESULTS.md, pictures in the folder beside it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lab.js';

const FILE = join(ROOT, 'test/bench/RESULTS.md');
const FOLDER = 'pictures';
const TITLE = '# What the benchmarks found\n';

/** @typedef {{part: string, heading: string, body: string, pictures: readonly {name: string, svg: string}[]}} Section */

/** @param {string} head when and where it was found @param {readonly Section[]} sections those of other parts stay */
export function publish(head, sections) {
  mkdirSync(join(ROOT, 'test/bench', FOLDER), { recursive: true });
  let text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : TITLE;
  for (const { part, heading, body, pictures } of sections) {
    for (const { name, svg } of pictures) writeFileSync(join(ROOT, 'test/bench', FOLDER, name), svg);
    const shown = pictures.map(({ name }) => `![${name.replace('.svg', '')}](${FOLDER}/${name})`);
    text = withPart(text, part, [`## Beside its peers: ${heading}`, head, body, ...shown].join('\n\n'));
  }
  writeFileSync(FILE, text);
  console.log('Written to test/bench/RESULTS.md');
}

/** @param {string} text @param {string} part @param {string} body */
function withPart(text, part, body) {
  const [begin, end] = [`<!-- peers, ${part}: written by npm run bench -- --publish -->`, `<!-- /peers, ${part} -->`];
  const own = `${begin}\n\n${body}\n\n${end}`;
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  return from >= 0 && to > from
    ? text.slice(0, from) + own + text.slice(to + end.length)
    : `${text.trimEnd()}\n\n${own}\n`;
}
