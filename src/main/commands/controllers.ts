import { readFileSync } from 'node:fs';
import { SIDECAR_ENVIRONMENT } from '../../core/control/index.ts';
import { parseLedger } from '../addresses.ts';
import { StartError } from '../start-error.ts';

/** As the flags have not named them. */
export function controllersIn(environment: NodeJS.ProcessEnv): readonly string[] {
  const text = environment[SIDECAR_ENVIRONMENT.controllers] ?? '';
  if (text !== '') return parseLedger(text);
  throw new StartError('No controller is named.', `Name one with --controller host:port, or in ${SIDECAR_ENVIRONMENT.controllers}.`);
}

/** Authorities of the controllers' certificates, PEM. */
export function rootsFrom(file: string | undefined, environment: NodeJS.ProcessEnv): string {
  const text = environment[SIDECAR_ENVIRONMENT.controllerRoots] ?? '';
  if (file === undefined && text !== '') return text;
  if (file === undefined)
    throw new StartError('Whose certificates controllers have is not said.', `Name --controller-ca, or set ${SIDECAR_ENVIRONMENT.controllerRoots}.`);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}.`, 'Mend it, or name another.', { cause: error });
  }
}
