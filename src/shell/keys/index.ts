/**
 * Keys: the providers' credentials, as they are now.
 *
 * Owns where keys come from and whether they can be keys. Must never show one: not in a log, an error, a view or a file.
 */
export { checkKey } from './shape.ts';
export type { KeyCheck } from './shape.ts';
export { OwnKeys } from './ownkeys.ts';
export { KeyStore } from './store.ts';
export type { DeclaredKey, KeyHealth } from './store.ts';
