import type { Usage } from '../../../catalog/index.ts';

/** What is not known of a `Usage`, none of whose fields is optional. */
const UNKNOWN = { inference_geo: null, service_tier: null, speed: null };

/** A usage in Anthropic's counting, where `input_tokens` is what was neither read from a cache nor written to one. Source: `Usage` of `@anthropic-ai/sdk`. */
export function usageObject(usage: Usage | undefined): Readonly<Record<string, unknown>> {
  return { ...countsOf(usage), cache_creation: cacheCreationOf(usage), ...UNKNOWN };
}

/** The same for the end of a stream, which has fewer fields. Source: `MessageDeltaUsage` of `@anthropic-ai/sdk`. */
export function countsOf(usage: Usage | undefined): Readonly<Record<string, unknown>> {
  const read = usage?.cachedInputTokens ?? 0;
  const written = usage?.cacheWriteTokens ?? 0;
  const { reasoningTokens, hostedToolCalls } = usage ?? {};
  return {
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - read - written),
    output_tokens: usage?.outputTokens ?? 0,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: written,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: hostedToolCalls === undefined ? null : { web_search_requests: hostedToolCalls, web_fetch_requests: 0 },
  };
}

function cacheCreationOf(usage: Usage | undefined): Readonly<Record<string, number>> | null {
  const { cacheWriteTokens, cacheWriteLongTokens = 0 } = usage ?? {};
  if (cacheWriteTokens === undefined) return null;
  return { ephemeral_1h_input_tokens: cacheWriteLongTokens, ephemeral_5m_input_tokens: Math.max(0, cacheWriteTokens - cacheWriteLongTokens) };
}
