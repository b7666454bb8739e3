#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { createProgram } from './program.ts';
import { StartError } from './start-error.ts';
import { painter, processTerminal } from './terminal/terminal.ts';

const terminal = processTerminal(process.argv);
const finish = (code: number): void => {
  process.exitCode = code;
};
try {
  await createProgram(terminal, finish).parseAsync(process.argv);
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
