import { openai } from './openai/index.ts';
import type { Dialect } from './types.ts';

export type DialectName = 'openai';

const DIALECTS: ReadonlyMap<string, Dialect> = new Map([[openai.name, openai]]);

/** The dialect of a name; `undefined` where none has it. */
export function dialectOf(name: DialectName): Dialect;
export function dialectOf(name: string): Dialect | undefined;
export function dialectOf(name: string): Dialect | undefined {
  return DIALECTS.get(name);
}
