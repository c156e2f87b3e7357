#!/usr/bin/env node
/**
 * `npm run demo:real`: the demo's page on real servers. What is missing is named with the command that installs it, before
 * anything else is done; all that follows (packages, build, page, end) is that of `npm start`.
 */
import { findPrograms } from './programs.js';

try {
  if (process.platform !== 'linux') {
    throw new Error(
      'The real servers are run on Linux: their health checks tell edges apart by 127.0.0.11, .12 and so on.',
    );
  }
  findPrograms();
  process.argv.push('--real');
  await import('../server.js');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
