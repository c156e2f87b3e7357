/**
 * The program. In: the words typed at a terminal. Out: text or JSON, and an exit code. Whatever happens it ends with a
 * line that says what did, and not with a stack trace.
 */
import { readFileSync } from 'node:fs';
import { HELP, readArguments } from './arguments.js';
import { check } from './run.js';
import { asJson, asText } from './show.js';
import { plain } from './text.js';

process.on('uncaughtException', fault);
// whoever reads may leave early, as `head` does
process.stdout.on('error', () => process.exit(0));
run().catch(fault);

async function run(): Promise<void> {
  const command = readArguments(process.argv.slice(2));
  switch (command.kind) {
    case 'help':
      end(0, HELP);
      return;
    case 'version': {
      const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
      end(0, (JSON.parse(manifest) as { version: string }).version);
      return;
    }
    case 'wrong':
      process.stderr.write(`${plain(command.text)}\nvideojs-edge-select --help names all options\n`);
      process.exitCode = 2;
      return;
    case 'check': {
      const checked = await check(command.wanted);
      end(checked.exitCode, command.wanted.asJson ? asJson(checked) : asText(checked));
      return;
    }
    default:
      command satisfies never;
  }
}

/** At once: a name that the system still looks up would keep the process alive. */
function end(exitCode: number, text: string): void {
  process.stdout.write(`${text}\n`, () => process.exit(exitCode));
}

function fault(error: unknown): void {
  process.stderr.write(`The check itself failed: ${plain(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(2);
}
