/**
 * What is wrong with a connection. In: what was seen of name, address and certificate. Out: findings. Pure.
 */
import { finding, type Finding, type FindingCode } from './advice.js';
import type { Trouble, Wire } from './node/connect.js';
import { asksViewer, nearest, type Space } from './space.js';
import { quoted } from './text.js';

/** What a server is judged by. */
export interface Surroundings {
  /** Origin of the page. */
  readonly page: string;
  readonly pageSpace: Space;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const DAY_MS = 86_400_000;
/** Certificates of 90 days are renewed 30 days before their end: at 14 the renewal has failed for two weeks. */
const ENDS_SOON_MS = 14 * DAY_MS;

const CERTIFICATE_WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'is over',
  CERT_NOT_YET_VALID: 'is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for other names',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN:
    'leads to an authority that is not known here (NODE_EXTRA_CA_CERTS names a file of your own)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'comes without its chain',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'comes without its chain, or from an authority that is not known here',
};

const TROUBLE_CODES: Readonly<Record<Trouble['trouble'], FindingCode>> = {
  name: 'HOST_ADDRESS',
  refused: 'UNREACHABLE',
  broken: 'BROKEN',
  silent: 'SILENT',
  tls: 'TLS',
  redirects: 'REDIRECTS',
};

/** Findings about a server that was reached. */
export function wireFindings(
  where: string,
  { addresses, certificate }: Wire,
  around: Surroundings,
): readonly Finding[] {
  const found: Finding[] = [];
  if (certificate?.error) {
    const words = CERTIFICATE_WORDS[certificate.error] ?? 'is refused';
    const names = certificate.names ? `; it names ${quoted(certificate.names)}` : '';
    const end = certificate.endsOn && `, and ends on ${certificate.endsOn}`;
    found.push(finding('CERTIFICATE', where, `its certificate ${words} (${certificate.error})${names}${end}`));
  } else if (certificate && certificate.expiresAt - around.now < ENDS_SOON_MS) {
    found.push(finding('CERTIFICATE_ENDS', where, `its certificate ends on ${certificate.endsOn}`));
  }
  const space = nearest(addresses);
  if (asksViewer(around.pageSpace, space)) {
    const kind = space === 'local' ? 'a private network' : 'this very machine';
    found.push(finding('PRIVATE_ADDRESS', where, `its name leads to ${kind}: ${addresses.join(', ')}`));
  }
  return found;
}

/** The finding about a server that was not. */
export function troubleFinding(where: string, { trouble, says }: Trouble, asked = ''): Finding {
  return finding(TROUBLE_CODES[trouble], where, asked ? `${says}, asked for ${asked}` : says);
}
