/**
 * What is wrong with an edge. In: its answers, and those of the server it is held against. Out: findings. Pure.
 */
import { capabilities } from '../capabilities.js';
import { finding, type Finding, type FindingCode } from './advice.js';
import { allowsHeader, showsTiming, unexposed, unreadableOnTheWay } from './cors.js';
import { MAX_MANIFEST_BYTES, type Inspection } from './inspect.js';
import { troubleFinding, wireFindings, type Surroundings } from './judge-wire.js';
import { readManifest } from './manifest.js';
import { isAnswer, type Exchange, type Seen } from './node/http.js';
import { quoted } from './text.js';

/** Capabilities, and what a request is resumed by. */
const READ_BY_PAGE = ['Content-Range', 'ETag', 'Accept-Ranges', 'Date', 'Server-Timing', 'CMSD-Dynamic'];
/** Beginnings of what is shown where a network wants a login. */
const HTML = /^\s*(<!doctype html|<html)/i;

/** The answer that all others must be like. */
export interface Reference {
  readonly origin: string;
  readonly segment: Exchange | null;
}

/** @param isOrigin  the service origin: it gets no report, and its timing ranks nothing */
export function edgeFindings(
  inspection: Inspection,
  reference: Reference | null,
  around: Surroundings,
  isOrigin: boolean,
): readonly Finding[] {
  const { origin, manifest, head, segment, part, options, report } = inspection;
  if (!isAnswer(manifest)) return [troubleFinding(origin, manifest, 'the manifest')];
  const add = (code: FindingCode, says: string | null): Finding[] =>
    says === null ? [] : [finding(code, origin, says)];
  const readable = (seen: Seen | null, what: string): string | null => faultOf(seen, what, around.page);
  return [
    ...serversOf(manifest).flatMap(({ wire }) => wireFindings(origin, wire, around)),
    ...manifestFindings(manifest),
    ...add('HEAD', readable(head, 'HEAD of the manifest')),
    ...(isOrigin || showsTiming(manifest.headers, manifest.url, around.page)
      ? []
      : add('TIMING', 'hides the phases of its requests: a race of warm connections costs one request more')),
    ...add('MOVE_AWAY', capabilities(manifest.headers).moveAway ? 'asks its clients to move away (CMSD du)' : null),
    ...(segment ? segmentFindings(segment) : []),
    ...(isAnswer(segment) && isAnswer(part) ? partFindings(segment, part) : []),
    ...optionsFindings(),
    ...add('REPORT', readable(report, 'the report')),
  ];

  function manifestFindings(answer: Exchange): readonly Finding[] {
    const [hop] = answer.hops;
    const cors = unreadableOnTheWay(answer, around.page);
    return [
      ...add('REDIRECTED', hop ? `sends the manifest's request on to ${quoted(answer.url)}` : null),
      ...add('STATUS', isGood(answer) ? null : `answers the manifest's request with status ${answer.status}`),
      ...add('CORS_MANIFEST', cors ? `the manifest's answer ${cors}` : null),
      ...(isGood(answer) ? contentFindings(answer) : []),
    ];
  }

  function contentFindings({ body, cut, headers, url }: Exchange): readonly Finding[] {
    const type = headers.get('content-type') ?? '';
    const text = textOf(body);
    const isManifest = readManifest(text, url) !== null;
    if (isManifest) return add('TOO_LONG', cut ? `its manifest is longer than ${MAX_MANIFEST_BYTES} bytes` : null);
    if (isMedia(type) && !HTML.test(text)) return [];
    const size = cut ? `more than ${MAX_MANIFEST_BYTES} bytes` : `${body.length} bytes`;
    return add('NOT_MEDIA', `answers the manifest's request with ${size} of ${quoted(type)}, neither HLS nor DASH`);
  }

  function segmentFindings(seen: Seen): readonly Finding[] {
    if (!isAnswer(seen)) return [troubleFinding(origin, seen, 'the segment')];
    if (!isGood(seen)) return add('STATUS', `answers the segment's request with status ${seen.status}`);
    const cors = unreadableOnTheWay(seen, around.page);
    const found = add('CORS_SEGMENT', cors ? `the segment's answer ${cors}` : null);
    if (HTML.test(textOf(seen.body.subarray(0, 256))))
      return [...found, ...add('NOT_MEDIA', "answers the segment's request with HTML")];
    const hidden = unexposed(isAnswer(part) ? part : seen, around.page, READ_BY_PAGE);
    return [
      ...found,
      ...add('EXPOSE', hidden.length > 0 ? `sends ${hidden.join(', ')} and does not let the page read it` : null),
      ...add(
        'LENGTH',
        !seen.headers.has('content-length') ? 'sends the segment without its length: a short one cannot be told' : null,
      ),
      ...(reference?.segment && reference.origin !== origin
        ? differences(seen, reference.segment, reference.origin)
        : []),
    ];
  }

  function differences(seen: Exchange, other: Exchange, than: string): readonly Finding[] {
    const [length, wanted] = [lengthOf(seen), lengthOf(other)];
    if (length !== null && wanted !== null && length !== wanted) {
      return add('OTHER_LENGTH', `has ${length} bytes of the segment, and ${than} has ${wanted}`);
    }
    if (!isSame(seen.body, other.body)) return add('OTHER_BYTES', `its segment has other bytes than that of ${than}`);
    const [etag, otherEtag] = [seen.headers.get('etag'), other.headers.get('etag')];
    // a weak one does not promise the same bytes, and is not compared
    if (!etag?.startsWith('"') || !otherEtag?.startsWith('"') || etag === otherEtag) return [];
    return add('OTHER_ETAG', `has ETag ${quoted(etag)}, and ${than} has ${quoted(otherEtag)}`);
  }

  /** A request that is resumed asks for the rest of a file by a range. */
  function partFindings(whole: Exchange, { status, headers, body }: Exchange): readonly Finding[] {
    if (status !== 206) return add('RANGE', `answers a range of the segment with status ${status}`);
    const [first, last] = inspection.partRange ?? [0, 0];
    const content = headers.get('content-range');
    const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(content ?? '') ?? [];
    if (content === null) return add('RANGE', 'answers a range of the segment with 206 and no Content-Range');
    if (Number(from) !== first || Number(to) !== last) {
      return add('RANGE_WRONG', `was asked for bytes ${first}-${last}, and says ${quoted(content)}`);
    }
    const length = totalOf(whole);
    if (total !== '*' && length !== null && Number(total) !== length) {
      return add('RANGE_WRONG', `says that the segment has ${total ?? ''} bytes (Content-Range), and it has ${length}`);
    }
    const offset = first - startOf(whole);
    const same = isSame(body, whole.body.subarray(offset, offset + body.length)) && body.length === last - first + 1;
    return add('RANGE_WRONG', same ? null : `sends other bytes for ${first}-${last} than within the whole segment`);
  }

  function optionsFindings(): readonly Finding[] {
    const says = readable(options, 'OPTIONS');
    if (says !== null || !isAnswer(options)) return add('OPTIONS', says);
    if (options.hops.length > 0) return add('OPTIONS', 'redirects OPTIONS, which no browser follows');
    const isNeeded = new URL(options.url).origin !== around.page;
    const allows = !isNeeded || allowsHeader(options.headers, 'range');
    return add('OPTIONS_HEADERS', allows ? null : 'does not allow Range to be sent, which older browsers ask for');
  }
}

