import type { BackKind, CircuitBreaker, OutlierDetection, ProviderPolicy, ProviderType, ProviderUrl, Retries, Timeouts } from '../../../core/policy/index.ts';
import { child, count, flag, name, oneOf, optionalText, text } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { rawModels, readModels } from './models.ts';
import { Packed } from './packed.ts';
import { schema } from './schema.ts';

export const PROVIDER_TYPES: Readonly<Record<ProviderType, true>> = {
  OpenAI: true,
  Anthropic: true,
  Gemini: true,
  AzureOpenAI: true,
  DeepSeek: true,
  OpenAICompatible: true,
  Simulated: true,
};
const BACKS: Readonly<Record<BackKind, true>> = { openai: true, azure: true, deepseek: true, compatible: true, anthropic: true, gemini: true };
const UNKNOWN_PRICES: Readonly<Record<ProviderPolicy['unknownPrice'], true>> = { Refuse: true, CountTokens: true };

/** Most of a state is the models of its providers, and the same for many. */
export const packedProviders = new Packed<ProviderPolicy>(schema('Provider'), rawProvider);

function rawProvider({ models, ...provider }: ProviderPolicy): Raw {
  return { ...provider, models: rawModels(models) };
}

export function readProvider(raw: Raw): ProviderPolicy {
  return {
    id: name(raw, 'id'),
    type: oneOf(raw, 'type', PROVIDER_TYPES),
    back: oneOf(raw, 'back', BACKS),
    apiVersion: optionalText(raw, 'apiVersion'),
    baseUrl: child(raw, 'baseUrl', readUrl),
    caCertificates: optionalText(raw, 'caCertificates'),
    key: optionalText(raw, 'key'),
    models: readModels(raw, 'models'),
    unknownPrice: oneOf(raw, 'unknownPrice', UNKNOWN_PRICES),
    timeouts: child(raw, 'timeouts', readTimeouts),
    retries: child(raw, 'retries', readRetries),
    circuitBreaker: child(raw, 'circuitBreaker', readCircuitBreaker),
    outlierDetection: child(raw, 'outlierDetection', readOutlierDetection),
  };
}

function readUrl(raw: Raw): ProviderUrl {
  return { tls: flag(raw, 'tls'), host: name(raw, 'host'), port: count(raw, 'port'), basePath: text(raw, 'basePath') };
}

function readTimeouts(raw: Raw): Timeouts {
  return { connectMs: count(raw, 'connectMs'), requestMs: count(raw, 'requestMs'), idleMs: count(raw, 'idleMs') };
}

function readRetries(raw: Raw): Retries {
  return { attempts: count(raw, 'attempts'), baseIntervalMs: count(raw, 'baseIntervalMs'), maxIntervalMs: count(raw, 'maxIntervalMs') };
}

function readCircuitBreaker(raw: Raw): CircuitBreaker {
  return { maxConnections: count(raw, 'maxConnections'), maxPendingRequests: count(raw, 'maxPendingRequests'), maxRequests: count(raw, 'maxRequests') };
}

function readOutlierDetection(raw: Raw): OutlierDetection {
  return { consecutive5xx: count(raw, 'consecutive5xx'), intervalMs: count(raw, 'intervalMs'), baseEjectionTimeMs: count(raw, 'baseEjectionTimeMs') };
}
