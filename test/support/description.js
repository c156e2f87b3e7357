/**
 * What a pretend world is made of: the fields of a description, their defaults, and the checks that
 * catch a misspelt field before it quietly makes a test mean something else.
 */

/**
 * @typedef {'SRV' | 'CNAME' | 'A' | 'AAAA' | 'TXT'} RecordType
 *
 * @typedef {object} Audience who a record is for; with both fields set, both must match
 * @property {string} [id] compared without regard to case: a label may be re-cased on its way
 * @property {string} [subnet] `198.51.100.0/24`, `2001:db8::/32`
 *
 * @typedef {object} RecordDescription
 * @property {RecordType} type
 * @property {number} [ttl] seconds; default 10
 * @property {number} [priority] SRV; default 0
 * @property {number} [weight] SRV; default 0
 * @property {number} [port] SRV; default 0, or that of the edge named by `target`
 * @property {string} [target] SRV, CNAME; for SRV also `edge:NAME`, for the edge's host and port
 * @property {string} [address] A, AAAA
 * @property {string} [text] TXT
 * @property {Audience} [for]
 *
 * @typedef {null | 'swallow' | 'refuse' | 'http500' | 'html' | 'nxdomain' | 'nodata' | 'servfail' | 'refused'
 *   | 'truncated' | 'garbage' | 'wrongtype' | 'slowbody' | 'noCors' | 'pointerloop'} NameserverFault
 *   swallow: hears and never answers; html: a captive portal's page; wrongtype: a good message, as text/plain;
 *   slowbody: headers at once, then a byte every 200 ms; pointerloop: a name that points to itself
 *
 * @typedef {object} Soa
 * @property {number} minimum seconds
 * @property {number} [ttl] seconds; default `minimum`
 *
 * @typedef {object} NameserverDescription
 * @property {number} latencyMs before each answer
 * @property {number} connectMs before the first byte of a new connection is read; twice that with TLS
 * @property {NameserverFault} fault
 * @property {boolean} ecsEcho whether the answer repeats the EDNS Client Subnet of the query
 * @property {boolean} tls
 * @property {boolean} answerOptions answer CORS preflights with 204; if not, 400 without CORS as dnsdist does
 * @property {Record<string, RecordDescription[]>} zones
 * @property {Soa} soa
 *
 * @typedef {object} RuleDescription how the requests it matches are answered; the first that matches wins
 * @property {string} [path] regular expression over the path, without the query
 * @property {string} [method] `GET`, `GET|HEAD`; default any
 * @property {boolean} [ranged] whether the request has a Range; default either way
 * @property {string} [lacks] only requests without this header
 * @property {number} [times] how many requests it bends before it is spent; default all
 * @property {number} [status]
 * @property {boolean} [reset] RST of the connection; over HTTP/2 of the stream alone
 * @property {boolean} [silent] never answer
 * @property {number} [stallAfterBytes] then nothing more, the connection stays open
 * @property {number} [cutAfterBytes] announces the full length, then closes; over HTTP/2 the stream alone
 * @property {number} [resetAfterBytes] the same with a RST
 * @property {number} [shortAfterBytes] announces no length and ends cleanly too early
 * @property {number} [lingerMs] before the connection closes in the middle of a body, so that the client has read what came
 * @property {number} [slowAfterBytes] where `bitsPerSecond` begins; default 0
 * @property {number} [bitsPerSecond] of this body alone, instead of the edge's
 * @property {boolean} [ignoresRange] 200 and the whole file
 * @property {string} [file] path of another file, to be served as if it were the one asked for
 * @property {boolean} [gzip] the body is compressed
 * @property {boolean} [html] a captive portal's page, status 200
 * @property {string} [redirect] URL or path; status 302 unless `status` says otherwise
 * @property {number} [latencyMs] instead of the edge's
 * @property {boolean} [cors] instead of the edge's
 * @property {string} [body] text to answer with
 * @property {string} [type] content type of `body`
 * @property {Record<string, string | null>} [headers] over all others; null removes one
 * @property {{status?: number, headers?: Record<string, string | null>}} [options] how OPTIONS is answered;
 *   a rule with `options` and no `method` is for OPTIONS alone
 *
 * @typedef {object} LiveDescription
 * @property {string} path
 * @property {string} from media playlist in the media folder
 * @property {number} [windowSegments] default 4
 * @property {number} [segmentSeconds] how often a segment appears; default the mean of the playlist
 * @property {number} [startAtMs] epoch, when the first window is complete; default when the world was made
 * @property {number} [endAtMs] epoch, after which it moves no more
 * @property {number} [skewSegments] how many segments this edge is behind; default 0
 *
 * @typedef {object} EdgeDescription
 * @property {number} latencyMs before each answer
 * @property {number} connectMs before the first byte of a new connection is read; twice that with TLS
 * @property {number} bitsPerSecond of all bodies together; 0 is unlimited
 * @property {boolean} slowStart each new connection begins with ten packets a latency, and doubles that each latency
 * @property {boolean} cors
 * @property {boolean} credentials answer with the request's Origin and Access-Control-Allow-Credentials
 * @property {boolean} timingAllowOrigin
 * @property {boolean} tls HTTPS with ALPN h2 and http/1.1
 * @property {Record<string, string | null>} headers added to every response; null removes one
 * @property {string} expose Access-Control-Expose-Headers
 * @property {null | 'refuse' | 'reset' | 'silent' | 'stall' | 'cut' | `status:${number}`} fault
 *   stall, cut: every body ends half-way, one already past its middle at once: in silence, or with its connection
 * @property {RuleDescription[]} rules
 * @property {string} reportPath
 * @property {LiveDescription | null} live
 *
 * @typedef {object} WorldDescription
 * @property {string} [media] folder under the project root, or an absolute path
 * @property {Record<string, Partial<NameserverDescription>>} [nameservers]
 * @property {Record<string, Partial<EdgeDescription>>} [edges]
 * @property {number} [lastMileBitsPerSecond] of the viewer's line: the bodies of all servers share it; default 0, unlimited
 */

