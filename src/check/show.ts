/**
 * What is printed. In: the outcome of a run. Out: text for people, or JSON for programs, with the same findings. Pure.
 */
import { ADVICE, type Finding } from './advice.js';
import { shown } from './judge-lookups.js';
import { isFailure, type Asked } from './lookups.js';
import type { Wire } from './node/connect.js';
import { isAnswer, type Seen } from './node/http.js';
import type { Checked, Inspected } from './run.js';
import { counted, inMs, plain, table } from './text.js';

const RESULTS = ['works', 'works, with findings', 'does not work'] as const;
/** Of 65535, as a share. */
const WHOLE = 65_535;

/** For a terminal. */
export function asText({ wanted, lookups, servers, segment, findings, exitCode }: Checked): string {
  const { source, page } = wanted;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const counts =
    findings.length > 0 ? `: ${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}` : '';
  const blocks: (readonly string[])[] = [
    [`${source.src}, played by a page of ${page}`],
    ['Lookups', ...table([['question', 'nameserver', 'time', 'TTL', 'answer'], ...lookups.asked.map(lookupRow)])],
    [
      'Tokens',
      ...table([
        ['token', 'priority', 'weight'],
        ...lookups.tokens.map(({ name, priority, weight }) => [name, String(priority), String(weight)]),
      ]),
    ],
    ['Servers', ...table([SERVER_COLUMNS, ...servers.map(serverRow)])],
    ...(segment ? [[`Segment: ${segment.url}${segment.range ? `, bytes ${segment.range.join('-')}` : ''}`]] : []),
    ...grouped(findings).map(findingLines),
    [`Result: ${RESULTS[exitCode]}${counts} (exit code ${exitCode})`],
  ];
  return blocks.map((lines) => lines.map(plain).join('\n')).join('\n\n');
}

/** For a program; described in docs/check.md. */
export function asJson({ wanted, lookups, servers, segment, findings, exitCode }: Checked): string {
  const { source, page } = wanted;
  const told = {
    ...{ source: source.src, service: source.service, page, result: RESULTS[exitCode], exitCode },
    lookups: lookups.asked.map(({ question: { lookup, name, type }, nameserver, elapsedMs, outcome }) => ({
      ...{ lookup, name, type, nameserver: shown(nameserver), elapsedMs: Math.round(elapsedMs) },
      ...(isFailure(outcome) ? { error: outcome.code } : { ttlSeconds: outcome.ttlSeconds, records: outcome.records }),
    })),
    tokens: lookups.tokens,
    servers: servers.map(serverMembers),
    segment,
    findings: findings.map((one) => ({ ...one, ...ADVICE[one.code] })),
  };
  const clean = (_name: string, value: unknown): unknown => (typeof value === 'string' ? plain(value) : value);
  return JSON.stringify(told, clean, 2);
}

function lookupRow({ question, nameserver, elapsedMs, outcome }: Asked): readonly string[] {
  const { type, name } = question;
  const failed = isFailure(outcome);
  const answer = failed ? outcome.code : counted(outcome.records.length, 'record');
  return [`${type} ${name}`, shown(nameserver), inMs(elapsedMs), failed ? '-' : `${outcome.ttlSeconds} s`, answer];
}

const SERVER_COLUMNS = [
  ...['server', 'rank', 'share', 'address', 'speaks', 'connect', 'first byte'],
  ...['manifest', 'HEAD', 'OPTIONS', 'segment', 'range', 'report'],
];

function serverRow({ origin, edge, manifest, head, options, segment, part, report }: Inspected): readonly string[] {
  const wire = ownWire(manifest);
  return [
    ...[origin, edge ? String(edge.rank) : 'origin', edge ? `${Math.round((edge.weight / WHOLE) * 100)} %` : '-'],
    ...[wire?.address ?? '-', wire?.protocol ?? '-', inMs(wire?.connectMs)],
    inMs(isAnswer(manifest) ? manifest.firstByteMs : null),
    ...[manifest, head, options, segment, part, report].map(statusOf),
  ];
}

/** The edge's own connection, and not that of a server it sends its clients to. */
function ownWire(seen: Seen): Wire | null {
  return isAnswer(seen) ? (seen.hops[0] ?? seen).wire : null;
}

function statusOf(seen: Seen | null): string {
  if (seen === null) return '-';
  return isAnswer(seen) ? String(seen.status) : seen.trouble;
}

function serverMembers(server: Inspected): object {
  const { origin, edge, manifest, head, options, segment, part, report } = server;
  const wire = ownWire(manifest);
  const rounded = (ms: number): number => Math.round(ms);
  return {
    ...{ origin, isEdge: edge !== null, rank: edge?.rank ?? null, weight: edge?.weight ?? null },
    ...(wire && {
      ...{ addresses: wire.addresses, protocol: wire.protocol, certificate: wire.certificate },
      ...{ dnsMs: rounded(wire.dnsMs), connectMs: rounded(wire.connectMs) },
    }),
    ...(isAnswer(manifest) && { firstByteMs: rounded(manifest.firstByteMs) }),
    answers: Object.fromEntries(
      Object.entries({ manifest, head, options, segment, range: part, report }).flatMap(([name, seen]) =>
        seen ? [[name, isAnswer(seen) ? seen.status : seen.trouble]] : [],
      ),
    ),
  };
}

/** Those of one code together: one example serves them all. */
function grouped(findings: readonly Finding[]): readonly (readonly [Finding, ...Finding[]])[] {
  const groups = new Map<string, [Finding, ...Finding[]]>();
  for (const one of findings) {
    const group = groups.get(one.code);
    if (group) group.push(one);
    else groups.set(one.code, [one]);
  }
  return [...groups.values()];
}

function findingLines(group: readonly [Finding, ...Finding[]]): readonly string[] {
  const [{ code, severity }] = group;
  const { missing, ...examples } = ADVICE[code];
  const example = (name: 'nginx' | 'zone'): string[] => {
    const lines: readonly string[] =
      name in examples ? ((examples as Partial<Record<typeof name, readonly string[]>>)[name] ?? []) : [];
    return lines.map((line, i) => `  ${i === 0 ? `${name}:`.padEnd(7) : ' '.repeat(7)}${line}`);
  };
  return [
    `${severity === 'error' ? 'ERROR' : 'Warning'} ${code}: missing: ${missing}`,
    ...group.map(({ where, says }) => `  ${where}: ${says}`),
    ...example('nginx'),
    ...example('zone'),
  ];
}
