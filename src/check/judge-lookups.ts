/**
 * What is wrong with nameservers, tokens and server records. In: what the lookups found. Out: findings. Pure.
 */
import type { EdgeSelectError } from '../errors.js';
import { finding, type Finding, type FindingCode } from './advice.js';
import { unreadableOnTheWay } from './cors.js';
import { wireFindings, type Surroundings } from './judge-wire.js';
import { isFailure, type Asked, type Lookups } from './lookups.js';
import { quoted } from './text.js';

/** Names that are no less safe without TLS, as browsers see it. */
const TRUSTED_WITHOUT_TLS = /^(127\.\d+\.\d+\.\d+|\[::1\]|(.+\.)?localhost)$/;

/** What the failures say that have no more to say than their code. */
const SAYS: Readonly<Record<string, string>> = {
  LOOKUP_TIMEOUT: 'does not answer within the time that a player waits',
  LOOKUP_GARBLED: 'answers with something that is no DNS answer to the question',
  LOOKUP_TRUNCATED: 'answers with a cut message (TC): there is no larger transport to ask again on',
  LOOKUP_NXDOMAIN: 'says that the name does not exist (NXDOMAIN)',
  LOOKUP_NODATA: 'says that the name has no record of this type (NODATA)',
  LOOKUP_SERVFAIL: 'says that it failed (SERVFAIL)',
};

/** Findings about both lookups. */
export function lookupFindings({ asked, refused, failure }: Lookups, around: Surroundings): readonly Finding[] {
  const found = asked.flatMap((one) => [...outcomeFindings(one), ...serverFindings(one, around)]);
  if (failure?.code === 'TOKENS_EMPTY') {
    const service = asked.find(({ question }) => question.lookup === 'tokens')?.question.name ?? '';
    found.push(finding('MAP_RECORD', service, 'has no record whose target can be a token'));
  }
  for (const { token, record } of refused) {
    const text =
      'target' in record ? `${record.target || '.'}:${record.port}` : 'address' in record ? record.address : '';
    found.push(finding('SERVER_RECORD', token, `names ${quoted(text)}, which a page cannot use`));
  }
  return unique(found);
}

/** Whether a page would have this answer. */
export function isUsable(asked: Asked, around: Surroundings): boolean {
  return !isFailure(asked.outcome) && serverFindings(asked, around).every(({ severity }) => severity !== 'error');
}

/** A nameserver without what may be secret in its URL. */
export function shown(nameserver: string): string {
  return nameserver.replace(/[?{].*$/s, '');
}

function outcomeFindings({ question, nameserver, outcome }: Asked): readonly Finding[] {
  if (!isFailure(outcome)) return [];
  const isMap = question.lookup === 'tokens';
  const about = `${question.type} ${question.name}`;
  const { code } = outcome;
  switch (code) {
    case 'LOOKUP_UNREACHABLE':
    case 'LOOKUP_TIMEOUT':
      return [finding('NAMESERVER_UNREACHABLE', shown(nameserver), SAYS[code] ?? causeOf(outcome))];
    case 'LOOKUP_NXDOMAIN':
    case 'LOOKUP_NODATA':
      return [finding(isMap ? 'MAP_RECORD' : 'TOKEN_RECORD', about, `${shown(nameserver)} ${SAYS[code] ?? ''}`)];
    default: {
      const answer: FindingCode = isMap ? 'MAP_ANSWER' : 'TOKEN_ANSWER';
      return [finding(answer, shown(nameserver), `${SAYS[code] ?? details(outcome)}, asked for ${about}`)];
    }
  }
}

function details({ code, details: given, cause }: EdgeSelectError): string {
  if ('status' in given) return `answers with HTTP status ${given.status}`;
  if ('type' in given) return `answers with the media type ${quoted(given.type)}`;
  if ('rcode' in given) return `answers with RCODE ${given.rcode}`;
  return cause instanceof Error ? `cannot be asked: ${quoted(cause.message)}` : code;
}

function causeOf({ cause }: EdgeSelectError): string {
  return cause instanceof Error ? cause.message : 'cannot be reached';
}

/** What a browser needs of the nameserver as a web server. */
function serverFindings({ nameserver, exchange }: Asked, around: Surroundings): readonly Finding[] {
  const where = shown(nameserver);
  if (!exchange) return [];
  const url = new URL(exchange.url);
  const reason = unreadableOnTheWay(exchange, around.page);
  const isMixed =
    around.page.startsWith('https:') && url.protocol === 'http:' && !TRUSTED_WITHOUT_TLS.test(url.hostname);
  return [
    ...(reason ? [finding('NAMESERVER_CORS', where, `its answer ${reason}`)] : []),
    ...(isMixed ? [finding('NAMESERVER_HTTP', where, 'is asked over http by an https page')] : []),
    ...wireFindings(where, exchange.wire, around),
  ];
}

/** A nameserver is asked several questions. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ code, where, says }) => {
    const key = [code, where, says].join('\n');
    return !seen.has(key) && seen.add(key);
  });
}
