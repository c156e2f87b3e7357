/** A file that VHS does not play: which URL the page sees, and which one the media element loads. */
/* global videojs */
import { eventList, sayEvents } from './events.js';
import { ask, listen, startOver } from './feed.js';
import { race } from './race.js';
import { labelOf, nameOf, paint } from './words.js';

/** @param {string} id @returns {any} an element of whatever kind it is */
const $ = (id) => document.getElementById(id);
const say = eventList($('events'));
const races = race({ runners: $('runners'), note: $('race-note') });
let player = null;
let network = null;
let chosen = null;
let why = '';

listen({
  network(state) {
    network = state;
    if (!player) play();
    showBreak();
  },
  request() {},
});
$('again').addEventListener('click', () => location.reload());
$('start-over').addEventListener('click', startOver);
$('break-chosen').addEventListener('click', () => {
  const condition = isBroken() ? 'works' : 'refuse';
  say(
    `You ${isBroken() ? 'repaired' : 'broke'} ${labelOf(chosen)}. “Once more” starts anew with what is left.`,
    '',
    chosen,
  );
  ask('PATCH', `edges/${chosen}`, { condition }).catch((error) =>
    say(`That could not be done: ${error.message}.`, 'bad'),
  );
});

function play() {
  const { nameserver, secondNameserver, origin } = network;
  player = videojs('player');
  // an element stays where it began: for a demo it waits longer for the choice than the 150 ms that are usual
  player.edgeSelect({ nameserver, secondNameserver, allowedHosts: ['localhost'], originAfterMs: 600 });
  player.src({ src: `${origin}/clip.mp4`, type: 'video/mp4' });
  player.play()?.catch(() => {});
  sayEvents(player, say);
  for (const type of ['edgeselect:selected', 'edgeselect:raced']) {
    player.on(type, ({ selection }) => {
      races.show(selection);
      chosen = nameOf(selection.chosen.origin);
      why = races.why(selection);
      showSource();
      showBreak();
    });
  }
  player.on('edgeselect:failedover', ({ from }) => {
    races.failed(nameOf(from));
    showSource();
  });
  player.on('loadeddata', showSource);
}

/** Where the element loads from, and why once an edge is chosen. */
function showSource() {
  const { currentSrc } = player.tech(true).el();
  if (!currentSrc) return;
  const serving = nameOf(currentSrc);
  $('page-url').textContent = player.currentSrc();
  $('element-url').textContent = currentSrc;
  paint($('now-mark'), serving);
  $('now-name').textContent = `Playing from ${labelOf(serving)}`;
  if (chosen)
    $('now-why').textContent = serving === chosen ? why : `${labelOf(chosen)} was chosen too late, or has failed.`;
}

function isBroken() {
  return network.edges.find(({ name }) => name === chosen)?.condition === 'refuse';
}

function showBreak() {
  $('break-chosen').disabled = !chosen;
  if (chosen) $('break-chosen').textContent = `${isBroken() ? 'Repair' : 'Break'} ${labelOf(chosen)}`;
}
