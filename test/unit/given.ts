/** What many unit tests start from, and how they look at a failure. */
import { isError, type EdgeSelectError } from '../../src/errors.js';
import { readOptions, type EdgeSelectOptions, type Settings } from '../../src/options.js';
import type { Answer, AddressRecord, Question, SrvRecord } from '../../src/resolver.js';
import type { EdgeSource } from '../../src/source.js';

export const MAP = 'https://map.example/dns-query';

/** Settings of a site that says no more than it must, and what the test adds. A warning is a failure. */
export function settings(more: EdgeSelectOptions = {}): Settings {
  return readOptions({ nameserver: MAP, ...more }, (text) => {
    throw new Error(`an unexpected warning: ${text}`);
  });
}

export const SOURCE: EdgeSource = {
  src: 'https://video.example/live/main.m3u8',
  type: 'application/x-mpegURL',
  origin: 'https://video.example',
  scheme: 'https',
  service: '_https._tcp.video.example',
};

/** The question of a first lookup. */
export const question = (more: Partial<Question> = {}): Question => ({
  lookup: 'tokens',
  name: '_https._tcp.video.example',
  type: 'SRV',
  ...more,
});

export const srv = (target: string, more: Partial<SrvRecord> = {}): SrvRecord => ({
  type: 'SRV',
  priority: 10,
  weight: 10,
  port: 443,
  target,
  ...more,
});

export const address = (text: string): AddressRecord => ({ type: text.includes(':') ? 'AAAA' : 'A', address: text });

export const answer = (records: Answer['records'], ttlSeconds = 60): Answer => ({ records, ttlSeconds });

/** The error of ours that a call throws or a promise rejects with. */
export async function failureOf(run: Promise<unknown> | (() => unknown)): Promise<EdgeSelectError> {
  try {
    await (typeof run === 'function' ? run() : run);
  } catch (error) {
    if (isError(error)) return error;
    throw error;
  }
  throw new Error('nothing failed');
}
