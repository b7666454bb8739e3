import type { Terminal } from './terminal.ts';

/** A terminal that keeps what is written to it: for tests. */
export function recordingTerminal(settings: Partial<Pick<Terminal, 'environment' | 'interactive' | 'colour'>> = {}): {
  readonly terminal: Terminal;
  readonly out: () => string;
  readonly err: () => string;
} {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    environment: {},
    interactive: false,
    colour: false,
    ...settings,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
  };
  return { terminal, out: () => out, err: () => err };
}
