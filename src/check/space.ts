/**
 * How near an address is. In: addresses as text. Out: public, local or loopback. Pure.
 * A page asks its viewer before it reaches from a farther space into a nearer one (Local Network Access).
 */

/** The spaces. */
export type Space = 'public' | 'local' | 'loopback';

const NEARNESS = { public: 0, local: 1, loopback: 2 } as const;
/** RFC 1918, 3927 (link-local) and 6598 (shared by carriers). */
const LOCAL_V4 = /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
/** RFC 4193 (unique local) and 4291, section 2.5.6 (link-local). */
const LOCAL_V6 = /^(f[cd]|fe[89ab])/i;

/** @see https://wicg.github.io/local-network-access/ */
export function spaceOf(address: string): Space {
  const v4 = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!v4.includes(':')) return /^(127|0)\./.test(v4) ? 'loopback' : LOCAL_V4.test(v4) ? 'local' : 'public';
  if (v4 === '::1') return 'loopback';
  return LOCAL_V6.test(v4) ? 'local' : 'public';
}

/** The nearest space of several addresses; public where there is none. */
export function nearest(addresses: readonly string[]): Space {
  const spaces = addresses.map(spaceOf);
  return spaces.reduce((near, next) => (NEARNESS[next] > NEARNESS[near] ? next : near), 'public');
}

/** Whether a browser asks its viewer before a page of one space reaches the other. */
export function asksViewer(page: Space, server: Space): boolean {
  return NEARNESS[server] > NEARNESS[page];
}
