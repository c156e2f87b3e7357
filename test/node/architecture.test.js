// The house: which rooms there are, who knows whom, and what no room may do. Read from the sources themselves.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

const SRC = new URL('../../src/', import.meta.url);

/** Every room, in the order in which data flows: each may import only what stands above it, types included. */
const ROOMS = [
  'errors',
  'platform',
  'source',
  'resolver',
  'resolvers/answer',
  'resolvers/https',
  'resolvers/doh',
  'resolvers/doh-json',
  'resolvers/doh-js-client',
  'checks',
  'acceptable',
  'options',
  'nameservers',
  'draw',
  'tokens',
  'edges',
  'watch',
  'verdict',
  'servers',
  'capabilities',
  'probe',
  'preflight',
  'hold',
  'selection',
  'directory',
  'events',
  'report',
  'switch',
  'search',
  'transport/route',
  'transport/pace',
  'transport/playlist',
  'transport/received',
  'transport/flow',
  'transport/attempt',
  'transport/deliver',
  'transport/xhr',
  'permit',
  'account',
  'dispatch',
  'waiting',
  'playback/sense',
  'patrol',
  'conductor',
  'playback/vhs',
  'playback/resumption',
  'playback/starvation',
  'playback/native',
  'part',
  'plugin',
  'register',
  'index',
  // the check at a terminal: below the doors, so that nothing of it can come into a page
  'check/text',
  'check/arguments',
  'check/node/connect',
  'check/node/http',
  'check/node/platform',
  'check/lookups',
  'check/manifest',
  'check/space',
  'check/cors',
  'check/advice',
  'check/inspect',
  'check/judge-wire',
  'check/judge-lookups',
  'check/judge-edge',
  'check/run',
  'check/show',
  'check/main',
];
/** The seams, to the browser and to Node, and what only they may name. */
const SEAMS = ['platform', 'check/node/connect', 'check/node/http', 'check/node/platform', 'check/main'];
const BROWSER = new Set([
  ...['fetch', 'XMLHttpRequest', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'requestAnimationFrame'],
  ...['Date', 'performance', 'PerformanceObserver', 'crypto', 'sessionStorage', 'localStorage', 'indexedDB', 'caches'],
  ...['navigator', 'location', 'history', 'document', 'window', 'globalThis', 'console', 'alert', 'queueMicrotask'],
  ...['process', 'Buffer', 'setImmediate'],
]);
const MAX_LINES = 350;

/** What the package is made of beside its own rooms. `video.js` is for the front door alone. */
const PACKAGES = ['@dnsquery/dns-packet', '@svta/cml-cmsd', 'url-template', '@leichtgewicht/ip-codec'];

/** All that an integrator can import; whoever adds to it promises to keep it. */
const PUBLIC_VALUES = ['EdgeSelectError', 'doh', 'dohJsClient', 'dohJson', 'register'];
const PUBLIC_TYPES = [
  ...['EdgeSelect', 'EdgeSelectOptions', 'DiscoveredEdge', 'ReportOptions', 'SourceObject'],
  ...['AcceptableOptions', 'Sign'],
  ...['EdgeSelectEvent', 'EdgeSelectEvents', 'FailureKind'],
  ...['ErrorCode', 'ErrorDetails', 'EdgeFailure', 'Lookup', 'LookupDetails', 'NegativeDetails'],
  ...['Selection', 'Candidates', 'Reason', 'Edge', 'Probe', 'Method', 'Outcome', 'Capabilities'],
  ...['Answer', 'AddressRecord', 'ClientIdentity', 'DnsRecord', 'Question', 'RecordType', 'Resolver'],
  ...['ResolverTools', 'SrvRecord', 'TextRecord', 'Platform', 'Timing', 'TimingWatch'],
];

const files = readdirSync(SRC, { recursive: true })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'));
const rooms = new Map(files.map((path) => [path.replace(/\.ts$/, ''), read(path)]));

function read(path) {
  const text = readFileSync(new URL(path, SRC), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { text, tree, imports: importsOf(tree) };
}

/** Everything that a file imports or exports from elsewhere, as written. */
function importsOf(tree) {
  const found = [];
  visit(tree, (node) => {
    const from = node.moduleSpecifier ?? (ts.isImportTypeNode(node) ? node.argument.literal : undefined);
    if (from) found.push(from.text);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push(node.arguments[0]?.text ?? '?');
    }
  });
  return found;
}

/** @param enter  false: leave out what is below */
function visit(node, enter) {
  if (enter(node) !== false) ts.forEachChild(node, (child) => visit(child, enter));
}

/** The rooms that one imports. */
function neighbours(room) {
  const own = rooms.get(room).imports.filter((from) => from.startsWith('.'));
  return own.map((from) => posix.normalize(posix.join(posix.dirname(room), from)).replace(/\.js$/, ''));
}

/** A room and all that it leads to. */
function reach(room, seen = new Set()) {
  if (!seen.has(room)) {
    seen.add(room);
    for (const next of neighbours(room)) reach(next, seen);
  }
  return seen;
}

