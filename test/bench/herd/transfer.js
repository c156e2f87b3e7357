// A player's segments: where each is asked for, how it flows, when it is left. Playback is a buffer that falls with time
// and rises with each segment; the rendition is VHS's choice, by the rate of the segment before.
import { DUE } from './player.js';
import { tickAt } from './wheel.js';
import { EDGES, LADDER, SEGMENT_MS } from './world.js';

const GOAL_MS = 30_000;
/** What VHS takes to choose a rendition. */
const VARIANCE = 1.2;
const SLOW_LOOK_MS = 1000;
const DIP_EVERY_MS = 1_200_000;
const DIP_MS = 20_000;
/** @type {readonly any[]} */
const NONE = [];

/**
 * One object for each player, as there are tens of millions of segments; written out, as the engine gives each object that is
 * made of spread ones a shape of its own. Whole milliseconds and bits, since it makes an object of each fraction.
 */
const idle = () => ({
  rendition: 0,
  bits: 0,
  got: 0,
  gotHere: 0,
  tries: NONE,
  index: -1,
  isSilent: false,
  sentAt: 0,
  startedAt: 0,
  firstByteMs: 0,
  bps: 0,
  flowsFrom: 0,
  doneAt: 0,
  endTick: 0,
  seenMs: 0,
});

