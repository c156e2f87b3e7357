/**
 * Tells Karma of each test that begins, and how late the page's clock was while it ran. Karma hears of those that end in
 * bundles of fifty as long as its socket has not become a WebSocket, which a busy machine may let fail: fifty tests that
 * play video are longer than it waits for a word.
 */
import QUnit from 'qunit';
import { watchLateness } from './lateness.js';

/** By its `id` QUnit runs a test alone. */
type Told = { readonly begun: { readonly id: string; readonly title: string } } | { readonly lateMs: number };
declare const __karma__: { info(told: Told): void };

const lateness = watchLateness();

QUnit.testStart(({ module, name }) => {
  const { testId: id } = QUnit.config.current as { readonly testId: string };
  lateness.take();
  __karma__.info({ begun: { id, title: `${module} › ${name}` } });
});

QUnit.testDone(() => {
  __karma__.info({ lateMs: lateness.take() });
});
