/**
 * Dialects: the languages that callers and providers speak, one room for each, all of the same shape.
 *
 * Owns wire formats. Must never know of budgets, policies, or how bytes travel.
 */
export type * from './types.ts';
export type * from './state.ts';
export { isObjectId, MAX_REFERENCES } from './state.ts';
export type * from './neutral.ts';
export type * from './translation.ts';
export type { EmbeddingInput, EmbeddingLanguage, EmbeddingPart } from './embedding.ts';
export type { EnderContext, StreamEnder } from './ender.ts';
export { EventSplitter } from './splitter.ts';
export { backOf } from './backs.ts';
export type { Back, BackName } from './backs.ts';
export { FRONT_HEADERS, frontOf, translationOf } from './registry.ts';
export { anthropic } from './anthropic/index.ts';
export { gemini } from './gemini/index.ts';
export { openai } from './openai/index.ts';
