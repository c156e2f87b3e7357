/**
 * Tells Karma of each test that begins. Of those that end it tells in bundles of fifty as long as its socket has not become
 * a WebSocket, which a busy machine may let fail: fifty tests that play video are longer than Karma waits for a word.
 */
import QUnit from 'qunit';

declare const __karma__: { info(said: { readonly begun: string }): void };

QUnit.testStart(({ module, name }) => {
  __karma__.info({ begun: `${module} › ${name}` });
});
