/**
 * What was typed. In: the words behind the program's name. Out: what to check, or which word is wrong and what it may be.
 * The options of a page are checked by the page's own rules.
 */
import { parseArgs } from 'node:util';
import { isError } from '../errors.js';
import { readOptions, type EdgeSelectOptions, type Settings } from '../options.js';
import { edgeSource, type EdgeSource } from '../source.js';

/** What to check. */
export interface Wanted {
  readonly source: EdgeSource;
  readonly settings: Settings;
  /** Origin of the page that would play the source. */
  readonly page: string;
  /** Whether somebody said so, or it is the default. */
  readonly pageGiven: boolean;
  /** The JSON form of DNS over HTTPS is spoken. */
  readonly jsonApi: boolean;
  /** Bounds the whole run. */
  readonly timeoutMs: number;
  readonly asJson: boolean;
}

/** What the words mean. */
export type Command =
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'wrong'; readonly text: string }
  | { readonly kind: 'check'; readonly wanted: Wanted };

export const HELP = `videojs-edge-select check <media URL> --nameserver <URL> [options]

Does what a player does, from this machine, and says what browsers will miss.

  --nameserver <URL>         the map's DoH server: a URL or an RFC 6570 template; may be given several times
  --second-nameserver <URL>  where tokens are asked for, if not there; may be given several times
  --service <name>           the name asked first; default _https._tcp.<host of the media URL>
  --client-id <id>           who asks; default: a random number, as for a page
  --no-client-id             send none
  --id-as <way>              edns (default), label or query
  --subnet <CIDR>            EDNS Client Subnet, at most /24 or /56
  --tokens <type>            SRV (default) or TXT
  --servers <type>           SRV (default), A or AAAA; with addresses also:
  --servers-url <template>   such as https://ip-{dashed}.edge.example:8443
  --json-api                 the nameservers speak application/dns-json, as dns.google does
  --origin <origin>          of the page that will play it; default https://player.example (http for http media)
  --report-path <path>       default /.well-known/edge-select
  --no-report                send no report
  --timeout <seconds>        bounds the whole run; default 20, and a quarter of it for one request
  --json                     print JSON
  --help, --version

Exit code: 0 all is well; 1 it works, with errors or warnings; 2 it does not work, or a word above is wrong.`;

const DEFAULT_TIMEOUT_SECONDS = 20;
const LONGEST_TIMEOUT_SECONDS = 600;
const TEXT = { type: 'string' } as const;
const TEXTS = { type: 'string', multiple: true } as const;
const FLAG = { type: 'boolean' } as const;
const FLAGS = {
  ...{ nameserver: TEXTS, 'second-nameserver': TEXTS, service: TEXT, 'client-id': TEXT, 'no-client-id': FLAG },
  ...{ 'id-as': TEXT, subnet: TEXT, tokens: TEXT, servers: TEXT, 'servers-url': TEXT, 'json-api': FLAG, origin: TEXT },
  ...{ 'report-path': TEXT, 'no-report': FLAG, timeout: TEXT, json: FLAG, help: FLAG, version: FLAG },
} as const;

/** A word that is wrong, as a sentence. */
class Wrong extends Error {}

