#!/usr/bin/env node
/**
 * The pretend network as a process of its own: `node test/support/network.js [PORT]`. Prints one line
 * `{"control":"http://127.0.0.1:PORT"}` when it is ready; ends on SIGTERM, SIGINT, or when whoever
 * holds the other end of its stdin goes away.
 */
import { fstatSync } from 'node:fs';
import { openControl } from './control.js';

const control = await openControl({ port: Number(process.argv[2] ?? 0) });
console.log(JSON.stringify({ control: control.url }));

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  process.stdin.destroy();
  await control.close();
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// a terminal or /dev/null is nobody's other end: /dev/null would end the process at once
const stdin = fstatSync(0);
if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on('close', stop).resume();
