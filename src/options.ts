/**
 * What an integrator may say: names, defaults and checks, each in one place. In: whatever was given. Out: complete,
 * frozen settings, or one error that names the option. Never writes into what it was given.
 */
import {
  ACCEPTABLE,
  acceptable,
  ACCEPTABLE_CHECKS,
  namesOf,
  type Acceptable,
  type AcceptableOptions,
} from './acceptable.js';
import {
  aFunction,
  hostList,
  isFunction,
  isObject,
  isString,
  isSubnet,
  isUrl,
  listOf,
  nearest,
  oneOf,
  urls,
  whole,
  type Check,
} from './checks.js';
import { EdgeSelectError } from './errors.js';
import type { Resolver } from './resolver.js';
import type { SourceObject } from './source.js';

/** A server that `discover` names. */
export interface DiscoveredEdge {
  /** Scheme, host and port, such as `https://edge1.example:8443`; on an https page https. */
  readonly origin: string;
  /** Lower is better (default 0); as in an SRV record. */
  readonly priority?: number;
  /** A whole number, default 1; as in an SRV record. */
  readonly weight?: number;
}

/** What goes into a report beside the choice itself. */
export interface ReportOptions {
  /** Path on the edge. Default `/.well-known/edge-select`, which is provisional: it is not registered (RFC 8615). */
  readonly path?: string;
  /** What an edge may read of the others: all (default), all without their names, or itself alone. */
  readonly edges?: 'all' | 'anonymous' | 'chosen';
  /** More members for the report; called once a report. */
  readonly fields?: () => Readonly<Record<string, unknown>>;
}

/** The options of `player.edgeSelect()`. Only `nameserver` is required; times are milliseconds. */
export interface EdgeSelectOptions {
  /** The map: URLs or RFC 6570 templates of DoH servers, best first. Not needed with `resolver` or `discover`. */
  readonly nameserver?: string | readonly string[];
  /** Where tokens are asked for. Default: `nameserver`. */
  readonly secondNameserver?: string | readonly string[];
  /** Owner name of the first lookup, or a function of the source that gives it (null: not ours). Default: `_https._tcp.` and the source's host. */
  readonly service?: string | ((source: SourceObject) => string | null);
  /** More hosts whose sources are ours, beside that of the player's first source. */
  readonly hosts?: readonly string[];
  /** More origins whose requests are taken to the edge, beside the source's own. */
  readonly origins?: readonly string[];
  /** How the client is identified to the map. */
  readonly client?: {
    /** Default: random, made anew for each page load. `false`: none is sent. */
    readonly id?: string | false;
    /** EDNS option 65001 (default), leftmost labels `<id>.id.`, or `id` of the URL. */
    readonly idAs?: 'edns' | 'label' | 'query';
    /** EDNS Client Subnet in CIDR form, at most /24 or /56. Default: none is sent. */
    readonly subnet?: string;
  };
  /** The record that holds a token. Default `SRV`. */
  readonly tokens?: 'SRV' | 'TXT';
  /** The record that holds a server. With addresses, `url` makes its origin from `{dashed}` or `{address}`. */
  readonly servers?: { readonly type: 'SRV' } | { readonly type: 'A' | 'AAAA'; readonly url: string };
  /** Tokens that are resolved side by side. Default 2: one nameserver's bad answer is not the whole choice. */
  readonly maxTokens?: number;
  /** Edges that are raced. Default 6: weights and not times say who runs, and of six named four leave out the best too often. */
  readonly maxEdges?: number;
  /** How edges are asked. Default `auto`: GET where VHS plays and the URL has no query string, else HEAD. A GET race asks each raced edge for the manifest: not for one that opens an ad session or works once. */
  readonly preflight?: 'auto' | 'GET' | 'HEAD' | 'OPTIONS';
  /** After this the first request goes to the source's own host as well. Default 150. */
  readonly originAfterMs?: number;
  /** Bounds a race. Default 1500. */
  readonly preflightTimeoutMs?: number;
  /** Head start of a nameserver over the next. Default 250 (RFC 8305, section 5). */
  readonly lookupStaggerMs?: number;
  /** Bounds each of the two lookups. Default 3000. */
  readonly lookupTimeoutMs?: number;
  /** Silence after which a request goes to the next edge. Default 600, at least 100; raised to four times the edge's own first-byte time. */
  readonly stallMs?: number;
  /** Where acceptable service of an edge ends; see the type for each limit. */
  readonly acceptable?: AcceptableOptions;
  /** The map is asked again while a stream plays, when its answer's TTL is over and by chance up to a fifth later, the first time up to as long again. A TTL shorter than this counts as this. Default 60,000: a map of traffic moves slower. */
  readonly refreshMinMs?: number;
  /** A TTL longer than this counts as this. Default 600,000: an old answer may name servers that are gone. Of the two one alone moves the other's default. */
  readonly refreshMaxMs?: number;
  /** An edge serves for so long before another may take its place for being quicker. Default 20,000: a few segments tell. */
  readonly minDwellMs?: number;
  /** The URL of `url` (of the service) at an edge. Default: the same with the edge's origin. */
  readonly edgeUrl?: (url: string, edge: { readonly origin: string }) => string;
  /** The inverse of `edgeUrl`, for redirects inside an edge. */
  readonly serviceUrl?: (url: string, edge: { readonly origin: string }) => string;
  /** Host names (and all below them) that may be edges and may have credentials and headers of the site. */
  readonly allowedHosts?: readonly string[];
  /** Keep the chosen edge's origin in `sessionStorage` for the next page. Default false. */
  readonly remember?: boolean;
  /** `false`: send no reports. */
  readonly report?: boolean | ReportOptions;
  /** Another way to ask DNS questions, in place of DoH to `nameserver` and `secondNameserver`. */
  readonly resolver?: Resolver;
  /** Another way to find the edges of a source, in place of both lookups; what it finds is not given to other sources. */
  readonly discover?: (
    source: SourceObject,
    tools: { readonly signal: AbortSignal },
  ) => Promise<readonly DiscoveredEdge[]>;
}

