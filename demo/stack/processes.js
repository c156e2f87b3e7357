/** Servers as processes of this one: started in the foreground, and ended by their ids with it, however it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

/** Servers of this kind start, and end, within a fraction of a second; a busy machine takes longer. */
const STARTS_WITHIN_MS = 20_000;
const ENDS_WITHIN_MS = 3000;
const KEPT_OUTPUT = 4000;
/** Ends its program when this process is gone, even by SIGKILL. Part of util-linux, so Debian always has it. */
const WITH_PARENT = '/usr/bin/setpriv';

/** @type {Set<Server>} */
const running = new Set();
let isWatching = false;

export class Server {
  #name;
  #command;
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  #output = '';
  #isStopped = false;

  /**
   * @param {string} name for messages
   * @param {readonly string[]} command the program's path and its arguments
   */
  constructor(name, command) {
    this.#name = name;
    this.#command = command;
  }

  get isRunning() {
    return this.#child !== null;
  }

  /** Its process id, or null. */
  get pid() {
    return this.#child?.pid ?? null;
  }

  /** @param {() => Promise<boolean>} isReady asked again and again until it is */
  async start(isReady) {
    watchOwnEnd();
    if (this.#child) return;
    const [program = '', ...args] = existsSync(WITH_PARENT)
      ? [WITH_PARENT, '--pdeathsig', 'TERM', '--', ...this.#command]
      : this.#command;
    // a group of its own: Ctrl+C at the terminal ends us, and we end it; and its workers can be meant with it
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#isStopped = false;
    running.add(this);
    const keep = (/** @type {Buffer} */ data) => {
      this.#output = (this.#output + data).slice(-KEPT_OUTPUT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', keep);
    child.on('exit', () => {
      running.delete(this);
      this.#child = null;
    });
    const startedAt = Date.now();
    while (!(await isReady())) {
      if (Date.now() - startedAt > STARTS_WITHIN_MS) {
        throw new Error(`${this.#name} does not answer:\n${this.#output.trim()}`);
      }
      if (!this.#child)
        throw new Error(`${this.#name} ended at its start:\n${this.#output.trim()}${hint(this.#output)}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** As if its machine had frozen: connections are taken by the kernel, and nothing answers. */
  freeze() {
    this.#signal('SIGSTOP');
    this.#isStopped = true;
  }

  thaw() {
    if (this.#isStopped) this.#signal('SIGCONT');
    this.#isStopped = false;
  }

  async stop() {
    const child = this.#child;
    if (!child) return;
    const ended = once(child, 'exit');
    this.endNow();
    const timer = setTimeout(() => this.#signal('SIGKILL'), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }

  /** Without waiting: for the last moment of this process. */
  endNow() {
    this.thaw();
    this.#signal('SIGTERM');
  }

  /** To the process and its workers. @param {NodeJS.Signals} signal */
  #signal(signal) {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // it has just ended
    }
  }
}

/** 'exit' comes at the end of the last task, at process.exit(), and after an exception that nobody caught. */
function watchOwnEnd() {
  if (isWatching) return;
  isWatching = true;
  process.on('exit', () => {
    for (const server of running) server.endNow();
  });
}

/** @param {string} output */
function hint(output) {
  if (!/permission denied/i.test(output) || !existsSync('/sys/kernel/security/apparmor')) return '';
  return '\nAppArmor may forbid this program to read its configuration here: see `journalctl -k | grep apparmor`.';
}
