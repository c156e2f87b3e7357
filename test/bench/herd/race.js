// preflight.ts without promises: the field, each answer's time, the ranking.

/** Nearer than this is a tie. */
const TIE_MS = 5;
const NONE = {};

/** @param {any} given  `note` is told of each request */
export function makeRace({ world, random, settings, rules, product, note }) {
  const { draw } = product;
  return { run, winnerOf };

  /** Every answer's time is the world's. */
  function run(player, field, isFirst, origin) {
    const inUse = field.find((edge) => edge.origin === origin);
    const drawn = draw(field, settings.maxEdges, random);
    const runners = inUse && !drawn.includes(inUse) ? [inUse, ...drawn.slice(1)] : drawn;
    let elapsedMs = 0;
    const probes = runners.map((edge) => {
      const { index } = edge;
      const requests = isFirst || !rules.hidesTimings ? 1 : 2;
      note(player, index, requests);
      const isDead = world.edges[index].isDead;
      const answerMs = isDead ? null : world.firstByteMs(player.id, player.town, index);
      // a new connection: TCP and TLS 1.3
      const connectMs =
        player.records[index] !== product.UNKNOWN ? 0 : 2 * world.roundTripMs(player.id, player.town, index);
      const tookMs = isDead ? settings.preflightTimeoutMs : connectMs + requests * answerMs;
      elapsedMs = Math.max(elapsedMs, tookMs);
      return {
        edge,
        method: 'HEAD',
        outcome: isDead ? 'late' : 'ok',
        status: isDead ? null : 200,
        elapsedMs: isDead ? null : connectMs + answerMs,
        requestMs: isFirst ? null : answerMs,
        capabilities: NONE,
      };
    });
    return { probes, elapsedMs };
  }

  function winnerOf(probes, isFirst) {
    const timeOf = (probe) => (isFirst ? probe.elapsedMs : probe.requestMs) ?? Infinity;
    const ran = probes.filter(({ outcome }) => outcome === 'ok');
    const least = Math.min(...ran.map(timeOf));
    const ties = ran.filter((probe) => timeOf(probe) <= least + TIE_MS);
    const weighted = ties.map(({ edge }) => ({ edge, weight: edge.weight }));
    return draw(weighted, 1, random)[0]?.edge;
  }
}
