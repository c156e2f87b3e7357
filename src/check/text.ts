/**
 * Text as a terminal may show it. In: whatever a server sent, and rows of a table. Out: visible characters, lines.
 * Pure. No character that a terminal would obey, or that would turn the order of a line, comes through.
 */

/** What is quoted of a server's text in a sentence: enough to know it again. */
const QUOTED_LENGTH = 80;

/** Control characters, escapes and marks of direction become visible (Unicode categories C, Zl, Zp). */
export function plain(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

/** A server's own words within a sentence of ours. */
export function quoted(text: string): string {
  const visible = plain(text);
  return `"${visible.length > QUOTED_LENGTH ? `${visible.slice(0, QUOTED_LENGTH)}...` : visible}"`;
}

/** Columns as wide as their widest cell, the first row being their names; each line indented by two. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const visible = rows.map((row) => row.map(plain));
  const widths = (visible[0] ?? []).map((_, column) => Math.max(...visible.map((row) => row[column]?.length ?? 0)));
  return visible.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}

/** Whole milliseconds, or a dash where there is no number. */
export function inMs(ms: number | null | undefined): string {
  return typeof ms === 'number' ? `${Math.round(ms)} ms` : '-';
}

/** A number and its noun. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
