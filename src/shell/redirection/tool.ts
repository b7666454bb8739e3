import { spawnSync } from 'node:child_process';

/** `undefined`: there is no such program. */
export type ToolOutcome = { readonly ok: boolean; readonly output: string; readonly fault: string } | undefined;

/** Runs a program to its end, with `input` on its standard input. */
export type RunTool = (program: string, args: readonly string[], input?: string) => ToolOutcome;

/** Longer than any of them takes when another holds the lock of the packet filter. */
const TIMEOUT_MS = 10_000;

export const runTool: RunTool = (program, args, input) => {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: TIMEOUT_MS, ...(input === undefined ? {} : { input }) });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined;
  return { ok: status === 0, output: stdout, fault: error?.message ?? stderr.trim() };
};
