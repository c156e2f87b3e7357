/** The engines that the functional tests run in: where each is found, how Karma starts it, and what gets it. */
import { existsSync } from 'node:fs';
import { CHROMIUM_FLAGS, findChromium } from './chromium.js';
import { findWebKit, webkitLauncher } from './webkit.js';

const FIREFOX_PLACES = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/snap/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
];

/** Quiet, and on this machine: what is not localhost goes to a proxy that is not there. */
const FIREFOX_PREFS = {
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  'network.proxy.no_proxies_on': 'localhost, .localhost, 127.0.0.1',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.prefetch-next': false,
  'app.update.enabled': false,
  'app.normandy.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.startup.homepage': 'about:blank',
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.reportingpolicy.firstRun': false,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // a page may have the garbage collected
  'dom.testing.testutils.enabled': true,
};

/**
 * @typedef {object} Found
 * @property {string} path of the executable
 * @property {string | object} plugin for Karma
 * @property {{base: string}} launcher for Karma's `customLaunchers`
 *
 * @typedef {object} Engine
 * @property {string} title
 * @property {string} command that gets it
 * @property {() => Promise<Found | null>} find null where it is missing
 */

/** @type {Readonly<Record<string, Engine>>} */
export const ENGINES = {
  chromium: {
    title: 'Chromium',
    command: 'apt-get install chromium (or set CHROME_BIN)',
    async find() {
      const path = await findChromium().catch((error) => {
        console.error(error.message);
        return null;
      });
      if (!path) return null;
      process.env['CHROME_BIN'] = path;
      const launcher = {
        base: 'Chrome',
        flags: [...CHROMIUM_FLAGS, '--ignore-certificate-errors', '--js-flags=--expose-gc'],
      };
      return { path, plugin: 'karma-chrome-launcher', launcher };
    },
  },
  firefox: {
    title: 'Firefox',
    command: 'apt-get install firefox-esr (or set FIREFOX_BIN)',
    async find() {
      const named = process.env['FIREFOX_BIN'];
      const path = (named ? [named] : FIREFOX_PLACES).find((place) => existsSync(place));
      if (!path) return null;
      const launcher = { base: 'Firefox', command: path, flags: ['-headless'], prefs: FIREFOX_PREFS };
      return { path, plugin: 'karma-firefox-launcher', launcher };
    },
  },
  webkit: {
    title: 'WebKitGTK',
    command:
      'apt-get install webkit2gtk-driver xvfb gstreamer1.0-libav gstreamer1.0-gl gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad',
    async find() {
      const programs = findWebKit();
      if (!programs) return null;
      const plugin = { 'launcher:WebKitGTK': ['factory', webkitLauncher] };
      return { path: programs.browser, plugin, launcher: { base: 'WebKitGTK', programs } };
    },
  },
};
