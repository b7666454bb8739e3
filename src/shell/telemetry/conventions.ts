import type { Ending } from '../../core/call/index.ts';
import type { Operation } from '../../core/dialects/index.ts';
import type { ProviderType } from '../../core/policy/index.ts';
import { OTHER } from './series.ts';

/** `gen_ai.provider.name`: the conventions' well-known value where there is one. */
const PROVIDER_NAMES: Readonly<Record<ProviderType, string>> = {
  OpenAI: 'openai',
  Anthropic: 'anthropic',
  Gemini: 'gcp.gemini',
  AzureOpenAI: 'azure.ai.openai',
  DeepSeek: 'deepseek',
  OpenAICompatible: 'openai_compatible',
  Simulated: 'simulated',
};

export const providerName = (type: ProviderType | undefined): string => (type === undefined ? OTHER : PROVIDER_NAMES[type]);

/** `gen_ai.operation.name`: a responses call is the conventions' `chat`; the others are named as they are there, or are ours. */
export function operationName(operation: Operation): string {
  return operation === 'responses' ? 'chat' : operation;
}

/** `error.type`: the status of an answer that was an error, else the ending. */
export function errorType(ending: Ending, status: number): string {
  if (ending === 'finished') return '';
  return ending === 'provider_error' && status > 0 ? String(status) : ending;
}
