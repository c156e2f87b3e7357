// Brings modules of src/ into Node as they are: one bundle, made anew for each run.
import { build } from 'esbuild';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Of src/, that the herd is made of. */
export const HERD = ['draw', 'edges', 'selection', 'switch', 'watch', 'verdict', 'options', 'transport/pace'];
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * @param {readonly string[]} names  of files in src/ or test/support/, such as `src/draw`
 * @param {string} label  in the bundle's name
 * @returns {Promise<{file: string, remove: () => void}>}
 */
export async function bundleModules(names, label) {
  const file = `${ROOT}test/.build/${label}-${process.pid}.mjs`;
  await build({
    stdin: {
      contents: names.map((name) => `export * from './${name}.ts';`).join('\n'),
      resolveDir: ROOT,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    outfile: file,
    logLevel: 'error',
  });
  return {
    file,
    remove: () => {
      rmSync(file, { force: true });
    },
  };
}
