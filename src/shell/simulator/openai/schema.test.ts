/** What the simulated OpenAI takes is what its client can send. The compiler checks it: at run time these say nothing. */
import type { ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import type { CompletionCreateParams } from 'openai/resources/completions';
import type { EmbeddingCreateParams } from 'openai/resources/embeddings';
import type { ResponseCreateParams, ResponseCreateParamsNonStreaming, ResponseInputItem } from 'openai/resources/responses/responses';
import { expectTypeOf, it } from 'vitest';
import type { AnyOf, Missing, Sent } from '../sent.ts';
import type { ResponsesRequest } from './responses/schema.ts';
import type { ChatRequest, CompletionRequest, EmbeddingRequest } from './schema.ts';

type InputItem = AnyOf<Exclude<ResponsesRequest['input'], string>[number]>;

it('of chat completions', () => {
  expectTypeOf<Omit<Sent<ChatRequest>, 'stream'>>().toExtend<Omit<ChatCompletionCreateParams, 'stream'>>();
  expectTypeOf<Missing<ChatRequest, ChatCompletionCreateParams>>().toEqualTypeOf<never>();
  // Left out: what came before tools, and moderation beside an answer.
  expectTypeOf<Missing<ChatCompletionCreateParams, ChatRequest>>().toEqualTypeOf<'functions' | 'function_call' | 'moderation'>();
});

it('of completions', () => {
  expectTypeOf<Omit<Sent<CompletionRequest>, 'stream'>>().toExtend<Omit<CompletionCreateParams, 'stream'>>();
  expectTypeOf<Missing<CompletionCreateParams, CompletionRequest>>().toEqualTypeOf<never>();
});

it('of embeddings', () => {
  expectTypeOf<Sent<EmbeddingRequest>>().toExtend<EmbeddingCreateParams>();
  expectTypeOf<Missing<EmbeddingCreateParams, EmbeddingRequest>>().toEqualTypeOf<never>();
});

it('of responses', () => {
  // Items of the input may leave out ids that the client's types want.
  expectTypeOf<Omit<Sent<ResponsesRequest>, 'stream' | 'include' | 'input'>>().toExtend<
    Omit<ResponseCreateParamsNonStreaming, 'stream' | 'include' | 'input'>
  >();
  expectTypeOf<Missing<InputItem, AnyOf<ResponseInputItem>>>().toEqualTypeOf<never>();
  expectTypeOf<Missing<ResponsesRequest, ResponseCreateParams>>().toEqualTypeOf<never>();
  // Left out: what is kept apart from responses, and what changes their input.
  expectTypeOf<Missing<ResponseCreateParams, ResponsesRequest>>().toEqualTypeOf<
    'access_programs' | 'context_management' | 'conversation' | 'image' | 'moderation' | 'prompt' | 'prompt_cache_options'
  >();
});
