/**
 * What reaches the SourceBuffers of the page. `appendBuffer()` is patched for the duration of one test: nothing else can
 * tell what a player appended.
 *
 * VHS appends fragmented MP4 as it came, a head before a segment where it changes. MPEG-TS is made into MP4 on the way:
 * there the answers that VHS got are what can be compared.
 */

/** One call of `appendBuffer()`. */
export interface Appended {
  readonly to: SourceBuffer;
  readonly bytes: Uint8Array;
}

/** What was appended since it began. */
export interface AppendRecord {
  readonly pieces: readonly Appended[];
  stop(): void;
}

export function recordAppends(): AppendRecord {
  const pieces: Appended[] = [];
  const { prototype } = SourceBuffer;
  const original = prototype.appendBuffer;
  prototype.appendBuffer = function (this: SourceBuffer, data: BufferSource): void {
    pieces.push({ to: this, bytes: copyOf(data) });
    original.call(this, data);
  };
  return {
    pieces,
    stop() {
      prototype.appendBuffer = original;
    },
  };
}

/** Its own bytes, since a buffer may be handed to a worker, and so be emptied, afterwards. */
export function copyOf(data: BufferSource): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : new Uint8Array(data).slice();
}

/** Whether `bytes` are some of `parts`, each of them whole, one behind the other. */
export function isMadeOf(bytes: Uint8Array, parts: readonly Uint8Array[]): boolean {
  const part = parts.find((each) => each.length > 0 && startsWith(bytes, each));
  return bytes.length === 0 || (part !== undefined && isMadeOf(bytes.subarray(part.length), parts));
}

/** The place of the first byte that differs; null where there is none. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number | null {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  if (at >= 0) return at;
  return a.length === b.length ? null : a.length;
}

function startsWith(bytes: Uint8Array, part: Uint8Array): boolean {
  return bytes.length >= part.length && firstDifference(part, bytes.subarray(0, part.length)) === null;
}
