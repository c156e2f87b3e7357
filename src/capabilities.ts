/**
 * What an edge tells of itself. In: the headers of its answer. Out: its capabilities, as far as the page may read them.
 * Pure; a header that is missing, not exposed or broken is a capability that is not known.
 */
import { decodeCmsdDynamic } from '@svta/cml-cmsd';

/** Headers are text of others: what is longer than this is cut. */
const MAX_TEXT = 256;

/** Absent members are not known. Cross-origin, an edge must name these headers in `Access-Control-Expose-Headers`. */
export interface Capabilities {
  /** ALPN name such as `h2` (Resource Timing, needs `Timing-Allow-Origin`). */
  readonly protocol?: string;
  /** Bytes of the asked resource. */
  readonly length?: number;
  /** Whether it serves byte ranges (RFC 9110, section 14.3). */
  readonly ranges?: boolean;
  /** Methods (RFC 9110, section 10.2.1). */
  readonly allow?: string;
  /** The edge's clock, and so how stale its answer may be. */
  readonly date?: string;
  readonly etag?: string;
  readonly serverTiming?: string;
  /** CMSD `du` (CTA-5006): the server asks its clients to move away. */
  readonly moveAway?: boolean;
  /** CMSD `etp`: throughput between server and client, kbit/s, as the server estimates it. */
  readonly etpKbps?: number;
  /** CMSD `mb`: the most that the server wants to be asked for, kbit/s. */
  readonly maxBitrateKbps?: number;
  /** CMSD `rd`: how long the answer waited in the server, ms; corrects throughput, never the ranking. */
  readonly responseDelayMs?: number;
}

/** @see CTA-5006 (CMSD), section 3: the last member of the list is of the server nearest to the client */
export function capabilities(headers: Headers): Capabilities {
  const text = (name: string): string | undefined => headers.get(name)?.slice(0, MAX_TEXT);
  const length = Number(headers.get('content-length') ?? NaN);
  const ranges = text('accept-ranges');
  return defined({
    allow: text('allow'),
    date: text('date'),
    etag: text('etag'),
    serverTiming: text('server-timing'),
    ranges: ranges === undefined ? ranges : ranges.toLowerCase() === 'bytes',
    length: Number.isInteger(length) ? length : undefined,
    ...dynamic(headers.get('cmsd-dynamic')),
  });
}

/** Whether this answer asks the client to move away. */
export function movesAway(headers: Headers): boolean {
  const { moveAway } = dynamic(headers.get('cmsd-dynamic'));
  return moveAway === true;
}

function dynamic(header: string | null): Record<string, unknown> {
  if (header === null) return {};
  try {
    const { etp, mb, rd, du } = (decodeCmsdDynamic(header).slice(-1)[0]?.params ?? {}) as Record<string, unknown>;
    const amount = (value: unknown): unknown => (typeof value === 'number' && value >= 0 ? value : undefined);
    return {
      moveAway: du === true || undefined,
      etpKbps: amount(etp),
      maxBitrateKbps: amount(mb),
      responseDelayMs: amount(rd),
    };
  } catch {
    return {};
  }
}

function defined(members: Record<string, unknown>): Capabilities {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
