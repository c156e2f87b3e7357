/** What the tests of the real stack share: reports, and waiting for what servers do by themselves. */
import { get } from '../../demo/stack/ask.js';

const GIVE_UP_MS = 15_000;
const LOOK_AGAIN_MS = 25;

/**
 * @template T
 * @param {() => Promise<T> | T} look until it gives something true
 * @param {string} what is waited for
 * @returns {Promise<Exclude<T, false>>}
 */
export async function until(look, what) {
  for (const startedAt = Date.now(); Date.now() - startedAt < GIVE_UP_MS;) {
    const seen = await look();
    if (seen) return /** @type {Exclude<typeof seen, false>} */ (seen);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  throw new Error(`waited ${GIVE_UP_MS} ms in vain: ${what}`);
}

/**
 * The body of a report, as src/report.ts makes it.
 *
 * @param {(token: string) => string} originOf
 * @param {string} chosen token
 * @param {Readonly<Record<string, string>>} outcomes by token
 * @param {object} [more] members in place of these
 */
export function reportBody(originOf, chosen, outcomes, more = {}) {
  return {
    ...{ v: 1, service: '_https._tcp.origin.localhost', session: 'f00d', tokens: ['9f86d081884c7d65'] },
    ...{ chosen: originOf(chosen), reason: 'quickest' },
    edges: Object.entries(outcomes).map(([token, outcome]) => ({
      ...{ origin: originOf(token), rank: 0, weight: 1, method: 'GET', outcome, status: outcome === 'ok' ? 200 : null },
      ...{ elapsedMs: 20, requestMs: 10, capabilities: {} },
    })),
    ...more,
  };
}

/**
 * Sends reports to real edges from addresses of this machine, one after the other.
 *
 * @param {import('../../demo/stack/stack.js').Stack} stack
 * @param {readonly {from: string, chosen: string, outcomes: Readonly<Record<string, string>>}[]} reports
 */
export async function post(stack, reports) {
  const originOf = (/** @type {string} */ token) => String(stack.http.origins[token]);
  for (const { from, chosen, outcomes } of reports) {
    const body = JSON.stringify(reportBody(originOf, chosen, outcomes));
    const url = `${originOf(chosen)}/.well-known/edge-select`;
    const { status } = await get(url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body, from });
    if (status !== 204) throw new Error(`an edge answered ${status} to a report`);
  }
}
