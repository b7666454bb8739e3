import type { Content, FunctionCallingConfig, GenerationConfig, SafetySetting, Tool } from '@google/genai';
import { IMAGE_URL, PARAMETERS, PDF, PNG, SCHEMA, WAV } from './probe.ts';
import type { ProbedApi } from './probe.ts';

/** What `@google/genai` sends: its own parameters are put together before. */
interface Body {
  readonly contents?: readonly Content[];
  readonly systemInstruction?: Content;
  readonly tools?: readonly Tool[];
  readonly toolConfig?: { readonly functionCallingConfig: Omit<FunctionCallingConfig, 'mode'> & { readonly mode: string } };
  readonly generationConfig?: Omit<GenerationConfig, 'thinkingConfig' | 'responseModalities'> & { readonly thinkingConfig?: object; readonly responseModalities?: readonly string[] };
  readonly safetySettings?: readonly (Omit<SafetySetting, 'category' | 'threshold'> & { readonly category: string; readonly threshold: string })[];
  readonly cachedContent?: string;
}

const generate = (subject: string, change: Body, isDefault = false) => ({ subject, change: change as Readonly<Record<string, unknown>>, isDefault });
const TOOLS: readonly Tool[] = [{ functionDeclarations: ['look', 'ask'].map((name) => ({ name, description: 'A tool.', parametersJsonSchema: PARAMETERS })) }];
const user = (...parts: NonNullable<Content['parts']>): Body => ({ contents: [{ role: 'user', parts }] });
const calling = (config: Omit<FunctionCallingConfig, 'mode'> & { readonly mode: string }): Body => ({ tools: TOOLS, toolConfig: { functionCallingConfig: config } });
const HI: Content = { role: 'user', parts: [{ text: 'hi' }] };

export const GEMINI: ProbedApi = {
  name: 'Gemini generateContent',
  path: '/v1beta/models/m:generateContent',
  plain: { contents: [HI] },
  probes: [
    generate('systemInstruction', { systemInstruction: { parts: [{ text: 'Be brief.' }] } }),
    generate('several turns', { contents: [HI, { role: 'model', parts: [{ text: 'ho' }] }, HI] }),
    generate('an answer begun (model last)', { contents: [HI, { role: 'model', parts: [{ text: 'The answer is' }] }] }),
    generate('image, inlineData', user({ text: 'hi' }, { inlineData: { mimeType: 'image/png', data: PNG } })),
    generate('image, fileData by URL', user({ text: 'hi' }, { fileData: { mimeType: 'image/png', fileUri: IMAGE_URL } })),
    generate('PDF, inlineData', user({ text: 'hi' }, { inlineData: { mimeType: 'application/pdf', data: PDF } })),
    generate('audio, inlineData', user({ text: 'hi' }, { inlineData: { mimeType: 'audio/wav', data: WAV } })),
    generate('video, inlineData', user({ text: 'hi' }, { inlineData: { mimeType: 'video/mp4', data: WAV } })),
    generate('functionDeclarations', { tools: TOOLS }),
    generate('functionCallingConfig: AUTO', calling({ mode: 'AUTO' })),
    generate('functionCallingConfig: NONE', calling({ mode: 'NONE' })),
    generate('functionCallingConfig: ANY', calling({ mode: 'ANY' })),
    generate('allowedFunctionNames: one', calling({ mode: 'ANY', allowedFunctionNames: ['look'] })),
    generate('allowedFunctionNames: several', calling({ mode: 'ANY', allowedFunctionNames: ['look', 'ask'] })),
    generate('calls and responses', {
      tools: TOOLS,
      contents: [HI, { role: 'model', parts: [{ functionCall: { name: 'look', args: { city: 'Oslo' } } }] }, { role: 'user', parts: [{ functionResponse: { name: 'look', response: { output: 'snow' } } }] }],
    }),
    generate('responseJsonSchema', { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: SCHEMA } }),
    generate('responseSchema', { generationConfig: { responseMimeType: 'application/json', responseSchema: { type: 'OBJECT' as never, properties: { title: { type: 'STRING' as never } }, required: ['title'] } } }),
    generate('responseMimeType: application/json', { generationConfig: { responseMimeType: 'application/json' } }),
    generate('maxOutputTokens', { generationConfig: { maxOutputTokens: 100 } }),
    generate('stopSequences', { generationConfig: { stopSequences: ['END'] } }),
    generate('temperature', { generationConfig: { temperature: 0.5 } }),
    generate('topP', { generationConfig: { topP: 0.5 } }),
    generate('topK', { generationConfig: { topK: 5 } }),
    generate('seed', { generationConfig: { seed: 7 } }),
    generate('frequencyPenalty', { generationConfig: { frequencyPenalty: 0.5 } }),
    generate('presencePenalty', { generationConfig: { presencePenalty: 0.5 } }),
    generate('responseLogprobs', { generationConfig: { responseLogprobs: true, logprobs: 3 } }),
    generate('candidateCount', { generationConfig: { candidateCount: 2 } }),
    generate('thinkingConfig.thinkingBudget', { generationConfig: { thinkingConfig: { thinkingBudget: 1024 } } }),
    // What Anthropic's models do unless they are told otherwise.
    generate('thinkingConfig.thinkingBudget: 0', { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } }, true),
    generate('thinkingConfig.thinkingLevel', { generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } } }),
    generate('thinkingConfig.includeThoughts', { generationConfig: { thinkingConfig: { includeThoughts: true } } }),
    generate('responseModalities: TEXT', { generationConfig: { responseModalities: ['TEXT'] } }, true),
    generate('responseModalities: IMAGE', { generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } }),
    generate('safetySettings', { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }] }),
    generate('cachedContent', { cachedContent: 'cachedContents/1' }),
    generate('hosted tools', { tools: [{ googleSearch: {} }] }),
  ],
};
