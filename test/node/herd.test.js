// The herd's simulation runs on the modules of src/ as they are: whatever it takes of them is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { bundleModules, HERD } from '../bench/herd/modules.js';
import { SCENARIOS } from '../bench/herd/scenarios.js';

const PLAYERS = 200;
/** Past the fault, and what comes of it. */
const SECONDS = 400;

for (const { name } of SCENARIOS) {
  test(`${name}: a small herd plays`, async (context) => {
    const bundle = await bundleModules(
      HERD.map((module) => `src/${module}`),
      `herd-${name}`,
    );
    context.after(bundle.remove);
    const worker = new Worker(new URL('../bench/herd/simulate.js', import.meta.url), {
      workerData: { name, players: PLAYERS, file: bundle.file, seconds: SECONDS, hidesTimings: true },
    });
    const figures = await new Promise((resolve, reject) => {
      worker.on('message', resolve);
      worker.on('error', reject);
    });
    const served = figures.loads.flat().reduce((sum, load) => sum + load, 0);
    assert.ok(served > 0, 'edges serve');
    assert.ok(figures.mapQueries.reduce((sum, one) => sum + one, 0) >= PLAYERS, 'and all of them have asked the map');
  });
}
