import QUnit from 'qunit';
import { isElsewhere, resumption, type Seek } from '../../src/playback/resumption.js';
import { fakeElement, ranges, type FakeElement } from '../support/element.js';

const { module, test } = QUnit;

/** All that an element fires for a new source, in Chromium's order. */
const NEW_SOURCE = ['abort', 'emptied', 'timeupdate', 'play', 'waiting', 'loadstart', 'durationchange'];
const NEW_PICTURE = ['loadedmetadata', 'seeking', 'seeked', 'loadeddata', 'canplay', 'playing', 'timeupdate'];

const POSTER = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';

interface Changing {
  readonly element: FakeElement;
  readonly heard: string[];
  /** Whether it went on at the position, each time that it went on. */
  readonly wentOn: boolean[];
  readonly change: (seek?: Seek) => void;
  readonly stop: () => void;
}

/** What a browser does when an element gets another source. */
function load(element: FakeElement): void {
  Object.assign(element, { paused: true, currentTime: 0, playbackRate: 1, readyState: 0, duration: NaN });
}

function changing(like: object = {}, play = (): Promise<void> | undefined => undefined): Changing {
  const element = fakeElement({ currentTime: 20, ...like });
  const heard: string[] = [];
  const wentOn: boolean[] = [];
  const resumed = resumption(element.media, () => {
    element.paused = false;
    return play();
  });
  const listen = ({ type }: Event): void => {
    heard.push(type);
  };
  for (const name of [...NEW_SOURCE, ...NEW_PICTURE, 'ratechange', 'pause'])
    element.media.addEventListener(name, listen);
  const change = (seek?: Seek): void => {
    resumed.change(
      () => {
        load(element);
      },
      (isThere) => wentOn.push(isThere),
      seek,
    );
  };
  return { element, heard, wentOn, change, stop: resumed.stop };
}

/** Its metadata is here. */
function arrive(element: FakeElement): void {
  Object.assign(element, { readyState: 4, duration: 60 });
}

module('resumption');

test('goes on at the position, at the same rate, and lets listeners hear of a wait alone', (assert) => {
  const { element, heard, wentOn, change } = changing({ playbackRate: 1.5 });
  change();
  assert.strictEqual(element.currentTime, 20, 'the clock shows it at once');
  assert.strictEqual(element.playbackRate, 1.5);
  assert.false(element.paused);
  element.fire(...NEW_SOURCE);
  arrive(element);
  element.fire('ratechange', ...NEW_PICTURE);
  assert.deepEqual(heard, ['waiting', 'canplay', 'playing', 'timeupdate']);
  assert.deepEqual(wentOn, [true]);
});

test('keeps its own seek from listeners, of which Firefox tells late and whose end it tells last', (assert) => {
  const { element, heard, wentOn, change } = changing();
  change();
  element.seeking = true;
  arrive(element);
  element.fire('loadstart', 'loadedmetadata', 'loadeddata', 'seeking');
  element.seeking = false;
  element.fire('timeupdate', 'seeked', 'timeupdate');
  assert.deepEqual(heard, ['timeupdate']);
  assert.deepEqual(wentOn, [true]);
});

test('keeps it from listeners also where Firefox is there before it tells of the seek', (assert) => {
  const { element, heard, wentOn, change } = changing();
  change();
  element.fire('loadstart');
  element.seeking = true;
  arrive(element);
  element.fire('loadedmetadata');
  element.seeking = false;
  element.fire('loadeddata', 'seeking', 'timeupdate', 'seeked', 'canplay');
  assert.deepEqual(heard, ['canplay']);
  assert.deepEqual(wentOn, [true]);
});

test.each(
  'goes where the viewer sought to as the source died, and tells of it once',
  [true, false],
  (assert, isTold) => {
    const { element, heard, wentOn, change } = changing({ seeking: true });
    change({ to: 30, isTold });
    assert.strictEqual(element.currentTime, 30);
    element.fire('seeking', 'loadstart');
    arrive(element);
    element.fire('loadedmetadata', 'loadeddata', 'seeking');
    element.seeking = false;
    element.fire('seeked');
    assert.deepEqual(heard, isTold ? ['seeked'] : ['seeking', 'seeked']);
    assert.deepEqual(wentOn, [true]);
  },
);

