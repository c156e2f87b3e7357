// Bundles tests of test/unit and test/functional for the browser, with the package's own source and real Video.js.
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { readdirSync } from 'node:fs';
import esbuild from 'rollup-plugin-esbuild';
import nodePolyfills from 'rollup-plugin-polyfill-node';

/**
 * The tests of a folder whose path holds one of the parts, or where there are none all.
 *
 * @returns {string[]} paths from the project's root
 */
export function testsOf(folder, parts = []) {
  const all = readdirSync(`test/${folder}`).filter((name) => name.endsWith('.test.ts'));
  const paths = all.map((name) => `test/${folder}/${name}`);
  const unknown = parts.find((part) => !paths.some((path) => path.includes(part)));
  if (unknown) throw new Error(`no test of test/${folder} has "${unknown}" in its name`);
  return paths.filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)));
}

/** One virtual module that imports all of the tests, and what tells of their beginnings and ends. */
const allTests = (paths) => ({
  name: 'all-tests',
  resolveId: (id) => (id === 'all-tests' ? id : null),
  load: (id) =>
    id === 'all-tests' ? ['test/support/told.ts', ...paths].map((path) => `import './${path}';`).join('\n') : null,
});

const NODE_PACKAGES =
  /native-dns|doh-js-client|buffercursor|assert-plus|ipaddr|verror|extsprintf|core-util|node_modules.dns-packet|polyfill-node/;

/**
 * @param {string} name of the bundle
 * @param {readonly string[]} paths of tests
 * @returns {import('rollup').RollupOptions}
 */
export const bundle = (name, paths) => ({
  input: 'all-tests',
  external: ['qunit'],
  plugins: [
    allTests(paths),
    // doh-js-client and dns-packet, which tests alone use, are made for Node: its modules are found here, and its globals
    // put in once these packages are no CommonJS any more
    nodePolyfills({ include: /^$/ }),
    nodeResolve({ browser: true, preferBuiltins: false, extensions: ['.mjs', '.js', '.ts', '.json'] }),
    commonjs(),
    nodePolyfills({ include: NODE_PACKAGES }),
    esbuild({ target: 'es2022', sourceMap: true }),
  ],
  onwarn(warning, warn) {
    if (
      !['CIRCULAR_DEPENDENCY', 'THIS_IS_UNDEFINED', 'EVAL'].includes(warning.code) ||
      !/node_modules|polyfill-node/.test(warning.message)
    )
      warn(warning);
  },
  output: {
    file: `test/.build/${name}-${process.pid}.js`,
    format: 'iife',
    sourcemap: 'inline',
    globals: { qunit: 'QUnit' },
  },
});
