// One entry, three forms, and the side door. video.js stays outside; all else is bundled.
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { dts } from 'rollup-plugin-dts';
import esbuild from 'rollup-plugin-esbuild';
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const banner = `/*! videojs-edge-select ${version} | Apache-2.0 | THIRD-PARTY.md */`;
// Of what dns-packet knows, the record types that this package never reads are not shipped: without their cases in the
// library's tables, and with its codecs marked as free of side effects, they fall away. 5 kB gzipped.
const READ = ['A', 'AAAA', 'CNAME', 'SOA', 'SRV', 'TXT', 'OPT'];
const unread = (line, type) => (READ.includes(type.toUpperCase()) ? line : '');
const leanDnsPacket = {
  name: 'lean-dns-packet',
  transform(code, id) {
    if (/dns-packet.types\.mjs$/.test(id))
      return { code: code.replace(/^.*case.*'([\w-]+)'.*\n/gm, unread), map: null };
    if (!/dns-packet.index\.mjs$/.test(id)) return null;
    const lean = code
      .replace(/^ *case '(\w+)': return r\w+\n/gm, unread)
      .replace(/^r\w+\.\w+ = .*\n/gm, '')
      .replaceAll('= codec({', '= /*#__PURE__*/ codec({');
    return { code: lean, map: null };
  },
};
const plugins = [leanDnsPacket, nodeResolve({ browser: true }), commonjs(), esbuild({ target: 'es2022' })];
const entries = { 'videojs-edge-select': 'src/index.ts', register: 'src/register.ts' };
const shared = { banner, sourcemap: true };
const umd = { ...shared, format: 'umd', name: 'videojsEdgeSelect', globals: { 'video.js': 'videojs' } };

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
        plugins: [terser({ ecma: 2022, compress: { passes: 3, pure_getters: true } })],
      },
    ],
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
