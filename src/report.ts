/**
 * Selection data to the chosen edge. In: a selection. Out: one POST, never in the way of playback.
 * Never holds a token, a query string, or anything of the viewer but a random number.
 */
import type { Settings } from './options.js';
import type { Platform } from './platform.js';
import type { Probe } from './preflight.js';
import type { Selection } from './selection.js';

/** The version of the report's shape; it grows when a member changes its meaning. */
const REPORT_VERSION = 1;
/** Well under the 64 KiB that a page may have under way with `keepalive` (Fetch). */
const MAX_BYTES = 8192;

/** What a report tells beside the selection. */
export interface ReportContext {
  /** Random, made anew for each source; another number than the client's id. */
  readonly sessionId: string;
  /** Origin that served before, at a switch. */
  readonly from: string | null;
}

/**
 * The report's members. Times are whole milliseconds.
 *
 * @returns at most 8 KiB as JSON: probes are left out from the last on
 */
export async function makeReport(
  selection: Selection,
  { report }: Settings,
  { sessionId, from }: ReportContext,
  platform: Platform,
): Promise<Readonly<Record<string, unknown>>> {
  const scope = report?.edges ?? 'all';
  const ofChosen = ({ edge }: Probe): boolean => edge.origin === selection.chosen.origin;
  const probes = selection.probes.filter((probe) => scope !== 'chosen' || ofChosen(probe));
  const hides = (probe: Probe): boolean => scope === 'anonymous' && !ofChosen(probe);
  const made = {
    v: REPORT_VERSION,
    service: selection.service,
    session: sessionId,
    tokens: await Promise.all(selection.tokens.map((token) => platform.digest(token))),
    chosen: selection.chosen.origin,
    reason: selection.reason,
    ...(from !== null && scope === 'all' && { from }),
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
    ...report?.fields(),
  };
  while (new TextEncoder().encode(JSON.stringify(made)).length > MAX_BYTES && made.edges.length > 1) made.edges.pop();
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
      body: JSON.stringify(report).slice(0, MAX_BYTES),
      headers: { 'content-type': 'text/plain' },
      credentials: 'omit',
      keepalive: true,
    });
    return response.ok;
  } catch {
    return false;
  }
}

function rounded(ms: number | null): number | null {
  return ms === null || ms === Infinity ? null : Math.round(ms);
}