test('waits for no end of a seek that the source before took with it', (assert) => {
  const { element, wentOn, change } = changing();
  change();
  element.fire('seeking', 'loadstart');
  arrive(element);
  element.fire('loadedmetadata', 'loadeddata');
  assert.deepEqual(wentOn, [true]);
});

test('stays paused', (assert) => {
  const { element, heard, change } = changing({ paused: true });
  change();
  element.fire('abort', 'emptied', 'loadstart');
  arrive(element);
  element.fire('loadedmetadata', 'seeking', 'seeked', 'loadeddata', 'canplay');
  assert.true(element.paused);
  assert.deepEqual(heard, ['canplay']);
});

test('lets everything be heard again once it went on', (assert) => {
  const { element, heard, change } = changing();
  change();
  arrive(element);
  element.fire(...NEW_PICTURE);
  heard.length = 0;
  element.fire('loadstart', 'loadedmetadata', 'pause');
  assert.deepEqual(heard, ['loadstart', 'loadedmetadata', 'pause']);
});

test('lets a seek of the viewer come to its end, which began before', (assert) => {
  const { element, heard, change } = changing({ seeking: true });
  change();
  element.seeking = true;
  arrive(element);
  element.fire('seeking', 'loadedmetadata', 'loadeddata');
  element.seeking = false;
  element.fire('seeked');
  assert.deepEqual(heard, ['seeked']);
});

test('lets be heard what the viewer does meanwhile', (assert) => {
  const { element, heard, change } = changing();
  change();
  element.paused = true;
  element.fire('play', 'pause');
  element.playbackRate = 2;
  element.fire('ratechange');
  arrive(element);
  Object.assign(element, { currentTime: 40, seeking: true });
  element.fire('seeking', 'loadedmetadata', 'loadeddata');
  element.seeking = false;
  element.fire('seeked');
  assert.deepEqual(heard, ['pause', 'ratechange', 'seeking', 'seeked']);
});

test('tells of another duration, and of no unknown one', (assert) => {
  const { element, heard, change } = changing();
  change();
  element.fire('durationchange');
  element.duration = 61;
  element.fire('durationchange');
  assert.deepEqual(heard, ['durationchange']);
});

test('goes there where the browser began at the start all the same', (assert) => {
  const { element, wentOn, change } = changing();
  change();
  arrive(element);
  element.currentTime = 0;
  element.fire('loadedmetadata');
  assert.strictEqual(element.currentTime, 20);
  element.fire('loadeddata');
  assert.deepEqual(wentOn, [true]);
});

test('seeks where the browser tells the position and does not seek, as the clock of WebKitGTK would stand', (assert) => {
  const { element, change } = changing();
  change();
  arrive(element);
  element.fire('loadedmetadata');
  assert.strictEqual(element.currentTime, 20.001, 'a seek to the same would be none');
});

test('does not seek anew where the browser does', (assert) => {
  const { element, change } = changing();
  change();
  arrive(element);
  element.seeking = true;
  element.fire('loadedmetadata');
  assert.strictEqual(element.currentTime, 20);
});

test('says that it is not there when the server cannot begin there', (assert) => {
  const { element, wentOn, change } = changing();
  change();
  arrive(element);
  element.fire('loadedmetadata');
  element.currentTime = 0;
  element.fire('loadeddata');
  assert.deepEqual(wentOn, [false]);
});

test('keeps that from listeners, and goes on at the position at the next', (assert) => {
  const { element, heard, wentOn, change } = changing();
  change();
  arrive(element);
  element.fire('loadedmetadata');
  element.currentTime = 0;
  element.fire('loadeddata', 'timeupdate');
  change();
  assert.strictEqual(element.currentTime, 20);
  arrive(element);
  element.fire(...NEW_PICTURE);
  assert.deepEqual(heard, ['canplay', 'playing', 'timeupdate']);
  assert.deepEqual(wentOn, [false, true]);
});

