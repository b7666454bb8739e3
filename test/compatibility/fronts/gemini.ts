import {
  FunctionCallingConfigMode,
  HarmBlockThreshold,
  HarmCategory,
  MediaResolution,
  Modality,
  PartMediaResolutionLevel,
  ServiceTier,
  ThinkingLevel,
  Type,
} from '@google/genai';
import type { Content, EmbedContentConfig, FunctionCallingConfig, GenerationConfig, Part, SafetySetting, Tool, ToolConfig } from '@google/genai';
import { gemini } from '../../../src/core/dialects/index.ts';
import type { Front, Probe } from '../probe.ts';
import { DEFAULT, MP3, NOTHING_STORED, PDF_BYTES, PNG, SCHEMA, UNASKED } from '../material.ts';

/** What `@google/genai` sends; it has no type of its own for the body. */
interface Body {
  readonly contents: readonly Content[];
  readonly systemInstruction?: Content;
  readonly generationConfig?: GenerationConfig;
  readonly tools?: readonly Tool[];
  readonly toolConfig?: ToolConfig;
  readonly safetySettings?: readonly SafetySetting[];
  readonly cachedContent?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceTier?: ServiceTier;
  readonly store?: boolean;
}

const QUESTION: Content = { role: 'user', parts: [{ text: 'How is the weather in Ulm?' }] };
const FINE: Content = { role: 'model', parts: [{ text: 'Fine.' }] };
const weather = { name: 'weather', description: 'Tells the weather.', parametersJsonSchema: SCHEMA };
const TOOLS = { tools: [{ functionDeclarations: [weather, { ...weather, name: 'tide' }] }] };
const choosing = (functionCallingConfig: FunctionCallingConfig): Partial<Body> => ({ toolConfig: { functionCallingConfig } });
const set = (generationConfig: GenerationConfig): Partial<Body> => ({ generationConfig });
const said = (...parts: readonly Part[]): Partial<Body> => ({ contents: [{ role: 'user', parts: [{ text: 'What is this?' }, ...parts] }] });
const asked = (...contents: readonly Content[]): Partial<Body> => ({ contents: [QUESTION, ...contents] });
const BARE = said();
const PNG_PART: Part = { inlineData: { mimeType: 'image/png', data: PNG } };
const CALL: Content = { role: 'model', parts: [{ functionCall: { id: 'call_1', name: 'weather', args: { city: 'Ulm' } } }] };
const RESULT: Content = { role: 'user', parts: [{ functionResponse: { id: 'call_1', name: 'weather', response: { output: 'Rain.' } } }] };

