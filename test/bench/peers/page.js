// In the browser: measures every player in the same way, from its <video> element and its requests alone. It says nothing
// of what is good or bad. Steered by watch-run.js, start-run.js and cost-run.js.
import { ADAPTERS } from '/peers/adapters.js';

/** Half of the shortest stall that counts. */
const SAMPLE_MS = 50;
/** Before that VHS is not told to play: of a viewer who waits already it gives up the first segment as too heavy. */
const START_AHEAD_SECONDS = 1;
/** A player that shows nothing by then has failed. */
const PATIENCE_MS = 20_000;

/** What follows has its time in epoch ms, as the servers' log has. */
const samples = [];
const events = [];
const sends = [];
/** @type {string | null} what the player itself calls fatal */
let fatal = null;
/** @type {import('./adapters.js').Made} */
let made;
/** Bits per second by the height of the picture. @type {Record<string, number>} */
let rates = {};

const nowMs = () => performance.timeOrigin + performance.now();

globalThis.peers = { tap, make, watch, start, fill, untilPlayed, isAtTop, others, report };

/** Writes down when each request leaves the page. To be called before the player's script is loaded. */
function tap() {
  const { fetch } = globalThis;
  globalThis.fetch = (target, options) => {
    sends.push({ atMs: nowMs(), url: String(target.url ?? target), method: options?.method ?? 'GET' });
    return fetch(target, options);
  };
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.tapped = { method, url: String(url) };
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    sends.push({ atMs: nowMs(), ...this.tapped });
    return send.call(this, body);
  };
}

/** @param {string} adapter @param {object} settings see adapters.js @param {Record<string, number>} ratesByHeight */
async function make(adapter, settings, ratesByHeight) {
  rates = ratesByHeight;
  made = await ADAPTERS[adapter]({ ...settings, onEvent: note, onError: (text) => (fatal ??= String(text)) });
  for (const name of ['waiting', 'playing', 'error', 'ended']) made.video.addEventListener(name, note);
}

/** Plays as soon as something is there, and samples from now on. @param {string} src */
function watch(src) {
  const { video, load } = made;
  load(src);
  setInterval(sample, SAMPLE_MS);
  playWhenAhead(video, START_AHEAD_SECONDS);
}

/** @param {string} src of a player that plays at once @returns {Promise<{firstFrameMs: number, height: number}>} */
async function start(src) {
  const { video, load } = made;
  const frame = new Promise((resolve) => {
    video.requestVideoFrameCallback((now, { height }) => resolve({ now, height }));
  });
  const startedAt = performance.now();
  load(src);
  const { now, height } = await soon(frame);
  return { firstFrameMs: now - startedAt, height };
}

/** Plays and loads until so much is ahead: the work of the page without a network to wait for. */
async function fill(src, seconds) {
  const { video, load } = made;
  load(src);
  playWhenAhead(video, START_AHEAD_SECONDS);
  await new Promise((resolve) => {
    const look = setInterval(() => {
      if (aheadSeconds(video.currentTime) + video.currentTime < seconds && !fatal) return;
      clearInterval(look);
      resolve(null);
    }, 200);
  });
  return { reached: video.currentTime + aheadSeconds(video.currentTime), fatal };
}

/** @param {number} seconds of the stream @returns {Promise<void>} when they have been played */
function untilPlayed(seconds) {
  const { video } = made;
  return new Promise((resolve, reject) => {
    const patience = setTimeout(
      () => {
        reject(
          new Error(`${seconds} s not played in ${seconds + PATIENCE_MS / 1000} s; at ${video.currentTime}; ${fatal}`),
        );
      },
      seconds * 1000 + PATIENCE_MS,
    );
    const look = setInterval(() => {
      if (video.currentTime < seconds) return;
      clearInterval(look);
      clearTimeout(patience);
      resolve();
    }, 20);
  });
}

/** @returns {boolean} whether the best rendition is on the screen */
function isAtTop() {
  return made.video.videoHeight === Math.max(...Object.keys(rates).map(Number));
}

/** @returns {string[]} the origins of all edges that ours raced, the quickest to answer first */
function others() {
  const probes = made.engine.edgeSelect?.().selection?.probes ?? [];
  return [...probes]
    .sort((one, other) => (one.elapsedMs ?? Infinity) - (other.elapsedMs ?? Infinity))
    .map(({ edge }) => edge.origin);
}

function report() {
  return {
    ...{ samples, events, sends, responses: [], error: fatal },
    visible: document.visibilityState === 'visible',
    frames: made.video.getVideoPlaybackQuality().totalVideoFrames,
  };
}

function playWhenAhead(video, seconds) {
  const look = setInterval(() => {
    if (aheadSeconds(video.currentTime) < seconds) return;
    clearInterval(look);
    video.play().catch(() => {});
  }, SAMPLE_MS);
}

function sample() {
  const { currentTime, videoHeight } = made.video;
  samples.push({
    ...{ atMs: nowMs(), currentTime, aheadSeconds: aheadSeconds(currentTime), bitsPerSecond: rates[videoHeight] ?? 0 },
    // of VHS alone, and measured by bench:faults
    ...{ vhsBitsPerSecond: 0, excluded: 0 },
  });
}

function aheadSeconds(time) {
  const { buffered } = made.video;
  for (let i = 0; i < buffered.length; i++) {
    // the pictures may begin a little after the sound
    if (buffered.start(i) <= time + 0.1 && time <= buffered.end(i)) return buffered.end(i) - time;
  }
  return 0;
}

function note({ type, url, from, to, because }) {
  events.push({ type, atMs: nowMs(), url, from, to, because });
}

function soon(promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing for ${PATIENCE_MS} ms; ${fatal}`)), PATIENCE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
