/** Which lines the table has. */
import { FAULTS } from './fault-scenarios.js';

const COMBINATIONS = [
  { bufferSeconds: 12, segmentSeconds: 6 },
  { bufferSeconds: 12, segmentSeconds: 2 },
  { bufferSeconds: 4, segmentSeconds: 2 },
];
/** @type {readonly import('./fault-media.js').Container[]} */
const CONTAINERS = ['ts', 'fmp4'];
/** Where one combination stands for all. */
const SAMPLE = { bufferSeconds: 12, segmentSeconds: 6, container: CONTAINERS[1] ?? 'fmp4' };
/** Of what is the viewer's own trouble: it has nothing to do with how media is packed. */
const CONTROL_SAMPLE = { bufferSeconds: 12, segmentSeconds: 2, container: SAMPLE.container };
/** The hardest of a small buffer, for the quick run. */
const QUICK_WITH_SMALL_BUFFER = ['none', 'dies-silent', 'mid-body', 'slow', 'swallows'];

/** @typedef {import('./fault-scenarios.js').Case} Case */
/** @typedef {{only: readonly string[] | null, buffer: number | null, segments: number | null, container: string | null, quick: boolean, plain: boolean, noise: boolean}} Wanted null: all */

/**
 * @param {Wanted} wanted
 * @returns {Case[]} each combination with its fault-free run, with which the others are compared
 */
export function casesFor(wanted) {
  const { only, buffer, segments, container, quick, plain, noise } = wanted;
  const isWanted = (/** @type {string} */ name) => only === null || only.includes(name);
  const isFault = (/** @type {string} */ name) => name !== 'noise' && !FAULTS[name]?.isControl;
  const faults = Object.keys(FAULTS).filter((name) => isFault(name) && isWanted(name));
  const usual = { networkInformation: false, isPlain: false };
  /** @type {Case[]} */
  const all = COMBINATIONS.flatMap((lengths) =>
    CONTAINERS.flatMap((format) => {
      const own = { ...lengths, container: format };
      const promised = faults.filter(
        (name) => lengths.bufferSeconds >= 12 || name === 'none' || FAULTS[name]?.isFirstSix,
      );
      const withControl = promised.length > 0 ? [...new Set(['none', ...promised])] : [];
      return withControl.map((fault) => ({ fault, ...own, ...usual }));
    }),
  );
  // as real sites have it
  if (faults.includes('dies-silent')) {
    for (const fault of ['none', 'dies-silent']) all.push({ fault, ...SAMPLE, ...usual, networkInformation: true });
  }
  const controls = Object.keys(FAULTS).filter((name) => FAULTS[name]?.isControl && isWanted(name));
  // who asks for them by name may have them with other media
  const own = only === null ? {} : { bufferSeconds: buffer, segmentSeconds: segments, container };
  const lengths = {
    ...CONTROL_SAMPLE,
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null)),
  };
  if (!quick || only !== null) all.push(...controls.map((fault) => ({ fault, ...lengths, ...usual })));
  const fitting = all.filter(
    (line) =>
      (buffer === null || line.bufferSeconds === buffer) &&
      (segments === null || line.segmentSeconds === segments) &&
      (container === null || line.container === container) &&
      (!quick || isQuick(line) || FAULTS[line.fault]?.isControl),
  );
  if (plain) fitting.push(...fitting.filter((line) => !line.networkInformation).map(asPlain));
  if (noise || only?.includes('noise')) fitting.push(...noiseLines(container));
  return fitting;
}

/** @param {Case} line */
function isQuick({ fault, bufferSeconds, segmentSeconds, container, networkInformation }) {
  if (networkInformation) return false;
  if (bufferSeconds < 12) return container === 'ts' && QUICK_WITH_SMALL_BUFFER.includes(fault);
  return segmentSeconds === SAMPLE.segmentSeconds && container === SAMPLE.container;
}

/** @param {Case} line @returns {Case} */
function asPlain(line) {
  return { ...line, isPlain: true };
}

/** @param {string | null} container @returns {Case[]} */
function noiseLines(container) {
  const lengths = { bufferSeconds: 12, segmentSeconds: 2 };
  return CONTAINERS.filter((format) => container === null || format === container).map((format) => {
    return { fault: 'noise', ...lengths, container: format, networkInformation: false, isPlain: false };
  });
}

/** @param {Case} line @returns {string} the same for lines that play the same media in the same way */
export function controlOf({ bufferSeconds, segmentSeconds, container, networkInformation }) {
  return [bufferSeconds, segmentSeconds, container, networkInformation].join();
}

/** @param {Case} line */
export function nameOf({ fault, bufferSeconds, segmentSeconds, container, networkInformation, isPlain }) {
  const how = `${isPlain ? ' (plain Video.js)' : ''}${networkInformation ? ' (network information)' : ''}`;
  return `${fault}${how}, ${bufferSeconds} s buffer, ${segmentSeconds} s ${container}`;
}
