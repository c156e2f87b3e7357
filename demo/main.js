/** The page of the demo: starts the player, looks on by its events and by the servers' own logs, and hands on wishes. */
/* global videojs */
import { cards } from './cards.js';
import { eventList, sayEvents } from './events.js';
import { ask, listen, startOver } from './feed.js';
import { startPlayer } from './player.js';
import { race } from './race.js';
import { strip } from './strip.js';
import { EDGES, NAMES, element, labelOf, mark, nameOf, paint } from './words.js';

const REPORT_PATH = '/.well-known/edge-select';
const CONDITIONS = {
  works: 'works',
  refuse: 'refuses connections',
  silent: 'falls silent',
  stall: 'stops half-way in each body',
  cut: 'cuts each body half-way',
  trickle: 'has become a hundred times slower',
  503: 'answers 503 to everything',
  leave: 'asks its clients to move away',
  drain: 'fails its health check, and serves on',
};

/** @param {string} id @returns {any} an element of whatever kind it is */
const $ = (id) => document.getElementById(id);

// a short buffer, so that segments come one by one while you look on (VHS would fetch half a minute ahead, and says
// that this is unsafe: it is for a stream that may run dry, and this one comes from the same machine)
Object.assign(videojs.Vhs, { GOAL_BUFFER_LENGTH: 9, MAX_GOAL_BUFFER_LENGTH: 9 });

const say = eventList($('events'));
const strips = strip({ names: $('strip-names'), columns: $('strip-columns'), note: $('strip-note') });
const races = race({ runners: $('runners'), note: $('race-note') });
const servers = cards($('cards'), $('card'), (name, change) => wish('PATCH', `edges/${name}`, change));
let player = null;
let network = null;
/** Name of the chosen edge, and why it was chosen. */
let chosen = null;
let whyChosen = '';
/** Who served the last request; and the same, but null from each selection until the next request is served. */
let serving = null;
let servedSince = null;
/** When the map's answer runs out, on the clock of `performance.now()`. */
let expiresAt = null;

listen({
  network: showNetwork,
  request: showRequest,
  lost: () => say('The demo’s server does not answer. Is it still running?', 'bad'),
});
$('select-again').addEventListener('click', () => {
  say('You asked to select again.');
  player?.edgeSelect().reselect('asked for by the viewer');
});
$('break-chosen').addEventListener('click', () => {
  wish('PATCH', `edges/${chosen}`, { condition: isBroken(chosen) ? 'works' : 'refuse' });
});
$('start-over').addEventListener('click', startOver);
$('map-choice').addEventListener('change', ({ target }) => {
  say(`You moved the map: it leads to ${target.parentElement.textContent.trim()}.`);
  wish('PUT', 'map', { answer: target.value });
});
setInterval(showExpiry, 500);
showSource();

/** @param {any} state of the network; comes again after each change */
function showNetwork(state) {
  const before = network;
  network = state;
  servers.show(state.edges, state.conditions);
  for (const input of $('map-choice').querySelectorAll('input')) input.checked = input.value === state.map;
  for (const { name, condition, latencyMs } of state.edges) {
    const was = before?.edges.find((edge) => edge.name === name);
    if (was && was.condition !== condition) say(`${labelOf(name)} ${CONDITIONS[condition]}.`, '', name);
    if (was && was.latencyMs !== latencyMs) say(`${labelOf(name)} is now ${latencyMs} ms away.`, '', name);
  }
  if (before?.named) sayNamed(before.named, state.named);
  if (!player) play();
  showNow();
}

/** What changed in the answer of a real map, which looks after its edges itself. */
function sayNamed(before, now) {
  for (const name of before) if (!now.includes(name)) say(`The map no longer names ${labelOf(name)}.`, 'bad', name);
  for (const name of now) if (!before.includes(name)) say(`The map names ${labelOf(name)} again.`, 'good', name);
}

function play() {
  player = startPlayer(network);
  sayEvents(player, say);
  player.on('edgeselect:selected', ({ selection }) => showSelection(selection));
  player.on('edgeselect:raced', ({ selection }) => showSelection(selection));
  player.on('edgeselect:failedover', (event) => {
    strips.failedOver(event);
    races.failed(nameOf(event.from));
  });
  player.on('edgeselect:served', (event) => {
    strips.served(event);
    serving = servedSince = nameOf(event.edge);
    races.answered(serving);
    showNow();
  });
  player.on('edgeselect:bypassed', ({ error }) => {
    chosen = null;
    whyChosen = `No edge could be chosen: ${error.code}.`;
    showNow();
  });
}

