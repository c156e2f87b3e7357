/**
 * One request over several servers. In: the request and somebody who knows the way. Out: one answer, whole.
 * A server that fails is left for the next, which goes on where it stopped, or begins the answer anew.
 */
import { knock, pause, within } from '../platform.js';
import { drain, type Opened } from '../probe.js';
import { attempt, read, type AttemptTools, type Lane, type Outcome, type Parked, type Sink } from './attempt.js';
import { Received } from './received.js';
import { isBlocking, isPlaylist, nameOf, type MediaRequest, type Try } from './route.js';

/** Knows the way; the conductor of a source. */
export interface Routes {
  /** The next lane for a request, or null when nobody is left: a promise only when it has to wait for a race. */
  next(request: MediaRequest, tries: readonly Try[], signal: AbortSignal): Lane | null | Promise<Lane | null>;
  /** Is told the end of a request; `lane` is null when nobody delivered it, which may come several times. */
  ended(request: MediaRequest, tries: readonly Try[], lane: Lane | null, outcome: Outcome): void;
  /** Is given who was silent until another had delivered: their requests are still open. */
  prove(silent: ReadonlyMap<Try, Parked>): void;
  /** Is told that an edge's bytes cannot follow those before it: never again one answer from both. */
  differs(tries: readonly Try[], lane: Lane): void;
  /** When nobody delivered: how long of the time that is left to wait before all are asked again; null: not at all. */
  again(leftMs: number): number | null;
  /** The newest of a playlist that was seen, which may be one of another server than `name`, which gave this. */
  newest(url: string, text: string, name: string): string;
  /** The URL of the service for one that an edge redirected to; `asked` is what was asked for, at the service. */
  serviceUrl(url: string, lane: Lane, asked: string): string;
}

/** Takes the answer; `headers` is called again when the answer begins anew. */
export interface AnswerSink extends Pick<Sink, 'chunk'> {
  readonly headers: (response: Response, startedAt: number, lane: Lane) => void;
  readonly resumed: (startedAt: number, lane: Lane, compared: number) => void;
}

/** How it ended: `answered` with any HTTP status, `error`: nobody could be reached; `timeout`: the last was too slow. */
export type End = 'answered' | 'error' | 'timeout';

/** Who was silent and has answered after all. */
interface Latecomer {
  readonly one: Try;
  readonly lane: Lane;
  /** Where it was asked to begin. */
  readonly at: number | null;
  readonly opened: Opened;
}

/** An answer with a status that is no success, unread, in case nobody has a better one. */
interface Refusal {
  readonly opened: Opened;
  readonly lane: Lane;
}

/** Where VHS sets no limit, as for the lowest rendition: its own for playlists. */
const NO_LIMIT_MS = 45_000;

