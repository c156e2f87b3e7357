/** Who is compared: the lanes of every table and picture. What each is set to stands in adapters.js. */
import { join } from 'node:path';
import { ROOT } from '../lab.js';

/** @typedef {'single' | 'redundant' | 'steering' | 'baseurls' | 'service'} ManifestKind see manifests.js */
/**
 * @typedef {object} Player
 * @property {string} title
 * @property {string} adapter its name in adapters.js
 * @property {ManifestKind} manifest
 * @property {'GET' | 'HEAD' | 'OPTIONS'} [preflight] of ours
 * @property {boolean} [isStarter] chooses its first rendition in another way than Video.js: may be made to begin alike
 *
 * @typedef {object} Lane
 * @property {string} name
 * @property {string} title
 * @property {Player} player
 * @property {boolean} isTuned by its own documentation to our time limits
 * @property {boolean} isOurs
 * @property {boolean} [isLight] begins with the thinnest rendition (`enableLowInitialPlaylist` of VHS)
 */

/** @type {Record<string, Player>} */
export const PLAYERS = {
  plain: { title: 'Video.js, one edge', adapter: 'videojs', manifest: 'single' },
  'videojs-redundant': { title: 'Video.js, redundant', adapter: 'videojs', manifest: 'redundant' },
  'videojs-steering': { title: 'Video.js, steering', adapter: 'videojs', manifest: 'steering' },
  'hls-redundant': { title: 'hls.js, redundant', adapter: 'hls', manifest: 'redundant', isStarter: true },
  'hls-steering': { title: 'hls.js, steering', adapter: 'hls', manifest: 'steering', isStarter: true },
  'shaka-redundant': { title: 'Shaka, redundant', adapter: 'shaka', manifest: 'redundant', isStarter: true },
  'shaka-steering': { title: 'Shaka, steering', adapter: 'shaka', manifest: 'steering', isStarter: true },
  'dash-baseurls': { title: 'dash.js, BaseURLs', adapter: 'dash', manifest: 'baseurls', isStarter: true },
  'ours-get': { title: 'ours, GET', adapter: 'videojs', manifest: 'service', preflight: 'GET' },
  'ours-head': { title: 'ours, HEAD', adapter: 'videojs', manifest: 'service', preflight: 'HEAD' },
  'ours-options': { title: 'ours, OPTIONS', adapter: 'videojs', manifest: 'service', preflight: 'OPTIONS' },
};

/** @param {string} name of a player @param {boolean} [isTuned] @returns {Lane} */
export function laneOf(name, isTuned = false) {
  const player = PLAYERS[name];
  if (!player) throw new Error(`no player '${name}'; there are ${Object.keys(PLAYERS).join(', ')}`);
  const isOurs = player.manifest === 'service';
  return {
    name: isTuned ? `${name}+` : name,
    title: `${player.title}${isTuned ? ' (tuned)' : ''}`,
    player,
    isTuned,
    isOurs,
  };
}

/** Scripts that pages ask for, as {@link import('../lab.js').openLab} takes them. */
const script = (/** @type {string} */ file) => /** @type {const} */ ([join(ROOT, file), 'text/javascript']);
export const SCRIPTS = /** @type {const} */ ([
  ['/peers/page.js', script('test/bench/peers/page.js')],
  ['/peers/adapters.js', script('test/bench/peers/adapters.js')],
  ['/hls.js', script('node_modules/hls.js/dist/hls.min.js')],
  ['/shaka.js', script('node_modules/shaka-player/dist/shaka-player.compiled.js')],
  ['/dash.js', script('node_modules/dashjs/dist/modern/umd/dash.all.min.js')],
]);

/** What a page loads for each adapter; Video.js is on every page. @type {Record<string, string[]>} */
export const LIBRARIES = { videojs: [], hls: ['/hls.js'], shaka: ['/shaka.js'], dash: ['/dash.js'] };

/** The same, to be weighed: what a site would ship. @type {Record<string, string[]>} */
export const SHIPPED = {
  'Video.js': ['node_modules/video.js/dist/video.min.js'],
  ours: ['dist/videojs-edge-select.min.js'],
  'hls.js': ['node_modules/hls.js/dist/hls.min.js'],
  'Shaka Player': ['node_modules/shaka-player/dist/shaka-player.compiled.js'],
  'dash.js': ['node_modules/dashjs/dist/modern/umd/dash.all.min.js'],
};
