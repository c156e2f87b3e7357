/** A certificate authority for one run, and a server certificate of it for *.localhost: trust the first, serve the second. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DAYS = '2';
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const NAMES = [
  ...['localhost', '*.localhost', 'map.localhost', 'tokens.localhost', 'origin.localhost'],
  // some engines take no wildcard directly below a top-level name
  ...['amsterdam.localhost', 'frankfurt.localhost', 'warsaw.localhost', 'lisbon.localhost'],
];

/**
 * @param {string} openssl path of the program
 * @param {string} folder where the files are written
 * @returns {Promise<{authority: string, certificate: string, key: string}>} paths of PEM files
 */
export async function makeCertificate(openssl, folder) {
  const at = (/** @type {string} */ name) => join(folder, name);
  const files = { authority: at('authority.pem'), certificate: at('certificate.pem'), key: at('key.pem') };
  const alternatives = [...NAMES.map((name) => `DNS:${name}`), 'IP:127.0.0.1', 'IP:::1'].join(',');
  await writeFile(
    at('extensions'),
    `subjectAltName=${alternatives}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n`,
  );
  await run(openssl, [
    ...['req', '-x509', ...KEY, '-days', DAYS, '-subj', '/CN=Demo authority of one run'],
    ...['-keyout', at('authority.key'), '-out', files.authority],
  ]);
  await run(openssl, ['req', ...KEY, '-subj', '/CN=localhost', '-keyout', files.key, '-out', at('request.pem')]);
  await run(openssl, [
    ...['x509', '-req', '-in', at('request.pem'), '-days', DAYS, '-out', files.certificate],
    ...['-CA', files.authority, '-CAkey', at('authority.key'), '-set_serial', String(Date.now())],
    ...['-extfile', at('extensions')],
  ]);
  return files;
}
