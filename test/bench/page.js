// In the browser: makes players as a site would, and says when their first frame was shown. Steered by lab.js.

/** A start that has shown nothing by then has failed. */
const PATIENCE_MS = 20_000;
/** After this the slowest edge of a race has answered too. */
const LOSERS_MS = 500;
const TYPE = 'application/x-mpegURL';

/** @type {{player: any, video: HTMLVideoElement}[]} */
const shown = [];
/** @type {{name: string, atMs: number}[]} */
const events = [];

globalThis.bench = { load, start, next, settled, delayOfFetch, crowd };

/** @param {string} src of a script, to be run before the clock starts */
function load(src) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject });
    document.head.append(script);
  });
}

/**
 * A new player and its first source, set at once as pages do.
 *
 * @param {string} src
 * @param {object | null} edgeSelect options of the plugin; null for plain Video.js
 */
async function start(src, edgeSelect) {
  const { player, video, pluginMs } = create(edgeSelect);
  const startedAt = performance.now();
  player.src({ src, type: TYPE });
  const frame = nextFrame(video);
  player.play()?.catch(() => {});
  const firstFrameMs = (await soon(frame, player)) - startedAt;
  // the browser lists a request when it has ended: those of losers come later
  await new Promise((resolve) => setTimeout(resolve, LOSERS_MS));
  return { firstFrameMs, pluginMs, startedAt, requests: requestsSince(startedAt), events: [...events] };
}

/**
 * The next source of the player that was started first.
 *
 * @param {string} src
 */
async function next(src) {
  const { player, video } = shown[0];
  performance.clearResourceTimings();
  player.pause();
  const startedAt = performance.now();
  player.src({ src, type: TYPE });
  // until then a frame would be one of the old source
  const frame = new Promise((resolve) => {
    video.addEventListener('emptied', () => resolve(nextFrame(video)), { once: true });
  });
  player.play()?.catch(() => {});
  const firstFrameMs = (await soon(frame, player)) - startedAt;
  return { firstFrameMs, startedAt, requests: requestsSince(startedAt) };
}

/** Resolves when the plugin has chosen an edge and told it, or has given up. */
async function settled() {
  const { player } = shown[0];
  const isOver = () => events.some(({ name }) => ['edgeselect:reported', 'edgeselect:bypassed'].includes(name));
  await soon(
    new Promise((resolve) => {
      if (isOver()) resolve(null);
      player.one(['edgeselect:reported', 'edgeselect:bypassed'], resolve);
    }),
    player,
  );
  return player.edgeSelect().state;
}

/**
 * Sets the next source, and measures how long its first request takes from the transport's `send()` to `fetch()`.
 *
 * @param {string} src
 */
async function delayOfFetch(src) {
  const { player } = shown[0];
  const transport = await transportOf(player);
  const prototype = Object.getPrototypeOf(transport);
  const { send } = prototype;
  const { fetch } = globalThis;
  const path = new URL(src).pathname;
  let sentAt = 0;
  const fetched = new Promise((resolve) => {
    prototype.send = function (...given) {
      if (new URL(this.url ?? this.uri, location.href).pathname === path) sentAt ||= performance.now();
      return send.apply(this, given);
    };
    globalThis.fetch = (...given) => {
      // a race that asks for the same path behind the viewer's back is a HEAD
      if (sentAt > 0 && new URL(given[0]).pathname === path && given[1]?.method !== 'HEAD') resolve(performance.now());
      return fetch(...given);
    };
  });
  const { firstFrameMs } = await next(src);
  const delayMs = (await soon(fetched, player)) - sentAt;
  prototype.send = send;
  globalThis.fetch = fetch;
  return { delayMs, firstFrameMs };
}

/**
 * Many players of one source; resolves when each has its edge.
 *
 * @param {number} count
 * @param {string} src
 * @param {object} edgeSelect
 */
async function crowd(count, src, edgeSelect) {
  const players = Array.from({ length: count }, () => create(edgeSelect).player);
  await Promise.all(
    players.map((player) => {
      const selected = soon(new Promise((resolve) => player.one('edgeselect:selected', resolve)), player);
      player.src({ src, type: TYPE });
      return selected;
    }),
  );
}

/** @param {object | null} edgeSelect */
function create(edgeSelect) {
  const element = document.createElement('video-js');
  document.body.append(element);
  const player = globalThis.videojs(element, {
    muted: true,
    width: 640,
    height: 360,
    // Chromium's estimate of the line knows nothing of loopback
    html5: { vhs: { useNetworkInformationApi: false } },
  });
  for (const name of ['selected', 'raced', 'reported', 'bypassed', 'warned', 'failedover']) {
    player.on(`edgeselect:${name}`, () => events.push({ name: `edgeselect:${name}`, atMs: performance.now() }));
  }
  const before = performance.now();
  if (edgeSelect) player.edgeSelect(edgeSelect);
  const pluginMs = performance.now() - before;
  const video = player.el().querySelector('video');
  shown.push({ player, video });
  return { player, video, pluginMs };
}

/** The transport of the plugin under a request of a playing source: hooks that come after the plugin's see it. */
function transportOf(player) {
  return soon(
    new Promise((resolve) => {
      const { xhr } = player.tech(true).vhs;
      const look = (options) => {
        if (options.xhr) {
          xhr.offRequest(look);
          resolve(options.xhr);
        }
        return options;
      };
      xhr.onRequest(look);
    }),
    player,
  );
}

/** @param {HTMLVideoElement} video */
function nextFrame(video) {
  return new Promise((resolve) => {
    video.requestVideoFrameCallback((now) => resolve(now));
  });
}

/** Rejects when the player shows an error, or nothing happens. */
function soon(promise, player) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing for ${PATIENCE_MS} ms`)), PATIENCE_MS);
    player.one('error', () => reject(new Error(`the player shows an error: ${player.error()?.message}`)));
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** What the browser says of each request, in ms after `since`; 0 where a server hides it. */
function requestsSince(since) {
  const after = (ms) => (ms === 0 ? 0 : ms - since);
  return performance
    .getEntriesByType('resource')
    .filter(({ startTime }) => startTime >= since)
    .map((entry) => ({
      url: entry.name,
      isFetch: entry.initiatorType === 'fetch',
      protocol: entry.nextHopProtocol,
      startMs: after(entry.startTime),
      connectMs: entry.connectEnd - entry.connectStart,
      requestMs: after(entry.requestStart),
      headersMs: after(entry.responseStart),
      endMs: after(entry.responseEnd),
    }));
}
