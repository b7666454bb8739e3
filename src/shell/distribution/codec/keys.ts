import { inspect } from 'node:util';
import type { KeyMaterial } from '../../../core/control/index.ts';
import type { KeyRef, ProviderType } from '../../../core/policy/index.ts';
import { list, name, oneOf } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { PROVIDER_TYPES } from './providers.ts';

export const MAX_KEYS = 10_000;

type Keys = ReadonlyMap<KeyRef, KeyMaterial>;

/** A key that whatever prints it does not show. */
class HiddenKey implements KeyMaterial {
  readonly type: ProviderType;
  readonly #value: string;

  constructor(type: ProviderType, value: string) {
    this.type = type;
    this.#value = value;
  }

  get value(): string {
    return this.#value;
  }

  [inspect.custom](): string {
    return `${this.type} key`;
  }
}

export const rawKeys = (keys: Keys): Raw[] => [...keys].map(([ref, { type, value }]) => ({ ref, type, value }));

/** No message quotes a key. */
export function readKeys(raw: Raw, field: string): Keys {
  return new Map(list(raw, field, MAX_KEYS, (key) => [name(key, 'ref'), new HiddenKey(oneOf(key, 'type', PROVIDER_TYPES), name(key, 'value'))]));
}
