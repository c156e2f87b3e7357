/** The check of an operator's terminal, run as its own program on a pretend world. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createWorld } from './world.js';

const PROGRAM = fileURLToPath(new URL('../../dist/check.mjs', import.meta.url));
/** A page on loopback: from there no server is nearer than the page, and so nobody is asked for permission. */
export const PAGE = 'http://localhost:1234';

/**
 * @typedef {object} Ended
 * @property {number | null} code
 * @property {string} out
 * @property {string} err
 *
 * @typedef {Partial<import('./description.js').EdgeDescription>} EdgeChange
 *
 * @typedef {object} CheckOptions
 * @property {Partial<import('./description.js').NameserverDescription>} [map]
 * @property {EdgeChange} [near]
 * @property {EdgeChange} [far]
 * @property {EdgeChange} [origin]
 * @property {EdgeChange} [every] for all three
 * @property {string} [path] of the medium
 * @property {string} [media] another folder than the tests' own
 * @property {string[]} [args] beside the URL and the nameserver
 * @property {string} [page]
 * @property {NodeJS.ProcessEnv} [env]
 */

/**
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<Ended>}
 */
export function run(args, env = {}) {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

/**
 * A map with one token for two edges, `near` and `far`, beside the source's own host; all is well unless told otherwise.
 *
 * @param {import('node:test').TestContext} context
 * @param {CheckOptions} [options]
 */
export async function worldToCheck(context, { map = {}, near = {}, far = {}, origin = {}, every = {}, media } = {}) {
  const scheme = origin.tls ? 'https' : 'http';
  const zones = {
    [`_${scheme}._tcp.origin.localhost`]: [{ type: 'SRV', target: 'eu1.token.localhost', priority: 10, weight: 60 }],
    'eu1.token.localhost': [
      { type: 'SRV', target: 'edge:near', priority: 10, weight: 60 },
      { type: 'SRV', target: 'edge:far', priority: 10, weight: 40 },
    ],
  };
  const world = await createWorld({
    ...(media && { media }),
    nameservers: { map: { zones: /** @type {any} */ (zones), ...map } },
    edges: { near: { ...every, ...near }, far: { ...every, ...far }, origin: { ...every, ...origin } },
  });
  context.after(() => world.close());
  return world;
}

/**
 * @param {import('./world.js').World} world
 * @param {CheckOptions} [options]
 */
export function checkWorld(world, { path = '/ts/main.m3u8', args = [], page = PAGE, env = {} } = {}) {
  const { edges, nameservers } = world.urls;
  const where = [`${edges['origin']}${path}`, '--nameserver', nameservers['map'] ?? ''];
  return run(['check', ...where, '--origin', page, ...args], env);
}

/**
 * Runs it with `--json` and reads what it found.
 *
 * @param {import('node:test').TestContext} context
 * @param {CheckOptions} [options]
 */
export async function checkJson(context, options = {}) {
  const world = await worldToCheck(context, options);
  const { code, out, err } = await checkWorld(world, { ...options, args: [...(options.args ?? []), '--json'] });
  if (err !== '') throw new Error(`it should say nothing here, and said: ${err}`);
  return { world, code, ...foundIn(out) };
}

/** @param {string} out what `--json` printed */
export function foundIn(out) {
  const json = JSON.parse(out);
  /** @type {{code: string, severity: string, where: string, says: string, missing: string, nginx?: string[], zone?: string[]}[]} */
  const findings = json.findings;
  return { json, findings, codes: [...new Set(findings.map((one) => one.code))].sort() };
}