function lineOf(tree, node) {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

test('every file in src is a room of the list, and every room of the list is a file', () => {
  assert.deepEqual([...rooms.keys()].sort(), [...ROOMS].sort());
});

for (const [floor, room] of ROOMS.entries()) {
  test(`${room} imports only what stands above it, type imports included`, () => {
    const below = neighbours(room).filter((other) => ROOMS.indexOf(other) < 0 || ROOMS.indexOf(other) >= floor);
    assert.deepEqual(below, []);
  });
}

test('no room leads back to itself', () => {
  const circular = [...rooms.keys()].filter((room) => neighbours(room).some((next) => reach(next).has(room)));
  assert.deepEqual(circular, []);
});

test(`no room has more than ${MAX_LINES} lines`, () => {
  const large = [...rooms].map(([room, { text }]) => [room, text.trimEnd().split('\n').length]);
  assert.deepEqual(
    large.filter(([, lines]) => lines > MAX_LINES),
    [],
  );
});

test('each room opens with a comment that says what comes in and what goes out', () => {
  const silent = [...rooms].filter(([, { text }]) => !/^\/\*\*\n \* \S/.test(text));
  assert.deepEqual(
    silent.map(([room]) => room),
    [],
  );
});

/** Names of things that only the browser has, where they are used as values. */
function browserNames(tree) {
  const found = [];
  visit(tree, (node) => {
    // what is only a type is gone when the code runs; `typeof x` as a type names no value either
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return false;
    if (ts.isPropertyAccessExpression(node)) {
      const { expression, name } = node;
      if (ts.isIdentifier(expression) && expression.text === 'Math' && name.text === 'random') found.push(node);
    }
    if (ts.isIdentifier(node) && BROWSER.has(node.text) && !isNameOnly(node)) found.push(node);
    return true;
  });
  return found.map((node) => `${lineOf(tree, node)}: ${node.getText(tree)}`);
}

/** The name of a member: `platform.fetch`, `{ fetch: ... }`, `fetch() {}` of a class or object. */
function isNameOnly(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  const isMember =
    ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent) || ts.isMethodDeclaration(parent);
  return isMember && parent.name === node;
}

test('the names of the browser are found where they are used, and not where a word is the same', () => {
  const used = 'const a = fetch(b); new Date(); const c = { location }; run(window.x, Math.random());';
  const same = 'const a = tools.fetch(b); type D = Date; const e = { fetch() {} }; interface F { document: Document }';
  const parse = (text) => ts.createSourceFile('sample.ts', text, ts.ScriptTarget.Latest, true);
  assert.deepEqual(
    browserNames(parse(used)).map((found) => found.replace('1: ', '')),
    ['fetch', 'Date', 'location', 'window', 'Math.random'],
  );
  assert.deepEqual(browserNames(parse(same)), []);
});

for (const room of ROOMS.filter((one) => !SEAMS.includes(one))) {
  test(`${room} names nothing of the browser that platform should name`, () => {
    assert.deepEqual(browserNames(rooms.get(room).tree), []);
  });
}

test('no room says `any`', () => {
  const found = [];
  for (const [room, { tree }] of rooms) {
    visit(tree, (node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${room}:${lineOf(tree, node)}`);
    });
  }
  assert.deepEqual(found, []);
});

test('only the front door imports video.js, and the side door does not lead there', () => {
  const withVideo = [...rooms].filter(([, { imports }]) => imports.some((from) => /^video\.js/.test(from)));
  assert.deepEqual(
    withVideo.map(([room]) => room),
    ['index'],
  );
  assert.ok(!reach('register').has('index'));
});

test('nothing is imported but the rooms, four packages, and video.js', () => {
  const foreign = [...rooms.values()].flatMap(({ imports }) => imports.filter((from) => !/^\.|^node:/.test(from)));
  assert.deepEqual([...new Set(foreign)].sort(), [...PACKAGES, 'video.js'].sort());
});

test("Node's own modules are for the seam to Node alone, but for its reading of options", () => {
  const withNode = [...rooms].filter(([, { imports }]) => imports.some((from) => from.startsWith('node:')));
  assert.deepEqual(
    withNode.map(([room]) => room).sort(),
    [...SEAMS.filter((room) => room.startsWith('check/')), 'check/arguments'].sort(),
  );
  assert.deepEqual(
    rooms.get('check/arguments').imports.filter((from) => from.startsWith('node:')),
    ['node:util'],
  );
});

test('nothing of the check comes into a page, nor anything of a player into the check', () => {
  assert.deepEqual(
    [...reach('index')].filter((room) => room.startsWith('check/')),
    [],
  );
  assert.deepEqual(
    [...reach('check/main')].filter((room) => /^(playback|transport|part|plugin|conductor|register|index)/.test(room)),
    [],
  );
});

/** Names that a door exports, with those of a door it passes on. */
function exportsOf(room) {
  const names = { values: [], types: [] };
  for (const node of rooms.get(room).tree.statements) {
    if (ts.isExportDeclaration(node) && !node.exportClause) {
      const { values, types } = exportsOf(
        posix.join(posix.dirname(room), node.moduleSpecifier.text).replace(/\.js$/, ''),
      );
      names.values.push(...values);
      names.types.push(...types);
    } else if (ts.isExportDeclaration(node)) {
      for (const { name, isTypeOnly } of node.exportClause.elements) {
        (node.isTypeOnly || isTypeOnly ? names.types : names.values).push(name.text);
      }
    } else if (node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) {
      const isType = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
      (isType ? names.types : names.values).push(node.name?.text ?? node.getText());
    }
  }
  return names;
}

test('the front door exports what is promised, and no more', () => {
  const { values, types } = exportsOf('index');
  assert.deepEqual(values.sort(), [...PUBLIC_VALUES].sort());
  assert.deepEqual(types.sort(), [...PUBLIC_TYPES].sort());
});

test('the side door gives the same values', () => {
  assert.deepEqual(exportsOf('register').values.sort(), [...PUBLIC_VALUES].sort());
});
