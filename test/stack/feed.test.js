// demo/stack/feed.js between real edges and a real map: reports come in by POST, answers change by DNS.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { ask } from '../../demo/stack/ask.js';
import { feed } from '../../demo/stack/feed.js';
import { startStack } from '../../demo/stack/stack.js';
import { post, reportBody, until } from './tools.js';

/** @type {import('../../demo/stack/stack.js').Stack} */
let stack;
before(async () => {
  stack = await startStack({ media: 'demo/media', queriesPerSecond: 5000, reportsPerSecond: 5000 });
});
after(() => stack?.stop());

/** Token -> weight, as the map gives it to a client. */
async function weightsFor(/** @type {import('../../demo/stack/ask.js').As} */ as) {
  const { answers } = await ask(stack.http.nameserver, '_http._tcp.origin.localhost', 'SRV', as);
  return Object.fromEntries(answers.map(({ data }) => [data.target.split('.')[0], data.weight]).sort());
}
const EQUAL = { amsterdam: 100, frankfurt: 100, lisbon: 100, warsaw: 100 };

/** One report each of so many addresses of a /24 of this machine. */
function crowd(
  /** @type {number} */ network,
  chosen = 'frankfurt',
  /** @type {Record<string, string>} */ outcomes = { amsterdam: 'ok', frankfurt: 'ok' },
) {
  return Array.from({ length: 30 }, (_, i) => ({ from: `127.0.${network}.${i + 1}`, chosen, outcomes }));
}

/** nginx writes a line when the answer is on its way. */
function linesOf(/** @type {string} */ edge, /** @type {number} */ count) {
  const path = stack.logs.reports(edge);
  const lines = () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0);
  return until(() => lines() >= count, `${count} reports in the log of ${edge}`);
}

test('reports come in, and the answer for their subnet changes, and for no other', async () => {
  await post(stack, crowd(5));
  await linesOf('frankfurt', 30);
  const { changed, counts } = await feed(stack.feedFiles);
  assert.deepEqual(changed, ['127.0.5.0/24']);
  assert.equal(counts.counted, 30);
  assert.deepEqual(await weightsFor({ from: '127.0.5.77' }), { ...EQUAL, frankfurt: 150, amsterdam: 67 });
  assert.deepEqual(await weightsFor({ subnet: '127.0.5.0/24' }), { ...EQUAL, frankfurt: 150, amsterdam: 67 });
  assert.deepEqual(await weightsFor({ from: '127.0.6.77' }), EQUAL);
});

test('who is on trial has the rows of the trial, whatever was learned', async () => {
  assert.deepEqual(await weightsFor({ from: '127.0.5.77', id: 'trial-1' }), { lisbon: 100, warsaw: 100 });
});

test('a flood of lies from one subnet moves nothing elsewhere', async () => {
  const elsewhere = ['127.0.5.1', '127.0.8.1', '127.0.0.1'];
  const before = await Promise.all(elsewhere.map((from) => weightsFor({ from })));
  const learned = JSON.parse(readFileSync(stack.feedFiles.learned, 'utf8'));
  const origins = (/** @type {string} */ token) => String(stack.http.origins[token]);
  const lie = JSON.stringify(
    reportBody(origins, 'warsaw', { warsaw: 'ok', amsterdam: 'late', frankfurt: 'late', lisbon: 'late' }),
  );
  const now = Date.now() / 1000;
  const lies = Array.from({ length: 30_000 }, (_, i) =>
    JSON.stringify({ t: now, ip: `127.0.9.${i % 256}`, edge: 'warsaw', body: lie }),
  );
  appendFileSync(stack.logs.reports('warsaw'), `${lies.join('\n')}\n`);
  const { changed, counts } = await feed(stack.feedFiles);
  assert.ok(counts.overCap >= 29_000);
  assert.ok(changed.includes('127.0.9.0/24'), 'what is said of one network is believed of it alone');
  assert.deepEqual(await weightsFor({ from: '127.0.8.1' }), before[1]);
  assert.deepEqual(await weightsFor({ from: '127.0.0.1' }), before[2]);
  // its own reports are in the window still, and move it on by their own step, toward where they did
  const { factors } = JSON.parse(readFileSync(stack.feedFiles.learned, 'utf8'))['127.0.5.0/24'];
  assert.deepEqual(
    [factors.warsaw, factors.lisbon],
    [learned['127.0.5.0/24'].factors.warsaw, learned['127.0.5.0/24'].factors.lisbon],
  );
  assert.ok(factors.frankfurt > 1 && factors.amsterdam < 1);
});

