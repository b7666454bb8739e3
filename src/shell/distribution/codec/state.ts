import type { SidecarState } from '../../../core/control/index.ts';
import type { Result } from '../../../core/units/index.ts';
import { child, name, optionalChild, optionalText, withoutAbsent } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { MAX_PEM, rawInterception, readInterception } from './interception.ts';
import { MAX_KEYS, rawKeys, readKeys } from './keys.ts';
import { rawPairs, readPairs } from './pairs.ts';
import { schema } from './schema.ts';
import { rawSnapshot, readSnapshot } from './snapshot.ts';

const stateSchema = schema('State');

/** With all that is in it, keys as well: for a stream that only its workload's sidecar reads, or a file that only it can. */
export function encodeState(state: SidecarState): Buffer {
  return stateSchema.encode(rawState(state));
}

/** The error names the field and what is wrong with it; it quotes no key. */
export function decodeState(bytes: Uint8Array): Result<SidecarState, string> {
  return stateSchema.decode(bytes, readState);
}

export function rawState({ version, snapshot, keys, keySources = new Map(), interception, controllerRoots }: SidecarState): Raw {
  return {
    version,
    snapshot: rawSnapshot(snapshot),
    keys: rawKeys(keys),
    keySources: rawPairs(keySources),
    interception: interception === undefined ? undefined : rawInterception(interception),
    controllerRoots,
  };
}

export function readState(raw: Raw): SidecarState {
  const sources = readPairs(raw, 'keySources', MAX_KEYS);
  return withoutAbsent<SidecarState>({
    version: name(raw, 'version'),
    snapshot: child(raw, 'snapshot', readSnapshot),
    keys: readKeys(raw, 'keys'),
    keySources: sources.length === 0 ? undefined : new Map(sources),
    interception: optionalChild(raw, 'interception', readInterception),
    controllerRoots: optionalText(raw, 'controllerRoots', MAX_PEM),
  });
}
