/** What the simulated Gemini takes is what its client can send. The compiler checks it: at run time these say nothing. */
import type { Content, FunctionDeclaration, GenerationConfig, Part, Tool } from '@google/genai';
import { expectTypeOf, it } from 'vitest';
import type { Missing } from '../sent.ts';
import type { GeminiPart, GenerateRequest } from './schema.ts';

type Settings = NonNullable<GenerateRequest['generationConfig']>;
type TakenTool = NonNullable<GenerateRequest['tools']>[number];
type Declaration = NonNullable<TakenTool['functionDeclarations']>[number];

it('of contents', () => {
  expectTypeOf<Missing<GenerateRequest['contents'][number], Content>>().toEqualTypeOf<never>();
  expectTypeOf<Missing<GeminiPart, Part>>().toEqualTypeOf<never>();
  // Left out: tools that Google runs, and what is said of media.
  expectTypeOf<Missing<Part, GeminiPart>>().toEqualTypeOf<
    'toolCall' | 'toolResponse' | 'audioTranscription' | 'codeExecutionResult' | 'executableCode' | 'partMetadata' | 'mediaProcessing' | 'speechMetadata'
  >();
});

it('of settings', () => {
  expectTypeOf<Missing<Settings, GenerationConfig>>().toEqualTypeOf<never>();
  // Left out: sound, translation, and choices of models.
  expectTypeOf<Missing<GenerationConfig, Settings>>().toEqualTypeOf<
    'modelSelectionConfig' | 'audioTranscriptionConfig' | 'audioTimestamp' | 'enableAffectiveDialog' | 'responseFormat' | 'routingConfig' | 'translationConfig'
  >();
});

it('of tools', () => {
  expectTypeOf<Missing<TakenTool, Tool>>().toEqualTypeOf<never>();
  expectTypeOf<Missing<Declaration, FunctionDeclaration>>().toEqualTypeOf<never>();
  expectTypeOf<Missing<FunctionDeclaration, Declaration>>().toEqualTypeOf<never>();
});