/** Reads all of them; a wrong one is an outcome, not a throw. */
export function readArguments(words: readonly string[]): Command {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: FLAGS, allowPositionals: true });
    if (values.help) return { kind: 'help' };
    if (values.version) return { kind: 'version' };
    const [command, url, ...more] = positionals;
    if (command !== 'check') throw new Wrong(`there is one command, 'check', and not '${command ?? ''}'`);
    if (url === undefined) throw new Wrong('check needs the URL of a medium');
    if (more.length > 0) throw new Wrong(`one URL is checked; there is also '${more.join(' ')}'`);
    return { kind: 'check', wanted: wantedOf(url, values) };
  } catch (error) {
    // of Node's own words the first sentence names the option; the rest is advice on dashes
    return { kind: 'wrong', text: (error as Error).message.replace(/\. .*/s, '') };
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>['values'];

function wantedOf(url: string, values: Values): Wanted {
  const scheme = /^(https?):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (!scheme || !URL.canParse(url)) throw new Wrong(`'${url}' is no http(s) URL`);
  const page = values.origin === undefined ? `${scheme}://player.example` : originOf(values.origin);
  const seconds = Number(values.timeout ?? DEFAULT_TIMEOUT_SECONDS);
  if (!(seconds >= 1 && seconds <= LONGEST_TIMEOUT_SECONDS)) {
    throw new Wrong(`--timeout '${values.timeout ?? ''}': seconds, from 1 to ${LONGEST_TIMEOUT_SECONDS}`);
  }
  const settings = settingsOf(values);
  const source = edgeSource({ src: url }, { service: settings.service, hosts: [] }, { page, firstHost: null });
  if (!source) throw new Wrong(`'${url}' has no host name to make a question of, or holds a password: see --service`);
  return {
    ...{ source, settings, page, pageGiven: values.origin !== undefined, jsonApi: values['json-api'] === true },
    ...{ timeoutMs: seconds * 1000, asJson: values.json === true },
  };
}

function originOf(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw new Wrong(`--origin '${text}': such as https://www.example`);
  return new URL(text).origin;
}

/** Each option by itself, so that the wrong one can be named. */
function settingsOf(values: Values): Settings {
  const { nameserver, service, subnet, tokens, servers } = values;
  if (!nameserver) throw new Wrong('--nameserver is needed: the URL of a DoH server');
  const id = values['no-client-id'] ? false : values['client-id'];
  const idAs = values['id-as'];
  if (id !== undefined && id !== false && values['json-api'] && (idAs ?? 'edns') === 'edns') {
    throw new Wrong('--client-id: the JSON API has no EDNS; give --id-as label or --id-as query');
  }
  if (values['servers-url'] !== undefined && (servers ?? 'SRV') === 'SRV') {
    throw new Wrong('--servers-url: for --servers A or --servers AAAA');
  }
  const client = { ...given('id', id), ...given('idAs', idAs) };
  const parts: readonly (readonly [flag: string, options: object, allowed?: string])[] = [
    ['--nameserver', { nameserver }],
    ['--second-nameserver', given('secondNameserver', values['second-nameserver'])],
    ['--service', given('service', service)],
    ['--id-as', { client: given('idAs', idAs) }, 'edns, label, query'],
    ['--client-id', { client }, 'as a label 1 to 63 letters, digits and hyphens'],
    ['--subnet', { client: given('subnet', subnet) }, 'an address and a prefix of at most /24, or /56 for IPv6'],
    ['--tokens', given('tokens', tokens)],
    [
      servers === 'A' || servers === 'AAAA' ? '--servers-url' : '--servers',
      given('servers', servers && { type: servers, ...given('url', values['servers-url']) }),
      'SRV; or A or AAAA with --servers-url and {dashed} or {address} in it',
    ],
    [
      '--report-path',
      given('report', values['no-report'] ? false : values['report-path'] && { path: values['report-path'] }),
      'a path from / on',
    ],
  ];
  const whole: Record<string, unknown> = {};
  for (const [flag, options, allowed] of parts) {
    try {
      readOptions({ nameserver: 'https://map.example', ...options }, () => undefined);
    } catch (error) {
      if (!isError(error, 'OPTIONS_INVALID')) throw error;
      throw new Wrong(`${flag} ${error.details.value}: ${allowed ?? error.details.allowed}`);
    }
    Object.assign(whole, options);
  }
  const options = { ...whole, client: { ...client, ...given('subnet', subnet) }, maxTokens: 16, maxEdges: 16 };
  return readOptions(options satisfies EdgeSelectOptions, () => undefined);
}

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value };
}
