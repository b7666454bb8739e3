#!/usr/bin/env node
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { rootCommand } from './root.ts';
import { StartError } from './start-error.ts';
import { painter, processTerminal } from './terminal/terminal.ts';

const terminal = processTerminal(process.argv);
const finish = (code: number): void => {
  process.exitCode = code;
};

/** Pods wait for `init` and `sidecar`, so what other commands need is not loaded for them. */
async function program(): Promise<Command> {
  const airmesh = rootCommand(terminal);
  switch (process.argv[2]) {
    case 'init':
      (await import('./commands/init.ts')).addInitCommand(airmesh, terminal, finish);
      return airmesh;
    case 'sidecar':
    case 'processor':
      (await import('./commands/beside.ts')).addBesideCommands(airmesh, terminal, finish);
      return airmesh;
    default:
      return (await import('./program.ts')).createProgram(terminal, finish);
  }
}

try {
  await (await program()).parseAsync(process.argv);
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
