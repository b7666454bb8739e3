import { usdToNano } from '../units/index.ts';
import type { ModelInfo } from './model.ts';
import type { Price } from './price.ts';

/** Who serves a model first hand. */
export type Vendor = 'openai' | 'anthropic' | 'google' | 'deepseek';

export interface ShippedModel extends ModelInfo {
  readonly vendor: Vendor;
}

const SOURCE = 'airmesh-catalog/1';

function price(input: string, output: string, cachedInput?: string): Price {
  return { input: usdToNano(input), output: usdToNano(output), ...(cachedInput === undefined ? {} : { cachedInput: usdToNano(cachedInput) }), source: SOURCE };
}

/**
 * The models that ship with prices of their own. Context windows, answer limits and cached prices are the vendors'
 * published figures; `maxImageTokens` of gpt-4.1 is its high-detail bound (85 + 170 for each of at most 8 tiles), that of
 * Claude the 1,600 to which larger images are scaled down, and what rounding may add.
 */
export const SHIPPED_MODELS: readonly ShippedModel[] = [
  { vendor: 'openai', name: 'gpt-4.1', price: price('2', '8', '0.5'), contextWindow: 1_047_576, maxOutputTokens: 32_768, maxImageTokens: 1_445 },
  {
    vendor: 'anthropic',
    name: 'claude-sonnet-4.5',
    providerModel: 'claude-sonnet-4-5',
    price: { ...price('3', '15', '0.3'), cacheWrite: usdToNano('3.75'), cacheWriteLong: usdToNano('6') },
    contextWindow: 200_000,
    maxOutputTokens: 64_000,
    maxImageTokens: 1_640,
  },
  { vendor: 'google', name: 'gemini-2.5-flash', price: price('0.35', '2.50'), contextWindow: 1_048_576, maxOutputTokens: 65_536 },
  { vendor: 'deepseek', name: 'deepseek-v3.2', providerModel: 'deepseek-chat', price: price('0.14', '0.42'), contextWindow: 131_072, maxOutputTokens: 8_192 },
  { vendor: 'openai', name: 'omni-moderation-latest', price: price('0', '0') },
];

/** Lower-case alias → catalogue name. */
export const SHIPPED_ALIASES: ReadonlyMap<string, string> = new Map([
  ['gpt-4', 'gpt-4.1'],
  ['gpt-4-turbo', 'gpt-4.1'],
  ['claude-3', 'claude-sonnet-4.5'],
  ['claude-3-sonnet', 'claude-sonnet-4.5'],
  ['gemini', 'gemini-2.5-flash'],
  ['gemini-flash', 'gemini-2.5-flash'],
  ['deepseek', 'deepseek-v3.2'],
]);

/** Used where neither a rule nor a model sets another: renminbi for a dollar. */
export const DEFAULT_CNY_PER_USD = '7.3';
