import { BlockedReason, FinishReason, HarmCategory, HarmProbability, MediaModality } from '@google/genai';
import type { Candidate, GenerateContentResponse, GenerateContentResponseUsageMetadata, Part } from '@google/genai';
import type { Answers, Probe } from '../probe.ts';
import { NO_CITATIONS, NO_PLACE, PNG } from '../material.ts';

type Answer = Partial<Pick<GenerateContentResponse, 'candidates' | 'promptFeedback' | 'usageMetadata' | 'modelVersion' | 'responseId'>>;

const TEXT: Part = { text: 'It is raining.' };
const CALL: Part = { functionCall: { id: 'call_1', name: 'weather', args: { city: 'Ulm' } } };
const USAGE: GenerateContentResponseUsageMetadata = { promptTokenCount: 100, candidatesTokenCount: 20, totalTokenCount: 120 };
const candidate = (more: Candidate): Answer => ({
  candidates: [{ content: { role: 'model', parts: [TEXT] }, finishReason: FinishReason.STOP, index: 0, ...more }],
});
const said = (...parts: readonly Part[]): Answer => candidate({ content: { role: 'model', parts: [...parts] } });
const used = (usage: GenerateContentResponseUsageMetadata): Answer => ({ usageMetadata: { ...USAGE, ...usage } });

const PROBES: readonly Probe<Answer>[] = [
  { name: '`finishReason`: MAX_TOKENS', with: candidate({ finishReason: FinishReason.MAX_TOKENS }) },
  { name: '`finishReason`: SAFETY', with: candidate({ finishReason: FinishReason.SAFETY }) },
  { name: '`finishReason`: RECITATION', with: candidate({ finishReason: FinishReason.RECITATION }) },
  { name: '`finishReason`: MALFORMED_FUNCTION_CALL', with: candidate({ finishReason: FinishReason.MALFORMED_FUNCTION_CALL }) },
  { name: '`finishReason`: OTHER', with: candidate({ finishReason: FinishReason.OTHER }) },
  { name: 'a prompt that was blocked (`promptFeedback`)', with: { candidates: [], promptFeedback: { blockReason: BlockedReason.PROHIBITED_CONTENT } } },
  {
    name: '`safetyRatings`',
    with: candidate({ safetyRatings: [{ category: HarmCategory.HARM_CATEGORY_HARASSMENT, probability: HarmProbability.LOW }] }),
    silent: NO_PLACE,
  },
  { name: 'a tool call', with: said(CALL) },
  { name: 'a tool call with its seal', with: said({ ...CALL, thoughtSignature: 'c2VhbA==' }) },
  { name: 'a tool call without an id', with: said({ functionCall: { name: 'weather', args: {} } }) },
  { name: 'thoughts', with: said({ text: 'Hm.', thought: true }, TEXT), silent: NO_PLACE },
  { name: 'the seal of a text', with: said({ ...TEXT, thoughtSignature: 'c2VhbA==' }), silent: 'Google goes on without it, and nobody else can use it' },
  { name: 'an image', with: said(TEXT, { inlineData: { mimeType: 'image/png', data: PNG } }), silent: `${NO_PLACE}; asking for images is refused` },
  {
    name: 'code that Google ran',
    with: said({ executableCode: { code: '1' } }, { codeExecutionResult: { output: '1' } }, TEXT),
    silent: 'other APIs cannot ask for it',
  },
  { name: 'citations (`citationMetadata`)', with: candidate({ citationMetadata: { citations: [{ uri: 'https://example.com' }] } }), silent: NO_CITATIONS },
  { name: 'grounding (`groundingMetadata`)', with: candidate({ groundingMetadata: { webSearchQueries: ['q'] } }), silent: 'other APIs cannot ask for it' },
  {
    name: 'log probabilities',
    with: candidate({
      logprobsResult: { chosenCandidates: [{ token: 'It', logProbability: -0.1 }], topCandidates: [{ candidates: [{ token: 'It', logProbability: -0.1 }] }] },
    }),
    silent: NO_PLACE,
  },
  {
    name: 'a second candidate',
    with: { candidates: [...(said(TEXT).candidates ?? []), ...(candidate({ index: 1 }).candidates ?? [])] },
    silent: 'one cannot ask for more than one there',
  },
  { name: 'usage: cached', with: used({ cachedContentTokenCount: 40 }) },
  { name: 'usage: thoughts', with: used({ thoughtsTokenCount: 10, totalTokenCount: 130 }) },
  { name: 'usage: prompts of tools', with: used({ toolUsePromptTokenCount: 10, totalTokenCount: 130 }) },
  { name: 'usage: audio', with: used({ promptTokensDetails: [{ modality: MediaModality.AUDIO, tokenCount: 30 }] }), silent: NO_PLACE },
];

export const geminiAnswers: Answers = { back: 'gemini', base: { ...said(TEXT), usageMetadata: USAGE, modelVersion: 'm', responseId: 'r1' }, probes: PROBES };
