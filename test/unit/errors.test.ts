import QUnit from 'qunit';
import { EdgeSelectError, isError } from '../../src/errors.js';

const { module, test } = QUnit;

module('errors');

test('an error has a code, the facts of that code, and what was caught', (assert) => {
  const cause = new TypeError('Failed to fetch');
  const error = new EdgeSelectError(
    'LOOKUP_UNREACHABLE',
    { lookup: 'tokens', nameserver: 'https://map.example' },
    cause,
  );
  assert.strictEqual(error.code, 'LOOKUP_UNREACHABLE');
  assert.deepEqual(error.details, { lookup: 'tokens', nameserver: 'https://map.example' });
  assert.strictEqual(error.cause, cause);
});

test('an error is an Error with a name of its own', (assert) => {
  const error = new EdgeSelectError('TOKENS_EMPTY', {});
  assert.true(error instanceof Error);
  assert.strictEqual(error.name, 'EdgeSelectError');
});

test('the message begins with the code and holds the facts, so that a log line is enough', (assert) => {
  const error = new EdgeSelectError('LOOKUP_STATUS', { lookup: 'servers', status: 502 });
  assert.strictEqual(error.message, 'LOOKUP_STATUS {"lookup":"servers","status":502}');
});

test('nothing of what was caught gets into the message: it may name a token', (assert) => {
  const error = new EdgeSelectError('LOOKUP_FAILED', { lookup: 'servers' }, new Error('asked for eu1.secret.example'));
  assert.false(error.message.includes('secret'));
});

test('tells errors of ours from others', (assert) => {
  assert.true(isError(new EdgeSelectError('TOKENS_EMPTY', {})));
  assert.false(isError(new Error('TOKENS_EMPTY')));
  assert.false(isError({ code: 'TOKENS_EMPTY', details: {} }));
  assert.false(isError(undefined));
});

test('tells one code, or some, from the others', (assert) => {
  const error = new EdgeSelectError('LOOKUP_NODATA', { lookup: 'tokens', ttlSeconds: 5 });
  assert.true(isError(error, 'LOOKUP_NODATA'));
  assert.true(isError(error, 'LOOKUP_NXDOMAIN', 'LOOKUP_NODATA'));
  assert.false(isError(error, 'LOOKUP_NXDOMAIN'));
});
