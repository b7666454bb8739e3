/**
 * Trust: writes the files by which applications know the mesh's certificates.
 *
 * Owns their forms, and that a reader never meets half a file. Must never hold a private key.
 */
export { javaTrustStore } from './java.ts';
export { readCertificates, writeTrust } from './files.ts';
