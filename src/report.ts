/**
 * Selection data to the chosen edge. In: a selection. Out: one POST, never in the way of playback.
 * Never holds a token, a query string, or anything of the viewer but a random number.
 */
import type { Settings } from './options.js';
import type { Platform } from './platform.js';
import type { Probe } from './probe.js';
import type { Selection } from './selection.js';

/** The version of the report's shape; it grows when a member changes its meaning. */
const REPORT_VERSION = 1;
/** Well under the 64 KiB that a page may have under way with `keepalive` (Fetch). */
const MAX_BYTES = 8192;

/** What a report tells beside the selection. */
export interface ReportContext {
  /** Random, made anew for each source; another number than the client's id. */
  readonly sessionId: string;
  /** What was seen of the edge that served before, at a switch. */
  readonly left: Left | null;
}

/** What was seen of the edge that served before. */
export interface Left {
  readonly from: string;
  /** The verdict, or the failure. */
  readonly because: string;
  readonly bytes: number;
  readonly requests: number;
  readonly failures: number;
  readonly bitsPerSecond: number | null;
}

/** A report that was sent, and whether the edge took it. */
export interface Reported {
  readonly edge: string;
  readonly accepted: boolean;
  readonly report: Readonly<Record<string, unknown>>;
}

/**
 * Reports the selections of one source, one after the other.
 *
 * @param silenced  origins of the page's edges that take no reports; grows
 * @returns null when nothing was sent
 */
export function reporter(
  settings: Settings,
  platform: Platform,
  silenced: Set<string>,
): (selection: Selection, left?: Left | null) => Promise<Reported | null> {
  const sessionId = platform.randomId();
  return async (selection, left = null) => {
    const edge = selection.chosen.origin;
    if (!settings.report || silenced.has(edge)) return null;
    const report = await makeReport(selection, settings, { sessionId, left }, platform);
    const accepted = await sendReport(report, edge + settings.report.path, platform);
    if (!accepted) silenced.add(edge);
    return { edge, accepted, report };
  };
}

/**
 * The report's members. Times are whole milliseconds.
 *
 * @returns at most 8 KiB as JSON: the site's own fields are left out first, then probes from the last on
 */
export async function makeReport(
  selection: Selection,
  { report }: Settings,
  { sessionId, left }: ReportContext,
  platform: Platform,
): Promise<Readonly<Record<string, unknown>>> {
  const scope = report?.edges ?? 'all';
  const { from, ...seen } = left ?? {};
  const ofChosen = ({ edge }: Probe): boolean => edge.origin === selection.chosen.origin;
  const probes = selection.probes.filter((probe) => scope !== 'chosen' || ofChosen(probe));
  const hides = (probe: Probe): boolean => scope === 'anonymous' && !ofChosen(probe);
  const made: Record<string, unknown> & { edges: unknown[] } = {
    v: REPORT_VERSION,
    service: selection.service,
    session: sessionId,
    tokens: await Promise.all(selection.tokens.map((token) => platform.digest(token))),
    chosen: selection.chosen.origin,
    reason: selection.reason,
    ...(left && scope === 'all' && { from, left: seen }),
    edges: probes.map((probe) => ({
      ...(!hides(probe) && { origin: probe.edge.origin }),
      rank: probe.edge.rank,
      weight: probe.edge.weight,
      method: probe.method,
      outcome: probe.outcome,
      status: probe.status,
      elapsedMs: rounded(probe.elapsedMs),
      requestMs: rounded(probe.requestMs),
      ...(!hides(probe) && { capabilities: probe.capabilities }),
    })),
  };
  const whole = { ...report?.fields(), ...made };
  if (bytesOf(whole) <= MAX_BYTES) return whole;
  while (bytesOf(made) > MAX_BYTES && made.edges.length > 1) made.edges.pop();
  return made;
}

/**
 * @returns whether the edge took it: a refusal, or an answer without CORS, means that it wants none
 * @see Fetch, "keepalive"; `text/plain` needs no CORS preflight
 */
export async function sendReport(
  report: Readonly<Record<string, unknown>>,
  url: string,
  platform: Platform,
): Promise<boolean> {
  try {
    const response = await platform.fetch(url, {
      method: 'POST',
      body: JSON.stringify(report),
      headers: { 'content-type': 'text/plain' },
      credentials: 'omit',
      keepalive: true,
    });
    return response.ok;
  } catch {
    return false;
  }
}

function bytesOf(report: object): number {
  return new TextEncoder().encode(JSON.stringify(report)).length;
}

function rounded(ms: number | null): number | null {
  return ms === null || ms === Infinity ? null : Math.round(ms);
}