/** @param {any} given */
export function makeTransfers(given) {
  const { world, random, product, settings, players, rules, sessionMs } = given;
  const { answered, delivered, flowed, patienceMs, isTooSlow, GAIN } = product;
  return { begin, go, sensed, die, rescale };

  function begin(player, now) {
    next(player, now);
  }

  function next(player, now) {
    const fits = (/** @type {number} */ bandwidth) => bandwidth * VARIANCE <= player.rateBps;
    const rendition = Math.max(0, LADDER.findLastIndex(fits));
    const transfer = (player.transfer ??= idle());
    transfer.rendition = rendition;
    transfer.bits = (LADDER[rendition] * SEGMENT_MS) / 1000;
    transfer.got = 0;
    transfer.tries = NONE;
    transfer.sentAt = now;
    ask(player, now);
  }

  /** The next server for what is left of the segment. */
  function ask(player, now) {
    const { transfer } = player;
    const tried = (/** @type {number} */ index) => transfer.tries.some((one) => one.index === index);
    const index = order(player).find((one) => !tried(one)) ?? EDGES;
    const own = players.record(player, index).firstByteMs;
    transfer.index = index;
    transfer.startedAt = now;
    transfer.gotHere = 0;
    transfer.seenMs = 0;
    transfer.isSilent = world.edges[index].isDead;
    if (transfer.isSilent) {
      const patience = patienceMs(
        { firstByteMs: own },
        transfer.tries.length > 0 ? settings.stallMs / 2 : settings.stallMs,
      );
      players.schedule(player, DUE.transfer, now + patience);
      return;
    }
    if (rules.dips && random() < SEGMENT_MS / DIP_EVERY_MS) player.dipUntil = now + DIP_MS;
    const line = player.lineBps * (0.8 + 0.4 * random()) * (player.dipUntil > now ? 0.25 : 1);
    transfer.firstByteMs = Math.round(world.firstByteMs(player.id, player.town, index));
    flow(player, now, Math.round(world.rateBps(line, index)), now + transfer.firstByteMs);
  }

  /** Nearly always the chosen edge: only a failed try makes the whole order worth its price. */
  function order(player) {
    const chosen = player.state.selection?.chosen.index;
    const isFine = chosen !== undefined && player.transfer.tries.length === 0 && !players.record(player, chosen).isOut;
    return isFine ? [chosen] : players.ranked(player);
  }

  function flow(player, now, bps, firstByteAt) {
    const { transfer } = player;
    const left = transfer.bits - transfer.got;
    const doneAt = firstByteAt + Math.ceil((left * 1000) / bps);
    transfer.bps = bps;
    transfer.flowsFrom = firstByteAt;
    transfer.doneAt = doneAt;
    transfer.endTick = tickAt(doneAt);
    world.begin(transfer.index, bps, transfer.endTick);
    planLook(player, now);
  }

  function planLook(player, now) {
    const { transfer } = player;
    const aheadMs = player.end - player.pos - (now - player.posAt);
    const leftMs = transfer.doneAt - now;
    const isTrouble = transfer.doneAt - transfer.sentAt > 0.9 * SEGMENT_MS || aheadMs - leftMs < 2000;
    if (isTrouble) players.schedule(player, DUE.transfer, Math.min(now + SLOW_LOOK_MS, transfer.doneAt));
    else {
      const thenMs = aheadMs - leftMs + SEGMENT_MS;
      players.schedule(player, DUE.transfer, transfer.doneAt + Math.max(0, thenMs - (GOAL_MS - SEGMENT_MS)));
    }
  }

  function go(player, now) {
    const { transfer } = player;
    if (transfer.index < 0) next(player, now);
    else if (transfer.isSilent) {
      leave(transfer, 'silent', now - transfer.startedAt);
      ask(player, now);
    } else if (now >= transfer.doneAt) done(player, now);
    else watchFlow(player, now);
  }

  function leave(transfer, because, elapsedMs) {
    transfer.tries = [...transfer.tries, { index: transfer.index, because, bits: transfer.gotHere, elapsedMs }];
  }

  function done(player, now) {
    const { transfer } = player;
    const at = transfer.doneAt;
    const { index, startedAt, firstByteMs, rendition, tries } = transfer;
    const bits = transfer.bits - transfer.got + transfer.gotHere;
    players.advance(player, Math.max(at, player.posAt));
    player.end += SEGMENT_MS;
    player.shown = ((player.shown << 2) | rendition) & 0x3ff;
    player.rateBps = Math.round((transfer.bits * 1000) / (at - transfer.sentAt));
    const seen = players.record(player, index);
    const elapsedMs = at - startedAt;
    players.setRecord(
      player,
      index,
      delivered(index < EDGES ? answered(seen, firstByteMs) : seen, bits / 8, elapsedMs),
    );
    transfer.index = -1;
    for (const one of tries) judge(player, one, bits / elapsedMs, now);
    for (const one of tries) if (one.index < EDGES) players.lose(player, one.index, one.because, now);
    players.look(player, Math.max(at, player.posAt));
    players.advance(player, now);
    if (now >= player.endsAt) {
      players.restart(player, now, 4 * SEGMENT_MS, sessionMs());
      return;
    }
    const waitMs = player.end - player.pos - (GOAL_MS - SEGMENT_MS);
    if (waitMs > 50) players.schedule(player, DUE.transfer, now + waitMs);
    else next(player, now);
  }

  /** account.ts: what a try that was left means, now that another has delivered. */
  function judge(player, one, bitsPerMs, now) {
    if (one.index >= EDGES) return;
    player.failuresAt ??= new Map();
    player.failuresAt.set(one.index, (player.failuresAt.get(one.index) ?? 0) + 1);
    const isSlow = one.because === 'slow' && bitsPerMs < (GAIN * one.bits) / one.elapsedMs;
    if (isSlow) players.lineSeemsSlow(player, now);
    else players.fail(player, one.index, now);
  }

  function watchFlow(player, now) {
    const { transfer } = player;
    players.advance(player, now);
    const had = transfer.gotHere;
    collect(transfer, now);
    const elapsedMs = now - transfer.startedAt;
    if (transfer.gotHere > had && elapsedMs - transfer.seenMs >= SLOW_LOOK_MS && transfer.index < EDGES) {
      if (transfer.seenMs > 0) {
        players.setRecord(player, transfer.index, flowed(players.record(player, transfer.index), transfer.bps));
      }
      transfer.seenMs = elapsedMs;
    }
    if (transfer.index < EDGES && transfer.gotHere > had && mustLeave(player, now, elapsedMs)) {
      world.cut(transfer.index, transfer.bps, transfer.endTick);
      leave(transfer, 'slow', elapsedMs);
      ask(player, now);
    } else planLook(player, now);
    players.look(player, now);
  }

  /** What flowed until now; the rest flows on. */
  function collect(transfer, now) {
    const came = Math.round((Math.max(0, now - transfer.flowsFrom) * transfer.bps) / 1000);
    transfer.flowsFrom = Math.max(now, transfer.flowsFrom);
    transfer.got += came;
    transfer.gotHere += came;
  }

  /** dispatch.ts: `slowness`. */
  function mustLeave(player, now, elapsedMs) {
    const { transfer } = player;
    const bytesPerMs = transfer.bps / 8000;
    const flowNow = {
      elapsedMs,
      bytes: transfer.gotHere / 8,
      leftBytes: (transfer.bits - transfer.got) / 8,
      bytesPerMs,
    };
    const other = alternative(player, now);
    const demand = { bufferMs: player.end - player.pos, segmentMs: SEGMENT_MS };
    if (!other || !isTooSlow(flowNow, demand, other)) return false;
    const before = transfer.tries.find(({ because }) => because === 'slow');
    if (!before || bytesPerMs >= (GAIN * before.bits) / 8 / before.elapsedMs) return true;
    players.lineSeemsSlow(player, now);
    return false;
  }

  function alternative(player, now) {
    const { index, tries } = player.transfer;
    const others = players
      .ranked(player)
      .filter((one) => one !== index && !tries.some((two) => two.index === one))
      .map((one) => players.record(player, one))
      .filter(({ bitsPerSecond }) => bitsPerSecond !== null || !players.isLineSlow(player, now))
      .map(({ firstByteMs, bitsPerSecond }) => ({
        firstByteMs: firstByteMs ?? 0,
        bytesPerMs: bitsPerSecond === null ? null : bitsPerSecond / 8000,
      }));
    others.sort((a, b) => (b.bytesPerMs ?? Infinity) - (a.bytesPerMs ?? Infinity));
    return others[0] ?? null;
  }

  /** @returns {import('../../../src/watch.js').Look} */
  function sensed(player, at) {
    const playing = LADDER[(player.shown >> 8) & 3];
    const loading = LADDER[player.transfer.rendition];
    // written out: this is made millions of times
    return {
      at,
      lateMs: 0,
      hidden: false,
      offline: false,
      paused: false,
      seeking: false,
      position: player.pos,
      bufferAheadMs: player.end - player.pos,
      complete: false,
      playbackRate: 1,
      playing,
      loading,
      best: LADDER[3],
      droppedShare: 0,
      segmentMs: SEGMENT_MS,
    };
  }

  /** Whatever flows at the edge stops. */
  function die(index, now) {
    const edge = world.edges[index];
    edge.isDead = true;
    for (const player of players.all) {
      const { transfer } = player;
      if (transfer?.index !== index || transfer.isSilent || transfer.doneAt <= now) continue;
      collect(transfer, now);
      world.cut(index, transfer.bps, transfer.endTick);
      transfer.isSilent = true;
      const { firstByteMs } = players.record(player, index);
      players.schedule(player, DUE.transfer, now + patienceMs({ firstByteMs }, settings.stallMs));
    }
  }

  /** The edge has another capacity: what flows there shares it. */
  function rescale(index, capacityBps, now) {
    const edge = world.edges[index];
    const factor = Math.min(1, capacityBps / Math.max(1, edge.flowBps));
    edge.capacityBps = capacityBps;
    if (factor === 1) return;
    for (const player of players.all) {
      const { transfer } = player;
      if (transfer?.index !== index || transfer.isSilent || transfer.doneAt <= now) continue;
      collect(transfer, now);
      world.cut(index, transfer.bps, transfer.endTick);
      flow(player, now, Math.round(transfer.bps * factor), transfer.flowsFrom);
    }
  }
}