const PROBES: readonly Probe<Body>[] = [
  { name: '`systemInstruction`', with: { systemInstruction: { parts: [{ text: 'Be brief.' }] } } },
  { name: '`maxOutputTokens`', with: set({ maxOutputTokens: 500 }) },
  { name: '`temperature`', with: set({ temperature: 0.5 }) },
  { name: '`temperature` above 1', with: set({ temperature: 1.5 }) },
  { name: '`topP`', with: set({ topP: 0.9 }) },
  { name: '`topK`', with: set({ topK: 5 }) },
  { name: '`frequencyPenalty`', with: set({ frequencyPenalty: 0.5 }) },
  { name: '`presencePenalty`', with: set({ presencePenalty: 0.5 }) },
  { name: '`seed`', with: set({ seed: 7 }) },
  { name: '`stopSequences`', with: set({ stopSequences: ['END', 'STOP'] }) },
  { name: '`stopSequences`: five', with: set({ stopSequences: ['A', 'B', 'C', 'D', 'E'] }) },
  { name: '`candidateCount`', with: set({ candidateCount: 2 }) },
  { name: '`responseLogprobs`', with: set({ responseLogprobs: true }) },
  { name: '`logprobs`', from: set({ responseLogprobs: true }), with: set({ responseLogprobs: true, logprobs: 3 }), silent: 'told with `responseLogprobs`' },
  { name: '`responseMimeType`: text/plain', with: set({ responseMimeType: 'text/plain' }), silent: DEFAULT },
  { name: '`responseMimeType`: application/json', with: set({ responseMimeType: 'application/json' }) },
  { name: '`responseMimeType`: text/x.enum', with: set({ responseMimeType: 'text/x.enum', responseSchema: { type: Type.STRING, enum: ['a', 'b'] } }) },
  {
    name: '`responseSchema`',
    with: set({
      responseMimeType: 'application/json',
      responseSchema: { type: Type.OBJECT, properties: { city: { type: Type.STRING, nullable: true } }, required: ['city'] },
    }),
  },
  { name: '`responseJsonSchema`', with: set({ responseMimeType: 'application/json', responseJsonSchema: SCHEMA }) },
  { name: '`responseModalities`: TEXT', with: set({ responseModalities: [Modality.TEXT] }), silent: DEFAULT },
  { name: '`responseModalities` with images', with: set({ responseModalities: [Modality.TEXT, Modality.IMAGE] }) },
  { name: '`speechConfig`', with: set({ speechConfig: { languageCode: 'de-DE' } }) },
  { name: '`mediaResolution`', with: set({ mediaResolution: MediaResolution.MEDIA_RESOLUTION_LOW }) },
  { name: '`thinkingConfig.thinkingBudget`: 0', with: set({ thinkingConfig: { thinkingBudget: 0 } }), silent: UNASKED },
  { name: '`thinkingConfig.thinkingBudget`: -1', with: set({ thinkingConfig: { thinkingBudget: -1 } }), silent: DEFAULT },
  { name: '`thinkingConfig.thinkingBudget`: 4096', with: set({ thinkingConfig: { thinkingBudget: 4096 } }) },
  { name: '`thinkingConfig.thinkingLevel`: low', with: set({ thinkingConfig: { thinkingLevel: ThinkingLevel.LOW } }) },
  { name: '`thinkingConfig.thinkingLevel`: high', with: set({ thinkingConfig: { thinkingLevel: ThinkingLevel.HIGH } }) },
  {
    name: '`thinkingConfig.includeThoughts`',
    from: set({ thinkingConfig: { thinkingLevel: ThinkingLevel.HIGH } }),
    with: set({ thinkingConfig: { thinkingLevel: ThinkingLevel.HIGH, includeThoughts: true } }),
    silent: 'what the provider shows of its thinking comes in any case',
  },
  { name: '`safetySettings`', with: { safetySettings: [{ category: HarmCategory.HARM_CATEGORY_HARASSMENT, threshold: HarmBlockThreshold.BLOCK_ONLY_HIGH }] } },
  { name: '`cachedContent`', with: { cachedContent: 'cachedContents/1' } },
  { name: '`labels`', with: { labels: { team: 'search' } } },
  { name: '`serviceTier`: flex', with: { serviceTier: ServiceTier.FLEX } },
  { name: '`serviceTier`: priority', with: { serviceTier: ServiceTier.PRIORITY } },
  { name: '`store`: false', with: { store: false }, silent: NOTHING_STORED },
  { name: '`tools`: functionDeclarations', with: { tools: [{ functionDeclarations: [weather] }] } },
  {
    name: '`tools`: functionDeclarations with a schema of Google’s',
    with: { tools: [{ functionDeclarations: [{ name: 'weather', parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } } } }] }] },
  },
  { name: '`tools`: googleSearch', with: { tools: [{ googleSearch: {} }] } },
  { name: '`tools`: urlContext', with: { tools: [{ urlContext: {} }] } },
  { name: '`tools`: codeExecution', with: { tools: [{ codeExecution: {} }] } },
  { name: '`functionCallingConfig`: AUTO', from: TOOLS, with: choosing({ mode: FunctionCallingConfigMode.AUTO }) },
  { name: '`functionCallingConfig`: ANY', from: TOOLS, with: choosing({ mode: FunctionCallingConfigMode.ANY }) },
  { name: '`functionCallingConfig`: ANY of one', from: TOOLS, with: choosing({ mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['tide'] }) },
  {
    name: '`functionCallingConfig`: ANY of several',
    from: TOOLS,
    with: choosing({ mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['tide', 'weather'] }),
  },
  { name: '`functionCallingConfig`: NONE', from: TOOLS, with: choosing({ mode: FunctionCallingConfigMode.NONE }) },
  { name: '`functionCallingConfig`: VALIDATED', from: TOOLS, with: choosing({ mode: FunctionCallingConfigMode.VALIDATED }) },
  { name: 'an earlier answer', from: asked(QUESTION), with: asked(FINE, QUESTION) },
  { name: 'the beginning of the answer (a last content of the model)', from: asked(), with: asked(FINE) },
  { name: 'a call and its result', from: { ...TOOLS, ...asked() }, with: asked(CALL, RESULT) },
  {
    name: 'a call and its result without ids',
    from: { ...TOOLS, ...asked() },
    with: asked(
      { role: 'model', parts: [{ functionCall: { name: 'weather', args: {} } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { output: 'Rain.' } } }] },
    ),
  },
  {
    name: 'a result that is an error',
    from: { ...TOOLS, ...asked(CALL, RESULT) },
    with: asked(CALL, { role: 'user', parts: [{ functionResponse: { id: 'call_1', name: 'weather', response: { error: 'No.' } } }] }),
  },
  { name: 'a result without its call', from: asked(), with: asked(RESULT) },
  {
    name: 'the seal of a call (`thoughtSignature`)',
    from: { ...TOOLS, ...asked(CALL, RESULT) },
    with: asked({ role: 'model', parts: [{ ...CALL.parts?.[0], thoughtSignature: 'c2VhbA==' }] }, RESULT),
    silent: 'only Google takes it back',
  },
  {
    name: 'earlier thoughts',
    from: asked(FINE, QUESTION),
    with: asked({ role: 'model', parts: [{ text: 'Hm.', thought: true }, { text: 'Fine.' }] }, QUESTION),
  },
  {
    name: 'earlier code that Google ran',
    from: asked(FINE, QUESTION),
    with: asked({ role: 'model', parts: [{ executableCode: { code: '1' } }, { text: 'Fine.' }] }, QUESTION),
  },
  { name: 'an image in base64', from: BARE, with: said(PNG_PART) },
  { name: 'an image by URL', from: BARE, with: said({ fileData: { fileUri: 'https://example.com/a.png', mimeType: 'image/png' } }) },
  {
    name: 'an uploaded file',
    from: BARE,
    with: said({ fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/1', mimeType: 'image/png' } }),
  },
  {
    name: '`mediaResolution` of an image',
    from: said(PNG_PART),
    with: said({ ...PNG_PART, mediaResolution: { level: PartMediaResolutionLevel.MEDIA_RESOLUTION_LOW } }),
  },
  { name: 'a PDF in base64', from: BARE, with: said({ inlineData: { mimeType: 'application/pdf', data: PDF_BYTES } }) },
  { name: 'a text in base64', from: BARE, with: said({ inlineData: { mimeType: 'text/plain', data: 'QSB0ZXh0Lg==' } }) },
  { name: 'audio in base64', from: BARE, with: said({ inlineData: { mimeType: 'audio/mp3', data: MP3 } }) },
  { name: 'video in base64', from: BARE, with: said({ inlineData: { mimeType: 'video/mp4', data: MP3 } }) },
];

export const geminiGenerate: Front = {
  name: 'Gemini generateContent',
  dialect: gemini,
  path: '/v1beta/models/m:generateContent',
  base: asked(),
  probes: PROBES,
};

/** What `@google/genai` sends for one embedding. */
type EmbeddingBody = Pick<EmbedContentConfig, 'taskType' | 'title' | 'outputDimensionality' | 'autoTruncate'> & { readonly content: Content };

const EMBEDDING_PROBES: readonly Probe<EmbeddingBody>[] = [
  { name: '`taskType`', with: { taskType: 'RETRIEVAL_DOCUMENT' } },
  { name: '`title`', with: { title: 'A title' } },
  { name: '`outputDimensionality`', with: { outputDimensionality: 256 } },
  { name: '`autoTruncate`', with: { autoTruncate: true } },
  { name: 'several parts', with: { content: { parts: [{ text: 'One.' }, { text: 'Two.' }] } } },
  { name: 'an image', with: { content: { parts: [PNG_PART] } } },
];

export const geminiEmbed: Front = {
  name: 'Gemini embedContent',
  dialect: gemini,
  path: '/v1beta/models/m:embedContent',
  base: { content: { parts: [{ text: 'One.' }] } },
  probes: EMBEDDING_PROBES,
};
