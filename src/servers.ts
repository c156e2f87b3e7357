/**
 * The second lookup. In: tokens and a way to ask. Out: the edges they lead to, in classes.
 * Never asks with anything but the token: who the client is, only the map is told.
 */
import { EdgeSelectError, isError } from './errors.js';
import { isAddress } from './checks.js';
import type { DiscoveredEdge, Settings } from './options.js';
import type { DnsRecord } from './resolver.js';
import type { EdgeSource } from './source.js';
import type { LookupTools, Token, Tokens } from './tokens.js';

/** A server that may serve the stream. */
export interface Edge {
  /** Scheme, host and port, as `URL.origin` writes it; the edge's identity. */
  readonly origin: string;
  /** 0 for the best class of the answer; an edge of a higher rank is asked only if none below answers. */
  readonly rank: number;
  /** Chance in the draw of its class: a whole number, of 65535 for the whole class. */
  readonly weight: number;
}

/** What the second lookup found. */
export interface Servers {
  /** Best rank first; at least one. */
  readonly edges: readonly Edge[];
  /** The least of the answers that were used. */
  readonly ttlSeconds: number;
}

/** RFC 2782 weights are of 16 bits; shares of a class are scaled to the same range. */
const WHOLE = 65_535;

interface Found {
  readonly origin: string;
  /** Class of the token, priority of its record: compared in this order. */
  readonly order: readonly [tokenClass: number, priority: number];
  /** 0 to 1. */
  readonly share: number;
}

/** What the page allows of an edge. */
export interface EdgeRules {
  /** The page came by https. */
  readonly secure: boolean;
  /** Whether an edge is in its cool-down. */
  readonly cooling: (origin: string) => boolean;
}

/**
 * Resolves up to `maxTokens` tokens of the best class side by side, and those of the next class only when that gives no
 * edge that is out of its cool-down; its edges then stand behind the others.
 *
 * @throws {EdgeSelectError} `SERVERS_EMPTY`, or the `LOOKUP_` error of the last token when every one failed
 */
export async function servers(
  { classes }: Tokens,
  source: EdgeSource,
  settings: Settings,
  rules: EdgeRules,
  { ask }: Pick<LookupTools, 'ask'>,
): Promise<Servers> {
  const found: Found[] = [];
  let ttlSeconds = Infinity;
  let refused = 0;
  let failure: unknown;
  for (const [tokenClass, equals] of classes.entries()) {
    const asked = equals.slice(0, settings.maxTokens);
    const sum = asked.reduce((total, { weight }) => total + weight, 0);
    const answers = await Promise.allSettled(asked.map((token) => resolveToken(token)));
    for (const [i, token] of asked.entries()) {
      const result = answers[i];
      if (result?.status !== 'fulfilled') {
        failure = result?.reason;
        continue;
      }
      const tokenShare = sum > 0 ? token.weight / sum : 1 / asked.length;
      const usable = result.value.records.flatMap((record) => endpoint(record, source, settings));
      const allowed = usable.filter(({ origin }) => isAllowed(origin, settings, rules));
      refused += result.value.records.length - allowed.length;
      ttlSeconds = Math.min(ttlSeconds, result.value.ttlSeconds);
      for (const { origin, priority, weight } of allowed) {
        const equal = allowed.filter((other) => other.priority === priority);
        const total = equal.reduce((all, other) => all + other.weight, 0);
        const share = total > 0 ? weight / total : 1 / equal.length;
        found.push({ origin, order: [tokenClass, priority], share: tokenShare * share });
      }
    }
    if (found.some(({ origin }) => !rules.cooling(origin))) break;
  }
  if (found.length === 0) {
    if (refused === 0 && failure !== undefined && !isError(failure, 'LOOKUP_NODATA')) throw failure as Error;
    throw new EdgeSelectError('SERVERS_EMPTY', { refused }, failure);
  }
  return { edges: merge(found), ttlSeconds };

  function resolveToken({ name }: Token): ReturnType<LookupTools['ask']> {
    return ask({ lookup: 'servers', name, type: settings.servers.type });
  }
}

/** The same for edges that `discover` named. */
export function discovered(named: readonly DiscoveredEdge[], settings: Settings, rules: EdgeRules): readonly Edge[] {
  const found = named.flatMap(({ origin, priority = 0, weight = 1 }): Found[] =>
    isAllowed(origin, settings, rules) ? [{ origin: new URL(origin).origin, order: [0, priority], share: weight }] : [],
  );
  if (found.length === 0) throw new EdgeSelectError('SERVERS_EMPTY', { refused: named.length });
  return merge(found);
}

/** One edge for each origin: its best class, and in it the sum of its shares. */
function merge(found: readonly Found[]): readonly Edge[] {
  const compare = (a: Found, b: Found): number => a.order[0] - b.order[0] || a.order[1] - b.order[1];
  const sorted = [...found].sort(compare);
  const edges = new Map<string, { rank: number; share: number }>();
  let rank = -1;
  for (const [i, next] of sorted.entries()) {
    const before = sorted[i - 1];
    if (!before || compare(before, next) !== 0) rank += 1;
    const known = edges.get(next.origin);
    if (!known) edges.set(next.origin, { rank, share: next.share });
    else if (known.rank === rank) known.share += next.share;
  }
  const list = [...edges].map(([origin, edge]) => ({ origin, ...edge }));
  return list.map(({ origin, rank: own, share }) => {
    const total = list.reduce((sum, other) => sum + (other.rank === own ? other.share : 0), 0);
    return { origin, rank: own, weight: total > 0 ? Math.round((share / total) * WHOLE) : 0 };
  });
}

function endpoint(
  record: DnsRecord,
  { scheme }: EdgeSource,
  settings: Settings,
): { origin: string; priority: number; weight: number }[] {
  const { priority, weight } = record.type === 'SRV' ? record : { priority: 0, weight: 1 };
  const url = urlOf(record, scheme, settings);
  try {
    return url ? [{ origin: new URL(url).origin, priority, weight }] : [];
  } catch {
    return []; // 10.0.0.999 is a host name by its letters
  }
}

/** What a nameserver writes into it is a name or an address, and nothing else. */
function urlOf(record: DnsRecord, scheme: string, { servers: template }: Settings): string | null {
  if (record.type === 'SRV') {
    const { target, port } = record;
    return isHostName(target) && port >= 1 && port <= 65_535 ? `${scheme}://${target}:${port}` : null;
  }
  if (record.type === 'TXT' || template.type === 'SRV' || !isAddress(record.address)) return null;
  const { address } = record;
  return template.url
    .replace('{dashed}', address.replace(/[.:]/g, '-'))
    .replace('{address}', address.includes(':') ? `[${address}]` : address);
}

/** Letters, digits and hyphens (RFC 952, RFC 1123 section 2.1). */
function isHostName(name: string): boolean {
  return name.length <= 253 && /^(?!-)[a-z\d-]{1,63}(\.(?!-)[a-z\d-]{1,63})*$/.test(name);
}

/** Whether the page may use this origin as an edge. */
export function isAllowed(
  origin: string,
  { allowedHosts }: Pick<Settings, 'allowedHosts'>,
  { secure }: Pick<EdgeRules, 'secure'>,
): boolean {
  let url: URL;
  try {
    url = new URL(origin);
  } catch {
    return false;
  }
  if (secure ? url.protocol !== 'https:' : !/^https?:$/.test(url.protocol)) return false;
  return allowedHosts.length === 0 || isAllowedHost(url.hostname, allowedHosts);
}

/** Whether `host` is one of `allowed`, or below one of them. */
export function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  return allowed.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}