/** @returns never rejects; when the signal fires the end means nothing */
export async function deliver(
  request: MediaRequest,
  routes: Routes,
  sink: AnswerSink,
  tools: AttemptTools,
): Promise<End> {
  const { platform, signal } = tools;
  const isOver = (): boolean => signal.aborted;
  const startedAt = platform.now();
  const received = new Received();
  const parked = new Map<Try, Parked>();
  /** Of these, who has not answered yet. */
  const open = new Map<Try, Promise<void>>();
  let answer: { readonly response: Response; readonly sentAt: number } | null = null;
  let tries: Try[] = [];
  let refusal: Refusal | null = null;
  let last: Outcome | null = null;
  let wasUnread = false;
  const late: Latecomer[] = [];
  let tellLate: () => void;
  let overtaken = nextLate();
  for (;;) {
    const comer = late.shift();
    if (comer) {
      overtaken = nextLate();
      parked.delete(comer.one);
      // it has failed at nothing
      tries = tries.filter((one) => one !== comer.one);
      if ((comer.at ?? 0) > received.length) {
        // what is there has become less since: another began anew
        comer.opened.abort();
        continue;
      }
    }
    const known = comer ? { ...comer.lane, opened: comer.opened } : routes.next(request, tries, signal);
    // not awaited without need: what is known is asked for inside send(), before VHS has ended its task
    const lane = known instanceof Promise ? await known : known;
    if (isOver()) break;
    if (!lane) {
      routes.ended(request, tries, null, last ?? NOBODY);
      const leftMs = (request.timeoutMs || NO_LIMIT_MS) - (platform.now() - startedAt);
      // what edges refuse the origin may have; its own word on a URL is the last one
      const waitMs = refusal ? (refusal.lane.edge && open.size > 0 ? leftMs : 0) : routes.again(leftMs);
      if (waitMs === null || waitMs <= 0) break;
      // an answer that nobody may read is no fault of the line, which may have come back just now
      const isUnread =
        !refusal && tries.every(({ because }) => because === 'refused') && (await isThere(request, waitMs, tools));
      if (isOver() || (isUnread && wasUnread)) break;
      wasUnread = isUnread;
      const settled = refusal ? [Promise.all(open.values())] : [];
      await pause(platform, waitMs, signal, Promise.race([overtaken, ...settled]));
      if (late.length > 0) continue;
      if (isOver() || refusal) break;
      // nobody delivers: nobody is to blame, and all are asked once more; the origin may only be slow
      tries = tries.filter((one) => one.edge === null && open.has(one));
      release(parked, tries[0]);
      continue;
    }
    const at = comer ? comer.at : lane.resumes && request.binary ? received.resumeAt() : null;
    const outcome = await tryAt(lane, at);
    if (isOver()) break;
    if (outcome === 'overtaken') continue;
    last = outcome;
    if (last.kind === 'delivered') {
      if (refusal) void drain(refusal.opened, platform);
      if (isPlaylist(request)) renew(lane);
      routes.ended(request, tries, lane, last);
      if (isBlocking(request)) release(parked);
      else if (parked.size > 0) routes.prove(parked);
      return 'answered';
    }
    const { because, status, bytes, elapsedMs } = last;
    const one = { edge: lane.edge, because, status, bytes, elapsedMs };
    tries = [...tries, one];
    if (last.parked) {
      parked.set(one, last.parked);
      const heard = last.parked.answer?.then((opened) => {
        open.delete(one);
        if (opened?.response.ok) {
          late.push({ one, lane, at, opened });
          tellLate();
        } else void drain(opened, platform);
      });
      if (heard) open.set(one, heard);
    }
    if (last.opened) {
      // the origin's word on a URL is the last one
      if (refusal?.lane.edge === null) void drain(last.opened, platform);
      else {
        if (refusal) void drain(refusal.opened, platform);
        refusal = { opened: last.opened, lane };
      }
    }
  }
  release(parked);
  if (isOver()) {
    refusal?.opened.abort();
    return 'error';
  }
  if (!refusal) {
    const isLate = request.timeoutMs > 0 && platform.now() - startedAt >= request.timeoutMs;
    return isLate ? 'timeout' : 'error';
  }
  return handOn(refusal);

  /** Nobody has a better one: what the server says of the URL is the answer. */
  function handOn({ opened, lane }: Refusal): Promise<End> {
    let broken: End = 'error';
    signal.addEventListener('abort', opened.abort);
    let cancelLimit = (): void => undefined;
    if (request.timeoutMs > 0) {
      cancelLimit = platform.after(request.timeoutMs, () => {
        broken = 'timeout';
        opened.abort();
      });
    }
    sink.headers(opened.response, opened.startedAt, lane);
    return read(opened.response, sink.chunk)
      .then(
        (): End => 'answered',
        () => broken,
      )
      .finally(cancelLimit);
  }

  /** An edge that is behind the one before it: VHS sees that nothing is new, and asks again by itself. */
  function renew(lane: Lane): void {
    const text = received.text();
    const newest = routes.newest(request.url, text, nameOf(request, lane.edge));
    if (newest === text || !answer) return;
    sink.headers(answer.response, answer.sentAt, lane);
    sink.chunk(new TextEncoder().encode(newest));
  }

  async function tryAt(lane: Lane, at: number | null): Promise<Outcome | 'overtaken'> {
    const to: Sink = {
      ...sink,
      headers: (response, sentAt) => {
        answer = { response, sentAt };
        sink.headers(response, sentAt, lane);
      },
      resumed: (sentAt, compared) => {
        sink.resumed(sentAt, lane, compared);
      },
    };
    const outcome = await attempt(request, lane, received, at, to, { ...tools, overtaken });
    if (outcome === 'differs') routes.differs(tries, lane);
    else if (isOver() || !mayLackRange(at, outcome)) return outcome;
    const anew = await attempt(request, { ...lane, opened: null }, received, null, to, { ...tools, overtaken });
    if (anew === 'differs') return NOBODY; // it has nothing to differ from
    if (outcome !== 'differs' && anew !== 'overtaken' && anew.kind === 'delivered') routes.differs(tries, lane);
    return anew;
  }

  function nextLate(): Promise<'overtaken'> {
    return new Promise((resolve) => {
      tellLate = () => {
        resolve('overtaken');
      };
    });
  }
}

/** To its own URL, as it would go without us. */
export function originLane({ url, timeoutMs }: Pick<MediaRequest, 'url' | 'timeoutMs'>): Lane {
  return {
    ...{ edge: null, url, opened: null, guarded: false, patienceMs: 0, limitMs: timeoutMs, checksLength: false },
    ...{ resumes: false, isTooSlow: () => false, rateShown: (rate) => rate },
  };
}

const NOBODY: Outcome = {
  ...{ kind: 'failed', because: 'refused', status: 0, bytes: 0, elapsedMs: 0, opened: null, parked: null },
};

/**
 * Whether it may only be the `Range` that is refused: before Chrome 99, Firefox 117 and Safari 16 it wants a preflight,
 * which many servers deny.
 */
function mayLackRange(at: number | null, outcome: Outcome | 'overtaken'): boolean {
  return at !== null && outcome !== 'overtaken' && outcome.kind === 'failed' && outcome.because === 'refused';
}

/** Whether its own server answers in this time, though it may be without CORS, as many are with 403 and 404. */
async function isThere({ url }: MediaRequest, ms: number, { platform, signal }: AttemptTools): Promise<boolean> {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  signal.addEventListener('abort', abort);
  const answer = knock(platform, url, controller.signal).then(
    () => true,
    () => false,
  );
  const isThere = await within(platform, ms, answer);
  signal.removeEventListener('abort', abort);
  abort();
  return isThere ?? false;
}

function release(parked: Map<Try, Parked>, but?: Try): void {
  for (const [one, { abort }] of parked) {
    if (one === but) continue;
    abort();
    parked.delete(one);
  }
}
