// Who asks gets what the map has for him: the id and the subnet, from a real page through dnsdist to PowerDNS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EDGES } from '../../demo/stack/stack.js';
import { SCHEMES, useLab } from './lab.js';

const RIM = ['warsaw', 'lisbon'];
const lab = useLab();

/**
 * `spare`: named too, but not asked as long as one of the others answers.
 *
 * @type {readonly {who: string, client: object, raced: readonly string[], spare?: readonly string[]}[]}
 */
const CLIENTS = [
  { who: 'an id', client: { id: '5b0c8e1f' }, raced: EDGES },
  { who: 'no id', client: { id: false }, raced: EDGES },
  { who: 'an id on trial, in EDNS', client: { id: 'trial-7' }, raced: RIM },
  { who: 'an id in the name', client: { id: '5b0c8e1f', idAs: 'label' }, raced: EDGES },
  { who: 'an id on trial, in the name', client: { id: 'trial-7', idAs: 'label' }, raced: RIM },
  {
    ...{ who: 'a subnet', client: { subnet: '198.51.100.0/24' } },
    ...{ raced: ['amsterdam', 'frankfurt'], spare: ['lisbon'] },
  },
  {
    ...{ who: 'a subnet of IPv6', client: { subnet: '2001:db8:7:100::/56' } },
    ...{ raced: ['warsaw', 'lisbon'], spare: ['frankfurt'] },
  },
  { who: 'a subnet and an id on trial', client: { id: 'trial-7', subnet: '198.51.100.0/24' }, raced: RIM },
];

for (const { scheme, protocol } of SCHEMES) {
  for (const { who, client, raced, spare = [] } of CLIENTS) {
    test(`over ${protocol} ${who} gets its own tokens: ${raced.join(', ')}`, async (t) => {
      const viewer = await lab().watch(t, scheme, { client });
      const { selection } = await viewer.until('raced');
      const suffix = scheme === 'http' ? '.plain.token.example' : '.token.example';
      const tokens = [...raced, ...spare].map((name) => name + suffix);
      assert.deepEqual(selection.tokens.toSorted(), tokens.toSorted());
      const asked = selection.probes.map((/** @type {any} */ probe) => lab().nameOf(probe.edge.origin));
      assert.deepEqual(asked.toSorted(), raced.toSorted());
      assert.ok(raced.includes(lab().nameOf(selection.chosen.origin)));
    });
  }
}