test('keeps the distance from the end of a live stream, whose clock begins anew', (assert) => {
  const { element, change } = changing({ duration: Infinity, currentTime: 100, seekable: ranges([50, 110]) });
  change();
  assert.strictEqual(element.currentTime, 0, 'nothing is known yet');
  Object.assign(element, { duration: Infinity, readyState: 4, seekable: ranges([0, 30]) });
  element.fire('loadedmetadata');
  assert.strictEqual(element.currentTime, 20);
});

test('changed once more on its way, goes on where the first would have', (assert) => {
  const { element, heard, wentOn, change } = changing({ playbackRate: 2 });
  change();
  element.fire('abort', 'emptied', 'loadstart');
  change();
  assert.strictEqual(element.currentTime, 20);
  arrive(element);
  element.fire(...NEW_PICTURE);
  assert.strictEqual(element.playbackRate, 2);
  assert.deepEqual(heard, ['canplay', 'playing', 'timeupdate']);
  assert.deepEqual(wentOn, [true]);
});

test('tells of a pause when the browser does not let it play on', async (assert) => {
  const { element, heard, change } = changing({}, () => Promise.reject(new Error('not allowed')));
  change();
  element.paused = true;
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(heard, ['pause']);
});

test('chooses the tracks again that a new source brings', (assert) => {
  const english = { kind: 'subtitles', label: 'English', language: 'en' };
  const german = { kind: '', label: 'Deutsch', language: 'de' };
  const { element, change } = changing();
  element.textTracks.list = [{ ...english, mode: 'showing' }];
  element.audioTracks.list = [{ ...german, enabled: true }];
  change();
  element.textTracks.list = [{ ...english, mode: 'disabled' }];
  element.audioTracks.list = [{ ...german, enabled: false }];
  element.textTracks.dispatchEvent(new Event('addtrack'));
  assert.deepEqual(element.textTracks.list, [{ ...english, mode: 'showing' }]);
  assert.deepEqual(element.audioTracks.list, [{ ...german, enabled: true }]);
});

test('hides the poster, and loads a picture though nothing is to be loaded ahead, until it went on', (assert) => {
  const { element, change } = changing({ preload: 'none', paused: true });
  element.media.poster = POSTER;
  change();
  assert.deepEqual([element.media.getAttribute('poster'), element.preload], [null, 'auto']);
  arrive(element);
  element.fire('loadeddata');
  assert.deepEqual([element.media.getAttribute('poster'), element.preload], [POSTER, 'none']);
});

test('lets everything be heard when it is stopped, twice too', (assert) => {
  const { element, heard, wentOn, change, stop } = changing();
  change();
  stop();
  stop();
  element.fire('loadstart', 'loadeddata');
  assert.deepEqual(heard, ['loadstart', 'loadeddata']);
  assert.deepEqual(wentOn, []);
});

/** What is on another device, in a window of its own, or decrypted. */
const ELSEWHERE = {
  'remote playback': { remote: { state: 'connected' } },
  'remote playback that begins': { remote: { state: 'connecting' } },
  AirPlay: { webkitCurrentPlaybackTargetIsWireless: true },
  "Safari's picture-in-picture": { webkitPresentationMode: 'picture-in-picture' },
  'fullscreen of iOS': { webkitDisplayingFullscreen: true },
  keys: { mediaKeys: {} },
  "Safari's old keys": { webkitKeys: {} },
};

test.each('is elsewhere during', ELSEWHERE, (assert, like) => {
  assert.true(isElsewhere(fakeElement(like).media));
});

test('is elsewhere during picture-in-picture, of itself alone', (assert) => {
  const element = fakeElement();
  assert.false(isElsewhere(element.media));
  element.root = { pictureInPictureElement: fakeElement() };
  assert.false(isElsewhere(element.media));
  element.root = { pictureInPictureElement: element };
  assert.true(isElsewhere(element.media));
});
