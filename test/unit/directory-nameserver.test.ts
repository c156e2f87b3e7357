import QUnit from 'qunit';
import { directory } from '../../src/directory.js';
import { lookUp, type Candidates } from '../../src/selection.js';
import { fakePlatform, nothingLeft } from '../support/platform.js';
import { fromBase64Url, readQuery, reply } from './oracle.js';
import { MAP, settings, SOURCE } from './given.js';

const { module, test } = QUnit;

/** A page whose only nameserver knows these targets, with their priorities; a number is the RCODE it has instead. */
function scene(
  assert: Assert,
  zones: Readonly<Record<string, Readonly<Record<string, number>> | number>>,
): { find: () => Promise<Candidates>; asked: string[] } {
  const fake = fakePlatform(assert);
  const page = directory(fake.platform);
  const own = settings();
  const asked: string[] = [];
  fake.respond(MAP, ({ url }) => {
    const query = readQuery(fromBase64Url(new URL(url).searchParams.get('dns') ?? ''));
    const name = query.questions[0]?.name ?? '';
    asked.push(name);
    const zone = zones[name] ?? 3;
    const targets = typeof zone === 'number' ? [] : Object.entries(zone);
    const answers = targets.map(([target, priority]) => ({
      ...{ name, type: 'SRV', ttl: 60 },
      data: { priority, weight: 1, port: 443, target },
    }));
    const body = reply({ name, type: 'SRV' }, typeof zone === 'number' ? { rcode: zone } : { answers });
    return { headers: { 'content-type': 'application/dns-message' }, body };
  });
  const { platform } = fake;
  const find = (): Promise<Candidates> =>
    lookUp(SOURCE, { src: SOURCE.src }, own, {
      ask: (question) => page.ask(question, own),
      ...{ cooling: page.cooling, secure: true, platform, pageId: page.pageId, signal: new AbortController().signal },
    });
  return { find, asked };
}

module('directory, with one nameserver', nothingLeft);

for (const [rcode, name] of [
  [2, 'SERVFAIL'],
  [5, 'REFUSED'],
] as const) {
  test(`a zone that it cannot answer for (${name}) does not keep it from answering for the next class`, async (assert) => {
    const { find, asked } = scene(assert, {
      [SOURCE.service]: { 'eu1.token.example': 10, 'us1.token.example': 20 },
      'eu1.token.example': rcode,
      'us1.token.example': { 'good.example': 10 },
    });
    const { edges } = await find();
    assert.deepEqual(
      edges.map(({ origin }) => origin),
      ['https://good.example'],
    );
    assert.deepEqual(asked, [SOURCE.service, 'eu1.token.example', 'us1.token.example']);
  });
}
