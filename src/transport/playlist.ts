/**
 * Live playlists of several servers as one. In: a playlist or MPD, and the newest that was seen of the same URL. Out: the
 * one of the two that goes further. A window that moves back is an error of the server to VHS (RFC 8216, section 6.2.2), and
 * in DASH a presentation of its own behind the last; edges that are not in step make one. So does an encoder that began
 * anew, and there what is newer is right.
 */

/** A playlist that may still change. */
export interface LivePlaylist {
  readonly text: string;
  /** When one of its URL last went further, in ms of `now()`. */
  readonly movedAt: number;
  readonly first: number;
  /** The segment after the last; of an MPD when it was published, its digits as one number. */
  readonly end: number;
  /** Of that one, those that are there. */
  readonly parts: number;
  /** By turns the tags of a segment and its URI, without the query since edges may sign it; then what follows the last. */
  readonly pieces: readonly string[];
  /** An older one may come for so long after its last move. */
  readonly lagMs: number;
  /** Without a move for longer it stands still. */
  readonly dueMs: number;
}

type Extent = Omit<LivePlaylist, 'text' | 'movedAt'>;

/** No edge worth using is further behind, in target durations. */
const LAG_SEGMENTS = 3;
/** VHS's own, where a playlist does not tell its target duration. */
const UNTOLD_SECONDS = 10;
/** What is asked for now and then is seen half a target duration late. */
const OVERDUE_SEGMENTS = 2;
/** What caches on the way may add, where segments are short. */
const LEAST_LAG_MS = 6000;

/**
 * @param now  in ms of `now()`
 * @returns what `text` is, or `seen` if that goes further; null for one that does not change any more, and for what is none
 */
export function newerOf(seen: LivePlaylist | undefined, text: string, now: number): LivePlaylist | null {
  const extent = ofHls(text) ?? ofDash(text);
  if (!extent) return null;
  const next = { ...extent, text, movedAt: now };
  if (!seen) return next;
  const ahead = next.end - seen.end || next.parts - seen.parts;
  if (ahead === 0) return { ...next, movedAt: seen.movedAt };
  return ahead < 0 && now - seen.movedAt <= next.lagMs && isSameRun(seen, next) ? seen : next;
}

/** Whether it should have gone further by now. */
export function isOverdue({ movedAt, dueMs }: LivePlaylist, now: number): boolean {
  return now - movedAt > dueMs;
}

/** A new one is due within 1.5 target durations (RFC 8216bis, section 6.2.1). */
function ofHls(text: string): Extent | null {
  if (!text.startsWith('#EXTM3U') || !text.includes('#EXTINF') || text.includes('#EXT-X-ENDLIST')) return null;
  const pieces = text.split(/\n([^#\s][^?\s]*)\S*/);
  const first = numberIn(text, 'MEDIA');
  const seconds = numberIn(text, 'TARGETDURATION');
  return {
    ...{ first, end: first + (pieces.length - 1) / 2, pieces },
    parts: pieces.slice(-1).join('').split('#EXT-X-PART:').length,
    lagMs: Math.max(LEAST_LAG_MS, LAG_SEGMENTS * 1000 * seconds),
    dueMs: OVERDUE_SEGMENTS * 1000 * (seconds || UNTOLD_SECONDS),
  };
}

/** An MPD need not change while its stream goes on (ISO/IEC 23009-1, section 5.3.1.2: `publishTime`). */
function ofDash(text: string): Extent | null {
  const [mpd = ''] = /<(?:\w+:)?MPD\b[^>]*>/.exec(text) ?? [];
  const [, date, time] = /\bpublishTime=["']([\d-]+)T([\d:.]+)/.exec(mpd) ?? [];
  if (!/\btype=["']dynamic/.test(mpd) || !date || !time) return null;
  const end = Number(`${date}${time}`.replace(/[-:]/g, ''));
  const lagMs = LAG_SEGMENTS * 1000 * UNTOLD_SECONDS;
  return { first: 0, end, parts: 0, pieces: [], lagMs, dueMs: Infinity };
}

/** Whether the encoder has not begun anew: what both list under one number is then the same segment. */
function isSameRun(seen: LivePlaylist, next: LivePlaylist): boolean {
  // nor do windows of one run leave a gap, or have more behind them where they end earlier
  if (next.end < seen.first || numberIn(next.text, 'DISCONTINUITY') > numberIn(seen.text, 'DISCONTINUITY'))
    return false;
  return next.pieces.every((piece, i) => {
    const same = seen.pieces[i + 2 * (next.first - seen.first)] ?? '';
    // edges may write their own host into it
    const said = (one: string): string | undefined =>
      i % 2 === 1 ? one.replace(/^(\w+:)?\/\/[^/]*/, '') : /-DATE-TIME:(\S+)/.exec(one)?.[1];
    const [a, b] = [said(piece), said(same)];
    return !a || !b || a === b;
  });
}

function numberIn(text: string, tag: string): number {
  return Number(new RegExp(`#EXT-X-${tag}(?:-SEQUENCE)?:(\\d+)`).exec(text)?.[1] ?? 0);
}
