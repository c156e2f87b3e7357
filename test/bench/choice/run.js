// npm run bench:choice: how good the choice is, against somebody who knows what every edge is like at the moment.
//   node test/bench/choice/run.js [--traces 1000] [--named 6] [--max-edges 4] [--strict]   (else as many as the product races)
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, seeded } from '../figures.js';
import { bundleModules } from '../herd/modules.js';
import { makeTrace } from './traces.js';

const { values } = parseArgs({
  options: {
    traces: { type: 'string', default: '1000' },
    named: { type: 'string', default: '6' },
    'max-edges': { type: 'string' },
    strict: { type: 'boolean', default: false },
  },
});
const MODULES = ['src/search', 'src/selection', 'src/options', 'src/directory', 'test/support/platform'];
const bundle = await bundleModules(MODULES, 'choice');
const product = await import(bundle.file);
bundle.remove();
const maxEdges = Number(values['max-edges'] ?? product.DEFAULTS.maxEdges);
const SOURCE = {
  ...{ src: 'https://video.example/live/main.m3u8', type: 'application/x-mpegURL', origin: 'https://video.example' },
  ...{ scheme: 'https', service: '_https._tcp.video.example' },
};
/** The second race comes so much later. */
const LATER_MS = 300_000;
const WAYS = ['GET', 'HEAD', 'OPTIONS'].flatMap((method) => [
  { method, race: 'first', shows: false },
  { method, race: 'second', shows: false },
  { method, race: 'second', shows: true },
]);
const began = Date.now();
const results = WAYS.map((way) => ({ way, runs: /** @type {any[]} */ ([]) }));
for (let seed = 1; seed <= Number(values.traces); seed += 1) {
  const trace = makeTrace(seed, Number(values.named));
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    for (const shows of [false, true]) {
      const { first, second } = await viewer(trace, method, shows);
      for (const { way, runs } of results) {
        if (way.method !== method || way.shows !== shows) continue;
        runs.push(way.race === 'first' ? first : second);
      }
    }
  }
}
report();

/** One viewer: a first race, and minutes later another with the first one's edge in use. */
async function viewer(trace, method, shows) {
  const fake = product.fakePlatform({ true: () => undefined, deepEqual: () => undefined });
  const random = seeded(trace.seed * 7919);
  const luck = seeded(trace.seed * 104_729);
  const warm = new Set();
  const timings = new Map();
  const began = fake.platform.now();
  const at = () => fake.platform.now() - began;
  fake.respond('example/live/', ({ url, method: asked, startedAt }) => {
    const i = trace.edges.findIndex(({ name }) => url.startsWith(`https://${name}.`));
    // TCP and TLS 1.3; a cross-origin OPTIONS is asked for leave by another OPTIONS
    const connectMs = (warm.has(i) ? 0 : 2) * trace.roundTripMs(i, at());
    const leaveMs = asked === 'OPTIONS' ? trace.requestMs(i, at(), luck) : 0;
    const requestMs = trace.requestMs(i, at(), luck);
    warm.add(i);
    const requestStart = startedAt + connectMs + leaveMs;
    timings.set(`${url} ${startedAt}`, { requestStart, responseStart: requestStart + requestMs });
    return { afterMs: connectMs + leaveMs + requestMs, body: '#EXTM3U' };
  });
  const platform = {
    ...fake.platform,
    random,
    watchTimings: () => ({
      find(url, startedAt) {
        const known = shows ? timings.get(`${url} ${startedAt}`) : { requestStart: 0, responseStart: 0 };
        return known && { ...known, startTime: startedAt, nextHopProtocol: 'h2', workerStart: 0 };
      },
      stop: () => undefined,
    }),
  };
  const settings = product.readOptions({ preflight: method, maxEdges, resolver: lookups(trace) }, () => undefined);
  const directory = product.directory(platform);
  const first = await select({ fake, platform, directory, settings, trace, current: null, at });
  await fake.advance(LATER_MS);
  const second = await select({ fake, platform, directory, settings, trace, current: first.selection.chosen, at });
  return { first, second };
}

