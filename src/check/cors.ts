/**
 * May the page read it? In: an answer's headers and the page's origin. Out: what is missing. Pure.
 * For requests without cookies, as they are made by default.
 */

import type { Exchange } from './node/http.js';

/** Readable without being exposed (Fetch, "CORS-safelisted response-header name"). */
const SAFELISTED = [
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
];

/** Why the page may not read it, as a sentence whose subject is the answer; null when it may. */
export function unreadable(headers: Headers, url: string, page: string): string | null {
  if (new URL(url).origin === page) return null;
  const allowed = headers.get('access-control-allow-origin');
  if (allowed === null) return 'has no Access-Control-Allow-Origin';
  if (allowed === '*' || allowed === page) return null;
  const twice = allowed.includes(',') ? ' (is the header added twice?)' : '';
  return `has Access-Control-Allow-Origin: ${allowed}, which is neither * nor the page's origin${twice}`;
}

/** The same of an answer and all the redirects that led to it, each of which a browser reads. */
export function unreadableOnTheWay(answer: Exchange, page: string): string | null {
  const reasons = [...answer.hops, answer].map(({ headers, url }) => unreadable(headers, url, page));
  return reasons.find((reason) => reason !== null) ?? null;
}

/** Those of `wanted` that were sent and that the page may not read. */
export function unexposed(
  { headers, url }: { readonly headers: Headers; readonly url: string },
  page: string,
  wanted: readonly string[],
): readonly string[] {
  const exposed = listOf(headers.get('access-control-expose-headers'));
  if (exposed.includes('*') || new URL(url).origin === page) return [];
  return wanted.filter((name) => {
    const lower = name.toLowerCase();
    return headers.has(lower) && !exposed.includes(lower) && !SAFELISTED.includes(lower);
  });
}

/** Whether a preflight's answer lets a page send this header. */
export function allowsHeader(headers: Headers, name: string): boolean {
  const allowed = listOf(headers.get('access-control-allow-headers'));
  return allowed.includes('*') || allowed.includes(name.toLowerCase());
}

/** Whether the page may see the phases of a request (Resource Timing). */
export function showsTiming(headers: Headers, url: string, page: string): boolean {
  const allowed = listOf(headers.get('timing-allow-origin'));
  return new URL(url).origin === page || allowed.includes('*') || allowed.includes(page);
}

function listOf(header: string | null): readonly string[] {
  return (header ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim());
}
