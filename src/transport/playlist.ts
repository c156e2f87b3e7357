/**
 * Live playlists of several servers as one. In: a playlist, and the newest that was seen of the same URL. Out: the one of
 * the two that goes further. A window that moves back is an error of the server to VHS (RFC 8216, section 6.2.2); edges
 * that are not in step make one.
 */

/** Where a live playlist ends; null for one that does not change any more, and for what is none. */
function endOf(text: string): readonly [segments: number, parts: number] | null {
  if (!text.startsWith('#EXTM3U') || !text.includes('#EXTINF') || text.includes('#EXT-X-ENDLIST')) return null;
  const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
  const whole = text.split('#EXTINF');
  return [first + whole.length - 1, whole.at(-1)?.split('#EXT-X-PART:').length ?? 0];
}

/** @returns `text`, or `seen` if that goes further */
export function newerOf(seen: string | undefined, text: string): string {
  const [before, now] = [seen === undefined ? null : endOf(seen), endOf(text)];
  if (seen === undefined || !before || !now) return text;
  return now[0] < before[0] || (now[0] === before[0] && now[1] < before[1]) ? seen : text;
}

/** Whether it changes from one request to the next. */
export function isLive(text: string): boolean {
  return endOf(text) !== null;
}