/** Media by its type; many servers know no type for segments. */
export function isMedia(type: string): boolean {
  return /^(video|audio)\/|^application\/(octet-stream|mp4)/i.test(type);
}

/** Bytes as text, broken ones made visible. */
export function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

function faultOf(seen: Seen | null, what: string, page: string): string | null {
  if (seen === null) return null;
  if (!isAnswer(seen)) return `${seen.says}, asked for ${what}`;
  if (!isGood(seen)) return `answers ${what} with status ${seen.status}`;
  const reason = unreadableOnTheWay(seen, page);
  return reason && `its answer to ${what} ${reason}`;
}

/** One answer of each server that a redirect led to. */
function serversOf(answer: Exchange): readonly Exchange[] {
  const all = [...answer.hops, answer];
  const originOf = ({ url }: Exchange): string => new URL(url).origin;
  return all.filter((one, i) => all.findIndex((other) => originOf(other) === originOf(one)) === i);
}

function isGood({ status }: Exchange): boolean {
  return status >= 200 && status <= 299;
}

/** Bytes of the body, where the server says so or all of it came. */
function lengthOf({ headers, body, cut }: Exchange): number | null {
  const length = headers.get('content-length');
  if (length !== null) return Number(length);
  return cut ? null : body.length;
}

/** Bytes of the whole file, of which the answer may be a range. */
function totalOf(answer: Exchange): number | null {
  const [, total] = /\/(\d+)$/.exec(answer.headers.get('content-range') ?? '') ?? [];
  return answer.status === 206 ? (total === undefined ? null : Number(total)) : lengthOf(answer);
}

function startOf({ status, headers }: Exchange): number {
  const [, first = '0'] = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '') ?? [];
  return status === 206 ? Number(first) : 0;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
