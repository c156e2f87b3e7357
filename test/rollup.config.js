// Bundles test/unit and test/functional for the browser, each with the package's own source and real Video.js.
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { readdirSync } from 'node:fs';
import esbuild from 'rollup-plugin-esbuild';
import nodePolyfills from 'rollup-plugin-polyfill-node';

/** One virtual module that imports every test of a folder whose path holds one of the parts, or where there are none all. */
const allTests = (folder, parts) => ({
  name: 'all-tests',
  resolveId: (id) => (id === 'all-tests' ? id : null),
  load(id) {
    if (id !== 'all-tests') return null;
    const names = readdirSync(`test/${folder}`).filter((name) => name.endsWith('.test.ts'));
    const isOf = (part) => (name) => `${folder}/${name}`.includes(part);
    const unknown = parts.find((part) => !names.some(isOf(part)));
    if (unknown) throw new Error(`no test of test/${folder} has "${unknown}" in its name`);
    return names
      .filter((name) => parts.length === 0 || parts.some((part) => isOf(part)(name)))
      .map((name) => `import './test/${folder}/${name}';`)
      .join('\n');
  },
});

const NODE_PACKAGES =
  /native-dns|doh-js-client|buffercursor|assert-plus|ipaddr|verror|extsprintf|core-util|node_modules.dns-packet|polyfill-node/;

/** @returns {import('rollup').RollupOptions} */
export const bundle = (folder, parts = []) => ({
  input: 'all-tests',
  external: ['qunit'],
  plugins: [
    allTests(folder, parts),
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
    file: `test/.build/${folder}-${process.pid}.js`,
    format: 'iife',
    sourcemap: 'inline',
    globals: { qunit: 'QUnit' },
  },
});
