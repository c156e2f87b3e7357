/**
 * The bytes of one answer so far, by whomever they came, and whether another server's can follow them. In: chunks. Out:
 * the start of what is still missing, and a comparison. Never joins what it has not compared.
 */

/** Compared before a splice, unless what is there is padding. Costs 16 ms at 8 Mbit/s. */
const OVERLAP_BYTES = 16_384;
/**
 * Fewer bytes that say anything prove nothing: tables and headers at the start of two renditions are alike for some
 * hundred bytes.
 */
const PROOF_BYTES = 1024;
/** Of a transport stream packet (ISO/IEC 13818-1): padding is the same again after as many bytes. */
const PACKET_BYTES = 188;

/** The body of one answer. */
export class Received {
  readonly chunks: Uint8Array[] = [];
  length = 0;
  /** Length of the whole body, where one was told; 0 where none was. */
  total = 0;
  /** Length of the file, of which the body may be a range; 0 where none was told. */
  file = 0;
  /** A strong validator of the whole, where one could be read. */
  etag: string | null = null;

  /** Takes what an answer says of the whole. */
  begin({ status, headers }: Pick<Response, 'status' | 'headers'>): void {
    this.chunks.length = 0;
    this.length = 0;
    const range = status === 206 ? contentRange(headers) : null;
    // Firefox and WebKit tell no length of a range that the server does not tell either, as in chunks
    this.total = Number(headers.get('content-length') ?? 0) || (range?.length ?? 0);
    this.file = status === 206 ? (range?.file ?? 0) : this.total;
    this.etag = strongEtag(headers);
  }

  push(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.length += bytes.length;
  }

  /**
   * Where another server is to begin: some bytes before what is missing, so that they can be compared.
   *
   * @returns null: too little that proves anything, or a length that is that of an encoded body
   */
  resumeAt(): number | null {
    if (this.total > 0 && this.length >= this.total) return null;
    let proofs = 0;
    let at = this.length;
    for (const chunk of [...this.chunks].reverse()) {
      for (let i = chunk.length - 1; i >= 0; i -= 1) {
        // padding repeats the byte before it, or the packet before it
        if (chunk[i] !== chunk[i - 1] && chunk[i] !== chunk[i - PACKET_BYTES]) proofs += 1;
        at -= 1;
        if (this.length - at >= OVERLAP_BYTES && proofs >= PROOF_BYTES) return at;
      }
    }
    return proofs >= PROOF_BYTES ? 0 : null;
  }

  /** How many of `bytes`, which begin at `at`, are the same as those that are here. */
  agree(at: number, bytes: Uint8Array): number {
    let start = 0;
    for (const chunk of this.chunks) {
      const from = Math.max(at, start);
      const to = Math.min(at + bytes.length, start + chunk.length);
      for (let i = from; i < to; i += 1) if (chunk[i - start] !== bytes[i - at]) return i - at;
      start += chunk.length;
    }
    return Math.min(bytes.length, this.length - at);
  }

  text(): string {
    return new TextDecoder().decode(joined(this.chunks, this.length));
  }

  /** The first `count` bytes, chunk by chunk. */
  head(count: number): Uint8Array[] {
    const head: Uint8Array[] = [];
    let left = count;
    for (const chunk of this.chunks) {
      if (left <= 0) break;
      head.push(chunk.subarray(0, left));
      left -= chunk.length;
    }
    return head;
  }
}

/** The `Range` for the rest of an answer; `range` is that of the request itself, if it has one. */
export function rangeFrom(at: number, range: string | undefined): string {
  const [, first = 0, last = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  return `bytes=${Number(first) + at}-${last}`;
}

/**
 * Whether an answer to {@link rangeFrom} can be the rest of this body, as far as headers tell.
 *
 * @returns `whole`: it begins at the beginning; `anew`: so it does, and is another; `differs`: it is something else, or
 *          nothing can be told
 */
export function placeOf(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  at: number,
  received: Pick<Received, 'total' | 'file' | 'etag'>,
  range: string | undefined,
): 'rest' | 'whole' | 'anew' | 'differs' {
  const { total } = received;
  const etag = strongEtag(headers);
  const length = Number(headers.get('content-length') ?? 0);
  const isOther = etag !== null && received.etag !== null && etag !== received.etag;
  if (status === 200) return isOther || (length > 0 && total > 0 && length !== total) ? 'anew' : 'whole';
  if (status !== 206 || isOther) return 'differs';
  const place = contentRange(headers);
  if (!place && (length === 0 || total === 0)) return 'differs';
  if (length > 0 && total > 0 && length !== total - at) return 'differs';
  if (!place) return 'rest';
  if (!rangeFrom(at, range).startsWith(`bytes=${place.first}-`)) return 'differs';
  return received.file > 0 && place.file > 0 && place.file !== received.file ? 'differs' : 'rest';
}

/** Whether a 206 is what was asked for, as far as it tells: what another range holds would be taken for it. */
export function isRangeAsked(headers: Headers, range: string | undefined): boolean {
  const place = contentRange(headers);
  if (!place) return true;
  const { first, length, file } = place;
  if (range === undefined) return Number(first) === 0 && (file === 0 || length === file);
  const [, wanted = first] = /^bytes=(\d+)-\d*$/.exec(range) ?? [];
  return Number(first) === Number(wanted);
}

function strongEtag(headers: Headers): string | null {
  const etag = headers.get('etag');
  return etag && !etag.startsWith('W/') ? etag : null;
}

/** `file` is 0 where the server does not tell (RFC 9110, section 14.4). */
function contentRange(
  headers: Headers,
): { readonly first: string; readonly length: number; readonly file: number } | null {
  const [, first, last, file] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
  if (first === undefined) return null;
  return { first, length: Number(last) - Number(first) + 1, file: Number(file) || 0 };
}

/** All chunks in one. */
export function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
