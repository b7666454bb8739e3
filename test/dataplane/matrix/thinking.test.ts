/** A loop of tools with a model that thinks: what it sealed comes back to it through any client's own form, or it refuses to go on. */
import Anthropic from '@anthropic-ai/sdk';
import type { MessageParam } from '@anthropic-ai/sdk/resources/messages';
import { GoogleGenAI } from '@google/genai';
import type { Content } from '@google/genai';
import OpenAI from 'openai';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { ResponseInputItem } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../../src/shell/simulator/index.ts';
import type { Simulator } from '../../../src/shell/simulator/index.ts';
import { startTestMesh } from '../../support/mesh.ts';
import type { TestMesh } from '../../support/mesh.ts';
import { BACKS, ENVIRONMENT, KEYS, resourcesOf } from './backs.ts';

const PRICE = '{inputPerMillion: 2, outputPerMillion: 12}';
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const ASK = 'Use your tool for Oslo.';

/** Models that think, by who has them. */
const THINKERS = [
  { back: 'anthropic', model: 'claude-sonnet-4.5' },
  { back: 'gemini', model: 'gemini-3-pro-preview' },
  { back: 'openai', model: 'gpt-5' },
] as const;

let simulators: ReadonlyMap<string, Simulator>;
let mesh: TestMesh;
let origin: string;

beforeAll(async () => {
  simulators = new Map(
    await Promise.all(BACKS.map(async ({ name }) => [name, await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEYS[name] ?? ''] })] as const)),
  );
  const more = [
    { back: 'gemini', model: 'gemini-3-pro-preview', price: PRICE },
    { back: 'openai', model: 'gpt-5', price: PRICE },
  ];
  mesh = await startTestMesh({ resources: resourcesOf(new Map([...simulators].map(([name, { url }]) => [name, url])), more), environment: ENVIRONMENT });
  origin = mesh.baseURL.replace(/\/v1$/, '');
});

afterAll(async () => {
  await mesh?.stop();
  await Promise.all([...(simulators?.values() ?? [])].map((simulator) => simulator.close()));
});

/** A turn with a call, its result, and the answer to it: how often the tool was called, and what was said in the end. */
interface Loop {
  readonly calls: number;
  readonly text: string;
}

/** Without what the helpers of OpenAI's client add to what it received, and its API does not take back. */
function withoutParsed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member: unknown) => (key === 'parsed' || key === 'parsed_arguments' ? undefined : member)));
}

type Client = (model: string, isStreamed: boolean) => Promise<Loop>;

const CLIENTS: Readonly<Record<string, Client>> = {
  'Anthropic messages': async (model, isStreamed) => {
    const client = new Anthropic({ apiKey: 'any word', baseURL: origin, maxRetries: 0 });
    const messages: MessageParam[] = [{ role: 'user', content: ASK }];
    const ask = async (): Promise<Anthropic.Message> => {
      const body = {
        model,
        max_tokens: 3000,
        thinking: { type: 'enabled' as const, budget_tokens: 1024 },
        messages,
        tools: [{ name: 'look', input_schema: { ...PARAMETERS, type: 'object' as const } }],
      };
      return isStreamed ? client.messages.stream(body).finalMessage() : client.messages.create(body);
    };
    const first = await ask();
    const uses = first.content.filter((block) => block.type === 'tool_use');
    messages.push(
      { role: 'assistant', content: first.content },
      { role: 'user', content: uses.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'snow' })) },
    );
    const second = await ask();
    return { calls: uses.length, text: second.content.map((block) => (block.type === 'text' ? block.text : '')).join('') };
  },
  'Gemini generateContent': async (model, isStreamed) => {
    const client = new GoogleGenAI({ apiKey: 'any word', httpOptions: { baseUrl: origin } });
    const contents: Content[] = [{ role: 'user', parts: [{ text: ASK }] }];
    const ask = async (): Promise<Content> => {
      const parameters = {
        model,
        contents,
        config: {
          maxOutputTokens: 3000,
          thinkingConfig: { includeThoughts: true },
          tools: [{ functionDeclarations: [{ name: 'look', parametersJsonSchema: PARAMETERS }] }],
        },
      };
      if (!isStreamed) return (await client.models.generateContent(parameters)).candidates?.[0]?.content ?? {};
      const parts = [];
      for await (const chunk of await client.models.generateContentStream(parameters)) parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
      return { role: 'model', parts };
    };
    const first = await ask();
    const calls = (first.parts ?? []).flatMap(({ functionCall }) => functionCall ?? []);
    contents.push(first, {
      role: 'user',
      parts: calls.map(({ id, name }) => ({ functionResponse: { ...(id === undefined ? {} : { id }), name: name ?? '', response: { output: 'snow' } } })),
    });
    const second = await ask();
    return { calls: calls.length, text: (second.parts ?? []).map(({ text, thought }) => (thought === true ? '' : (text ?? ''))).join('') };
  },
  'OpenAI responses': async (model, isStreamed) => {
    const client = new OpenAI({ apiKey: 'any word', baseURL: mesh.baseURL, maxRetries: 0 });
    const input: ResponseInputItem[] = [{ role: 'user', content: ASK }];
    const ask = async (): Promise<OpenAI.Responses.Response> => {
      const body = {
        model,
        store: false,
        input,
        include: ['reasoning.encrypted_content' as const],
        reasoning: { effort: 'low' as const, summary: 'auto' as const },
        max_output_tokens: 3000,
        tools: [{ type: 'function' as const, name: 'look', parameters: PARAMETERS, strict: true }],
      };
      return isStreamed ? client.responses.stream(body).finalResponse() : client.responses.create(body);
    };
    const first = await ask();
    const calls = first.output.filter((item) => item.type === 'function_call');
    input.push(
      ...(withoutParsed(first.output) as ResponseInputItem[]),
      ...calls.map(({ call_id }) => ({ type: 'function_call_output' as const, call_id, output: 'snow' })),
    );
    return { calls: calls.length, text: (await ask()).output_text };
  },
  'OpenAI chat completions': async (model, isStreamed) => {
    const client = new OpenAI({ apiKey: 'any word', baseURL: mesh.baseURL, maxRetries: 0 });
    const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: ASK }];
    const ask = async (): Promise<OpenAI.Chat.Completions.ChatCompletionMessage> => {
      const body = {
        model,
        messages,
        reasoning_effort: 'low' as const,
        max_completion_tokens: 3000,
        tools: [{ type: 'function' as const, function: { name: 'look', parameters: PARAMETERS } }],
      };
      const answer = isStreamed ? await client.chat.completions.stream(body).finalChatCompletion() : await client.chat.completions.create(body);
      const message = answer.choices[0]?.message;
      if (message === undefined) throw new Error('no choice');
      return withoutParsed(message) as OpenAI.Chat.Completions.ChatCompletionMessage;
    };
    const first = await ask();
    const calls = first.tool_calls ?? [];
    messages.push(first, ...calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'snow' })));
    return { calls: calls.length, text: (await ask()).content ?? '' };
  },
};

describe.each(Object.keys(CLIENTS))('%s', (name) => {
  describe.each(THINKERS)('with $model', ({ model }) => {
    it.each([false, true])('goes on after a tool (streamed: %s)', async (isStreamed) => {
      const loop = await CLIENTS[name]?.(model, isStreamed);
      expect(loop?.calls).toBe(1);
      expect(loop?.text.length).toBeGreaterThan(20);
    });
  });
});
