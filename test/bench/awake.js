/**
 * A machine that stands for a while, as a virtual one does whose host is busy, proves nothing about a player. A witness, a
 * thread that does nothing but look how late it wakes, tells; and a run in which that happened begins again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, isMainThread, workerData } from 'node:worker_threads';

/** Nothing ran for so long: a quarter of what the plugin allows a silent server. No outcome has a say in it. */
export const STOOD_MS = 150;
/** The run after the last of these counts, whatever the machine does. */
const MOST_AGAIN = 6;
const MOST_STARTS = 4;
const TICK_MS = 20;
const LOOK_MS = 500;

/** Something had happened before there was a fault, as on a busy machine: what followed could not be compared. */
export class BadStart extends Error {}
class Stood extends Error {}

/** @typedef {ReturnType<typeof openWitness>} Witness */
/** @typedef {(ms: number) => Promise<void>} Watch waits, and ends the run as soon as the machine has stood */

if (!isMainThread && workerData?.witness) {
  const longest = new Int32Array(workerData.witness);
  let tickedAt = performance.now();
  setInterval(() => {
    const at = performance.now();
    const lateMs = Math.round(at - tickedAt - TICK_MS);
    tickedAt = at;
    if (lateMs > Atomics.load(longest, 0)) Atomics.store(longest, 0, lateMs);
  }, TICK_MS);
}

export function openWitness() {
  const witness = new SharedArrayBuffer(4);
  const longest = new Int32Array(witness);
  const worker = new Worker(new URL(import.meta.url), { workerData: { witness } });
  worker.unref();
  return {
    begin: () => void Atomics.store(longest, 0, 0),
    /** Since `begin`. */
    stoodMs: () => Atomics.load(longest, 0),
    close: () => worker.terminate(),
  };
}

/**
 * @template T
 * @param {Witness | null} witness null: trouble for the machine is what this run is about
 * @param {(watch: Watch) => Promise<T>} attempt
 * @param {number} [stoodMs]
 * @returns {Promise<T & {again: number}>} `again`: how many runs before this one were void, as the machine stood
 */
export async function whileAwake(witness, attempt, stoodMs = STOOD_MS) {
  let again = 0;
  for (let starts = 1; ;) {
    const canAgain = witness !== null && again < MOST_AGAIN;
    const hasStood = () => canAgain && witness.stoodMs() >= stoodMs;
    witness?.begin();
    try {
      const found = await attempt(async (ms) => {
        for (const end = Date.now() + ms; Date.now() < end;) {
          await sleep(Math.min(LOOK_MS, end - Date.now()));
          if (hasStood()) throw new Stood();
        }
      });
      if (!hasStood()) return { ...found, again };
      again++;
    } catch (error) {
      if (hasStood()) again++;
      else if (!(error instanceof BadStart) || starts++ === MOST_STARTS) throw error;
    }
  }
}

/** @param {readonly number[]} again of each run */
export function saidAgain(again) {
  const sum = again.reduce((so, far) => so + far, 0);
  if (sum === 0) return 'No run was void.';
  return `${sum} runs began again, as nothing ran on the machine for ${STOOD_MS} ms or more meanwhile.`;
}
