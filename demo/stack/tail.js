/** What was added to log files since they were last looked at. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

export class Tail {
  /** How far each file was read, in bytes. @type {Map<string, number>} */
  #read = new Map();

  /**
   * @param {string} path of a file that grows, or is not there yet
   * @returns {string[]} whole lines
   */
  newLines(path) {
    if (!existsSync(path)) return [];
    const start = this.#read.get(path) ?? 0;
    const file = openSync(path, 'r');
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - start));
    readSync(file, bytes, 0, bytes.length, start);
    closeSync(file);
    // the last line may still be under way
    const end = bytes.lastIndexOf('\n') + 1;
    this.#read.set(path, start + end);
    return bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
  }
}