type Complete = Required<
  Omit<
    EdgeSelectOptions,
    'nameserver' | 'secondNameserver' | 'service' | 'serviceUrl' | 'resolver' | 'discover' | 'report' | 'client'
  >
>;

/** {@link EdgeSelectOptions}, complete and checked. */
export interface Settings extends Complete {
  readonly nameserver: readonly string[];
  readonly secondNameserver: readonly string[];
  readonly service: NonNullable<EdgeSelectOptions['service']> | null;
  readonly serviceUrl: NonNullable<EdgeSelectOptions['serviceUrl']> | null;
  readonly client: { readonly id: string | false; readonly idAs: 'edns' | 'label' | 'query'; readonly subnet: string };
  readonly report: Required<ReportOptions> | null;
  readonly acceptable: Acceptable;
  readonly resolver: Resolver | null;
  readonly discover: NonNullable<EdgeSelectOptions['discover']> | null;
}

const REPORT: Required<ReportOptions> = {
  path: '/.well-known/edge-select',
  edges: 'all',
  fields: () => ({}),
};

/** The defaults, in the order of the README's table. */
export const DEFAULTS = {
  hosts: [],
  origins: [],
  tokens: 'SRV',
  servers: { type: 'SRV' },
  maxTokens: 2,
  maxEdges: 6,
  preflight: 'auto',
  originAfterMs: 150,
  preflightTimeoutMs: 1500,
  lookupStaggerMs: 250,
  lookupTimeoutMs: 3000,
  stallMs: 600,
  acceptable: ACCEPTABLE,
  refreshMinMs: 60_000,
  refreshMaxMs: 600_000,
  minDwellMs: 20_000,
  edgeUrl: (url: string, edge: { readonly origin: string }): string =>
    edge.origin + url.slice(new URL(url).origin.length),
  allowedHosts: [],
  remember: false,
  report: true,
} as const;

const aTime = whole(0, 60_000);
const aLongTime = whole(0, 3_600_000);

const CHECKS: Readonly<Record<Exclude<keyof EdgeSelectOptions, 'acceptable'>, Check>> = {
  nameserver: urls,
  secondNameserver: urls,
  service: ['a name or a function', (value) => isString(value) || isFunction(value)],
  hosts: hostList,
  origins: listOf('origins', isUrl),
  client: ['an object with id, idAs, subnet', isObject],
  tokens: oneOf('SRV', 'TXT'),
  servers: ["{ type: 'SRV' } or { type: 'A' or 'AAAA', url: a template with {dashed} or {address} }", isServers],
  maxTokens: whole(1, 16),
  maxEdges: whole(1, 16),
  preflight: oneOf('auto', 'GET', 'HEAD', 'OPTIONS'),
  originAfterMs: aTime,
  preflightTimeoutMs: aTime,
  lookupStaggerMs: aTime,
  lookupTimeoutMs: aTime,
  stallMs: whole(100, 60_000), // bytes come in bursts: a shorter silence is none
  refreshMinMs: whole(1000, 3_600_000),
  refreshMaxMs: whole(1000, 3_600_000),
  minDwellMs: aLongTime,
  edgeUrl: aFunction,
  serviceUrl: aFunction,
  allowedHosts: hostList,
  remember: ['true or false', (value) => typeof value === 'boolean'],
  report: [
    'true, false, or an object with path, edges, fields',
    (value) => typeof value === 'boolean' || isObject(value),
  ],
  resolver: ['an object with resolve()', (value) => isObject(value) && isFunction(value.resolve)],
  discover: aFunction,
};
const MEMBER_CHECKS: Readonly<
  Record<`client.${keyof NonNullable<EdgeSelectOptions['client']>}` | `report.${keyof ReportOptions}`, Check>
> = {
  'client.id': ['a text or false', (value) => value === false || typeof value === 'string'],
  'client.idAs': oneOf('edns', 'label', 'query'),
  'client.subnet': [
    'a network such as 192.0.2.0/24, of 24 bits at most (IPv6: 56)',
    (value) => value === '' || isSubnet(value),
  ],
  'report.path': ['a path', (value) => isString(value) && value.startsWith('/')],
  'report.edges': oneOf('all', 'anonymous', 'chosen'),
  'report.fields': aFunction,
};
const ALL_CHECKS: Readonly<Record<string, Check>> = { ...CHECKS, ...MEMBER_CHECKS, ...ACCEPTABLE_CHECKS };
const NAMES = Object.keys(ALL_CHECKS);

