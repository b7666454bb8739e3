import type { ModelInfo, Price } from '../../../core/catalog/index.ts';
import { amount, child, list, name, optionalAmount, optionalChild, optionalCount, optionalText, text, withoutAbsent } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';

const MAX_MODELS = 5_000;

type Models = ReadonlyMap<string, ModelInfo>;

export function rawModels(models: Models): Raw[] {
  return [...models].map(([key, { price, ...model }]) => ({ key, model: { ...model, price: price === undefined ? undefined : rawPrice(price) } }));
}

export function readModels(raw: Raw, field: string): Models {
  return new Map(list(raw, field, MAX_MODELS, (listed) => [text(listed, 'key'), child(listed, 'model', readModel)]));
}

function readModel(raw: Raw): ModelInfo {
  const { price, ...known } = {
    name: name(raw, 'name'),
    providerModel: optionalText(raw, 'providerModel'),
    price: optionalChild(raw, 'price', readPrice),
    contextWindow: optionalCount(raw, 'contextWindow'),
    maxOutputTokens: optionalCount(raw, 'maxOutputTokens'),
    maxImageTokens: optionalCount(raw, 'maxImageTokens'),
  };
  return { ...withoutAbsent<Omit<ModelInfo, 'price'>>(known), price };
}

function rawPrice(price: Price): Raw {
  return Object.fromEntries(Object.entries(price).map(([kind, value]) => [kind, String(value)]));
}

function readPrice(raw: Raw): Price {
  return withoutAbsent<Price>({
    input: amount(raw, 'input'),
    output: amount(raw, 'output'),
    cachedInput: optionalAmount(raw, 'cachedInput'),
    cacheWrite: optionalAmount(raw, 'cacheWrite'),
    cacheWriteLong: optionalAmount(raw, 'cacheWriteLong'),
    inputAudio: optionalAmount(raw, 'inputAudio'),
    outputAudio: optionalAmount(raw, 'outputAudio'),
    inputImage: optionalAmount(raw, 'inputImage'),
    outputImage: optionalAmount(raw, 'outputImage'),
    perRequest: optionalAmount(raw, 'perRequest'),
    perHostedToolCall: optionalAmount(raw, 'perHostedToolCall'),
    source: text(raw, 'source'),
  });
}
