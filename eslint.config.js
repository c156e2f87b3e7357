import js from '@eslint/js';
import jsdoc from 'eslint-plugin-jsdoc';
import globals from 'globals';
import ts from 'typescript-eslint';

// platform.ts is the one seam to these; for src/check, where Node's are within reach too, src/check/node
const SEAM = [
  ...['fetch', 'performance', 'Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'crypto'],
  ...['sessionStorage', 'localStorage', 'navigator', 'location', 'document', 'window', 'requestAnimationFrame'],
  ...['process', 'Buffer', 'console', 'global'],
];
const typed = { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } };
export default ts.config(
  {
    ignores: [
      'dist/',
      'test/.build/',
      '.cache/',
      'test/media/',
      'demo/media/',
      'test/bench/.results/',
      'test/bench/.media/',
    ],
  },
  js.configs.recommended,
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [ts.configs.strictTypeChecked, ts.configs.stylisticTypeChecked],
    plugins: { jsdoc },
    languageOptions: typed,
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', 350],
      'no-restricted-globals': ['error', ...SEAM],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Ask the platform.' }],
      'jsdoc/require-jsdoc': [
        'error',
        { publicOnly: true, contexts: ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'] },
      ],
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // QUnit waits for the promise of a test, and its types do not say so
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // the seams: to the browser, and for the check at a terminal to Node
    files: ['src/platform.ts', 'src/check/node/*.ts', 'src/check/main.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.js'],
    ignores: ['demo/*.js', 'test/bench/page*.js'],
    languageOptions: { globals: globals.node },
  },
  { files: ['demo/*.js', 'test/bench/**/*.js'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
);