/**
 * @param warn  is told of each option that does not exist, with the nearest one that does
 * @throws {EdgeSelectError} `OPTIONS_INVALID`
 */
export function readOptions(given: unknown, warn: (text: string) => void): Settings {
  if (!isObject(given)) throw invalid('options', given, 'an object with at least `nameserver`');
  for (const [key, value] of namesOf(given, NAMES)) {
    const check = ALL_CHECKS[key];
    if (!check) warn(`there is no option '${key}'; did you mean '${nearest(key, NAMES)}'?`);
    else if (value !== undefined && !check[1](value)) throw invalid(key, value, check[0]);
  }
  const options: EdgeSelectOptions = given;
  if (!options.nameserver && !options.resolver && !options.discover) {
    throw invalid('nameserver', options.nameserver, urls[0]);
  }
  // a label holds 63 bytes (RFC 1035, section 2.3.4), of letters, digits and hyphens
  const { id, idAs } = options.client ?? {};
  if (idAs === 'label' && id && !/^[a-z\d-]{1,63}$/i.test(id)) {
    throw invalid('client.id', id, "up to 63 letters, digits and hyphens, where idAs is 'label'");
  }
  const { client = {}, report = true, service = null, serviceUrl = null } = options;
  // one of them alone moves the other
  const { refreshMinMs = Math.min(DEFAULTS.refreshMinMs, options.refreshMaxMs ?? Infinity) } = options;
  const { refreshMaxMs = Math.max(DEFAULTS.refreshMaxMs, refreshMinMs) } = options;
  if (refreshMaxMs < refreshMinMs) throw invalid('refreshMaxMs', refreshMaxMs, 'at least `refreshMinMs`');
  const all = { ...DEFAULTS, ...defined(options) };
  const nameserver = [options.nameserver ?? []].flat();
  const reportOptions = report === false ? null : { ...REPORT, ...(isObject(report) && defined(report)) };
  return Object.freeze({
    ...all,
    ...{ refreshMinMs, refreshMaxMs },
    nameserver,
    secondNameserver: options.secondNameserver ? [options.secondNameserver].flat() : nameserver,
    service: typeof service === 'function' ? guarded('service', nameFrom(service), () => null) : service,
    edgeUrl: guarded('edgeUrl', urlFrom(all.edgeUrl), DEFAULTS.edgeUrl),
    serviceUrl: serviceUrl && guarded('serviceUrl', urlFrom(serviceUrl), (url) => url),
    client: { id: client.id ?? '', idAs: client.idAs ?? 'edns', subnet: client.subnet ?? '' },
    report: reportOptions && {
      ...reportOptions,
      fields: guarded('report.fields', fieldsFrom(reportOptions), REPORT.fields),
    },
    acceptable: acceptable(options.acceptable),
    hosts: all.hosts.map((host) => host.toLowerCase()),
    allowedHosts: all.allowedHosts.map((host) => host.toLowerCase().replace(/^\*?\./, '')),
    resolver: options.resolver ?? null,
    discover: options.discover ?? null,
  });

  /** A function of the site: when it throws, that is said once, and playback goes on. */
  function guarded<A extends unknown[], R>(name: string, run: (...given: A) => R, otherwise: (...given: A) => R) {
    let said = '';
    return (...args: A): R => {
      try {
        return run(...args);
      } catch (error) {
        const text = `'${name}' threw: ${String(error)}`;
        if (text !== said) warn(text);
        said = text;
        return otherwise(...args);
      }
    };
  }
}

type UrlMap = (url: string, edge: { readonly origin: string }) => string;

function urlFrom(map: UrlMap): UrlMap {
  return (url, edge) => {
    const mapped = map(url, edge);
    if (isUrl(mapped)) return mapped;
    throw new TypeError('no http(s) URL');
  };
}

function nameFrom(service: (source: SourceObject) => unknown): (source: SourceObject) => string | null {
  return (source) => {
    const name = service(source);
    if (name === null || isString(name)) return name;
    throw new TypeError('no name');
  };
}

/** What JSON cannot hold is found here, where the site's function is guarded. */
function fieldsFrom({ fields }: Required<ReportOptions>): Required<ReportOptions>['fields'] {
  return () => JSON.parse(JSON.stringify(fields())) as Record<string, unknown>;
}

function defined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function invalid(option: string, value: unknown, allowed: string): EdgeSelectError {
  let shown = isFunction(value) ? 'a function' : String(value);
  try {
    if (typeof value === 'object') shown = JSON.stringify(value);
  } catch {
    // a circle: its type will do
  }
  return new EdgeSelectError('OPTIONS_INVALID', { option, value: shown.slice(0, 80), allowed });
}

function isServers(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (value.type === 'SRV') return true;
  const { type, url } = value;
  return (type === 'A' || type === 'AAAA') && isUrl(url) && /\{(dashed|address)\}/.test(url);
}
