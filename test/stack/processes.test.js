// The stack leaves nothing behind, however its end comes, and says what it lacks.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { findPrograms } from '../../demo/stack/programs.js';
import { until } from './tools.js';

const RUN = `
  const { startStack } = await import('./demo/stack/stack.js');
  const stack = await startStack({ media: 'demo/media' });
  SETUP
  console.log(JSON.stringify({ pids: stack.pids(), folder: stack.folder }));
`;

const FREEZE = "stack.freezeEdge('lisbon');";

/** @param {import('node:test').TestContext} t @param {{setup?: string, then: string}} given what the process does before and after it tells its servers' ids */
async function startElsewhere(t, { setup = '', then }) {
  const program = RUN.replace('SETUP', setup) + then;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [data] = await once(child.stdout, 'data');
  const { pids, folder } = JSON.parse(String(data));
  assert.equal(pids.length, 9);
  return { child, pids, folder };
}

function isAlive(/** @type {number} */ pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
const allEnded = (/** @type {number[]} */ pids) => until(() => !pids.some(isAlive), 'every server has ended');

test('stop() ends every server, a frozen one too, and removes the folder', async (t) => {
  const { child, pids, folder } = await startElsewhere(t, { setup: FREEZE, then: 'await stack.stop();' });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  await allEnded(pids);
  assert.equal(existsSync(folder), false);
});

test('an exception that nobody catches ends every server, and removes the folder', async (t) => {
  const { pids, folder } = await startElsewhere(t, { setup: FREEZE, then: "throw new Error('as a test');" });
  await allEnded(pids);
  assert.equal(existsSync(folder), false);
});

test('even a process that is killed ends every server that is not frozen', async (t) => {
  const { child, pids, folder } = await startElsewhere(t, { then: 'setInterval(() => {}, 1000);' });
  child.kill('SIGKILL');
  await allEnded(pids);
  rmSync(folder, { recursive: true }); // nobody was left to do it
});

test('npm run demo:real opens its page on the stack, and Ctrl+C ends all of it', async (t) => {
  const env = { ...process.env, PORT: '8230' };
  const child = spawn(process.execPath, ['demo/stack/start.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  const url = await until(() => /demo: (\S+)/.exec(text)?.[1], 'the address of the page');
  const state = await (await fetch(`${url}api/network`)).json();
  assert.deepEqual(state.named, ['amsterdam', 'frankfurt', 'warsaw', 'lisbon']);
  const patch = { method: 'PATCH', body: JSON.stringify({ condition: 'drain' }) };
  assert.equal((await fetch(`${url}api/edges/warsaw`, patch)).status, 200);
  await until(async () => {
    const { named } = await (await fetch(`${url}api/network`)).json();
    return named.join() === 'amsterdam,frankfurt,lisbon';
  }, 'the page is told that the map no longer names the edge');
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  await assert.rejects(fetch(state.nameserver));
});

test('a program that is missing is named, with the one command that brings it', () => {
  assert.throws(
    () => findPrograms(['/nowhere']),
    (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /^Missing here: pdns_server, pdns_control, dnsdist, named, nginx, openssl\./);
      assert.match(
        error.message,
        /sudo apt-get install -y --no-install-recommends pdns-server dnsdist bind9 nginx openssl pdns-backend-bind\n/,
      );
      return true;
    },
  );
});
