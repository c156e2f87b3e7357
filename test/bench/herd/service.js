// dispatch.ts: what is known of the edge in use and of the others, and in which order they would be asked.

/** @param {any} given */
export function makeService({ record, selectionOf, isLineSlow, usualRate }) {
  return { serviceOf, ranked };

  /** Looks come when a segment does, or while one is waited for. @returns {import('../../../src/watch.js').Service} */
  function serviceOf(player, { chosen, edges }, now) {
    const seen = record(player, chosen.index);
    const { bitsPerSecond, firstByteMs, usualFirstByteMs } = seen;
    let bestOther = null;
    let hasUnmeasured = false;
    for (const { index } of edges) {
      const other = record(player, index);
      if (index === chosen.index || other.isOut) continue;
      if (other.bitsPerSecond === null) hasUnmeasured = true;
      else bestOther = Math.max(bestOther ?? 0, other.bitsPerSecond);
    }
    const incidents = player.failuresAt?.get(chosen.index) ?? 0;
    return {
      edge: chosen.origin,
      bitsPerSecond,
      usualBitsPerSecond: usualRate(seen),
      firstByteMs,
      usualFirstByteMs,
      incidents,
      moveAway: false,
      askedAt: now,
      allSilent: false,
      bestOther,
      hasUnmeasured,
      lineIsSlow: isLineSlow(player, now),
    };
  }

  /** Best first: the chosen, those that ran by their time, the others. */
  function ranked(player) {
    const selection = selectionOf(player);
    if (!selection) return [];
    const ran = selection.probes.filter(({ outcome }) => outcome === 'ok').sort((a, b) => a.elapsedMs - b.elapsedMs);
    const quick = ran.map(({ edge }) => edge);
    const named = quick.filter(({ index }) => selection.edges.some((edge) => edge.index === index));
    const all = [selection.chosen, ...named, ...selection.edges, ...quick];
    const indices = new Set(all.map(({ index }) => index));
    return [...indices].filter((index) => !record(player, index).isOut);
  }
}
