import QUnit from 'qunit';
import { closePages, testPage, VHS_LAST } from './page.js';
import { asked, cleanUp, hls, network, ORIGIN, patient, playedTo, testPlayer, testWorld } from './tools.js';

const { module, test } = QUnit;

module('habits of sites', {
  async afterEach() {
    closePages();
    await cleanUp();
  },
});

test('a framework that keeps the player behind a Proxy, while others have it as it is', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer();
  const kept = new Proxy(player, {});
  const edgeSelect = kept.edgeSelect(patient(world));
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.deepEqual([edgeSelect.state, player.edgeSelect()], ['steady', edgeSelect]);
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('the same with the plugin among the options', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = testPlayer(null, { plugins: { edgeSelect: patient(world) } });
  const kept = new Proxy(player, {});
  kept.src(hls(world));
  await playedTo(player, 0.1);
  assert.deepEqual([kept.edgeSelect().state, kept.edgeSelect()], ['steady', player.edgeSelect()]);
});

test('a middleware behind ours that signs the URL', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const page = await testPage();
  page.videojs.use('*', () => ({
    setSource(source: { src: string }, next: (error: null, source: object) => void) {
      next(null, { ...source, src: `${source.src}?signed` });
    },
  }));
  const player = page.player(patient(world));
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.strictEqual(player.edgeSelect().state, 'steady');
  assert.deepEqual(
    (await asked(world, 'a', /main\.m3u8/)).map(({ url }) => url),
    ['/ts/main.m3u8?signed'],
  );
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('a VHS that comes after the plugin', async (assert) => {
  const world = await testWorld(network({ a: {} }));
  const player = (await testPage(undefined, VHS_LAST)).player(patient(world));
  player.src(hls(world));
  await playedTo(player, 0.1);
  assert.strictEqual(player.edgeSelect().state, 'steady');
  assert.deepEqual(await asked(world, ORIGIN), []);
});

test('code that adds to XMLHttpRequest what the servers want, and no `fetch` has', async (assert) => {
  const guarded = { rules: [{ method: 'GET', lacks: 'authorization', status: 401 }] };
  const world = await testWorld(network({ a: guarded }, { origin: guarded }));
  const { open } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (this: XMLHttpRequest, method: string, url: string | URL): void {
    open.call(this, method, url, true);
    if (url.toString().startsWith(hls(world).src.replace(/ts\/.*/, '')))
      this.setRequestHeader('Authorization', 'Bearer x');
  };
  try {
    const player = testPlayer();
    const codes: string[] = [];
    player.on('edgeselect:bypassed', ({ error }: { error: { code: string } }) => codes.push(error.code));
    player.edgeSelect(patient(world));
    player.src(hls(world));
    await playedTo(player, 0.1);
    assert.deepEqual([player.edgeSelect().state, codes.at(-1)], ['bypassed', 'VHS_REPLACED']);
  } finally {
    XMLHttpRequest.prototype.open = open;
  }
});
