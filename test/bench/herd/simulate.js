// One scenario in simulated time, in a thread of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { seeded } from '../figures.js';
import { makePlayers } from './player.js';
import { SCENARIOS, VICTIM } from './scenarios.js';
import { makeWheel, TICK_MS } from './wheel.js';
import { EDGES, LADDER, makeWorld } from './world.js';

const { name, players, file, hidesTimings, seconds: asked } = workerData;
const product = await import(file);
const scenario = SCENARIOS.find((one) => one.name === name) ?? SCENARIOS[0];
const seconds = asked ?? scenario.seconds;
const WARM_UP_S = scenario.startWithin ? 0 : 65;
const began = Date.now();

const random = seeded(20_260_101);
const world = makeWorld({ players, random, seconds });
const wheel = makeWheel();
const settings = product.readOptions({ nameserver: 'https://map.example/' }, () => undefined);
let second = -WARM_UP_S;
const sessionMs = () => -1_800_000 * Math.log(1 - random());
const rules = { hidesTimings, dips: scenario.dips === true };
const herd = makePlayers({ world, wheel, random, product, settings, players, rules, sessionMs, second: () => second });

const starts = herd.all.map((player) => ({ player, at: random() * (scenario.startWithin ?? 60) * 1000 }));
starts.sort((a, b) => a.at - b.at);
let started = 0;
const snapshots = [];
const switchesAt = new Float64Array(seconds + 1);

for (; second < seconds; second += 1) {
  const now = wheel.now();
  for (const [at, what] of scenario.events) if (at === second) happen(what, now);
  if (second === (scenario.faultAt ?? 0)) {
    herd.takeProbes();
    Object.assign(herd.counts, { switches: 0, leaves: 0, searches: 0, judged: {}, early: 0 });
  }
  if (second === scenario.backAt) snapshots.push(herd.takeProbes());
  const before = herd.counts.switches;
  for (let i = 0; i < 1000 / TICK_MS; i += 1) {
    for (; started < starts.length && starts[started].at <= wheel.now(); started += 1) {
      const { player } = starts[started];
      herd.restart(player, wheel.now(), 24_000 + 6000 * random(), sessionMs());
    }
    world.turn(wheel.tick() + 1, second);
    wheel.advance(herd.run);
  }
  if (second >= 0) switchesAt[second] = Math.max(0, herd.counts.switches - before);
}
snapshots.push(herd.takeProbes());

parentPort?.postMessage({
  name,
  players,
  seconds,
  tookMs: Date.now() - began,
  capacityBps: world.capacityBps,
  counts: herd.counts,
  probed: snapshots,
  loads: world.edges.map((edge) => Array.from(edge.loads.subarray(0, seconds))),
  probes: world.edges.map((edge) => Array.from(edge.probes.subarray(0, seconds))),
  mapQueries: Array.from(world.mapQueries.subarray(0, seconds)),
  switches: Array.from(switchesAt.subarray(0, seconds)),
});

function happen(/** @type {string} */ what, /** @type {number} */ now) {
  const edge = world.edges[VICTIM];
  if (what === 'die') herd.transfers.die(VICTIM, now);
  else if (what === 'live') edge.isDead = false;
  else if (what === 'unname' || what === 'name') world.name(VICTIM, what === 'name');
  else if (what === 'slow') herd.transfers.rescale(VICTIM, 0.4 * (players / EDGES) * LADDER[3], now);
  else if (what === 'quick') herd.transfers.rescale(VICTIM, world.capacityBps, now);
  else world.move(what === 'move');
}
