/**
 * Pages beside the test's own: frames, each with a Video.js, a plugin (the built one, as a script tag has it) and a
 * directory of its own. They share the test page's `sessionStorage`, as one page after the other in a tab does.
 */
import type { EdgeSelectOptions } from '../../src/index.js';
import { HTML5, type TestPlayer } from './tools.js';

/** A page. */
export interface TestPage {
  /** Its own. */
  readonly videojs: PageVideoJs;
  player(options: Partial<EdgeSelectOptions>): TestPlayer;
}

/** The least shape of its Video.js. */
interface PageVideoJs {
  (element: Element, options: object): TestPlayer;
  use(type: string, factory: () => object): void;
}

/** What the scripts leave behind. */
interface PageWindow extends Window {
  readonly videojs: PageVideoJs;
  readonly videojsEdgeSelect?: object;
}

const PLUGIN = 'dist/videojs-edge-select.js';
/** As most pages have them. */
const SCRIPTS = ['node_modules/video.js/dist/video.js', PLUGIN];
/** Where VHS is none of Video.js's own, and comes last. */
export const VHS_LAST = [
  'node_modules/video.js/dist/alt/video.core.js',
  PLUGIN,
  'node_modules/@videojs/http-streaming/dist/videojs-http-streaming.js',
];
const frames = new Set<HTMLIFrameElement>();

/** @param connectSrc  origins that the page's Content Security Policy lets it ask; without it there is none */
export async function testPage(connectSrc?: readonly string[], scripts = SCRIPTS): Promise<TestPage> {
  const policy = connectSrc?.length
    ? `<meta http-equiv="Content-Security-Policy" content="connect-src ${connectSrc.join(' ')}">`
    : '';
  const frame = document.createElement('iframe');
  frame.srcdoc = `<!doctype html>${policy}${scripts.map((file) => `<script src="/base/${file}"></script>`).join('')}`;
  const loaded = new Promise((resolve) => {
    frame.addEventListener('load', resolve);
  });
  document.body.append(frame);
  frames.add(frame);
  await loaded;
  const page = frame.contentWindow as unknown as PageWindow;
  if (!page.videojsEdgeSelect) throw new Error(`${PLUGIN} is missing: run \`npm run build\``);
  return {
    videojs: page.videojs,
    player(options) {
      const element = page.document.createElement('video-js');
      page.document.body.append(element);
      const playerOptions = { muted: true, html5: HTML5 };
      const player = page.videojs(element, playerOptions);
      player.edgeSelect(options);
      return player;
    },
  };
}

/** To be called after each test. */
export function closePages(): void {
  for (const frame of frames) frame.remove();
  frames.clear();
}
