/**
 * Check: asks a provider, with one real request, whether it accepts its key.
 *
 * Owns telling apart what can be wrong between here and a provider. Must never print a key, and knows no resources.
 */
export { checkProvider } from './provider.ts';
export type { CheckOutcome, CheckRequest } from './provider.ts';
