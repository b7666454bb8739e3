/**
 * Prices: what `@pydantic/genai-prices` knows of models beyond the catalogue, offline.
 *
 * Owns the translation of that library's data. Must never go to the network for it.
 */
import { readFileSync } from 'node:fs';
import { TieredPrices, findProvider } from '@pydantic/genai-prices';
import type { ModelInfo as ListedModel, ModelPrice } from '@pydantic/genai-prices';
import type { ModelInfo, Price, Vendor } from '../../core/catalog/index.ts';
import type { KnownModels } from '../../core/policy/index.ts';
import { parseUsd } from '../../core/units/index.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.resolve('@pydantic/genai-prices')), 'utf8')) as { version: string };
const SOURCE = `genai-prices/${version}`;

/** Every model that the library lists for a vendor, under its id and the other names that it goes by. */
export function knownModels(): KnownModels {
  return { openai: modelsOf('openai'), anthropic: modelsOf('anthropic'), google: modelsOf('google'), deepseek: modelsOf('deepseek') };
}

function modelsOf(vendor: Vendor): ModelInfo[] {
  const models = findProvider({ providerId: vendor })?.models ?? [];
  return models.flatMap((model) => {
    const price = priceOf(model);
    const limits = model.context_window === undefined ? {} : { contextWindow: model.context_window };
    return namesOf(model).map((name) => ({ name, price, ...limits }));
  });
}

/** A model's id, and the exact names among its matches; patterns name no model. */
function namesOf(model: ListedModel): string[] {
  const names = new Set([model.id]);
  const visit = (match: ListedModel['match']): void => {
    if ('or' in match) match.or.forEach(visit);
    else if ('equals' in match) names.add(match.equals);
  };
  visit(model.match);
  return [...names];
}

/** Of prices that change with the time of day, the dearest of each kind; of tiers, the dearest as well: a bound that holds. */
function priceOf(model: ListedModel): Price | undefined {
  const lists: readonly ModelPrice[] = Array.isArray(model.prices) ? model.prices.map(({ prices }) => prices) : [model.prices];
  const dearest = (kind: string): bigint | undefined => {
    const amounts = lists.flatMap((list) => nanoOf(list[kind]) ?? []);
    return amounts.length === 0 ? undefined : amounts.reduce((most, amount) => (amount > most ? amount : most));
  };
  const input = dearest('input_mtok');
  const output = dearest('output_mtok');
  if (input === undefined && output === undefined) return undefined;
  const kinds = { cachedInput: 'cache_read_mtok', cacheWrite: 'cache_write_mtok', inputAudio: 'input_audio_mtok', outputAudio: 'output_audio_mtok' } as const;
  const optional = Object.fromEntries(Object.entries(kinds).flatMap(([field, kind]) => (dearest(kind) === undefined ? [] : [[field, dearest(kind)]])));
  return { input: input ?? 0n, output: output ?? 0n, ...optional, source: SOURCE };
}

function nanoOf(price: ModelPrice[string]): bigint | undefined {
  const amount = price instanceof TieredPrices ? Math.max(price.base, ...price.tiers.map((tier) => tier.price)) : price;
  if (typeof amount !== 'number') return undefined;
  const parsed = parseUsd(Number(amount.toFixed(9)));
  return parsed.ok ? parsed.value : undefined;
}
