import type {
  BackendPolicy,
  CachePolicy,
  FailoverPolicy,
  MergePolicy,
  RateLimitPolicy,
  RuleMatch,
  RulePolicy,
  TransformPolicy,
} from '../../../core/policy/index.ts';
import { child, count, flag, list, misfit, name, optionalChild, optionalCount, optionalText, text, texts } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { rawPairs, readPairs } from './pairs.ts';

/** What a resource may hold, and more. */
const MAX_ENTRIES = 1_000;
const MAX_PROMPT = 200_000;
const MAX_JSON = 1_000_000;

export function rawRule({ sticky, transform, ...rule }: RulePolicy): Raw {
  return { ...rule, stickyHeader: sticky?.header, transform: rawTransform(transform) };
}

export function readRule(raw: Raw): RulePolicy {
  const header = optionalText(raw, 'stickyHeader');
  return {
    id: name(raw, 'id'),
    match: child(raw, 'match', readMatch),
    backends: list(raw, 'backends', MAX_ENTRIES, readBackend),
    failover: child(raw, 'failover', readFailover),
    sticky: header === undefined ? undefined : { header },
    transform: child(raw, 'transform', readTransform),
    limits: optionalChild(raw, 'limits', readLimits),
    cache: optionalChild(raw, 'cache', readCache),
    mergeEmbeddings: optionalChild(raw, 'mergeEmbeddings', readMerge),
  };
}

function readMatch(raw: Raw): RuleMatch {
  const headers = readPairs(raw, 'headers', MAX_ENTRIES).map(([header, value]) => ({ name: header, value }));
  return { models: texts(raw, 'models', MAX_ENTRIES), paths: texts(raw, 'paths', MAX_ENTRIES), headers };
}

function readBackend(raw: Raw): BackendPolicy {
  return { provider: name(raw, 'provider'), model: optionalText(raw, 'model'), weight: count(raw, 'weight'), priority: count(raw, 'priority') };
}

function rawTransform({ headers, body, ...transform }: TransformPolicy): Raw {
  return {
    ...transform,
    setHeaders: rawPairs(headers.set),
    addHeaders: rawPairs(headers.add),
    removeHeaders: headers.remove,
    setBody: rawPairs(Object.entries(body.set).map(([field, value]) => [field, JSON.stringify(value)])),
    removeBody: body.remove,
  };
}

function readTransform(raw: Raw): TransformPolicy {
  return {
    systemPrompt: optionalText(raw, 'systemPrompt', MAX_PROMPT),
    defaultMaxOutputTokens: optionalCount(raw, 'defaultMaxOutputTokens'),
    maxOutputTokens: optionalCount(raw, 'maxOutputTokens'),
    headers: {
      set: readPairs(raw, 'setHeaders', MAX_ENTRIES),
      add: readPairs(raw, 'addHeaders', MAX_ENTRIES),
      remove: texts(raw, 'removeHeaders', MAX_ENTRIES),
    },
    body: {
      set: Object.fromEntries(list(raw, 'setBody', MAX_ENTRIES, (pair) => [text(pair, 'name'), readJson(pair)])),
      remove: texts(raw, 'removeBody', MAX_ENTRIES),
    },
  };
}

function readJson(raw: Raw): unknown {
  try {
    return JSON.parse(text(raw, 'value', MAX_JSON));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return misfit('value', 'is not JSON');
  }
}

function readFailover(raw: Raw): FailoverPolicy {
  return {
    consecutiveFailures: count(raw, 'consecutiveFailures'),
    ejectionTimeMs: count(raw, 'ejectionTimeMs'),
    maxEjectionTimeMs: count(raw, 'maxEjectionTimeMs'),
  };
}

function readCache(raw: Raw): CachePolicy {
  return { ttlMs: count(raw, 'ttlMs'), coalesce: flag(raw, 'coalesce') };
}

function readMerge(raw: Raw): MergePolicy {
  return { maxDelayMs: count(raw, 'maxDelayMs'), maxInputs: count(raw, 'maxInputs'), maxBytes: count(raw, 'maxBytes') };
}

function readLimits(raw: Raw): RateLimitPolicy {
  return { requestsPerMinute: optionalCount(raw, 'requestsPerMinute'), tokensPerMinute: optionalCount(raw, 'tokensPerMinute') };
}
