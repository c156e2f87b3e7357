// The part of doh-js-client that is used here; the package has no types of its own.

declare module 'doh-js-client' {
  export class DoH {
    constructor(provider: string);
    uri: string;
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
}