/** A description or a patch that does not make sense. */
export class DescriptionError extends Error {}

/** @type {NameserverDescription} */
const NAMESERVER_DEFAULTS = {
  latencyMs: 0,
  connectMs: 0,
  fault: null,
  ecsEcho: true,
  tls: false,
  answerOptions: false,
  zones: {},
  soa: { minimum: 30 },
};

/** @type {EdgeDescription} */
const EDGE_DEFAULTS = {
  latencyMs: 0,
  connectMs: 0,
  bitsPerSecond: 0,
  slowStart: false,
  cors: true,
  credentials: false,
  timingAllowOrigin: true,
  tls: false,
  headers: {},
  expose: 'CMSD-Static, CMSD-Dynamic, Server-Timing, Content-Range, Content-Length, ETag, Accept-Ranges, Allow, Date',
  fault: null,
  rules: [],
  reportPath: '/.well-known/edge-select',
  live: null,
};

const NAMESERVER_FAULTS = new Set([
  ...['swallow', 'refuse', 'http500', 'html', 'nxdomain', 'nodata', 'servfail', 'refused', 'truncated'],
  ...['garbage', 'wrongtype', 'slowbody', 'noCors', 'pointerloop'],
]);
const EDGE_FAULT = /^(refuse|reset|silent|stall|cut|status:[2-5]\d\d)$/;
const RULE_FIELDS = new Set([
  ...['path', 'method', 'times', 'status', 'reset', 'silent', 'stallAfterBytes', 'cutAfterBytes', 'shortAfterBytes'],
  ...[
    'resetAfterBytes',
    'lingerMs',
    'slowAfterBytes',
    'bitsPerSecond',
    'ranged',
    'lacks',
    'ignoresRange',
    'file',
    'gzip',
  ],
  ...['html', 'redirect', 'latencyMs', 'cors', 'body', 'type', 'headers', 'options'],
]);
const RECORD_FIELDS = new Set(['type', 'ttl', 'priority', 'weight', 'port', 'target', 'address', 'text', 'for']);
const AUDIENCE_FIELDS = new Set(['id', 'subnet']);
const RECORD_TYPES = new Set(['SRV', 'CNAME', 'A', 'AAAA', 'TXT']);
const LIVE_FIELDS = new Set([
  'path',
  'from',
  'windowSegments',
  'segmentSeconds',
  'startAtMs',
  'endAtMs',
  'skewSegments',
]);
const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * @param {string} where
 * @param {object} given
 * @param {Set<string>} known
 */
