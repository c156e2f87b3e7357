/**
 * What to write where. In: the code of a finding. Out: the header or record that is missing, with an example.
 * The examples are those of docs/servers.md; names and numbers in them are to be replaced.
 */

/** What helps. */
export interface Advice {
  /** `error`: a browser cannot use the server as it is. `warning`: it can, and something is lost. */
  readonly severity: 'error' | 'warning';
  /** The header or record. */
  readonly missing: string;
  /** Lines of an nginx configuration. */
  readonly nginx?: readonly string[];
  /** Lines of a zone file. */
  readonly zone?: readonly string[];
}

const MAP_ZONE = ['_https._tcp.video.example.  60 IN SRV 10 60 0 eu1.token.example.'];
const TOKEN_ZONE = ['eu1.token.example.  10 IN SRV 10 60 8443 edge1.example.'];
const HOST_ZONE = ['edge1.example.  300 IN A    192.0.2.1', 'edge1.example.  300 IN AAAA 2001:db8::1'];
const CORS = ['add_header Access-Control-Allow-Origin "*" always;'];
const LISTEN = ['listen 8443 ssl http2;', 'listen [::]:8443 ssl http2;'];
const DOH_FRONT = [
  'location = /dns-query {',
  '  add_header Access-Control-Allow-Origin "*" always;',
  '  proxy_pass http://127.0.0.1:8053;  # dnsdist with addDOHLocal',
  '}',
];
const CERTIFICATE = [
  'ssl_certificate     /etc/letsencrypt/live/edge1.example/fullchain.pem;  # the chain, not the leaf alone',
  'ssl_certificate_key /etc/letsencrypt/live/edge1.example/privkey.pem;',
];
const OPTIONS = [
  'location / { if ($request_method = OPTIONS) { rewrite ^ /__options last; } }',
  'location = /__options {',
  '  internal;',
  '  add_header Access-Control-Allow-Origin "*" always;',
  '  add_header Access-Control-Allow-Methods "GET, HEAD, OPTIONS, POST" always;',
  '  add_header Access-Control-Allow-Headers "Range, Content-Type" always;',
  '  try_files /nonexistent =204;',
  '}',
];
const EXPOSE = [
  'add_header Access-Control-Expose-Headers "Content-Range, Content-Length, ETag, Accept-Ranges, Allow, Date, Server-Timing, CMSD-Dynamic" always;',
];
const REPORT = [
  'location = /.well-known/edge-select {',
  '  client_max_body_size 16k;',
  '  add_header Access-Control-Allow-Origin "*" always;',
  '  proxy_pass http://127.0.0.1:8099;',
  '}',
];
const SAME_FILES = [
  'root /srv/media;  # the same files, at the same paths, as every other edge has',
  'sub_filter off;',
  'gzip off;',
];

const error = (missing: string, examples: Omit<Advice, 'severity' | 'missing'>): Advice => ({
  severity: 'error',
  missing,
  ...examples,
});
const warning = (missing: string, examples: Omit<Advice, 'severity' | 'missing'>): Advice => ({
  ...error(missing, examples),
  severity: 'warning',
});

