/**
 * Sources that VHS plays. In: a VHS about to start, or one that plays already. Out: a request hook that gives each
 * request of the source a transport. The URL that VHS knows stays the service's; the site's own hooks run as before.
 */
import { EdgeSelectError } from '../errors.js';
import type { Platform } from '../platform.js';
import type { Routes } from '../transport/deliver.js';
import { TransportRequest } from '../transport/xhr.js';

/** The options that VHS gives to its hooks and to @videojs/xhr. */
export interface XhrOptions {
  readonly uri: string;
  readonly timeout?: number;
  readonly requestType?: string;
  readonly xhr?: unknown;
  readonly beforeSend?: unknown;
}

/** A hook may change the options in place and return nothing. */
export type RequestHook = (options: XhrOptions) => XhrOptions | undefined;

/** `videojs.Vhs.xhr`, or that of one player. The set is VHS's own (3.x); without it there are no hooks. */
export interface VhsXhr {
  readonly original?: boolean;
  readonly beforeRequest?: RequestHook;
  readonly _requestCallbackSet?: ReadonlySet<RequestHook>;
  onRequest(hook: RequestHook): void;
  offRequest(hook: RequestHook): void;
}

/** What the hook asks of the conductor. */
export interface HookRoutes extends Routes {
  isRerouted(url: string): boolean;
  bypass(error: EdgeSelectError): void;
}

/**
 * @param xhr     the player's own; VHS makes a new one for each source
 * @param global  `videojs.Vhs.xhr`: VHS leaves its hooks out as soon as the player has one, so they are run here
 * @returns removes the hook
 */
export function hookRequests(xhr: VhsXhr, global: VhsXhr, routes: HookRoutes, platform: Platform): () => void {
  const bypass = (): void => {
    routes.bypass(new EdgeSelectError('VHS_REPLACED', {}));
  };
  let isFirst = true;
  const hook: RequestHook = (options) => {
    // before Video.js 8.12 VHS does not say what a request is for; a look at the container no VHS says
    const isLook = options.beforeSend !== undefined;
    if (isFirst && !isLook && options.requestType === undefined) bypass();
    isFirst &&= isLook;
    const legacy = xhr.beforeRequest ?? global.beforeRequest;
    const isAlone = ![...(xhr._requestCallbackSet ?? [])].some((other) => other !== hook && other !== legacy);
    let asked = options;
    if (isAlone) for (const other of global._requestCallbackSet ?? []) asked = other(asked) ?? asked;
    if (!routes.isRerouted(new URL(asked.uri, platform.page()).href)) return asked;
    const { requestType = '', timeout: timeoutMs = 0 } = asked;
    const transport = new TransportRequest({ routes, platform, requestType, timeoutMs, onDenied: bypass });
    // a timer of @videojs/xhr would count the time spent on servers that failed
    const ours = { xhr: transport, timeout: 0 };
    // in place, since VHS goes back to these when a later hook changes them and returns nothing
    Object.assign(options, ours);
    return asked === options ? options : { ...asked, ...ours };
  };
  // first of all: a hook that returns nothing would leave nothing to those after it
  const others = [...(xhr._requestCallbackSet ?? [])];
  others.forEach((other) => {
    xhr.offRequest(other);
  });
  [hook, ...others].forEach((each) => {
    xhr.onRequest(each);
  });
  return () => {
    xhr.offRequest(hook);
  };
}
