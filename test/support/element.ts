/** A pretend media element: a test says what it is like, and fires its events. */

const LIKE = {
  crossOrigin: null as string | null,
  currentTime: 0,
  duration: 60,
  paused: false,
  ended: false,
  seeking: false,
  playbackRate: 1,
  readyState: 4,
  networkState: 2,
  preload: '',
  mediaKeys: null as unknown,
  remote: { state: 'disconnected' },
  webkitCurrentPlaybackTargetIsWireless: false,
  webkitPresentationMode: 'inline',
  webkitDisplayingFullscreen: false,
  webkitKeys: null as unknown,
  buffered: ranges(),
  seekable: ranges([0, 60]),
  /** What it stands in. */
  root: {} as object,
};

/** What a test may read and set. */
export type FakeElement = typeof LIKE & {
  readonly textTracks: FakeTracks;
  readonly audioTracks: FakeTracks;
  /** As TypeScript is to see it. */
  readonly media: HTMLVideoElement;
  fire(...names: string[]): void;
};

/** A real element in all but its state: listeners are called in the order of a browser. */
export function fakeElement(like: Partial<typeof LIKE> = {}): FakeElement {
  const media = document.createElement('video');
  const members = {
    ...LIKE,
    ...like,
    media,
    textTracks: new FakeTracks(),
    audioTracks: new FakeTracks(),
    fire(...names: string[]) {
      for (const name of names) media.dispatchEvent(new Event(name));
    },
    pause() {
      fake.paused = true;
    },
    getRootNode: () => fake.root,
  };
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(media, name, { value, writable: true, configurable: true });
  }
  const fake = media as unknown as FakeElement;
  return fake;
}

/** A list of tracks. */
export class FakeTracks extends EventTarget implements Iterable<object> {
  list: object[] = [];

  [Symbol.iterator](): Iterator<object> {
    return this.list[Symbol.iterator]();
  }
}

/** Seconds, as the browser tells them. */
export function ranges(...given: readonly (readonly [number, number])[]): TimeRanges {
  const at = (i: number, end: 0 | 1): number => given[i]?.[end] ?? NaN;
  return { length: given.length, start: (i) => at(i, 0), end: (i) => at(i, 1) };
}
