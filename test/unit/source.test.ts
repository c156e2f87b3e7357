import QUnit from 'qunit';
import type { EdgeSelectOptions } from '../../src/options.js';
import { edgeSource, hostOf, type EdgeSource, type SourceObject } from '../../src/source.js';
import { settings } from './given.js';

const { module, test } = QUnit;
const PAGE = 'https://site.example/shows/watch.html';

function read(
  source: SourceObject,
  options: EdgeSelectOptions = {},
  firstHost: string | null = null,
): EdgeSource | null {
  return edgeSource(source, settings(options), { page: PAGE, firstHost });
}

module('source');

test('the first source is ours, with the facts of its URL', (assert) => {
  const source = read({ src: 'https://video.example:444/live/main.m3u8?x=1', type: 'application/x-mpegURL' });
  assert.deepEqual(source, {
    src: 'https://video.example:444/live/main.m3u8?x=1',
    type: 'application/x-mpegURL',
    origin: 'https://video.example:444',
    scheme: 'https',
    service: '_https._tcp.video.example',
  });
});

test('a source over http asks for the service of that scheme', (assert) => {
  assert.strictEqual(read({ src: 'http://video.example/a.m3u8' })?.service, '_http._tcp.video.example');
});

test('a relative URL is resolved against the page', (assert) => {
  assert.strictEqual(read({ src: '../media/a.m3u8' })?.src, 'https://site.example/media/a.m3u8');
});

test('a source without a type has an empty one', (assert) => {
  assert.strictEqual(read({ src: 'https://video.example/a.m3u8' })?.type, '');
});

const NONE = [
  ['a blob', 'blob:https://site.example/7f9c'],
  ['data', 'data:video/mp4;base64,AAAA'],
  ['a file', 'file:///video.mp4'],
  ['ftp', 'ftp://video.example/a.mp4'],
  ['a broken URL', 'https://'],
  ['an IPv4 address, which owns no SRV records', 'https://192.0.2.7/a.m3u8'],
  ['an IPv6 address', 'https://[2001:db8::7]/a.m3u8'],
] as const;
for (const [name, src] of NONE) {
  test(`leaves alone: ${name}`, (assert) => {
    assert.strictEqual(read({ src }), null);
  });
}

test('a source at an address is ours when the site names the service', (assert) => {
  assert.strictEqual(
    read({ src: 'https://192.0.2.7/a' }, { service: '_https._tcp.tv.example' })?.service,
    '_https._tcp.tv.example',
  );
});

test("a host that is not the first source's is foreign: no lookup leaks its name", (assert) => {
  assert.strictEqual(read({ src: 'https://ads.example/a.mp4' }, {}, 'video.example'), null);
  assert.strictEqual(read({ src: 'https://evil-video.example/a.mp4' }, {}, 'video.example'), null);
});

test("the first source's host is ours again, on any port", (assert) => {
  assert.notStrictEqual(read({ src: 'https://video.example:9/a.mp4' }, {}, 'video.example'), null);
});

test('`hosts` names more hosts that are ours', (assert) => {
  const options = { hosts: ['more.example'] };
  assert.strictEqual(
    read({ src: 'https://more.example/a' }, options, 'video.example')?.service,
    '_https._tcp.more.example',
  );
  assert.strictEqual(read({ src: 'https://other.example/a' }, options, 'video.example'), null);
});

test('a name as `service` is asked for in place of the host, for sources that are ours', (assert) => {
  const options = { service: '_https._tcp.tv.example' };
  assert.strictEqual(read({ src: 'https://video.example/a' }, options)?.service, '_https._tcp.tv.example');
  assert.strictEqual(read({ src: 'https://ads.example/a' }, options, 'video.example'), null);
});

test('a function as `service` decides by itself, whatever the host', (assert) => {
  const service = ({ src }: SourceObject): string | null => (src.includes('/tv/') ? '_https._tcp.tv.example' : null);
  assert.strictEqual(
    read({ src: 'https://a.example/tv/1' }, { service }, 'b.example')?.service,
    '_https._tcp.tv.example',
  );
  assert.strictEqual(read({ src: 'https://b.example/film/1' }, { service }, 'b.example'), null);
});

test('a name is in lower case and without its last dot', (assert) => {
  assert.strictEqual(
    read({ src: 'https://video.example/a' }, { service: '_HTTPS._tcp.TV.example.' })?.service,
    '_https._tcp.tv.example',
  );
});

test('`edgeSelect: false` on a source leaves it alone', (assert) => {
  assert.strictEqual(read({ src: 'https://video.example/a', edgeSelect: false }), null);
  assert.notStrictEqual(read({ src: 'https://video.example/a', edgeSelect: {} }), null);
});

test('the source of the site is not changed', (assert) => {
  const source = Object.freeze({ src: '../media/a.m3u8', type: 'application/x-mpegURL' });
  read(source);
  assert.deepEqual(source, { src: '../media/a.m3u8', type: 'application/x-mpegURL' });
});

test('the host of a source, or none where it has none', (assert) => {
  assert.strictEqual(hostOf('https://Video.Example:444/a', PAGE), 'video.example');
  assert.strictEqual(hostOf('a.mp4', PAGE), 'site.example');
  assert.strictEqual(hostOf('blob:https://site.example/7f9c', PAGE), null);
});
