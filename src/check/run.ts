/**
 * The whole check. In: what to check. Out: all that was seen and found, within the time of the run. Never throws for
 * what a server does.
 */
import { within } from '../platform.js';
import { makeReport } from '../report.js';
import type { Edge } from '../servers.js';
import { finding, type Finding } from './advice.js';
import type { Wanted } from './arguments.js';
import { askManifest, inspect, MAX_MANIFEST_BYTES, type InspectTools, type Inspection } from './inspect.js';
import { edgeFindings, isMedia, textOf, type Reference } from './judge-edge.js';
import { isUsable, lookupFindings } from './judge-lookups.js';
import type { Surroundings } from './judge-wire.js';
import { lookUpAll, type Lookups } from './lookups.js';
import { readManifest, type Place } from './manifest.js';
import { addressesOf } from './node/connect.js';
import { isAnswer, request, type Exchange, type Seen } from './node/http.js';
import { nodePlatform } from './node/platform.js';
import { nearest } from './space.js';

/** One server that was inspected; `edge` is null for the service origin. */
export interface Inspected extends Inspection {
  readonly edge: Edge | null;
}

/** The outcome of a run. */
export interface Checked {
  readonly wanted: Wanted;
  readonly lookups: Lookups;
  /** The service origin first, then edges by rank. */
  readonly servers: readonly Inspected[];
  /** At the service. */
  readonly segment: Place | null;
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** 0: all is well; 1: it works, with findings; 2: it does not work. */
  readonly exitCode: 0 | 1 | 2;
}

/** One request may take this part of the whole: one that hangs leaves time for those that follow it. */
const REQUEST_SHARE = 1 / 4;
/** More than these cannot all be shown, nor does a page race as many. */
const MAX_EDGES = 16;
/** A page's own name is only looked up to know its space. */
const PAGE_LOOKUP_MS = 1000;

