/** Tables in Markdown, which are readable in a terminal too, and how numbers look in them. */
import { median } from '../figures.js';

/** A promise. @typedef {{name: string, kept: boolean, found: string}} Verdict */

/** @param {readonly number[]} values @param {(value: number) => string} shown */
export function spreadOf(values, shown) {
  if (values.length === 0) return '-';
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return values.length === 1 ? shown(least) : `${shown(median(values))} (${shown(least)}..${shown(most)})`;
}

/** @param {readonly string[]} heads @param {readonly (readonly string[])[]} rows */
export function table(heads, rows) {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(heads), rule, ...rows.map(line)].join('\n');
}

export function mean(/** @type {readonly number[]} */ values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function seconds(/** @type {number} */ value) {
  return Number.isNaN(value) ? '-' : value.toFixed(1);
}

export function megabits(/** @type {number} */ bitsPerSecond) {
  return Number.isNaN(bitsPerSecond) ? '-' : (bitsPerSecond / 1e6).toFixed(1);
}

export function percent(/** @type {number} */ share) {
  return Number.isFinite(share) ? `${(share * 100).toFixed(0)}%` : '-';
}
