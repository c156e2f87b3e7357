/** Two players of one service: what the nameservers were asked, by their own logs. */
/* global videojs */
import { listen } from './feed.js';
import { labelOf, nameOf, paint } from './words.js';

const counts = { map: 0, tokens: 0, manifest: 0 };
const seen = new Set();
let hasStarted = false;

listen({
  network(state) {
    if (hasStarted) return;
    hasStarted = true;
    for (const id of ['first', 'second']) start(id, state);
  },
  request({ seq, server, url }) {
    // an entry comes again as it goes on
    if (seen.has(seq)) return;
    seen.add(seq);
    if (server === 'nameserver:map') counts.map += 1;
    if (server === 'nameserver:tokens') counts.tokens += 1;
    if (server.startsWith('edge:') && url.endsWith('/main.m3u8')) counts.manifest += 1;
    for (const [what, count] of Object.entries(counts)) {
      document.getElementById(`${what}-count`).textContent = String(count);
    }
  },
});
document.getElementById('again').addEventListener('click', () => location.reload());

/** @param {string} id @param {any} network */
function start(id, { nameserver, secondNameserver, origin }) {
  const player = videojs(id, { html5: { vhs: { overrideNative: true } } });
  const section = player.el().closest('section');
  const startedAt = performance.now();
  player.edgeSelect({ nameserver, secondNameserver, allowedHosts: ['localhost'] });
  player.src({ src: `${origin}/hls/main.m3u8`, type: 'application/x-mpegURL' });
  player.play()?.catch(() => {});
  player.on('edgeselect:selected', ({ selection }) => {
    const name = nameOf(selection.chosen.origin);
    paint(section.querySelector('.mark'), name);
    section.querySelector('strong').textContent = `Playing from ${labelOf(name)}`;
  });
  player.one('playing', () => {
    const startMs = Math.round(performance.now() - startedAt);
    section.querySelector('p > span').textContent = `The picture came ${startMs} ms after src().`;
  });
}
