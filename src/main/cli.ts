#!/usr/bin/env node
import { CommanderError } from 'commander';
import { initCommand } from './commands/init.ts';
import { EXIT } from './exit-codes.ts';
import { StartError } from './start-error.ts';
import { painter, processTerminal } from './terminal/terminal.ts';

const terminal = processTerminal(process.argv);
const finish = (code: number): void => {
  process.exitCode = code;
};
try {
  // A pod waits for `init`; all the rest is loaded only where it is needed.
  const isInit = process.argv[2] === 'init';
  if (isInit) await initCommand(terminal, finish).exitOverride().parseAsync(process.argv.slice(3), { from: 'user' });
  else await (await import('./program.ts')).createProgram(terminal, finish).parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) finish(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  else if (error instanceof StartError) {
    terminal.err(`${painter(terminal.colour)('red', error.message)}\n${error.hint}\n`);
    process.exit(EXIT.unavailable);
  } else {
    terminal.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\nThis is a bug of Airmesh.\n`);
    process.exit(EXIT.internal);
  }
}
