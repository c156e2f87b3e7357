// One player: the product's own decisions (draw, choose, step, observe, the records of edges, isTooSlow), and between them
// the wiring of conductor, search, dispatch, account and patrol, written again without promises. README.md lists it.
import { makeRace } from './race.js';
import { makeService } from './service.js';
import { makeTally } from './tally.js';
import { makeTransfers } from './transfer.js';
import { tickAt } from './wheel.js';
import { EDGES } from './world.js';

/** What is due for a player: eight kinds at most, so that a number holds player and kind. */
export const DUE = { transfer: 0, refresh: 1, compare: 2, found: 3, probe: 4 };

const TTL_MS = 60_000;
const LOOK_EVERY_MS = 1000;
const SECOND_LOOK_MS = 5000;
const LOST_AGAIN_MS = 20_000;
/** Longer than any scenario. */
const FAR_MS = 2 ** 30;
const SLOW_LINE_MS = 600_000;
const LONGEST_SLOW_LINE_MS = 3_600_000;
const JITTER = 0.2;
const FIRST_JITTER = 1;
const SLOW = ['thinned', 'throughput', 'drain', 'stalls'];

/** @param {any} given  the world, the clock, chance, the product's modules and settings */
export function makePlayers(given) {
  const { world, wheel, random, product, settings, players } = given;
  const { choose, step, observe, watchAnew, UNKNOWN, answered, delivered, flowed, failed, isCooling, usualRate, GAIN } =
    product;
  const due = new Int32Array(players * 8).fill(-1);
  const tally = makeTally(players);
  const counts = { switches: 0, leaves: 0, searches: 0, judged: {}, stillMs: 0, sessions: 0, early: 0 };
  const all = Array.from({ length: players }, (_, id) => newPlayer(id));

  const race = makeRace({ ...given, note });
  const { serviceOf, ranked } = makeService({ record, selectionOf, isLineSlow, usualRate });
  const api = {
    ...{ all, due, counts, schedule, record, setRecord, look, send, ranked, fail, lineSeemsSlow, isLineSlow },
    ...{ advance, lose, restart, note },
  };
  const transfers = makeTransfers({ ...given, players: api, answered, delivered, flowed });
  return { ...api, run, transfers, takeProbes: () => tally.take(all) };

  /** Written out, as `idle` in transfer.js. */
  function newPlayer(id) {
    return {
      id,
      town: Math.floor((id * 40) / players),
      lineBps: Math.round(25e6 * Math.exp(0.8 * 1.73 * (random() + random() + random() + random() - 2))),
      dipUntil: 0,
      state: { kind: 'idle' },
      records: new Array(EDGES + 1).fill(UNKNOWN),
      watch: watchAnew(),
      watched: '',
      inUseSince: 0,
      lostAt: -FAR_MS,
      lostWaitMs: 0,
      before: null,
      lookupFailures: 0,
      slowLineUntil: 0,
      slowLineMs: SLOW_LINE_MS / 2,
      isApart: false,
      failuresAt: null,
      answer: null,
      answerUntil: -FAR_MS,
      search: null,
      compareBecause: '',
      // playback, in ms of media; `shown`: the last renditions, two bits each
      pos: 0,
      posAt: 0,
      end: 0,
      shown: 0x3ff,
      rateBps: 0,
      endsAt: FAR_MS,
      transfer: null,
    };
  }

  function schedule(player, kind, at) {
    const tick = Math.max(tickAt(at), wheel.tick() + 1);
    due[player.id * 8 + kind] = tick;
    wheel.put(tick, player.id * 8 + kind);
  }

  function run(what, tickDue) {
    if (due[what] !== tickDue) return; // something else took its place
    due[what] = -1;
    const player = all[what >> 3];
    const now = wheel.now();
    switch (what & 7) {
      case DUE.transfer:
        return transfers.go(player, now);
      case DUE.refresh:
        return refresh(player, now);
      case DUE.compare:
        return send(player, { kind: 'reselect', because: player.compareBecause, how: 'compare' }, now);
      case DUE.found:
        return found(player, now);
      default:
        return tryOut(player, now);
    }
  }

  /** A viewer leaves and another comes. `bufferMs`: he has watched for some seconds. */
  function restart(player, now, bufferMs, sessionMs) {
    tally.close(player);
    Object.assign(player, newPlayer(player.id), { lineBps: player.lineBps, posAt: now, end: Math.round(bufferMs) });
    player.endsAt = now + Math.round(sessionMs);
    player.rateBps = player.lineBps;
    due.fill(-1, player.id * 8, player.id * 8 + 8);
    counts.sessions += 1;
    send(player, { kind: 'begin' }, now);
  }

  function record(player, index) {
    return player.records[index];
  }

  function setRecord(player, index, next) {
    player.records[index] = next;
  }

  function selectionOf({ state }) {
    return state.kind === 'steady' || state.kind === 'reselecting' ? state.selection : null;
  }

  // ---- conductor.ts

  function send(player, input, now) {
    const before = selectionOf(player);
    const next = step(player.state, input);
    player.state = next.state;
    if (input.kind === 'failed' && !before) planAfterFailure(player, now);
    const after = selectionOf(player);
    if (after && after !== before) {
      if (after.expiresAt !== before?.expiresAt) plan(player, after.expiresAt - now, now);
      if (after.chosen !== before?.chosen) player.inUseSince = now;
      if (!before) transfers.begin(player, now);
    }
    for (const effect of next.effects) carryOut(player, effect, now);
  }

  function carryOut(player, effect, now) {
    if (effect.do === 'search') startSearch(player, now);
    else if (effect.do === 'compare') compareLater(player, effect.because, now);
    else if (effect.do === 'move') {
      counts.switches += 1;
      if (effect.how !== 'leave') return;
      counts.leaves += 1;
      const index = world.indexOf(effect.from.origin);
      player.before = SLOW.includes(effect.because) ? record(player, index).bitsPerSecond : null;
      if (!record(player, index).isOut) fail(player, index, now);
    }
  }

  function compareLater(player, because, now) {
    if (due[player.id * 8 + DUE.compare] >= 0) return;
    player.compareBecause = because;
    schedule(player, DUE.compare, now + Math.max(player.inUseSince + settings.minDwellMs - now, SECOND_LOOK_MS));
  }

  function lose(player, index, because, now) {
    const chosen = selectionOf(player)?.chosen;
    if (chosen?.index !== index || !record(player, index).isOut) return;
    send(player, { kind: 'reselect', because: `${chosen.origin} failed: ${because}`, how: 'leave' }, now);
  }

  // ---- search.ts

  function lookUp(player, now) {
    if (now >= player.answerUntil) {
      if (given.second() >= 0) world.mapQueries[given.second()] += 1;
      player.answer = world.answerOf(player.town);
      player.answerUntil = now + TTL_MS;
    } else counts.early += 1;
    return { tokens: ['t'], edges: player.answer, expiresAt: player.answerUntil };
  }

  function usable(player, edges, leaving, now) {
    const current = selectionOf(player)?.chosen;
    const isUnnamed = current && current !== leaving && !edges.some(({ origin }) => origin === current.origin);
    const both = isUnnamed ? [{ ...current, rank: edges[0]?.rank ?? 0 }, ...edges] : edges;
    return both.filter((edge) => edge.origin !== leaving?.origin && !isCooling(record(player, edge.index), now));
  }

  function startSearch(player, now) {
    counts.searches += 1;
    const isFirst = player.state.kind === 'selecting';
    const leaving = player.state.how === 'leave' ? player.state.selection : null;
    const held = leaving && usable(player, leaving.edges, leaving.chosen, now).length > 0 ? leaving : null;
    const asked = lookUp(player, now);
    const candidates = held ?? asked;
    const field = usable(player, candidates.edges, leaving?.chosen, now);
    if (held) send(player, { kind: 'refreshed', candidates: asked }, now);
    if (field.length === 0) return send(player, { kind: 'failed', error: { code: 'EDGES_COOLING' } }, now);
    const inUse = isFirst ? undefined : selectionOf(player)?.chosen.origin;
    const { probes, elapsedMs } = race.run(player, field, isFirst, inUse);
    // what the map said meanwhile is newer than what was held
    player.search = { candidates: asked, probes, isFirst };
    schedule(player, DUE.found, now + elapsedMs);
  }

  function note(player, index, requests) {
    if (given.second() >= 0) world.edges[index].probes[given.second()] += requests;
    tally.add(player, index);
  }

  function found(player, now) {
    const { candidates, probes, isFirst } = player.search;
    player.search = null;
    const winner = race.winnerOf(probes, isFirst);
    for (const { edge, outcome } of probes) if (outcome === 'late') fail(player, edge.index, now);
    if (!winner) return send(player, { kind: 'failed', error: { code: 'EDGES_FAILED' } }, now);
    const current = selectionOf(player)?.chosen ?? null;
    const selection = choose('service', candidates, probes, winner, current, now);
    send(player, { kind: 'found', selection }, now);
    for (const { edge, outcome, elapsedMs } of probes) {
      const seen = record(player, edge.index);
      if (outcome === 'ok' && !isCooling(seen, now)) setRecord(player, edge.index, answered(seen, elapsedMs));
    }
    send(player, { kind: 'raced', selection }, now);
  }

  // ---- patrol.ts

  function plan(player, inMs, now) {
    const boundedMs = Math.min(Math.max(inMs, settings.refreshMinMs), settings.refreshMaxMs);
    const lateMs = boundedMs * (player.isApart ? JITTER : FIRST_JITTER) * random();
    schedule(player, DUE.refresh, now + boundedMs + lateMs + LOOK_EVERY_MS * random());
  }

  function planAfterFailure(player, now) {
    player.lookupFailures += 1;
    plan(player, settings.refreshMinMs * 2 ** (player.lookupFailures - 1), now);
  }

  function refresh(player, now) {
    player.isApart = true;
    if (!selectionOf(player)) return send(player, { kind: 'reselect', because: 'time has passed', how: 'asked' }, now);
    const candidates = lookUp(player, now);
    player.lookupFailures = 0;
    plan(player, candidates.expiresAt - now, now);
    send(player, { kind: 'refreshed', candidates }, now);
    tryOut(player, now);
  }

  function fail(player, index, now) {
    const next = failed(record(player, index), now, random());
    setRecord(player, index, next);
    schedule(player, DUE.probe, next.coolUntil + LOOK_EVERY_MS * random());
  }

  function tryOut(player, now) {
    for (const { index } of selectionOf(player)?.edges ?? []) {
      const seen = record(player, index);
      if (!seen.isOut || isCooling(seen, now)) continue;
      note(player, index, 1);
      if (world.edges[index].isDead) fail(player, index, now);
      else setRecord(player, index, answered(seen, world.firstByteMs(player.id, player.town, index)));
    }
    const chosen = selectionOf(player)?.chosen;
    if (!chosen || !record(player, chosen.index).isOut) player.lostWaitMs = 0;
    else if (now - player.lostAt >= player.lostWaitMs) {
      player.lostAt = now;
      player.lostWaitMs = Math.min(Math.max(2 * player.lostWaitMs, LOST_AGAIN_MS), settings.refreshMaxMs);
      send(player, { kind: 'reselect', because: 'it failed elsewhere on the page', how: 'leave' }, now);
    }
  }

  function look(player, at) {
    const selection = selectionOf(player);
    if (!selection) return;
    const service = serviceOf(player, selection, at);
    if (player.before !== null && service.bitsPerSecond) {
      if (service.bitsPerSecond < GAIN * player.before) lineSeemsSlow(player, at);
      player.before = null;
    }
    if (service.edge !== player.watched) player.watch = watchAnew();
    player.watched = service.edge;
    const observed = observe(player.watch, transfers.sensed(player, at), service, settings.acceptable);
    player.watch = observed.watch;
    const { verdict } = observed;
    if (verdict.kind === 'stay' || player.state.kind !== 'steady') return;
    counts.judged[`${verdict.kind} ${verdict.because}`] =
      (counts.judged[`${verdict.kind} ${verdict.because}`] ?? 0) + 1;
    if (verdict.kind === 'leave') send(player, { kind: 'reselect', because: verdict.because, how: 'leave' }, at);
    else compareLater(player, verdict.because, at);
  }

  function lineSeemsSlow(player, now) {
    if (player.slowLineUntil > now) return;
    player.slowLineMs = Math.min(2 * player.slowLineMs, LONGEST_SLOW_LINE_MS);
    player.slowLineUntil = now + player.slowLineMs;
  }

  function isLineSlow(player, now) {
    return player.slowLineUntil > now;
  }

  function advance(player, now) {
    const forMs = now - player.posAt;
    const moved = Math.min(forMs, player.end - player.pos);
    player.pos += moved;
    player.posAt = now;
    if (given.second() >= 0) counts.stillMs += forMs - moved;
  }
}
