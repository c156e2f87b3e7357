/** What is no edge's fault: it must give no switch, and nobody may be kept out for it (issue: "Verdict"). */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMedia } from './fault-figures.js';

const SLOWER = 6;
/** Some of it may be lost in the noise of a busy machine. */
const SLOWER_AT_LEAST = 3;
const SETTLES_MS = 2000;
const ASLEEP_MS = 30_000;
/** A machine that wakes up looks for its network first. */
const LINE_BACK_MS = 1000;
const HIDDEN_MS = 60_000;
const OWN_LINE_BITS_PER_SECOND = 1_000_000;
const BODY_WITHIN_MS = 5000;
const LOOK_MS = 10;

/** @typedef {import('./fault-scenarios.js').Victims} Victims */
/** @typedef {import('./fault-scenarios.js').Fault} Fault */

/** @type {Record<string, Fault>} */
export const CONTROLS = {
  cpu: {
    title: `CPU slowed ${SLOWER} times`,
    ...{ hitsNone: true, isControl: true, watchSeconds: 45 },
    async begin({ viewer, signal }) {
      const usualMs = await viewer.workMs();
      await viewer.slowCpu(SLOWER);
      await sleep(SETTLES_MS, null, { signal });
      const slowMs = await viewer.workMs();
      prove(slowMs >= SLOWER_AT_LEAST * usualMs, `work took ${slowMs} ms instead of ${usualMs} ms`);
    },
  },
  sleep: {
    title: '30 s of sleep, in mid-body',
    // while nobody answers everybody is asked
    ...{ hitsNone: true, isControl: true, mayFailOver: true, watchSeconds: 75 },
    async begin({ world, viewer, signal }) {
      await bodyUnderWay(world, signal);
      viewer.fallAsleep();
      await everybody(world, 'silent');
      await sleep(ASLEEP_MS, null, { signal });
      viewer.wakeUp();
      await sleep(LINE_BACK_MS, null, { signal });
      await everybody(world, null);
      const gapMs = await viewer.longestGapMs();
      prove(gapMs >= 0.9 * ASLEEP_MS, `the page stood still for ${gapMs} ms at most`);
    },
  },
  hidden: {
    title: '60 s hidden, the sound goes on',
    ...{ hitsNone: true, isControl: true, watchSeconds: 75 },
    async begin({ viewer, signal }) {
      // without sound Chromium lets a hidden video pause, and nothing would be asked for
      await viewer.unmute();
      const from = await viewer.position();
      await viewer.hide();
      prove(await viewer.isHidden(), 'the page was visible behind another tab');
      await sleep(HIDDEN_MS, null, { signal });
      prove(await viewer.isHidden(), 'the page became visible by itself');
      await viewer.show();
      const seconds = (await viewer.position()) - from;
      prove(seconds >= 0.9 * (HIDDEN_MS / 1000), `only ${seconds} s were played`);
    },
  },
  'own-line': {
    title: "the viewer's own line: 1 Mbit/s",
    // whether another edge is any quicker is known only after a trial, by the rest of one request or by a switch
    ...{ hitsNone: true, isControl: true, mayFailOver: true, trials: 1, watchSeconds: 90, fullSeconds: 600 },
    begin: ({ world }) => world.patch({ lastMileBitsPerSecond: OWN_LINE_BITS_PER_SECOND }),
  },
};

/** A control without its trouble would prove nothing. @param {boolean} holds @param {string} but */
function prove(holds, but) {
  if (!holds) throw new Error(`no control: ${but}`);
}

/** @param {Victims['world']} world @param {'silent' | null} fault */
function everybody(world, fault) {
  return world.patch({ edges: Object.fromEntries(Object.keys(world.urls.edges).map((name) => [name, { fault }])) });
}

/** @param {Victims['world']} world @param {AbortSignal} signal */
async function bodyUnderWay(world, signal) {
  for (let waitedMs = 0; waitedMs < BODY_WITHIN_MS; waitedMs += LOOK_MS) {
    if (
      world.log.some(({ method, url, bytes, tEnd }) => method === 'GET' && isMedia(url) && bytes > 0 && tEnd === null)
    ) {
      return;
    }
    await sleep(LOOK_MS, null, { signal });
  }
  throw new Error('no control: no body was under way');
}
