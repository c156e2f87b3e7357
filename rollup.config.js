// One entry, three forms, and the side door. video.js stays outside; all else is bundled.
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { dts } from 'rollup-plugin-dts';
import esbuild from 'rollup-plugin-esbuild';
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const banner = `/*! videojs-edge-select ${version} | Apache-2.0 | THIRD-PARTY.md */`;
// Of what dns-packet knows, what this package never reads is not shipped, and it writes no records: without their cases in
// the library's tables, and with its codecs marked as free of side effects, they fall away. 5 kB gzipped, held to the whole
// library by test/node/package.test.js.
const USED = ['A', 'AAAA', 'CNAME', 'SOA', 'SRV', 'TXT', 'IN', 'QUERY', 'NOERROR'];
const ifUsed = (line, name) => (USED.includes(name) ? line : '');
const UTF8 = `
export const encodingLength = (text) => new TextEncoder().encode(text).length;
export function encode(text, bytes, at) {
  const { written } = new TextEncoder().encodeInto(text, bytes.subarray(at));
  encode.bytes = written;
  return bytes;
}
export const decode = (bytes, from, to) => new TextDecoder().decode(bytes.subarray(from, to));`;
const leanDnsPacket = {
  name: 'lean-dns-packet',
  // the browser's own in place of a package that does the same
  resolveId: (id) => (id === 'utf8-codec' ? '\0utf8-codec' : null),
  load: (id) => (id === '\0utf8-codec' ? UTF8 : null),
  transform(code, id) {
    if (!id.includes('@dnsquery/dns-packet')) return null;
    const lean = code
      .replace(/^ *case (?:\d+: return )?'([\w-]+)'.*\n/gm, ifUsed)
      .replace(/^r\w+\.\w+ = .*\n/gm, '')
      .replace(
        /(const (?:r\w+|answer) = codec\(\{(?:\n {2}bytes: \d+,)?\n) {2}encode \([^]*?\n {2}\},\n/g,
        '$1  encode() {},\n',
      )
      .replace(
        /(const (?:r\w+|answer) = codec\(\{(?:(?!codec\(\{)[^])*?),\n {2}encodingLength \([^]*?\n {2}\}\n/g,
        '$1\n',
      )
      .replace(/^const hexNum[^]*?^}\n/m, '')
      .replace(/if \(a\.type(\.toUpperCase\(\))? === 'OPT'\)/g, 'if (false)')
      .replaceAll('= codec({', '= /*#__PURE__*/ codec({');
    return { code: lean, map: null };
  },
};
// CMSD (CTA-5006) has numbers, strings, tokens and booleans: no bytes, dates or lists within lists.
const leanStructuredFields = {
  name: 'lean-structured-fields',
  transform(code, id) {
    if (!id.includes('cml-structured-field-values')) return null;
    return { code: code.replace(/^\s*if \((?:first|src\[0\]) === [`"][:@(][`"]\) return .*\n/gm, ''), map: null };
  },
};
const plugins = [
  leanStructuredFields,
  leanDnsPacket,
  nodeResolve({ browser: true }),
  commonjs(),
  // as README.md says; what esbuild would rewrite is optional calls with spread arguments, wrong before Chrome 91: there are none
  esbuild({ target: ['chrome85', 'firefox90', 'safari15'], supported: { 'optional-chain': true } }),
];
const entries = { 'videojs-edge-select': 'src/index.ts', register: 'src/register.ts' };
const shared = { banner, sourcemap: true };
const umd = {
  ...shared,
  format: 'umd',
  esModule: false,
  generatedCode: 'es2015',
  name: 'videojsEdgeSelect',
  globals: { 'video.js': 'videojs' },
};

/** @type {import('rollup').RollupOptions[]} */
export default [
  {
    input: entries,
    external: ['video.js'],
    plugins,
    output: [
      { ...shared, format: 'es', dir: 'dist', entryFileNames: '[name].mjs', chunkFileNames: 'shared.mjs' },
      {
        ...shared,
        format: 'cjs',
        dir: 'dist',
        entryFileNames: '[name].cjs',
        chunkFileNames: 'shared.cjs',
        interop: 'auto',
        exports: 'named',
      },
    ],
  },
  {
    input: 'src/index.ts',
    external: ['video.js'],
    plugins,
    output: [
      { ...umd, file: 'dist/videojs-edge-select.js' },
      {
        ...umd,
        file: 'dist/videojs-edge-select.min.js',
        plugins: [terser({ ecma: 2022, compress: { passes: 5, pure_getters: true, unsafe_arrows: true } })],
      },
    ],
  },
  {
    // the check at a terminal: of the lookups the same rooms, and nothing of it is in the bundles above
    input: 'src/check/main.ts',
    external: /^node:/,
    plugins,
    output: { sourcemap: true, banner: `#!/usr/bin/env node\n${banner}`, format: 'es', file: 'dist/check.mjs' },
  },
  {
    input: entries,
    external: ['video.js'],
    plugins: [dts()],
    output: [
      { dir: 'dist', format: 'es', entryFileNames: '[name].d.mts', chunkFileNames: 'shared.d.mts' },
      { dir: 'dist', format: 'es', entryFileNames: '[name].d.cts', chunkFileNames: 'shared.d.cts' },
    ],
  },
];
