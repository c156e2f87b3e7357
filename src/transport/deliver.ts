/**
 * One request over several servers. In: the request and somebody who knows the way. Out: one answer, whole.
 * A server that fails is left for the next, and the answer begins anew there.
 */
import { drain, type Opened } from '../probe.js';
import { attempt, read, type AttemptTools, type Lane, type Outcome, type Sink } from './attempt.js';
import type { MediaRequest, Try } from './route.js';

/** Knows the way; the conductor of a source. */
export interface Routes {
  /** The next lane for a request, or null when nobody is left: a promise only when it has to wait for a race. */
  next(request: MediaRequest, tries: readonly Try[], signal: AbortSignal): Lane | null | Promise<Lane | null>;
  /** Is told the end of a request; `lane` is null when nobody delivered it. */
  ended(request: MediaRequest, tries: readonly Try[], lane: Lane | null, outcome: Outcome): void;
  /** The URL of the service for one that an edge redirected to; `asked` is what was asked for, at the service. */
  serviceUrl(url: string, lane: Lane, asked: string): string;
  /** URL of the page, against which a relative URL is resolved. */
  readonly page: string;
}

/** Takes the answer; `headers` is called again when the answer begins anew. */
export interface AnswerSink extends Omit<Sink, 'headers'> {
  readonly headers: (response: Response, startedAt: number, lane: Lane) => void;
}

/** How it ended: `answered` with any HTTP status, `error`: nobody could be reached; `timeout`: the last was too slow. */
export type End = 'answered' | 'error' | 'timeout';

/** @returns never rejects; when the signal fires the end means nothing */
export async function deliver(
  request: MediaRequest,
  routes: Routes,
  sink: AnswerSink,
  tools: AttemptTools,
): Promise<End> {
  const isOver = (): boolean => tools.signal.aborted;
  const tries: Try[] = [];
  let refusal: { readonly opened: Opened; readonly lane: Lane } | null = null;
  let last: Outcome = { kind: 'failed', because: 'refused', status: 0, bytes: 0, opened: null };
  for (;;) {
    const known = routes.next(request, tries, tools.signal);
    // not awaited without need: what is known is asked for inside send(), before VHS has ended its task
    const lane = known instanceof Promise ? await known : known;
    if (isOver() || !lane) break;
    const to = {
      chunk: sink.chunk,
      headers: (response: Response, startedAt: number): void => {
        sink.headers(response, startedAt, lane);
      },
    };
    last = await attempt(request, lane, to, tools);
    if (isOver()) break;
    if (last.kind === 'delivered') {
      if (refusal) void drain(refusal.opened);
      routes.ended(request, tries, lane, last);
      return 'answered';
    }
    tries.push({ edge: lane.edge, because: last.because, status: last.status, bytes: last.bytes });
    if (last.opened) {
      // the origin's word on a URL is the last one
      if (refusal?.lane.edge === null) void drain(last.opened);
      else {
        if (refusal) void drain(refusal.opened);
        refusal = { opened: last.opened, lane };
      }
    }
  }
  if (isOver()) {
    refusal?.opened.abort();
    return 'error';
  }
  routes.ended(request, tries, null, last);
  if (!refusal) return last.kind === 'failed' && last.because === 'slow' ? 'timeout' : 'error';
  const { opened, lane } = refusal;
  let broken: End = 'error';
  tools.signal.addEventListener('abort', opened.abort);
  let cancelLimit = (): void => undefined;
  if (request.timeoutMs > 0) {
    cancelLimit = tools.platform.after(request.timeoutMs, () => {
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
