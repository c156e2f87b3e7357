#!/usr/bin/env node
/**
 * Feeds the map from the edges' report logs: reads them, writes the rows of the zone, and has PowerDNS load it.
 *
 *   node demo/stack/feed.js --map map.json --learned learned.json --rows rows.zone --zone video.example \
 *     --control /run/pdns [--every 60] edge1.report.log edge2.report.log ...
 *
 * With --every it goes on until it is ended. A log that is rotated is read with the one before it, if both are named.
 */
import { execFile } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { readMap, rowsZone } from './map.js';
import { MAX_LINE_BYTES, learn } from './weights.js';

/** Of each log, from its end: ten minutes of a busy edge, and not more than fits into memory. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;
const CONTROL_TIMEOUT_MS = 30_000;
const NEWLINE = 10;

/**
 * @typedef {object} FeedFiles
 * @property {string} map the operator's map.json; never written
 * @property {string} learned what was learned so far; written
 * @property {string} rows the part of the zone that is written
 * @property {string} zone the name of the zone
 * @property {string} control PowerDNS's socket-dir
 * @property {readonly string[]} logs
 */

/**
 * One run. The zone is written and loaded only if an answer changes; if PowerDNS does not take it, the old one is put back.
 *
 * @param {FeedFiles} files
 * @param {{nowMs?: number, always?: boolean}} [options] `always`: also when nothing changed, as after a change of map.json
 */
export async function feed({ map: mapPath, learned: learnedPath, rows, zone, control, logs }, options = {}) {
  const { nowMs = Date.now(), always = false } = options;
  const map = readMap(readFileSync(mapPath, 'utf8'));
  const before = existsSync(learnedPath) ? JSON.parse(readFileSync(learnedPath, 'utf8')) : {};
  const result = learn(map, before, linesOf(logs), nowMs);
  if (result.changed.length > 0 || always) {
    const old = readFileSync(rows);
    replace(rows, rowsZone(map, result.learned, nextSerial(old.toString(), nowMs)));
    try {
      await reload(zone, control);
    } catch (error) {
      replace(rows, old);
      await reload(zone, control);
      throw error;
    }
  }
  replace(learnedPath, JSON.stringify(result.learned));
  return result;
}

/**
 * PowerDNS goes on answering from the old zone until the new one is read.
 *
 * @param {string} zone
 * @param {string} control
 */
async function reload(zone, control) {
  const args = ['--no-config', `--socket-dir=${control}`, 'bind-reload-now', zone];
  const { stdout } = await promisify(execFile)('pdns_control', args, { timeout: CONTROL_TIMEOUT_MS });
  if (!stdout.includes('parsed into memory')) throw new Error(`PowerDNS did not take the zone: ${stdout.trim()}`);
}

/** Seconds of the epoch, as secondaries expect it to grow; a zone may be written twice a second. */
function nextSerial(/** @type {string} */ zone, /** @type {number} */ nowMs) {
  const [, old = '0'] = / SOA \S+ \S+ (\d+) /.exec(zone) ?? [];
  return Math.max(Number(old) + 1, Math.floor(nowMs / 1000));
}

/** At once, so that whoever reads it finds the old text or the new one. */
function replace(/** @type {string} */ path, /** @type {string | Buffer} */ content) {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

/** @param {readonly string[]} logs */
function* linesOf(logs) {
  for (const log of logs) {
    if (!existsSync(log)) continue;
    const file = openSync(log, 'r');
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, MAX_LOG_BYTES));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    closeSync(file);
    // a part of a line at the start, and one that is being written at the end
    let start = size > bytes.length ? bytes.indexOf(NEWLINE) + 1 : 0;
    for (let end; (end = bytes.subarray(0, read).indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      // so much of it that it is seen to be too long
      yield bytes.toString('utf8', start, Math.min(end, start + MAX_LINE_BYTES + 1));
    }
  }
}

async function main() {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values, positionals: logs } = parseArgs({
    allowPositionals: true,
    options: { map: text, learned: text, rows: text, zone: text, control: text, every: text },
  });
  const { map, learned, rows, zone, control, every } = values;
  if (!map || !learned || !rows || !zone || !control || logs.length === 0) {
    throw new Error(
      'needs --map, --learned, --rows, --zone, --control and at least one log; see the head of this file',
    );
  }
  for (;;) {
    // one bad run (a full disk, a map.json half edited) is told and not the last
    await feed({ map, learned, rows, zone, control, logs }).then(
      ({ changed, counts }) => console.log(JSON.stringify({ changed, ...counts })),
      (error) => {
        if (!every) throw error;
        console.error(error.message);
      },
    );
    if (!every) return;
    await new Promise((resolve) => setTimeout(resolve, Number(every) * 1000));
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