async function select({ fake, platform, directory, settings, trace, current, at }) {
  let selection = /** @type {any} */ (null);
  const startedAt = at();
  let tookMs = 0;
  const running = product.search({
    ...{ source: SOURCE, given: { src: SOURCE.src }, settings, platform, directory },
    current: () => current,
    leaving: () => null,
    send: (input) => {
      if (input.kind === 'found') {
        selection = input.selection;
        tookMs = at() - startedAt;
      } else if (input.kind === 'raced') selection = input.selection;
    },
    suspect: () => undefined,
    warn: () => undefined,
  });
  const request = { url: SOURCE.src, headers: {}, withCredentials: false };
  const isHeld = current === null;
  running.run({ request, method: product.raceMethod(settings.preflight, request, isHeld), held: () => isHeld });
  await fake.advance(3000);
  if (!selection) throw new Error('no selection');
  const times = trace.edges.map((_, i) => (isHeld ? trace.timeMs(i, startedAt) : trace.segmentMs(i, startedAt)));
  const indexOf = (origin) => trace.edges.findIndex(({ name }) => origin === `https://${name}.example`);
  const chosen = indexOf(selection.chosen.origin);
  const best = times.indexOf(Math.min(...times));
  const raced = selection.probes.map(({ edge }) => indexOf(edge.origin));
  const nearest = raced.reduce((a, b) => (trace.roundTripMs(b, startedAt) < trace.roundTripMs(a, startedAt) ? b : a));
  const regret = times[chosen] / times[best] - 1;
  const amongRaced = times[chosen] / Math.min(...raced.map((i) => times[i])) - 1;
  const why =
    regret < 0.01 ? 'right' // prettier-ignore
    : !raced.includes(best) && amongRaced < 0.01 ? 'the best was not drawn' // prettier-ignore
    : selection.reason === 'stayed' ? 'stayed: less than a quarter quicker' // prettier-ignore
    : chosen === nearest ? 'the nearest is not the quickest by rate' // prettier-ignore
    : trace.roundTripMs(chosen, startedAt) <= trace.roundTripMs(nearest, startedAt) + 6 ? 'a tie, drawn by weight' // prettier-ignore
    : 'an unlucky answer'; // prettier-ignore
  return { selection, tookMs, regret, amongRaced, why };
}

/** One token that names all edges. */
function lookups({ edges }) {
  const srv = (target, weight) => ({ type: 'SRV', priority: 10, weight, port: 443, target });
  return {
    resolve: ({ lookup }) =>
      Promise.resolve({
        records:
          lookup === 'tokens'
            ? [srv('t.token.example', 1)]
            : edges.map(({ name, weight }) => srv(`${name}.example`, weight)),
        ttlSeconds: 3600,
      }),
  };
}

function report() {
  const share = (list, part) => [...list].sort((a, b) => a - b)[Math.floor(part * (list.length - 1))] ?? NaN;
  const percent = (value) => `${(100 * value).toFixed(1)} %`.padStart(7);
  let isMissed = false;
  console.log(
    `${values.traces} viewers, ${values.named} edges named, ${maxEdges} raced. Promised: median 0, p95 under 15 %`,
  );
  console.log(
    'race                             median     p95           mean | of those raced: p95 | the race took (median)',
  );
  const lines = results.map(({ way, runs }) => {
    const all = runs.map(({ regret }) => regret);
    const among = runs.map(({ amongRaced }) => amongRaced);
    const why = {};
    for (const run of runs) why[run.why] = (why[run.why] ?? 0) + 1;
    const figures = {
      ...{
        ...way,
        traces: runs.length,
        median: median(all),
        p95: share(all, 0.95),
        mean: all.reduce((a, b) => a + b, 0) / all.length,
      },
      ...{ amongRacedP95: share(among, 0.95), tookMs: median(runs.map(({ tookMs }) => tookMs)), why },
    };
    const isGood = (/** @type {number} */ p95) => figures.median <= 0.001 && p95 <= 0.15;
    const ok = isGood(figures.p95);
    const okAmongRaced = isGood(figures.amongRacedP95);
    isMissed ||= !ok;
    const said = (/** @type {boolean} */ good) => (good ? 'ok    ' : 'MISSED');
    const label = `${way.method} ${way.race}${way.race === 'second' ? (way.shows ? ', timings shown' : ', timings hidden') : ''}`;
    console.log(`${label.padEnd(31)} ${percent(figures.median)} ${percent(figures.p95)} ${said(ok)} ${percent(figures.mean)} | ${percent(figures.amongRacedP95)} ${said(okAmongRaced)} | ${figures.tookMs.toFixed(0)} ms`); // prettier-ignore
    console.log(`         ${Object.entries(why).sort((a, b) => b[1] - a[1]).map(([name, n]) => `${name} ${percent(n / runs.length).trim()}`).join('; ')}`); // prettier-ignore
    return { ...figures, ok, okAmongRaced };
  });
  const folder = fileURLToPath(new URL('../.results', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/choice.json`, JSON.stringify(lines, null, 2));
  console.log(`${((Date.now() - began) / 1000).toFixed(0)} s; figures in ${folder}/choice.json`);
  if (values.strict && isMissed) process.exitCode = 1;
}
