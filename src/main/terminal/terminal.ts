import { styleText } from 'node:util';

/** Where a command writes and what it knows of its surroundings. Tests give one of their own. */
export interface Terminal {
  readonly environment: NodeJS.ProcessEnv;
  /** The command's product: tables, JSON. */
  out(text: string): void;
  /** Everything else: problems, progress. */
  err(text: string): void;
  /** Whether a person watches the output, who wants it redrawn in place. */
  readonly interactive: boolean;
  readonly colour: boolean;
}

type Look = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (look: Look, text: string) => string;

export function processTerminal(argv: readonly string[]): Terminal {
  const { env, stdout, stderr } = process;
  return {
    environment: env,
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    interactive: stdout.isTTY === true,
    colour: wantsColour(env, argv, stdout.isTTY === true),
  };
}

/**
 * Flags before environment before a guess. `NO_COLOR` counts when it is not empty (no-color.org); `FORCE_COLOR` is what
 * continuous integration sets.
 */
export function wantsColour(environment: NodeJS.ProcessEnv, argv: readonly string[], isTerminal: boolean): boolean {
  if (argv.includes('--no-color')) return false;
  if (environment['NO_COLOR'] !== undefined && environment['NO_COLOR'] !== '') return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return isTerminal && environment['TERM'] !== 'dumb';
}

export function painter(colour: boolean): Paint {
  return colour ? (look, text) => styleText(look, text, { validateStream: false }) : (_look, text) => text;
}
