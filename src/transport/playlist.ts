/**
 * Live playlists of several servers as one. In: a playlist, and the newest that was seen of the same URL. Out: the one of
 * the two that goes further. A window that moves back is an error of the server to VHS (RFC 8216, section 6.2.2); edges
 * that are not in step make one.
 */

/** Where a live playlist begins and ends; null for one that does not change any more, and for what is none. */
interface Window {
  readonly first: number;
  /** The segment after the last. */
  readonly end: number;
  /** Of that one, those that are there. */
  readonly parts: number;
}

function windowOf(text: string): Window | null {
  if (!text.startsWith('#EXTM3U') || !text.includes('#EXTINF') || text.includes('#EXT-X-ENDLIST')) return null;
  const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
  const whole = text.split('#EXTINF');
  return { first, end: first + whole.length - 1, parts: whole[whole.length - 1]?.split('#EXT-X-PART:').length ?? 0 };
}

/** @returns `text`, or `seen` if that goes further */
export function newerOf(seen: string | undefined, text: string): string {
  const [before, now] = [seen === undefined ? null : windowOf(seen), windowOf(text)];
  if (seen === undefined || !before || !now) return text;
  const isBehind = now.end < before.end || (now.end === before.end && now.parts < before.parts);
  // windows that do not even touch are those of an encoder that began anew
  return isBehind && now.end >= before.first ? seen : text;
}

/** Whether it changes from one request to the next. */
export function isLive(text: string): boolean {
  return windowOf(text) !== null;
}