function refuseUnknownFields(where, given, known) {
  for (const field of Object.keys(given)) {
    if (!known.has(field)) throw new DescriptionError(`${where}: no such field as "${field}"`);
  }
}

/**
 * @template {object} T
 * @param {string} where
 * @param {Partial<T>} given
 * @param {T} defaults
 * @returns {T}
 */
function fillIn(where, given, defaults) {
  refuseUnknownFields(where, given, new Set(Object.keys(defaults)));
  const filled = { ...defaults };
  for (const field of /** @type {(keyof T & string)[]} */ (Object.keys(defaults))) {
    const value = given[field];
    if (value === undefined) continue;
    const wanted = kindOf(defaults[field]);
    // what is null by default has checks of its own
    if (wanted !== 'null' && kindOf(value) !== wanted) {
      throw new DescriptionError(`${where}.${field}: of kind ${wanted}, not ${JSON.stringify(value)}`);
    }
    if (typeof value === 'number' && !(value >= 0 && Number.isFinite(value))) {
      throw new DescriptionError(`${where}.${field}: ${value} is not 0 or more`);
    }
    filled[field] = /** @type {T[keyof T & string]} */ (value);
  }
  return filled;
}

/** @param {unknown} value */
function kindOf(value) {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/**
 * @param {string} name
 * @param {Partial<NameserverDescription>} given
 * @returns {NameserverDescription}
 */
export function fillInNameserver(name, given) {
  const where = `nameservers.${name}`;
  const filled = fillIn(where, given, NAMESERVER_DEFAULTS);
  if (filled.fault !== null && !NAMESERVER_FAULTS.has(filled.fault)) {
    throw new DescriptionError(`${where}.fault: no such fault as "${filled.fault}"`);
  }
  for (const [owner, records] of Object.entries(filled.zones)) {
    for (const record of records) {
      refuseUnknownFields(`${where}.zones["${owner}"]`, record, RECORD_FIELDS);
      if (!RECORD_TYPES.has(record.type)) {
        throw new DescriptionError(`${where}.zones["${owner}"]: no such type as "${record.type}"`);
      }
      refuseUnknownFields(`${where}.zones["${owner}"].for`, record.for ?? {}, AUDIENCE_FIELDS);
    }
  }
  return filled;
}

/**
 * @param {string} name
 * @param {Partial<EdgeDescription>} given
 * @returns {EdgeDescription}
 */
export function fillInEdge(name, given) {
  const where = `edges.${name}`;
  const filled = fillIn(where, given, EDGE_DEFAULTS);
  if (filled.fault !== null && !EDGE_FAULT.test(filled.fault)) {
    throw new DescriptionError(`${where}.fault: no such fault as "${filled.fault}"`);
  }
  filled.rules.forEach((rule, index) => {
    refuseUnknownFields(`${where}.rules[${index}]`, rule, RULE_FIELDS);
    try {
      new RegExp(rule.path ?? '');
    } catch (error) {
      throw new DescriptionError(`${where}.rules[${index}].path: ${error}`);
    }
  });
  if (filled.live) refuseUnknownFields(`${where}.live`, filled.live, LIVE_FIELDS);
  return filled;
}

/** @param {unknown} given a description or a patch; its servers' fields are checked as each is filled in */
export function checkWorld(given) {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new DescriptionError('a world is described by an object');
  }
  refuseUnknownFields('world', given, new Set(['media', 'nameservers', 'edges', 'lastMileBitsPerSecond']));
  const world = /** @type {WorldDescription} */ (given);
  const { lastMileBitsPerSecond: lastMile = 0 } = world;
  if (!(Number.isFinite(lastMile) && lastMile >= 0)) {
    throw new DescriptionError(`lastMileBitsPerSecond: ${JSON.stringify(lastMile)} is not a number of 0 or more`);
  }
  for (const servers of [world.nameservers ?? {}, world.edges ?? {}]) {
    for (const [name, server] of Object.entries(servers)) {
      // the name becomes the first label of NAME.localhost
      if (!HOST_LABEL.test(name)) throw new DescriptionError(`"${name}" cannot be a host name (a-z, 0-9, -)`);
      if (server === null || typeof server !== 'object') throw new DescriptionError(`"${name}" must be an object`);
    }
  }
  return world;
}
