// docs/operators.md says what the source says.
import { buildSync } from 'esbuild';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as weights from '../../demo/stack/weights.js';

const text = readFileSync('docs/operators.md', 'utf8');
const { outputFiles } = buildSync({ entryPoints: ['src/options.ts'], bundle: true, format: 'esm', write: false });
const { DEFAULTS } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`);

test('its table of queries follows from the plugin’s own refresh rules', () => {
  const rows = [...text.matchAll(/^\| (\d+) s(?: or \w+)? \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$/gm)];
  assert.equal(rows.length, 6);
  const number = (/** @type {string | undefined} */ digits) => Number(digits?.replaceAll(',', ''));
  for (const [, ttl, players, map, second] of rows) {
    const everyMs = Math.min(Math.max(number(ttl) * 1000, DEFAULTS.refreshMinMs), DEFAULTS.refreshMaxMs);
    const perSecond = (number(players) / everyMs) * 1000;
    assert.equal(number(map), Math.round(perSecond));
    assert.equal(number(second), Math.round(perSecond * DEFAULTS.maxTokens));
  }
});

test('its table of guards has the numbers of the feed', () => {
  const { MAX_PER_HOUSEHOLD, MAX_PER_NETWORK, WINDOW_MS, MIN_REPORTS, LARGEST_STEP, LARGEST_FACTOR } = weights;
  for (const words of [
    `| ${MAX_PER_HOUSEHOLD} and ${MAX_PER_NETWORK} in ${WINDOW_MS / 60_000} min |`,
    `| ${MIN_REPORTS}, 5, 10 |`,
    `×${LARGEST_STEP} or ÷${LARGEST_STEP}; never beyond ×${LARGEST_FACTOR} or ÷${LARGEST_FACTOR}`,
  ]) {
    assert.ok(text.includes(words), words);
  }
});
