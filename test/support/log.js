/** What the servers of one world were asked, in the order of asking. */

/**
 * @typedef {object} LogEntry
 * @property {number} seq place in the log, from 0
 * @property {number} t when the request came, epoch ms
 * @property {number | null} tEnd when the response was over, epoch ms; null while it is under way
 * @property {string} server `edge:NAME` or `nameserver:NAME`
 * @property {string} method
 * @property {string} url path and query
 * @property {Record<string, string>} headers the few that tests look at
 * @property {number | null} status null until headers are sent
 * @property {number} bytes of the body handed to the socket so far
 * @property {number | null} tFirst when the first of them was, epoch ms; null before
 * @property {number | null} tLast when the last of them was, epoch ms; null before
 * @property {unknown} body a report, or the question put to a nameserver; else null
 * @property {number} connection number of the connection at its server, from 1
 * @property {boolean} aborted the client left before the response was over
 */

export class RequestLog {
  /** @type {LogEntry[]} */
  entries = [];
  /** @type {Set<(entry: LogEntry) => void>} */
  #watchers = new Set();

  /**
   * @param {Pick<LogEntry, 'server' | 'method' | 'url' | 'headers' | 'connection'>} request
   * @returns {LogEntry}
   */
  add(request) {
    const rest = { status: null, bytes: 0, tFirst: null, tLast: null, body: null, aborted: false };
    const entry = { seq: this.entries.length, t: Date.now(), tEnd: null, ...request, ...rest };
    this.entries.push(entry);
    this.#tell(entry);
    return entry;
  }

  /**
   * @param {LogEntry} entry
   * @param {Partial<Pick<LogEntry, 'tEnd' | 'status' | 'body' | 'aborted'>>} news
   */
  update(entry, news) {
    Object.assign(entry, news);
    this.#tell(entry);
  }

  /**
   * @param {(entry: LogEntry) => void} watcher told of each entry when it is made, learns its question or
   *   report, gets its status, and is finished; `bytes` and `tLast` grow in between without a word
   * @returns {() => void} stops the telling
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * @param {LogEntry} entry
   * @param {number} bytes of the body that the socket has taken
   */
  count(entry, bytes) {
    const nowMs = Date.now();
    entry.bytes += bytes;
    entry.tFirst ??= nowMs;
    entry.tLast = nowMs;
  }

  /** @param {LogEntry} entry */
  #tell(entry) {
    for (const watcher of this.#watchers) watcher(entry);
  }
}
