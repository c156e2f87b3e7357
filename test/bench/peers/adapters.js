// In the browser: one way to make each player, and what it is set to. Steered by page.js.
//
// `settings` of all: null leaves the player's own default.
//   bufferSeconds   how far ahead it loads
//   bitsPerSecond   what it believes of the line before it has loaded anything
//   limits          { firstByteMs, wholeMs } of a request: the time limits of ours, as far as its documentation has them
//   plays           at once, or when it is told to
//   onError         is told what the player itself calls fatal

/** @typedef {{bufferSeconds: number | null, bitsPerSecond: number | null, limits: {firstByteMs: number, wholeMs: number} | null, isAnySize: boolean, isLight?: boolean, plays: boolean, edgeSelect: object | null, isSteered: boolean, size: [number, number], onError: (text: string) => void, onEvent: (event: any) => void}} Settings */
/** @typedef {{video: HTMLVideoElement, load: (src: string) => void, engine: any}} Made */

const EVENTS = ['selected', 'bypassed', 'warned', 'failedover', 'judged', 'switched'];

const HEAVIER_THAN_SOUND_BYTES = 100_000;

/** @type {Record<string, (settings: Settings) => Promise<Made>>} */
export const ADAPTERS = { videojs, hls, shaka, dash };

/** @param {Settings} settings */
async function videojs(settings) {
  const { bufferSeconds, bitsPerSecond, limits, plays, edgeSelect, size, isAnySize, isLight } = settings;
  const [width, height] = size;
  const { Vhs } = globalThis.videojs;
  // VHS warns of each; so it buffers this much from the first second on, and no more
  if (bufferSeconds !== null) {
    Object.assign(Vhs, { GOAL_BUFFER_LENGTH: bufferSeconds, MAX_GOAL_BUFFER_LENGTH: bufferSeconds });
    Vhs.GOAL_BUFFER_LENGTH_RATE = 0;
  }
  // the only way that VHS documents to bound a request: its hooks (README, vhs.xhr)
  if (limits) Vhs.xhr.onRequest((options) => ({ ...options, timeout: limits.wholeMs }));
  const element = document.createElement('video-js');
  document.body.append(element);
  const player = globalThis.videojs(element, {
    ...{ muted: true, preload: 'auto', width, height },
    html5: {
      vhs: {
        // Chromium's estimate of the line knows nothing of loopback
        useNetworkInformationApi: false,
        ...(bitsPerSecond !== null && { bandwidth: bitsPerSecond }),
        ...(isLight && { enableLowInitialPlaylist: true }),
        ...(isAnySize && { limitRenditionByPlayerDimensions: false }),
      },
    },
  });
  for (const name of EVENTS) player.on(`edgeselect:${name}`, settings.onEvent);
  player.on('error', () => settings.onError(player.error()?.message));
  if (edgeSelect) player.edgeSelect(edgeSelect);
  return {
    video: player.el().querySelector('video'),
    load(src) {
      player.src({ src, type: 'application/x-mpegURL' });
      if (plays) player.play()?.catch(() => {});
    },
    engine: player,
  };
}

/** @param {Settings} settings @see hls.js, docs/API.md "Fine Tuning" */
async function hls({ bufferSeconds, bitsPerSecond, limits, plays, size, onError }) {
  const video = element(size, plays);
  const none = { maxNumRetry: 0, retryDelayMs: 0, maxRetryDelayMs: 0 };
  const policy = limits && {
    default: {
      ...{ maxTimeToFirstByteMs: limits.firstByteMs, maxLoadTimeMs: limits.wholeMs },
      // another pathway at once, as ours goes to another edge
      ...{ timeoutRetry: none, errorRetry: none },
    },
  };
  const engine = new globalThis.Hls({
    ...(bufferSeconds !== null && { maxBufferLength: bufferSeconds, maxMaxBufferLength: bufferSeconds }),
    ...(bitsPerSecond !== null && {
      ...{ abrEwmaDefaultEstimate: bitsPerSecond, abrEwmaDefaultEstimateMax: bitsPerSecond, testBandwidth: false },
    }),
    ...(policy && { fragLoadPolicy: policy, playlistLoadPolicy: policy }),
  });
  engine.on(globalThis.Hls.Events.ERROR, (_, { fatal, details }) => fatal && onError(details));
  engine.attachMedia(video);
  await new Promise((resolve) => engine.once(globalThis.Hls.Events.MEDIA_ATTACHED, resolve));
  return { video, load: (src) => engine.loadSource(src), engine };
}

/** @param {Settings} settings @see Shaka Player, tutorial "Network and Buffering Configuration" */
async function shaka({ bufferSeconds, bitsPerSecond, limits, plays, size, isSteered, onError }) {
  globalThis.shaka.polyfill.installAll();
  const video = element(size, plays);
  const engine = new globalThis.shaka.Player();
  await engine.attach(video);
  const retryParameters = limits && {
    ...{ timeout: limits.wholeMs, stallTimeout: limits.firstByteMs, connectionTimeout: limits.firstByteMs },
    // a steered request knows all servers and takes the next each time; a redundant variant is left at its first failure
    ...{ maxAttempts: isSteered ? 3 : 1, baseDelay: 0, backoffFactor: 1, fuzzFactor: 0 },
  };
  engine.configure({
    abr: {
      useNetworkInformation: false,
      ...(bitsPerSecond !== null && {
        defaultBandwidthEstimate: bitsPerSecond,
        // segments of sound are mostly latency: by them Shaka leaves the top rendition for its first half minute
        advanced: { minBytes: HEAVIER_THAN_SOUND_BYTES },
      }),
    },
    streaming: { ...(bufferSeconds !== null && { bufferingGoal: bufferSeconds }), ...(limits && { retryParameters }) },
    ...(limits && { manifest: { retryParameters } }),
  });
  engine.addEventListener('error', ({ detail }) => {
    if (detail.severity === globalThis.shaka.util.Error.Severity.CRITICAL) onError(`${detail.code} ${detail.data}`);
  });
  return { video, load: (src) => void engine.load(src).catch((error) => onError(String(error))), engine };
}

/** @param {Settings} settings @see dash.js, API documentation, module "Settings" */
async function dash({ bufferSeconds, bitsPerSecond, limits, plays, size, onError }) {
  const video = element(size, false);
  const engine = globalThis.dashjs.MediaPlayer().create();
  const ahead = bufferSeconds;
  engine.updateSettings({
    debug: { logLevel: 0 },
    streaming: {
      ...(ahead !== null && {
        buffer: { bufferTimeDefault: ahead, bufferTimeAtTopQuality: ahead, bufferTimeAtTopQualityLongForm: ahead },
      }),
      ...(bitsPerSecond !== null && { abr: { initialBitrate: { video: bitsPerSecond / 1000 } } }),
      ...(limits && {
        ...{ fragmentRequestTimeout: limits.wholeMs, fragmentRequestProgressTimeout: limits.firstByteMs },
        retryAttempts: { MediaSegment: 0, InitializationSegment: 0 },
      }),
    },
  });
  engine.initialize(video, null, plays);
  engine.on('error', ({ error }) => onError(`${error?.code ?? error} ${error?.message ?? ''}`));
  return { video, load: (src) => engine.attachSource(src), engine };
}

/** @param {[number, number]} size @param {boolean} plays */
function element([width, height], plays) {
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, autoplay: plays });
  Object.assign(video, { width, height, preload: 'auto' });
  document.body.append(video);
  return video;
}
