// In the browser, for bench:faults: plays one source and writes down what a viewer and a network tap would see. It says
// nothing of what is good or bad: that is for fault-figures.js. Steered by fault-run.js.

/** Half of the shortest stall that counts. */
const SAMPLE_MS = 50;
/** What one edge can give. */
const LINE_BITS_PER_SECOND = 8_000_000;
/** VHS loads no more before `play()`: the first segment. */
const START_AHEAD_SECONDS = 1;
/** A player that shows nothing by then has failed. */
const PATIENCE_MS = 20_000;
const EVENTS = ['selected', 'bypassed', 'warned', 'failedover', 'judged', 'switched'];

/** @type {any} */
let player;
/** @type {HTMLVideoElement} */
let video;
/** What follows has its time in epoch ms, as the servers' log has. */
const samples = [];
const events = [];
const sends = [];
const responses = [];

const nowMs = () => performance.timeOrigin + performance.now();

globalThis.watch = {
  begin,
  untilPlayed,
  isAtTop,
  hasMoved,
  others,
  report,
  out,
  workMs,
  longestGapMs,
  position,
  unmute,
};

/**
 * @param {string} src
 * @param {object | null} edgeSelect options of the plugin; null for plain Video.js
 * @param {{bufferSeconds: number, networkInformation: boolean}} settings
 */
function begin(src, edgeSelect, { bufferSeconds, networkInformation }) {
  tapRequests();
  const { Vhs } = globalThis.videojs;
  // VHS warns of each; so it buffers this much from the first second on, and no more
  Object.assign(Vhs, { GOAL_BUFFER_LENGTH: bufferSeconds, MAX_GOAL_BUFFER_LENGTH: bufferSeconds });
  Vhs.GOAL_BUFFER_LENGTH_RATE = 0;
  const element = document.createElement('video-js');
  document.body.append(element);
  player = globalThis.videojs(element, {
    ...{ muted: true, preload: 'auto', width: 480, height: 270 },
    html5: {
      vhs: {
        useNetworkInformationApi: networkInformation,
        // the top rendition from the first segment on: the window holds what the fault does, and nothing of the start
        bandwidth: LINE_BITS_PER_SECOND,
        limitRenditionByPlayerDimensions: false,
      },
    },
  });
  for (const name of EVENTS) player.on(`edgeselect:${name}`, note);
  for (const name of ['waiting', 'playing', 'error', 'ended']) player.on(name, note);
  if (edgeSelect) player.edgeSelect(edgeSelect);
  video = player.el().querySelector('video');
  player.src({ src, type: 'application/x-mpegURL' });
  setInterval(sample, SAMPLE_MS);
  // later than most sites do: of a viewer who waits already, VHS gives up the first segment as too heavy
  const look = setInterval(() => {
    if (aheadSeconds(video.currentTime) < START_AHEAD_SECONDS) return;
    clearInterval(look);
    player.play()?.catch(() => {});
  }, SAMPLE_MS);
}

