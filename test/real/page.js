// In the browser: one player with the built plugin, as a site would make it. What it sees goes to viewer.js by `tell()`.
const { videojs, tell, document } = globalThis;

globalThis.viewer = { start };

const EVENTS = ['selected', 'raced', 'reported', 'served', 'failedover', 'judged', 'switched', 'bypassed', 'warned'];
const TYPE = 'application/x-mpegURL';

/**
 * @param {string} src
 * @param {object} options of the plugin
 */
function start(src, options) {
  const element = document.createElement('video-js');
  document.body.append(element);
  const player = videojs(element, {
    muted: true,
    width: 320,
    height: 180,
    // Chromium's estimate of the line knows nothing of loopback
    html5: { vhs: { useNetworkInformationApi: false } },
  });
  globalThis.viewer.player = player;
  for (const name of EVENTS) player.on(`edgeselect:${name}`, (event) => tell(name, membersOf(event)));
  player.on('error', () => tell('error', { text: player.error()?.message }));
  videojs.Vhs.xhr.onResponse((request, error) => {
    if (!error && request.response instanceof ArrayBuffer) void tellAnswer(request);
  });
  player.one('xhr-hooks-ready', () => {
    // the plugin's own hook runs before: by then the transport is there
    setTimeout(() => player.tech(true).vhs?.xhr.onRequest(watchProgress));
  });
  player.edgeSelect(options);
  player.src({ src, type: TYPE });
  player.play()?.catch(() => {});
}

/** What an event carries, beside what every event of Video.js has. */
function membersOf({ selection, edge, accepted, report, url, requestType, bytes, from, to, because, status, error }) {
  const code = error?.code;
  return { selection, edge, accepted, report, url, requestType, bytes, from, to, because, status, code };
}

/** What VHS was handed, by its digest. */
async function tellAnswer(request) {
  const bytes = request.response.slice(0);
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  tell('answer', { path: new URL(request.uri).pathname, bytes: bytes.byteLength, sha256 });
}

/** Tells how many bytes of a request are there. */
function watchProgress(options) {
  const path = new URL(options.uri).pathname;
  options.xhr?.addEventListener('progress', ({ loaded }) => tell('progress', { path, loaded }));
  return options;
}
