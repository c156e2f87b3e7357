/* global videojs */
// All that a page has to do, once it has loaded video.js and videojs-edge-select by script tags.
export function startPlayer({ nameserver, secondNameserver, origin }) {
  const player = videojs('player', {
    // VHS rather than the browser's own HLS, where there is a choice
    html5: { vhs: { overrideNative: true } },
  });
  player.edgeSelect({ nameserver, secondNameserver, allowedHosts: ['localhost'], maxTokens: 4 });
  player.src({ src: `${origin}/hls/main.m3u8`, type: 'application/x-mpegURL' });
  return player;
}
