import { Command, CommanderError, Option } from 'commander';
import { EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal/terminal.ts';
import { VERSION } from './version.ts';

/** The program, without any command yet. */
export function rootCommand(terminal: Terminal): Command {
  return new Command('airmesh')
    .description('AI traffic inside a service mesh: keys, tokens, prices and budgets in the Envoy beside each service.')
    .version(VERSION)
    .option('--no-color', 'plain text')
    .showHelpAfterError()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .exitOverride();
}

const CONCURRENCY = /^[1-9]\d{0,2}$/;

/** Of every command that runs an Envoy. */
export const concurrencyOption = (): Option =>
  new Option('--concurrency <threads>', 'Envoy’s worker threads').argParser((text) => {
    if (!CONCURRENCY.test(text)) throw new CommanderError(EXIT.usage, 'airmesh.concurrency', `error: --concurrency ${text} is not a number from 1 to 999`);
    return Number(text);
  });
