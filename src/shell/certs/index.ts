/**
 * Certificates: the mesh's own authorities, what they issue, and when all of it is made anew.
 *
 * Owns the authorities' keys, how roots follow each other, and where both are kept. Must never show a private key, hand out an
 * authority's, nor know what a certificate is used for.
 */
export { Authority } from './authority.ts';
export type { AuthorityParts, LeafWishes, Tended } from './authority.ts';
export { AUTHORITIES } from './terms.ts';
export type { AuthorityTerms } from './terms.ts';
export { StoreUnreachable } from './store.ts';
export type { AuthorityFault, AuthorityStore, Kept } from './store.ts';
export { MemoryAuthorityStore } from './memory-store.ts';
export { FolderAuthorityStore } from './folder-store.ts';
export { SecretAuthorityStore } from './secret-store.ts';
export type { SecretPlace, Secrets } from './secret-store.ts';
export { KeyedCertificate } from './keyed.ts';
export { LeafBook } from './leafbook.ts';
export type { LeafBookParts, Leaves } from './leafbook.ts';
export { issuedIdentity } from './issued.ts';
export { tlsFolderIdentity } from './tls-folder.ts';
export type { IdentitySource, ServerIdentity } from './identity.ts';
