import QUnit from 'qunit';
import { isTooSlow, type Alternative, type Demand, type Flow } from '../../src/transport/pace.js';

const { module, test } = QUnit;

/** A segment of 2 s, of which a megabyte is still to come after half a second; 12 s of buffer; an edge of 8 Mbit/s. */
const FLOW: Flow = { elapsedMs: 500, bytes: 100_000, leftBytes: 1_000_000, bytesPerMs: 1000 };
const DEMAND: Demand = { bufferMs: 12_000, segmentMs: 2000, targetMs: 2000 };
const OTHER: Alternative = { firstByteMs: 40, bytesPerMs: 1000 };

interface Case {
  readonly flow?: Partial<Flow>;
  readonly demand?: Partial<Demand>;
  readonly other?: Partial<Alternative>;
  readonly leaves: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  'as quick as it is played': { flow: { bytesPerMs: 1000 }, leaves: false },
  'a little slower than it is played, with a buffer': { flow: { bytesPerMs: 510 }, leaves: false },
  'more than a quarter slower than it is played': { flow: { bytesPerMs: 490 }, leaves: true },
  'a twentieth of what is needed': { flow: { bytesPerMs: 25 }, leaves: true },
  'nothing at all': { flow: { bytesPerMs: 0 }, leaves: true },
  'a little slower, and the buffer is gone before it is there': {
    ...{ flow: { bytesPerMs: 510 }, demand: { bufferMs: 3900 } },
    leaves: true,
  },
  'too early to tell': { flow: { bytesPerMs: 25, elapsedMs: 399 }, leaves: false },
  'nobody else is quicker by a quarter': { flow: { bytesPerMs: 250 }, other: { bytesPerMs: 300 }, leaves: false },
  'somebody else was never measured': { flow: { bytesPerMs: 250 }, other: { bytesPerMs: null }, leaves: true },
  'at the start, without a buffer, but quick enough to play': {
    ...{ demand: { bufferMs: 0 }, other: { bytesPerMs: null } },
    leaves: false,
  },
  'at the start, without a buffer, and too slow to play': {
    ...{ flow: { bytesPerMs: 300 }, demand: { bufferMs: 0 } },
    leaves: true,
  },
  'almost there: another would have to begin first': {
    ...{ flow: { elapsedMs: 2500, leftBytes: 5000, bytesPerMs: 125 }, demand: { bufferMs: 1000 } },
    leaves: false,
  },
  'a long segment that is slow, but not by a quarter': {
    ...{ flow: { bytesPerMs: 150 }, demand: { segmentMs: 6000, bufferMs: 18_000 } },
    leaves: false,
  },
  'a length that nobody told: as much again as came is expected': {
    flow: { leftBytes: null, bytes: 1_000_000, bytesPerMs: 250 },
    leaves: true,
  },
};

module('pace');

test.each('leaves a body that comes, or not:', CASES, (assert, { flow, demand, other, leaves }) => {
  const rival = { ...OTHER, ...other };
  assert.strictEqual(isTooSlow({ ...FLOW, ...flow }, { ...DEMAND, ...demand }, rival), leaves);
});
