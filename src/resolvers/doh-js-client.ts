/**
 * Adapter for an instance of the npm package doh-js-client, for a site that has it already. In: a question. Out: what
 * that package answers. It cannot ask for SRV (it would ask for A instead), send an id or a subnet, or be cancelled.
 */
import { EdgeSelectError } from '../errors.js';
import type { Answer, DnsRecord, Resolver } from '../resolver.js';

/** The least shape of doh-js-client's `DoH` (0.2.1): records as native-dns-packet parses them. */
export interface DohJsClient {
  resolve(
    domainName: string,
    domainType: string,
  ): Promise<
    readonly {
      readonly name: string;
      readonly type: number;
      readonly ttl: number;
      readonly address?: string;
      readonly data?: readonly string[] | string;
    }[]
  >;
}

/**
 * @param client  `new (require('doh-js-client').DoH)('google')`, for example; use it with `tokens: 'TXT'` and
 *                `servers: { type: 'A', url: ... }`
 * @throws {EdgeSelectError} from `resolve`: `LOOKUP_UNSUPPORTED` for SRV, `LOOKUP_NODATA` for an empty answer (the
 *                package does not tell NXDOMAIN apart)
 */
export function dohJsClient(client: DohJsClient): Resolver {
  return {
    async resolve({ lookup, name, type }): Promise<Answer> {
      if (type === 'SRV') throw new EdgeSelectError('LOOKUP_UNSUPPORTED', { lookup, type });
      let ttlSeconds = Infinity;
      const records: DnsRecord[] = [];
      for (const { ttl, address, data } of await client.resolve(name, type)) {
        if (type === 'TXT' && typeof data === 'object') records.push({ type, text: data.join('') });
        else if (type !== 'TXT' && address) records.push({ type, address });
        else continue;
        ttlSeconds = Math.min(ttlSeconds, ttl);
      }
      if (records.length === 0) throw new EdgeSelectError('LOOKUP_NODATA', { lookup, ttlSeconds: 0 });
      return { records, ttlSeconds };
    },
  };
}
