/**
 * The second seam: what `platform.ts` takes from a browser, taken from Node. In: the page that is pretended.
 * Out: a `Platform`, so that lookups run by the very rooms that a page uses. Nothing is kept: each run is a first visit.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Platform } from '../../platform.js';
import { isAnswer, request, type Seen } from './http.js';

/** A DNS message has at most 65535 bytes; one more shows that it is too long. */
const MAX_BODY_BYTES = 65_536;

/**
 * @param page  origin that requests are said to come from
 * @param seen  is told of each answer before it is handed on
 */
export function nodePlatform(page: string, seen: (what: Seen) => void = () => undefined): Platform {
  return {
    async fetch(url, { method = 'GET', headers, signal }) {
      const answer = await request(url, {
        method,
        headers: { ...Object.fromEntries(new Headers(headers)), origin: page },
        maxBytes: MAX_BODY_BYTES,
        signal: signal ?? new AbortController().signal,
      });
      seen(answer);
      if (!isAnswer(answer)) throw new TypeError(answer.says);
      const { status, headers: received, body } = answer;
      if (status < 200 || status > 599) throw new TypeError(`answers with HTTP status ${status}`);
      return new Response([204, 205, 304].includes(status) ? null : body, { status, headers: received });
    },
    asPage: () => Promise.resolve(null),
    now: () => performance.now(),
    wallClock: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => {
        clearTimeout(timer);
      };
    },
    random: () => Math.random(),
    randomId: () => randomBytes(16).toString('hex'),
    digest: (text) => Promise.resolve(createHash('sha256').update(text).digest('hex').slice(0, 16)),
    page: () => `${page}/`,
    secure: () => page.startsWith('https:'),
    controlled: () => false,
    online: () => true,
    hidden: () => false,
    watchTimings: () => ({ find: () => undefined, stop: () => undefined }),
    blocked: () => Promise.resolve(false),
    recall: () => null,
    store: () => undefined,
  };
}
