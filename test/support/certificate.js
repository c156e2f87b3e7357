/** A self-signed certificate for the TLS servers, made once per process. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @typedef {{key: Buffer, cert: Buffer}} Certificate */

/** @type {Promise<Certificate> | undefined} */
let made;

/** @returns {Promise<Certificate>} */
export function selfSignedCertificate() {
  made ??= makeCertificate();
  return made;
}

/** @returns {Promise<Certificate>} */
async function makeCertificate() {
  const folder = await mkdtemp(join(tmpdir(), 'edge-select-certificate-'));
  const keyPath = join(folder, 'key.pem');
  const certPath = join(folder, 'cert.pem');
  try {
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'],
      ...['-keyout', keyPath, '-out', certPath, '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1'],
    ]);
    return { key: await readFile(keyPath), cert: await readFile(certPath) };
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    throw new Error('a server with "tls": true needs the `openssl` command, which is not installed', { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
