import { readFileSync } from 'node:fs';
import { readInjectorFile } from '../../shell/injector/index.ts';
import type { InjectorFile } from '../../shell/injector/index.ts';
import { messageOf } from '../mesh/message-of.ts';
import { StartError } from '../start-error.ts';

/** Throws a StartError that names what is wrong in the file. */
export function loadInjectorFile(path: string): InjectorFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new StartError(`The injector's settings cannot be read: ${messageOf(error)}.`, 'Name the file that the chart mounts with --injector.');
  }
  const read = readInjectorFile(text);
  if (!read.ok)
    throw new StartError(`The injector's settings in ${path} are wrong:\n${read.error.join('\n')}`, 'The chart writes them from injector in its values.');
  return read.value;
}
