/** The media folder that edges serve, and byte ranges of its files. */
import { open, realpath, stat } from 'node:fs/promises';
import { extname, isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DescriptionError } from './description.js';

const PROJECT_ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** @type {Record<string, string>} */
const TYPES = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.ts': 'video/mp2t',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.m4a': 'audio/mp4',
  '.aac': 'audio/aac',
  '.mpd': 'application/dash+xml',
  '.vtt': 'text/vtt',
  '.json': 'application/json',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.bin': 'application/octet-stream',
};

/**
 * @typedef {object} MediaFile
 * @property {string} path
 * @property {number} sizeBytes
 * @property {string} type
 * @property {string} etag the same at all edges, as they share the folder
 * @property {string} lastModified
 *
 * @typedef {{start: number, end: number}} ByteRange both inclusive
 */

/** A path that leads out of the media folder. */
export class OutsideError extends Error {}

/**
 * @param {string} media folder under the project root, or an absolute path
 * @returns {string}
 */
export function mediaFolder(media) {
  if (isAbsolute(media)) return media;
  const folder = resolve(PROJECT_ROOT, media);
  if (!folder.startsWith(PROJECT_ROOT)) throw new DescriptionError(`media: "${media}" is outside of the project`);
  return folder;
}

/**
 * @param {string} folder
 * @param {string} rawPath of a URL, as it was sent
 * @returns {Promise<MediaFile | null>} null when there is no such file
 * @throws {OutsideError}
 */
export async function findFile(folder, rawPath) {
  const decoded = decode(rawPath);
  if (decoded.split(/[/\\]/).includes('..') || decoded.includes('\0')) throw new OutsideError(rawPath);
  try {
    const root = await realpath(folder);
    // a link inside the folder may lead out of it
    const path = await realpath(resolve(root, `.${decoded}`));
    if (!path.startsWith(root + sep)) throw new OutsideError(rawPath);
    const stats = await stat(path);
    if (!stats.isFile()) return null;
    return {
      path,
      sizeBytes: stats.size,
      type: TYPES[extname(path)] ?? 'application/octet-stream',
      etag: `"${stats.size.toString(16)}-${Math.round(stats.mtimeMs).toString(16)}"`,
      lastModified: stats.mtime.toUTCString(),
    };
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** @param {string} rawPath */
function decode(rawPath) {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    return rawPath;
  }
}

/**
 * @param {string | undefined} header
 * @param {number} sizeBytes
 * @returns {ByteRange | 'unsatisfiable' | null} null when the whole file is meant, as it is by what cannot
 *   be understood and by several ranges at once (RFC 9110, section 14.2)
 */
export function parseRange(header, sizeBytes) {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  const lastByte = sizeBytes - 1;
  if (first === '') {
    const suffixBytes = Math.min(Number(last), sizeBytes);
    return suffixBytes === 0 ? 'unsatisfiable' : { start: sizeBytes - suffixBytes, end: lastByte };
  }
  const start = Number(first);
  const end = last === '' ? lastByte : Math.min(Number(last), lastByte);
  if (last !== '' && Number(last) < start) return null;
  return start > lastByte ? 'unsatisfiable' : { start, end };
}

/**
 * @param {MediaFile} file
 * @param {ByteRange} range
 * @returns {Promise<Buffer>}
 */
export async function readRange({ path }, { start, end }) {
  const bytes = Buffer.alloc(Math.max(0, end - start + 1));
  const handle = await open(path);
  try {
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