/** Runs it. */
export async function check(wanted: Wanted): Promise<Checked> {
  const { source, settings, page, timeoutMs } = wanted;
  const platform = nodePlatform(page);
  const waiting = new Set<() => void>();
  let isLate = false;
  const cancel = platform.after(timeoutMs, () => {
    isLate = true;
    for (const give of waiting) give();
  });
  const tools: InspectTools = { page, ask };
  const lookups = await lookUpAll(wanted, { platform: (seen) => nodePlatform(page, seen), patience });
  const edges = lookups.edges.slice(0, MAX_EDGES);
  const others = edges.filter(({ origin }) => origin !== source.origin);
  const named = edges.find(({ origin }) => origin === source.origin) ?? null;
  const list = [{ edge: named, origin: source.origin }, ...others.map((edge) => ({ edge, origin: edge.origin }))];
  const urlAt = (url: string, origin: string): string =>
    origin === source.origin ? url : settings.edgeUrl(url, { origin });

  const manifests = await Promise.all(
    list.map(async (server) => {
      const manifestUrl = urlAt(source.src, server.origin);
      return { ...server, manifestUrl, manifest: await askManifest(manifestUrl, tools) };
    }),
  );
  const segment = await firstSegment(manifests);
  const isElsewhere = segment !== null && new URL(segment.url).origin !== source.origin;
  const servers = await Promise.all(
    manifests.map(async ({ edge, ...server }): Promise<Inspected> => {
      const place = segment && !isElsewhere ? { ...segment, url: urlAt(segment.url, server.origin) } : null;
      return { edge, ...(await inspect({ ...server, segment: place, report: edge && (await reportTo(edge)) }, tools)) };
    }),
  );
  const around: Surroundings = { page, pageSpace: await pageSpace(), now: platform.wallClock() };
  const reference = referenceOf(servers);
  const findings = [
    ...lookupFindings(lookups, around),
    ...servers.flatMap((server) => edgeFindings(server, reference, around, server.edge === null)),
    ...overall(),
  ].sort((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
  cancel();
  return { wanted, lookups, servers, segment, findings, exitCode: verdict() };

  function patience(ms: number): { signal: AbortSignal; done: () => void } {
    const controller = new AbortController();
    const give = (): void => {
      controller.abort();
    };
    const stop = platform.after(Math.min(ms, timeoutMs * REQUEST_SHARE), give);
    waiting.add(give);
    if (isLate) give();
    return {
      signal: controller.signal,
      done: () => {
        stop();
        waiting.delete(give);
      },
    };
  }

  async function ask(url: string, asking: Parameters<InspectTools['ask']>[1]): Promise<Seen> {
    const { signal, done } = patience(Infinity);
    const seen = await request(url, { ...asking, signal });
    done();
    return seen;
  }

  /** Where the first server that shows one has a segment, as a place at the service. */
  async function firstSegment(asked: readonly { origin: string; manifest: Seen }[]): Promise<Place | null> {
    for (const { origin, manifest } of asked) {
      const place = isAnswer(manifest) ? await segmentOf(manifest) : null;
      const url = place && new URL(place.url);
      if (url)
        return { ...place, url: url.origin === origin ? source.origin + url.href.slice(origin.length) : url.href };
    }
    return null;
  }

  async function segmentOf({ status, url, body, headers }: Exchange): Promise<Place | null> {
    if (status < 200 || status > 299) return null;
    const manifest = readManifest(textOf(body), url);
    if (!manifest) return isMedia(headers.get('content-type') ?? '') ? { url, range: null } : null;
    if (manifest.kind !== 'HLS main') return manifest.segment;
    if (!manifest.playlist) return null;
    const seen = await ask(manifest.playlist, { headers: { origin: page }, maxBytes: MAX_MANIFEST_BYTES });
    const playlist = isAnswer(seen) ? readManifest(textOf(seen.body), seen.url) : null;
    return playlist && playlist.kind !== 'HLS main' ? playlist.segment : null;
  }

  /** As a player would send it, and marked, so that whoever reads the log can leave it out. */
  async function reportTo(edge: Edge): Promise<{ url: string; text: string } | null> {
    if (!settings.report) return null;
    const selection = { service: source.service, tokens: [], edges: [], probes: [], expiresAt: 0, measuredAt: 0 };
    const marked = { ...settings, report: { ...settings.report, fields: () => ({ check: true }) } };
    const context = { sessionId: platform.randomId(), left: null };
    const report = await makeReport({ ...selection, chosen: edge, reason: 'only' }, marked, context, platform);
    return { url: edge.origin + settings.report.path, text: JSON.stringify(report) };
  }

  async function pageSpace(): Promise<Surroundings['pageSpace']> {
    if (!wanted.pageGiven) return 'public';
    const addresses = addressesOf(new URL(page).hostname).catch(() => []);
    return nearest((await within(platform, PAGE_LOOKUP_MS, addresses)) ?? []);
  }

  function overall(): readonly Finding[] {
    const found: Finding[] = [];
    const good = servers.some(({ manifest }) => isAnswer(manifest) && manifest.status < 300);
    if (!segment && good) found.push(finding('NO_SEGMENT', source.src, 'names no segment that could be followed'));
    if (segment && isElsewhere) {
      const origin = new URL(segment.url).origin;
      found.push(finding('SEGMENTS_ELSEWHERE', source.src, `has its segments at ${origin}, where no edge serves them`));
    }
    const left = lookups.edges.length - edges.length;
    if (left > 0) found.push(finding('NOT_CHECKED', source.src, `has ${left} more edges than are checked`));
    if (isLate) {
      found.push(
        finding(
          'NOT_CHECKED',
          source.src,
          `took all of ${timeoutMs / 1000} s (--timeout): what was silent may be late`,
        ),
      );
    }
    return found;
  }

  function verdict(): Checked['exitCode'] {
    const usable = (lookup: 'tokens' | 'servers'): boolean =>
      lookups.asked.some((one) => one.question.lookup === lookup && isUsable(one, around));
    const isWell = ({ origin }: Inspected): boolean =>
      !findings.some(({ severity, where }) => severity === 'error' && where === origin);
    const works = usable('tokens') && usable('servers') && servers.some((one) => one.edge !== null && isWell(one));
    return !works ? 2 : findings.length > 0 ? 1 : 0;
  }
}

function referenceOf(servers: readonly Inspection[]): Reference | null {
  for (const { origin, segment } of servers) {
    if (isAnswer(segment) && segment.status >= 200 && segment.status < 300) return { origin, segment };
  }
  return null;
}
