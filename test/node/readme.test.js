// README.md says what the source says.
import { buildSync } from 'esbuild';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const readme = read('README.md');

/** The first cells of the table below a heading cell, each with its second. */
function table(heading) {
  const [, rows = ''] = new RegExp(`^\\| ${heading} \\|.*\\n\\|[- |]+\\n((?:\\|.*\\n)+)`, 'm').exec(readme) ?? [];
  return rows
    .trim()
    .split('\n')
    .map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()).slice(1, 3)); // prettier-ignore
}

const codes = (text) => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
const inCodes = (heading) => table(heading).flatMap(([first]) => codes(first));

/** The names that an interface of the source declares, at its first level. */
function members(path, name) {
  const [, body] = new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(read(path));
  return [...body.matchAll(/^ {2}(?:readonly )?'?([\w:]+)'?\??: /gm)].map(([, member]) => member);
}

test('its table of options names each option, in the order of the source', () => {
  assert.deepEqual([...inCodes('option')].sort(), [...members('src/options.ts', 'EdgeSelectOptions')].sort());
});

test('its defaults are those of the source', async () => {
  const { outputFiles } = buildSync({ entryPoints: ['src/options.ts'], bundle: true, format: 'esm', write: false });
  const { DEFAULTS } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  const written = Object.fromEntries(table('option').map(([name, value]) => [codes(name)[0], codes(value)[0]]));
  for (const [option, value] of Object.entries(DEFAULTS)) {
    if (typeof value === 'function') continue;
    const text = written[option].replace(/'/g, '"').replace(/(\w+):/g, '"$1":');
    assert.deepEqual(JSON.parse(text), value, option);
  }
});

test('its table of events names each event', () => {
  assert.deepEqual(inCodes('event').sort(), members('src/events.ts', 'EdgeSelectEvents').sort());
});

test('its table of codes names each error code', () => {
  assert.deepEqual(inCodes('code').sort(), members('src/errors.ts', 'ErrorDetails').sort());
});

test('its drawing of the states has the states of the machine', () => {
  const [, drawing] = /stateDiagram-v2\n([\s\S]*?)```/.exec(readme);
  const drawn = new Set([...drawing.matchAll(/^ *(\w+) --> (\w+)/gm)].flatMap(([, from, to]) => [from, to]));
  const states = new Set([...read('src/switch.ts').matchAll(/readonly kind: '(\w+)'(?=[;\s][^|]*?\| \{ readonly kind|)/g)].map(([, kind]) => kind)); // prettier-ignore
  for (const state of drawn) assert.ok(states.has(state), state);
  for (const state of ['idle', 'selecting', 'steady', 'reselecting', 'bypassed']) assert.ok(drawn.has(state), state);
});

test('it has fewer than 300 lines', () => {
  assert.ok(readme.split('\n').length < 300);
});
