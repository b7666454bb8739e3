import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { Output, generateText, jsonSchema, streamText, tool } from 'ai';
import type { LanguageModel, ModelMessage, ToolSet } from 'ai';
import type { Answered, Front, Place, Question, Turn } from './front.ts';

/** Vercel's AI SDK: another reading of each API. */
export function vercelFronts({ origin }: Place): readonly Front[] {
  const openai = createOpenAI({ apiKey: 'any word', baseURL: `${origin}/v1` });
  const anthropic = createAnthropic({ apiKey: 'any word', baseURL: `${origin}/v1` });
  const google = createGoogleGenerativeAI({ apiKey: 'any word', baseURL: `${origin}/v1beta` });
  return [
    frontOf('AI SDK as OpenAI chat completions', (model) => openai.chat(model)),
    frontOf('AI SDK as OpenAI responses', (model) => openai.responses(model)),
    frontOf('AI SDK as Anthropic messages', (model) => anthropic(model)),
    frontOf('AI SDK as Gemini generateContent', (model) => google(model)),
  ];
}

function frontOf(name: string, modelOf: (model: string) => LanguageModel): Front {
  return { name, ask: (question) => ask(modelOf(question.model), question) };
}

async function ask(model: LanguageModel, question: Question): Promise<Answered> {
  const call = callOf(model, question);
  if (question.stream === true) {
    let failure: unknown;
    const result = streamText({ ...call, onError: ({ error }) => void (failure = error) });
    await result.consumeStream();
    if (failure !== undefined) throw failure;
    return answered(await result.text, await result.finishReason, await result.toolCalls, (await result.response).modelId, await result.usage);
  }
  const { text, finishReason, toolCalls, response, usage } = await generateText(call);
  return answered(text, finishReason, toolCalls, response.modelId, usage);
}

function callOf(model: LanguageModel, { system, turns, tools, schema, maxTokens, headers }: Question): Parameters<typeof generateText<ToolSet>>[0] {
  return {
    model,
    maxRetries: 0,
    messages: turns.map(messageOf),
    ...(system === undefined ? {} : { system }),
    ...(tools === undefined
      ? {}
      : {
          tools: Object.fromEntries(
            tools.map(({ name, description, parameters }) => [name, tool({ description, inputSchema: jsonSchema({ ...parameters }) })]),
          ),
        }),
    ...(schema === undefined ? {} : { output: Output.object({ schema: jsonSchema({ ...schema }) }) }),
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  };
}

interface CalledTool {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
}

function answered(
  text: string,
  finish: string,
  calls: readonly CalledTool[],
  model: string,
  usage: { readonly inputTokens: number | undefined; readonly outputTokens: number | undefined },
): Answered {
  return {
    text,
    finish,
    calls: calls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, input })),
    model,
    inputTokens: usage.inputTokens ?? -1,
    outputTokens: usage.outputTokens ?? -1,
  };
}

function messageOf(turn: Turn): ModelMessage {
  switch (turn.role) {
    case 'user':
      return {
        role: 'user',
        content: [
          { type: 'text', text: turn.text },
          ...(turn.image === undefined ? [] : [{ type: 'image' as const, image: turn.image, mediaType: 'image/png' }]),
        ],
      };
    case 'assistant':
      return { role: 'assistant', content: turn.text };
    case 'calls':
      return { role: 'assistant', content: turn.calls.map(({ id, name, input }) => ({ type: 'tool-call', toolCallId: id, toolName: name, input })) };
    case 'results':
      return {
        role: 'tool',
        content: turn.results.map(({ id, name, output }) => ({ type: 'tool-result', toolCallId: id, toolName: name, output: { type: 'text', value: output } })),
      };
  }
}
