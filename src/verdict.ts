/**
 * Whether an edge still gives acceptable service. In: what was seen of it, what the page knows of it and of the others.
 * Out: stay, suspect or leave, with what was seen and where the limit is. Pure. Never charges an edge with the viewer's
 * own trouble: a slow line, a slow machine, a page that nobody looks at.
 */
import type { Acceptable } from './acceptable.js';
import { GAIN } from './edges.js';
import { emptyInMs, forget, lateFrom, notice, thinnedBy, type Look, type Service, type Watch } from './watch.js';

/** A sign of bad service. */
export type Sign = 'thinned' | 'throughput' | 'stalls' | 'drain' | 'failures' | 'latency' | 'moveAway';

/**
 * `leave`: the viewer suffers, or soon will. Thinning is among these: what another edge bears is known only after it has
 * served, so a look around would find nothing better. `suspect`: worth a look whether another edge is better.
 * `seen` and `limit` have the unit of the option that is the limit; of `throughput`: bits per second.
 */
export type Verdict =
  | { readonly kind: 'stay' }
  | { readonly kind: 'suspect' | 'leave'; readonly because: Sign; readonly seen: number; readonly limit: number };

type Charge = Exclude<Verdict, { kind: 'stay' }>;

/** The same charge is told again: after the dwell of a switch; a suspicion later, since each look around costs requests. */
const AGAIN_MS = { leave: 20_000, suspect: 60_000 };

/** @param watch  as the last call for the same edge returned it */
export function observe(
  watch: Watch,
  look: Look,
  service: Service,
  limits: Acceptable,
): { readonly watch: Watch; readonly verdict: Verdict } {
  const next = notice(watch, look, service, limits);
  if (!next.last) return { watch: next, verdict: { kind: 'stay' } };
  const charges = chargesOf(next, look, service, limits).filter(
    ({ kind, because }) => look.at - (next.told[kind + because] ?? -Infinity) >= AGAIN_MS[kind],
  );
  const charge = charges.find(({ kind }) => kind === 'leave') ?? charges[0];
  if (!charge) return { watch: next, verdict: { kind: 'stay' } };
  const told = { ...next.told, [charge.kind + charge.because]: look.at };
  // what was told once is not told again without something new
  const { last, hasMoved } = next;
  const rest =
    charge.kind === 'leave' ? { ...forget(next), last, hasMoved } : { ...next, behindMs: 0, lateSince: null };
  return { watch: { ...rest, told }, verdict: charge };
}

/** Each charge that its limit allows, worst first. */
function chargesOf(watch: Watch, look: Look, service: Service, limits: Acceptable): Charge[] {
  const { thinning, throughput, stalls, drainMs, failures, latency } = limits;
  const { bitsPerSecond, usualBitsPerSecond, firstByteMs, usualFirstByteMs } = service;
  const { bestOther, hasUnmeasured, lineIsSlow } = service;
  const { at, best } = look;
  const charges: Charge[] = [];
  const charge = (kind: Charge['kind'], because: Sign, seen: number, limit: number): void => {
    charges.push({ kind, because, seen, limit });
  };

  // a slow line stalls, drains and thins at every edge alike
  // a small dip is not another's gain, whose rate may be of a better moment: so far it counts as it usually is
  const own = bitsPerSecond && Math.max(bitsPerSecond, Math.min(usualBitsPerSecond ?? 0, GAIN * bitsPerSecond));
  const isFaster = bestOther !== null && own !== null && bestOther >= GAIN * own;
  // nor can anybody tell, without a rate, whether leaving helped
  const mayBeEdge = isFaster || (bitsPerSecond !== null && !lineIsSlow);
  const mayGain = isFaster || (hasUnmeasured && !lineIsSlow);
  if (mayBeEdge && watch.stillMs >= stalls.forMs) charge('leave', 'stalls', watch.stillMs, stalls.forMs);
  else if (mayBeEdge && watch.stalledAt.length >= stalls.times) {
    charge('leave', 'stalls', watch.stalledAt.length, stalls.times);
  }
  const emptyMs = emptyInMs(watch, look);
  if (mayBeEdge && emptyMs <= drainMs) charge('leave', 'drain', emptyMs, drainMs);
  if (watch.failedAt.length >= failures.times) charge('leave', 'failures', watch.failedAt.length, failures.times);
  if (mayGain && best !== null && bitsPerSecond !== null && watch.behindMs >= throughput.behindMs) {
    // an edge that bore the best has become worse; with one that never did it may be the line: thinning tells
    const isWorse = watch.bore >= best;
    const need = best * throughput.headroom;
    if (isWorse) charge('leave', 'throughput', bitsPerSecond, need);
    else if (watch.thinnedSince === null) charge('suspect', 'throughput', bitsPerSecond, need);
  }
  if (mayGain && watch.thinnedSince !== null && at - watch.thinnedSince >= thinning.forMs) {
    charge('leave', 'thinned', thinnedBy(look), thinning.amount);
  }
  if (firstByteMs !== null && watch.lateSince !== null && at - watch.lateSince >= latency.forMs) {
    charge('suspect', 'latency', firstByteMs, lateFrom(usualFirstByteMs, latency));
  }
  if (service.moveAway) charge('suspect', 'moveAway', 1, 1);
  return charges;
}