/** @param {number} seconds of the stream @returns {Promise<void>} when they have been played */
function untilPlayed(seconds) {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(
      () => {
        reject(new Error(`${seconds} s not played after ${seconds + PATIENCE_MS / 1000} s; at ${video.currentTime}`));
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

/** @returns {boolean} whether the best rendition is shown, and is being loaded */
function isAtTop() {
  const { playlists } = player.tech(true).vhs;
  const best = Math.max(...playlists.main.playlists.map(({ attributes }) => attributes.BANDWIDTH));
  return bitsPerSecondAt(video.currentTime) === best && playlists.media().attributes.BANDWIDTH === best;
}

/** @returns {boolean} whether an edge was left so far */
function hasMoved() {
  return events.some(({ type }) => ['edgeselect:failedover', 'edgeselect:switched'].includes(type));
}

/** @returns {string[]} the origins of all edges that were raced, the quickest to answer first */
function others() {
  const probes = player.edgeSelect?.().selection?.probes ?? [];
  return [...probes]
    .sort((one, other) => (one.elapsedMs ?? Infinity) - (other.elapsedMs ?? Infinity))
    .map(({ edge }) => edge.origin);
}

function report() {
  return {
    ...{ samples, events, sends, responses },
    error: player.error()?.message ?? null,
    visible: document.visibilityState === 'visible',
    state: player.edgeSelect?.().state ?? null,
  };
}

/**
 * Who is kept out: who does not run in a race, which all others do.
 *
 * @returns {Promise<readonly string[]>} their origins
 */
async function out() {
  const part = player.edgeSelect?.();
  const selected = new Promise((resolve) => {
    player.one(['edgeselect:selected', 'edgeselect:warned', 'edgeselect:bypassed'], resolve);
  });
  if (!part) return [];
  part.reselect('the bench asks who is out');
  const { type, selection, text } = await within(PATIENCE_MS, selected);
  if (type !== 'edgeselect:selected') throw new Error(`nobody can say who is out: ${text ?? type}`);
  const ran = selection.probes.map(({ edge }) => edge.origin);
  return selection.edges.map(({ origin }) => origin).filter((origin) => !ran.includes(origin));
}

/** @returns {number} ms that a piece of work took, at best; always the same work */
function workMs() {
  const times = Array.from({ length: 5 }, () => {
    const beganMs = performance.now();
    let sum = 0;
    for (let i = 0; i < 5_000_000; i++) sum += i % 7;
    return sum > 0 ? performance.now() - beganMs : 0;
  });
  return Math.round(times.sort((one, other) => one - other)[2] ?? 0);
}

/** @returns {number} the longest time between two samples so far */
function longestGapMs() {
  return Math.max(...samples.slice(1).map(({ atMs }, i) => atMs - samples[i].atMs));
}

function position() {
  return video.currentTime;
}

function unmute() {
  player.muted(false);
}

function within(ms, promise) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`nothing for ${ms} ms`)), ms);
    promise.then(resolve, reject);
  });
}

function sample() {
  const { currentTime } = video;
  const vhs = player.tech(true)?.vhs;
  const excluded = vhs?.playlists?.main?.playlists?.filter(({ excludeUntil }) => excludeUntil > Date.now()) ?? [];
  samples.push({
    atMs: nowMs(),
    currentTime,
    aheadSeconds: aheadSeconds(currentTime),
    bitsPerSecond: bitsPerSecondAt(currentTime),
    vhsBitsPerSecond: vhs?.bandwidth ?? 0,
    excluded: excluded.length,
  });
}

function aheadSeconds(time) {
  const { buffered } = video;
  for (let i = 0; i < buffered.length; i++) {
    // the pictures may begin a little after the sound
    if (buffered.start(i) <= time + 0.1 && time <= buffered.end(i)) return buffered.end(i) - time;
  }
  return 0;
}

/** Of the rendition that is shown. */
function bitsPerSecondAt(time) {
  const track = Array.from(player.textTracks()).find(({ label }) => label === 'segment-metadata');
  const cue = Array.from(track?.cues ?? []).findLast(({ startTime, endTime }) => startTime <= time && time < endTime);
  return cue?.value.bandwidth ?? 0;
}

function note({ type, url, from, to, because, status, text, error, selection }) {
  const told = { url, from, to, because, status, text, error: error?.code ?? error?.message };
  events.push({ type, atMs: nowMs(), ...told, ...(selection && { edge: selection.chosen.origin }) });
}

/** When each request left the page, and which of VHS's own came to a good end. */
function tapRequests() {
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
  globalThis.videojs.Vhs.xhr.onResponse((request, error, response) => {
    const isGood = !error && !request.aborted && [200, 206].includes(response.statusCode);
    if (isGood) responses.push({ atMs: nowMs(), url: request.uri });
  });
}
