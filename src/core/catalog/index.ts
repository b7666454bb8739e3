/**
 * Catalogue: what is known of models, and what a usage costs.
 *
 * Owns models, aliases, prices and the arithmetic of cost. Must never know of providers' wire formats, of callers or of budgets.
 */
export type { PriceTier, Usage } from './usage.ts';
export type { NanoUsdPerMillion, Price } from './price.ts';
export type { ModelInfo } from './model.ts';
