/**
 * Catalogue: what is known of models, and what a usage costs.
 *
 * Owns models, aliases, prices and the arithmetic of cost. Must never know of providers' wire formats, of callers or of budgets.
 */
export { costOf, worstCaseOf } from './cost.ts';
export type { WorstCase } from './cost.ts';
export { DEFAULT_CNY_PER_USD, SHIPPED_ALIASES, SHIPPED_MODELS } from './shipped.ts';
export type { ShippedModel, Vendor } from './shipped.ts';
export { sumOfUsages } from './usage.ts';
export type { CacheWrites, PriceTier, Usage } from './usage.ts';
export type { NanoUsdPerMillion, Price } from './price.ts';
export type { ModelInfo } from './model.ts';
