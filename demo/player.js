/* global videojs */
// All that a page has to do, once it has loaded video.js and videojs-edge-select by script tags.
export function startPlayer({ nameserver, secondNameserver, origin }) {
  const player = videojs('player', {
    // VHS rather than the browser's own HLS, where there is a choice
    html5: { vhs: { overrideNative: true } },
  });
  player.edgeSelect({
    ...{ nameserver, secondNameserver, allowedHosts: ['localhost'] },
    // for a demo: all tokens are resolved, and the map is asked again after seconds
    ...{ maxTokens: 4, refreshMinMs: 5000, minDwellMs: 5000 },
  });
  player.src({ src: `${origin}/hls/main.m3u8`, type: 'application/x-mpegURL' });
  return player;
}