/** All that can be found, beside the `LOOKUP_` codes of a page. */
export const ADVICE = {
  NAMESERVER_UNREACHABLE: error('an answer over HTTPS', { nginx: DOH_FRONT, zone: HOST_ZONE }),
  NAMESERVER_CORS: error('Access-Control-Allow-Origin', { nginx: DOH_FRONT }),
  NAMESERVER_HTTP: error('https: an https page may not ask over http', { nginx: [...LISTEN, ...CERTIFICATE] }),
  MAP_RECORD: error('an SRV record of the service', { nginx: DOH_FRONT, zone: MAP_ZONE }),
  MAP_ANSWER: error('a DNS answer of type application/dns-message', { nginx: DOH_FRONT, zone: MAP_ZONE }),
  TOKEN_RECORD: error('a record of the token', { nginx: DOH_FRONT, zone: TOKEN_ZONE }),
  TOKEN_ANSWER: error('a DNS answer of type application/dns-message', { nginx: DOH_FRONT, zone: TOKEN_ZONE }),
  SERVER_RECORD: error('a record that a page can use: a host name, a port, and https on an https page', {
    zone: TOKEN_ZONE,
    nginx: LISTEN,
  }),
  HOST_ADDRESS: error('an A or AAAA record', { zone: HOST_ZONE }),
  UNREACHABLE: error('a server that listens there', { nginx: LISTEN, zone: TOKEN_ZONE }),
  BROKEN: error('a whole HTTP answer', { nginx: LISTEN }),
  SILENT: error('an answer in time', {
    nginx: ['proxy_connect_timeout 2s;  # fail rather than hang', 'proxy_read_timeout 5s;'],
  }),
  TLS: error('TLS 1.2 or later', { nginx: [...LISTEN, 'ssl_protocols TLSv1.2 TLSv1.3;'] }),
  CERTIFICATE: error('a certificate for this name, in date, with its chain', {
    nginx: CERTIFICATE,
    zone: ['edge1.example.  300 IN CAA 0 issue "letsencrypt.org"'],
  }),
  REDIRECTS: error('an answer instead of redirects', {
    nginx: ['location / { try_files $uri =404; }  # no return 302 to itself'],
  }),
  STATUS: error('status 200', { nginx: ['location / { root /srv/media; try_files $uri =404; }'] }),
  TOO_LONG: error('a manifest of a few kilobytes', { nginx: ['types { application/vnd.apple.mpegurl m3u8; }'] }),
  NOT_MEDIA: error('a manifest or media: this is another thing', {
    nginx: ['types { application/vnd.apple.mpegurl m3u8; application/dash+xml mpd; }'],
  }),
  CORS_MANIFEST: error('Access-Control-Allow-Origin', { nginx: CORS }),
  CORS_SEGMENT: error('Access-Control-Allow-Origin', { nginx: CORS }),
  OTHER_LENGTH: error('the same file at every edge: Content-Length', { nginx: SAME_FILES }),
  OTHER_BYTES: error('the same bytes at every edge', { nginx: SAME_FILES }),
  RANGE_WRONG: error('Content-Range with the right total', {
    nginx: ['proxy_set_header Range $http_range;', 'proxy_force_ranges on;'],
  }),
  RANGE: warning('206 and Content-Range', { nginx: ['proxy_force_ranges on;', '# and no "max_ranges 0;"'] }),
  LENGTH: warning('Content-Length', { nginx: ['gzip off;  # for media', 'chunked_transfer_encoding off;'] }),
  OTHER_ETAG: warning('the same ETag at every edge', {
    nginx: ['etag off;  # nginx makes it of time and size: or copy files with their times (rsync -t)'],
  }),
  EXPOSE: warning('Access-Control-Expose-Headers', { nginx: EXPOSE }),
  TIMING: warning('Timing-Allow-Origin', { nginx: ['add_header Timing-Allow-Origin "*" always;'] }),
  HEAD: warning('a readable answer to HEAD', { nginx: ['limit_except GET { deny all; }  # allows HEAD too', ...CORS] }),
  OPTIONS: warning('a readable answer of 200-299 to OPTIONS', { nginx: OPTIONS }),
  OPTIONS_HEADERS: warning('Access-Control-Allow-Headers: Range', { nginx: OPTIONS }),
  REPORT: warning('a readable answer of 200-299 to the report', { nginx: REPORT }),
  CERTIFICATE_ENDS: warning('a certificate that lasts', { nginx: CERTIFICATE }),
  PRIVATE_ADDRESS: warning('a public address: Chrome 142 and later ask the viewer before they reach this one', {
    zone: HOST_ZONE,
  }),
  MOVE_AWAY: warning('CMSD-Dynamic without du', { nginx: ['add_header CMSD-Dynamic \'"edge1";etp=20000\' always;'] }),
  REDIRECTED: warning('an answer without a redirect', { nginx: ['location / { try_files $uri =404; }'] }),
  SEGMENTS_ELSEWHERE: warning('segments at the origin of the manifest, or `origins` in the options of the page', {
    nginx: ['location /segments/ { root /srv/media; }'],
  }),
  NO_SEGMENT: warning('a segment: none was found in the manifest, so none was checked', {
    nginx: ['types { application/vnd.apple.mpegurl m3u8; application/dash+xml mpd; }'],
  }),
  NOT_CHECKED: warning('a check of the rest', {}),
} as const satisfies Readonly<Record<string, Advice>>;

/** One of the codes. */
export type FindingCode = keyof typeof ADVICE;

/** One thing that was found. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Advice['severity'];
  /** The nameserver, token or edge. */
  readonly where: string;
  /** A sentence whose subject is that. */
  readonly says: string;
}

/** A finding with the severity of its code. */
export function finding(code: FindingCode, where: string, says: string): Finding {
  return { code, severity: ADVICE[code].severity, where, says };
}