test('lines that are broken, forged or without end are skipped, and the good ones count', async () => {
  const good = readFileSync(stack.logs.reports('frankfurt'), 'utf8').split('\n').length - 1;
  appendFileSync(
    stack.logs.reports('frankfurt'),
    [
      '{"t":',
      'x'.repeat(5_000_000),
      '',
      '\u0000\u0000',
      '{"t":1,"ip":"127.0.5.1","edge":"frankfurt","body":"{}"}',
      '',
    ].join('\n'),
  );
  const { counts } = await feed({ ...stack.feedFiles, logs: [stack.logs.reports('frankfurt')] });
  assert.deepEqual([counts.counted, counts.broken, counts.oversized, counts.stale], [good, 3, 1, 1]);
});

test('IPv6 networks are learned of, and get their own answer', async () => {
  const origins = (/** @type {string} */ token) => String(stack.http.origins[token]);
  const body = JSON.stringify(reportBody(origins, 'lisbon', { warsaw: 'ok', lisbon: 'ok' }));
  const lines = Array.from({ length: 30 }, (_, i) =>
    JSON.stringify({ t: Date.now() / 1000, ip: `2001:db8:5:${i}::1`, edge: 'lisbon', body }),
  );
  appendFileSync(stack.logs.reports('lisbon'), `${lines.join('\n')}\n`);
  await feed(stack.feedFiles);
  assert.deepEqual(await weightsFor({ subnet: '2001:db8:5::/48' }), { frankfurt: 100, lisbon: 60, warsaw: 40 });
  assert.deepEqual(await weightsFor({ subnet: '2001:db8:6::/48' }), { frankfurt: 100, lisbon: 40, warsaw: 60 });
});

test('the map is loaded without a gap: no question goes without its answer', async () => {
  let isOver = false;
  const bad = [];
  let asked = 0;
  const asking = (async () => {
    while (!isOver) {
      const { status, rcode, answers } = await ask(stack.http.nameserver, '_http._tcp.origin.localhost', 'SRV');
      asked += 1;
      if (status !== 200 || rcode !== 'NOERROR' || answers.length !== 4) bad.push({ status, rcode, answers });
    }
  })();
  for (let run = 0; run < 20; run++) await feed(stack.feedFiles, { always: true });
  isOver = true;
  await asking;
  assert.deepEqual(bad, []);
  assert.ok(asked > 20, `${asked} were asked`);
});

test('a serial grows with each load, so that secondaries follow', async () => {
  const serial = async () => (await ask(stack.http.nameserver, 'origin.localhost', 'SOA')).answers[0].data.serial;
  const before = await serial();
  await feed(stack.feedFiles, { always: true });
  assert.ok((await serial()) > before);
});

test('a zone that PowerDNS does not take is put back', async () => {
  const { rows } = stack.feedFiles;
  const before = readFileSync(rows, 'utf8');
  await assert.rejects(
    feed({ ...stack.feedFiles, zone: 'none.example' }, { always: true }),
    /pdns_control|did not take/,
  );
  assert.equal(readFileSync(rows, 'utf8'), before);
  assert.deepEqual(Object.keys(await weightsFor({ from: '127.0.8.1' })).length, 4);
});

test('a map.json half edited changes nothing', async () => {
  const { map, rows } = stack.feedFiles;
  const [mapBefore, rowsBefore] = [readFileSync(map, 'utf8'), readFileSync(rows, 'utf8')];
  writeFileSync(map, mapBefore.slice(0, 200));
  await assert.rejects(feed(stack.feedFiles, { always: true }));
  writeFileSync(map, mapBefore);
  assert.equal(readFileSync(rows, 'utf8'), rowsBefore);
});

test('as a program it does the same, and says in JSON what it counted', async () => {
  const { map, learned, rows, zone, control, logs } = stack.feedFiles;
  const args = ['--map', map, '--learned', learned, '--rows', rows, '--zone', zone, '--control', control];
  const { stdout } = await promisify(execFile)(process.execPath, ['demo/stack/feed.js', ...args, ...logs]);
  assert.ok(JSON.parse(stdout).counted > 0);
  await assert.rejects(promisify(execFile)(process.execPath, ['demo/stack/feed.js', '--map', map]), /needs --map/);
});
