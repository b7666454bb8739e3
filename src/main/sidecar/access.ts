import { Roots, TokenFile, rootsFault } from '../../shell/wire/index.ts';
import type { TokenAccess } from '../../shell/wire/index.ts';
import { StartError } from '../start-error.ts';

/** The way to controllers by a service account's token; its file is followed until it is closed. `roots`: PEM. Throws a StartError where they cannot be used. */
export function openAccess(roots: string, tokenPath: string): TokenAccess {
  const fault = rootsFault(roots);
  if (fault !== undefined) throw new StartError(`The authorities of the controllers’ certificates cannot be used: ${fault}.`, 'Name --controller-ca.');
  return { roots: new Roots(roots), token: new TokenFile(tokenPath) };
}