/** @param {any} selection */
function showSelection(selection) {
  races.show(selection);
  chosen = nameOf(selection.chosen.origin);
  whyChosen = races.why(selection);
  servedSince = null;
  showAnswer(selection);
  showNow();
}

/** What the map said, which the player asks again while it plays. @param {any} selection */
function showAnswer(selection) {
  expiresAt = selection.expiresAt;
  $('tokens').replaceChildren(...selection.tokens.map((token) => element('li', { textContent: token })));
  const named = selection.edges.map(({ origin }) => nameOf(origin));
  named.sort((a, b) => NAMES.indexOf(a) - NAMES.indexOf(b));
  $('named').replaceChildren(...named.map((name) => element('li', { textContent: labelOf(name) }, [mark(name)])));
  showExpiry();
}

/** Who plays, and why; the buttons and badges that follow from it. */
function showNow() {
  const isBypassed = player?.edgeSelect().state === 'bypassed';
  const now = servedSince ?? chosen ?? (isBypassed ? 'origin' : null);
  const stepsIn = now === 'origin' ? 'No edge is left: each failed a short while ago.' : 'It steps in for another.';
  if (now) {
    paint($('now-mark'), now);
    write($('now-name'), now === 'origin' ? 'Playing from the origin' : `Playing from ${labelOf(now)}`);
    write($('now-why'), chosen && now !== chosen ? stepsIn : whyChosen);
  }
  $('break-chosen').disabled = !chosen;
  if (chosen) write($('break-chosen'), `${isBroken(chosen) ? 'Repair' : 'Break'} ${labelOf(chosen)}`);
  for (const name of NAMES) {
    const isCooling = EDGES.includes(name) && races.coolFor(name) > 0;
    const isNamed = !network.named || name === 'origin' || network.named.includes(name);
    const state = name === serving ? 'serving' : name === chosen ? 'chosen' : isCooling ? 'left alone' : '';
    servers.badge(name, isNamed ? state : name === serving ? 'serving, off the map' : 'off the map');
  }
}

/** Not written again when it is the same, so that it is not read out again. @param {HTMLElement} where @param {string} text */
function write(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

function showExpiry() {
  if (expiresAt === null) return;
  const held = player.edgeSelect().selection;
  if (held && held.expiresAt !== expiresAt) return showAnswer(held);
  const seconds = Math.ceil((expiresAt - performance.now()) / 1000);
  $('map-note').textContent =
    seconds > 0
      ? `The player keeps this answer for ${seconds} s more.`
      : 'This answer has run out: the player asks the map anew in a moment.';
  showNow();
}

/** @param {any} entry of a server's own log; comes again as the request goes on */
function showRequest(entry) {
  if (entry.server === 'nameserver:map' && entry.body) {
    const { name, type, id } = entry.body;
    $('map-question').textContent = `${name} ${type}`;
    $('map-client').textContent = id ? `by client ${id.slice(0, 8)}…` : '';
  }
  if (!entry.server.startsWith('edge:')) return;
  servers.log(entry);
  if (entry.method !== 'POST' || entry.url !== REPORT_PATH || typeof entry.body !== 'string') return;
  const server = labelOf(entry.server.replace('edge:', ''));
  const time = new Date(entry.t).toLocaleTimeString();
  $('report-note').textContent =
    `From ${server}’s own log, ${time}: ${entry.body.length} characters. Tokens are there as digests only.`;
  $('report').textContent = pretty(entry.body);
}

/** @param {string} text JSON, if all is well */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** @param {string} name */
function isBroken(name) {
  return !['works', 'leave', 'drain'].includes(network.edges.find((edge) => edge.name === name)?.condition);
}

/** @param {string} method @param {string} path @param {object} body */
function wish(method, path, body) {
  ask(method, path, body).catch((error) => say(`That could not be done: ${error.message}.`, 'bad'));
}

async function showSource() {
  const response = await fetch('player.js');
  $('source').textContent = (await response.text()).replace(/^.*global.*\n/, '').trim();
}
