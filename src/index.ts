/**
 * The front door: registers `player.edgeSelect()` with the `video.js` that it imports (in a script tag: the global
 * `videojs`), and exports what an integrator needs. Not exported, on purpose: the rooms themselves.
 */
import videojs from 'video.js';
import { register } from './register.js';

register(videojs);

export * from './register.js';
export type { EdgeSelect } from './part.js';
export type { AcceptableOptions } from './acceptable.js';
export type { DiscoveredEdge, EdgeSelectOptions, ReportOptions } from './options.js';
export type { EdgeSelectEvent, EdgeSelectEvents, FailureKind } from './events.js';
export type { ErrorCode, ErrorDetails, EdgeFailure, Lookup, LookupDetails, NegativeDetails } from './errors.js';
export type { Selection, Candidates, Reason } from './selection.js';
export type { Edge } from './servers.js';
export type { Probe, Method, Outcome } from './probe.js';
export type { Capabilities } from './capabilities.js';
export type { SourceObject } from './source.js';
export type {
  Answer,
  AddressRecord,
  ClientIdentity,
  DnsRecord,
  Question,
  RecordType,
  Resolver,
  ResolverTools,
  SrvRecord,
  TextRecord,
} from './resolver.js';
export type { Platform, Timing, TimingWatch } from './platform.js';
export type { Sign } from './verdict.js';
