/** The programs of the real stack: where they are, and the one command that brings those that are missing. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** By their names, the package of Debian (and Ubuntu) that has them. */
const PACKAGES = {
  pdns_server: 'pdns-server',
  pdns_control: 'pdns-server',
  dnsdist: 'dnsdist',
  named: 'bind9',
  nginx: 'nginx',
  openssl: 'openssl',
};
/** A part of PowerDNS that is no program of its own. */
const BIND_BACKEND = 'pdns-backend-bind';
/** Servers are often not in the path of a user. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** @typedef {Readonly<Record<keyof typeof PACKAGES, string>>} Programs paths */

/**
 * @returns {Programs}
 * @throws {Error} that says what is missing and how to install it
 */
export function findPrograms(folders = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS]) {
  const found = Object.keys(PACKAGES).map((name) => {
    const path = folders.map((folder) => join(folder, name)).find(isExecutable);
    return /** @type {const} */ ([name, path]);
  });
  const missing = found.filter(([, path]) => !path).map(([name]) => /** @type {keyof typeof PACKAGES} */ (name));
  if (missing.length > 0) {
    const packages = new Set(missing.map((name) => PACKAGES[name]));
    if (packages.has('pdns-server')) packages.add(BIND_BACKEND);
    throw new Error(
      `Missing here: ${missing.join(', ')}. On Debian or Ubuntu:\n` +
        `  sudo apt-get install -y --no-install-recommends ${[...packages].join(' ')}\n` +
        'Their packages also start services of the system; none of these is used or touched here, and\n' +
        '  sudo systemctl disable --now pdns dnsdist named nginx\nturns them off.',
    );
  }
  return /** @type {Programs} */ (Object.fromEntries(found));
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
