import type { CompletionCreateParamsBase } from 'openai/resources/completions';
import type { EmbeddingCreateParams } from 'openai/resources/embeddings';
import { openai } from '../../../src/core/dialects/index.ts';
import type { Front, Probe } from '../probe.ts';

const COMPLETION_PROBES: readonly Probe<CompletionCreateParamsBase>[] = [
  { name: '`stream`', with: { stream: true } },
  { name: '`max_tokens`', with: { max_tokens: 500 } },
  { name: '`temperature`', with: { temperature: 0.5 } },
  { name: '`top_p`', with: { top_p: 0.9 } },
  { name: '`frequency_penalty`', with: { frequency_penalty: 0.5 } },
  { name: '`presence_penalty`', with: { presence_penalty: 0.5 } },
  { name: '`seed`', with: { seed: 7 } },
  { name: '`stop`', with: { stop: ['END'] } },
  { name: '`n`', with: { n: 2 } },
  { name: '`best_of`', with: { best_of: 2 } },
  { name: '`logit_bias`', with: { logit_bias: { 50256: -100 } } },
  { name: '`logprobs`', with: { logprobs: 3 } },
  { name: '`echo`', with: { echo: true } },
  { name: '`suffix`', with: { suffix: 'The end.' } },
  { name: '`user`', with: { user: 'u-1' } },
  { name: '`prompt`: several', with: { prompt: ['One.', 'Two.'] } },
  { name: '`prompt`: tokens', with: { prompt: [1, 2, 3] } },
];

export const openaiCompletions: Front = {
  name: 'OpenAI completions',
  dialect: openai,
  path: '/v1/completions',
  base: { model: 'm', prompt: 'Once upon a time' },
  probes: COMPLETION_PROBES,
};

const EMBEDDING_PROBES: readonly Probe<EmbeddingCreateParams>[] = [
  { name: '`input`: several', with: { input: ['One.', 'Two.'] } },
  { name: '`input`: tokens', with: { input: [1, 2, 3] } },
  { name: '`dimensions`', with: { dimensions: 256 } },
  { name: '`encoding_format`: base64', with: { encoding_format: 'base64' }, silent: 'the provider is asked for numbers, which are written so for the caller' },
  { name: '`user`', with: { user: 'u-1' } },
];

export const openaiEmbeddings: Front = {
  name: 'OpenAI embeddings',
  dialect: openai,
  path: '/v1/embeddings',
  base: { model: 'm', input: 'One.' },
  probes: EMBEDDING_PROBES,
};
