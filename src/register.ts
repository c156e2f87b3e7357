/**
 * The side door: for `video.js/core`, or several copies of Video.js on one page. In: a `videojs`. Out: the same with the
 * plugin. Imports no Video.js.
 */
import { register as registerOn, type VideoJs } from './plugin.js';

/**
 * Registers `player.edgeSelect()` with this copy of Video.js; a second call does nothing.
 *
 * @param videojs  what `import videojs from 'video.js/core'` gives, or any other build
 */
export function register(videojs: unknown): void {
  registerOn(videojs as VideoJs); // Video.js's own types come from JSDoc that nothing checks
}

export { dohJsClient } from './resolvers/doh-js-client.js';
export { dohJson } from './resolvers/doh-json.js';
export { doh } from './resolvers/doh.js';
export { EdgeSelectError } from './errors.js';
