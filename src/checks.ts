/**
 * What the value of an option may be. In: a value. Out: whether it passes, and in words what would.
 * Pure.
 */

/** What is allowed, in words, and whether a value is. */
export type Check = readonly [allowed: string, passes: (value: unknown) => boolean];

export const isString = (value: unknown): value is string => typeof value === 'string' && value !== '';
export const isFunction = (value: unknown): boolean => typeof value === 'function';
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
export const isUrl = (value: unknown): value is string => {
  try {
    return isString(value) && /^https?:$/.test(new URL(value.replace(/\{[^}]*\}/g, 'x')).protocol);
  } catch {
    return false;
  }
};
const isHost = (value: unknown): boolean => isString(value) && /^([^\s/:@?#]+|\[[\da-f:.]+\])$/i.test(value);

export const oneOf = (...values: string[]): Check => [values.join(', '), (value) => values.includes(value as string)];
export const whole = (min: number, max: number): Check => [
  `a whole number from ${min} to ${max}`,
  (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
];
export const listOf = (what: string, passes: (value: unknown) => boolean): Check => [
  `a list of ${what}`,
  (value) => Array.isArray(value) && value.every(passes),
];
export const urls: Check = [
  'an http(s) URL or a list of them',
  (value) => isUrl(value) || (Array.isArray(value) && value.length > 0 && value.every(isUrl)),
];
export const hostList = listOf('host names, without scheme and port', isHost);
export const aFunction: Check = ['a function', isFunction];

/** More of an address than this would name a household (RFC 7871, section 11.1). */
export function isSubnet(value: unknown): boolean {
  if (!isString(value)) return false;
  const [, ip = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  return isAddress(ip) && Number(prefix) <= (ip.includes(':') ? 56 : 24);
}

/** Whether the text is an IP address, and nothing else that a URL may hold. */
export function isAddress(ip: string): boolean {
  const isLong = ip.includes(':');
  if (!/^[\d.]+$|^[\da-f:.]*:[\da-f:.]*$/i.test(ip)) return false;
  try {
    // what is short of four numbers becomes another address in a URL
    return new URL(`http://${isLong ? `[${ip}]` : ip}`).hostname === ip || isLong;
  } catch {
    return false;
  }
}

/** The known name that begins most like `name`. */
export function nearest(name: string, known: readonly string[]): string {
  const likeness = (other: string): number => {
    const length = Array.from(other).findIndex((letter, i) => letter.toLowerCase() !== name.charAt(i).toLowerCase());
    return length < 0 ? other.length : length;
  };
  return known.reduce((best, next) => (likeness(next) > likeness(best) ? next : best));
}
