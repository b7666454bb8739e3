import type { CompiledProvider, KeyRef, ProviderType } from '../policy/index.ts';
import type { EpochMs } from '../units/index.ts';
import type { KeyMaterial } from './state.ts';

/** What is known of a Secret. */
export type SecretAnswer =
  | { readonly kind: 'found'; /** Changes whenever the Secret does. */ readonly revision: string; readonly data: ReadonlyMap<string, string> }
  | { readonly kind: 'absent' }
  /** The controller may not read it. */
  | { readonly kind: 'forbidden' }
  /** Nobody has said yet. */
  | { readonly kind: 'unknown' };

export type SecretLookup = (namespace: string, name: string) => SecretAnswer;

/** Whether a text can be a provider's key; the reason quotes none of it. */
export type CheckKey = (text: string, type: ProviderType) => { readonly ok: true; readonly key: string } | { readonly ok: false; readonly reason: string };

/** What is wrong with a key, in words that quote none of it. */
export interface KeyFault {
  readonly state: 'Missing' | 'Malformed';
  readonly reason: 'RefNotFound' | 'RefNotPermitted' | 'RefInvalid';
  readonly message: string;
}

export interface KeyEntry {
  /** Where it is declared to come from: `namespace/secret/field`, and the type of its provider. What was good for one is not used for another. */
  readonly source: string;
  /** The last good one. Carried nowhere but into states. */
  readonly material?: KeyMaterial;
  /** Of the Secret that it came from. */
  readonly revision?: string;
  /** When it was seen to change; absent where it has not since this process began. */
  readonly changedAt?: EpochMs;
  /** What is wrong with the Secret as it is now. With a good key from before, that one stays in use. */
  readonly fault?: KeyFault;
}

/** By provider, those that take a key. */
export type KeyBook = ReadonlyMap<KeyRef, KeyEntry>;

/** The next book: keys as the Secrets hold them now, and where a Secret fails, as it held them last. */
export function nextKeys(before: KeyBook, providers: ReadonlyMap<string, CompiledProvider>, secrets: SecretLookup, check: CheckKey, at: EpochMs): KeyBook {
  const book = new Map<KeyRef, KeyEntry>();
  for (const [id, { key }] of providers) {
    const secretRef = key?.source.secretRef;
    if (key === undefined || secretRef === undefined) continue;
    const namespace = id.slice(0, id.indexOf('/'));
    const source = `${namespace}/${secretRef.name}/${secretRef.key} ${key.type}`;
    const former = before.get(id);
    const last = former?.source === source ? former : undefined;
    book.set(id, nextEntry(last, { source, namespace, name: secretRef.name, field: secretRef.key, type: key.type }, secrets, check, at));
  }
  return book;
}

interface Declared {
  readonly source: string;
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
  readonly type: ProviderType;
}

function nextEntry(last: KeyEntry | undefined, declared: Declared, secrets: SecretLookup, check: CheckKey, at: EpochMs): KeyEntry {
  const { source, namespace, name, field, type } = declared;
  const secret = secrets(namespace, name);
  const { fault: _mended, ...kept } = last ?? { source };
  const faulty = (fault: KeyFault): KeyEntry => ({ ...kept, fault });
  if (secret.kind === 'unknown') return last ?? { source };
  if (secret.kind === 'absent')
    return faulty({
      state: 'Missing',
      reason: 'RefNotFound',
      message: `there is no Secret ${name} in namespace ${namespace}; create it with the key ${field}`,
    });
  if (secret.kind === 'forbidden')
    return faulty({
      state: 'Missing',
      reason: 'RefNotPermitted',
      message: `the controller may not read Secret ${name} in namespace ${namespace}; grant it get, list and watch on that name`,
    });
  const text = secret.data.get(field);
  if (text === undefined)
    return faulty({ state: 'Missing', reason: 'RefNotFound', message: `the Secret ${name} has no key ${field}; name the one that it has, or add it` });
  const checked = check(text, type);
  if (!checked.ok) return faulty({ state: 'Malformed', reason: 'RefInvalid', message: `the key ${field} of Secret ${name} ${checked.reason}` });
  const isSame = kept.material?.value === checked.key;
  if (isSame) return kept;
  // The first one that is seen has not changed.
  const changed = last?.material === undefined && last?.fault === undefined ? {} : { changedAt: at };
  return { source, material: { type, value: checked.key }, revision: secret.revision, ...changed };
}
