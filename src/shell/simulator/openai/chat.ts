import type { Counted } from '../books.ts';
import type { Faults } from '../faults.ts';
import { countTokens, generate, seedOf } from '../text.ts';
import { spoiltUsage } from '../answer.ts';
import type { ChatRequest, CompletionRequest } from './schema.ts';

/** Length of an answer that nobody capped. */
const DEFAULT_TOKENS = 24;

/** An image counts as much at low detail at OpenAI. */
const IMAGE_TOKENS = 85;

/** What a model would answer, before it is put into a wire format. */
export interface Generated {
  readonly choices: readonly { readonly pieces: readonly string[]; readonly finish: 'stop' | 'length' | 'tool_calls'; readonly tool: { readonly name: string; readonly arguments: string } | undefined }[];
  readonly counted: Counted;
}

/** OpenAI's documented overhead: three tokens a message, one for a name, three that begin the answer. */
function promptTokens(request: ChatRequest): number {
  let tokens = 3;
  for (const message of request.messages) {
    tokens += 3 + countTokens(message.role);
    if ('name' in message && message.name !== undefined) tokens += 1 + countTokens(message.name);
    const { content } = message;
    if (typeof content === 'string') tokens += countTokens(content);
    else for (const part of content ?? []) tokens += part.type === 'text' ? countTokens(part.text) : IMAGE_TOKENS;
    if (message.role === 'assistant') for (const call of message.tool_calls ?? []) tokens += countTokens(call.function.name + call.function.arguments);
  }
  if (request.tools !== undefined) tokens += countTokens(JSON.stringify(request.tools));
  return tokens;
}

/** Hidden thinking of reasoning models: billed, never shown. */
const isReasoning = (model: string): boolean => /^(?:o\d|gpt-5)/.test(model);

/** Prompts of 1,024 tokens and more that were seen before are read from the cache, in steps of 128. */
const seen = new Set<number>();
const MAX_SEEN = 10_000;

function cachedTokens(seed: number, tokens: number): number {
  if (tokens < 1024) return 0;
  const hit = seen.has(seed);
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.add(seed);
  return hit ? Math.floor(tokens / 128) * 128 : 0;
}

export function generateChat(request: ChatRequest, faults: Faults): Generated {
  const prompt = JSON.stringify(request.messages);
  const seed = request.seed ?? seedOf(prompt);
  const input = promptTokens(request);
  const tool = forcedTool(request);
  const format = request.response_format;
  const reasoning = isReasoning(request.model) ? 32 + (seed % 64) : 0;
  const cap = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY;
  const visible = Math.max(0, cap - reasoning);
  const choices = Array.from({ length: request.n ?? 1 }, (_, index) => {
    if (tool !== undefined) return { pieces: [], finish: 'tool_calls' as const, tool };
    if (format !== undefined && format.type !== 'text') {
      const text = JSON.stringify(format.type === 'json_schema' ? sample(format.json_schema.schema ?? {}, seed) : { answer: seed % 100 });
      return capped(splitTokens(text), visible);
    }
    return capped(generate(seed + index, faults.tokens ?? DEFAULT_TOKENS + (seed % 24)), visible, request.stop);
  });
  const output = choices.reduce((sum, choice) => sum + (choice.tool === undefined ? choice.pieces.length : countTokens(choice.tool.name + choice.tool.arguments)) + Math.min(reasoning, cap), 0);
  return { choices, counted: { input, cached: cachedTokens(seedOf(prompt), input), output, reasoning: Math.min(reasoning, cap) * choices.length } };
}

export function generateCompletion(request: CompletionRequest, faults: Faults): Generated {
  const prompt = typeof request.prompt === 'string' ? request.prompt : request.prompt.join(' ');
  const seed = request.seed ?? seedOf(prompt);
  const cap = request.max_tokens ?? 16;
  const choices = Array.from({ length: request.n ?? 1 }, (_, index) => capped(generate(seed + index, faults.tokens ?? DEFAULT_TOKENS), cap, request.stop));
  const answers = Math.max(request.best_of ?? 1, choices.length) / choices.length;
  const output = Math.ceil(choices.reduce((sum, { pieces }) => sum + pieces.length, 0) * answers);
  return { choices, counted: { input: countTokens(prompt), cached: 0, output, reasoning: 0 } };
}

function splitTokens(text: string): string[] {
  return text.match(/.{1,4}/gsu) ?? [];
}

function capped(pieces: readonly string[], cap: number, stop?: string | string[] | null): Generated['choices'][number] {
  const stops = stop === undefined || stop === null ? [] : [stop].flat();
  const ended = pieces.findIndex((_, index) => stops.some((text) => text !== '' && pieces.slice(0, index + 1).join('').includes(text)));
  const whole = ended < 0 ? pieces : pieces.slice(0, ended);
  return whole.length > cap ? { pieces: whole.slice(0, cap), finish: 'length', tool: undefined } : { pieces: whole, finish: 'stop', tool: undefined };
}

function forcedTool(request: ChatRequest): { name: string; arguments: string } | undefined {
  const { tools, tool_choice: choice, messages } = request;
  if (tools === undefined || choice === 'none' || messages.at(-1)?.role === 'tool') return undefined;
  const named = typeof choice === 'object' ? tools.find((tool) => tool.function.name === choice.function.name) : undefined;
  const chosen = named ?? (choice === 'required' || choice === undefined || choice === 'auto' ? tools[0] : undefined);
  return chosen === undefined ? undefined : { name: chosen.function.name, arguments: JSON.stringify(sample(chosen.function.parameters ?? {}, 7)) };
}

/** A value that a JSON schema accepts: the plain kinds, objects with all their properties, and the first of several. */
function sample(schema: Readonly<Record<string, unknown>>, seed: number): unknown {
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if ('const' in schema) return schema['const'];
  const anyOf = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(anyOf)) return sample(anyOf[0] as Record<string, unknown>, seed);
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  switch (type) {
    case 'string':
      return 'mesh';
    case 'integer':
    case 'number':
      return seed % 100;
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return [sample((schema['items'] ?? {}) as Record<string, unknown>, seed)];
    default: {
      const properties = (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>;
      return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, sample(property, seed)]));
    }
  }
}

function usageOf({ input, cached, output, reasoning }: Counted): object {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  };
}

const CREATED = 1_700_000_000;

export function chatBody(request: ChatRequest, generated: Generated, id: string, faults: Faults): object {
  return {
    id,
    object: 'chat.completion',
    created: CREATED,
    model: request.model,
    choices: generated.choices.map((choice, index) => ({
      index,
      message: { role: 'assistant', content: choice.tool === undefined ? choice.pieces.join('') : null, refusal: null, ...toolCalls(choice.tool, index) },
      logprobs: null,
      finish_reason: choice.finish,
    })),
    usage: spoiltUsage(usageOf(generated.counted), faults.usage),
    service_tier: 'default',
    system_fingerprint: 'fp_simulated',
  };
}

function toolCalls(tool: { readonly name: string; readonly arguments: string } | undefined, index: number): object {
  return tool === undefined ? {} : { tool_calls: [{ id: `call_${index}`, type: 'function', function: tool }] };
}

/** The events of a streamed answer, each with the text tokens that it carries. */
export function chatEvents(request: ChatRequest, generated: Generated, id: string, faults: Faults): string[] {
  const wantsUsage = request.stream_options?.include_usage === true;
  const base = { id, object: 'chat.completion.chunk', created: CREATED, model: request.model, service_tier: 'default', system_fingerprint: 'fp_simulated' };
  const event = (choices: readonly object[], usage?: unknown): string =>
    `data: ${JSON.stringify({ ...base, choices, ...(wantsUsage ? { usage: usage ?? null } : {}) })}\n\n`;
  const events: string[] = [];
  generated.choices.forEach((choice, index) => {
    events.push(event([{ index, delta: { role: 'assistant', content: choice.tool === undefined ? '' : null, refusal: null, ...toolStart(choice.tool, index) }, logprobs: null, finish_reason: null }]));
    if (choice.tool !== undefined) {
      for (const piece of splitTokens(choice.tool.arguments)) events.push(event([{ index, delta: { tool_calls: [{ index: 0, function: { arguments: piece } }] }, logprobs: null, finish_reason: null }]));
    }
    for (const piece of choice.pieces) events.push(event([{ index, delta: { content: piece }, logprobs: null, finish_reason: null }]));
    events.push(event([{ index, delta: {}, logprobs: null, finish_reason: choice.finish }]));
  });
  if (wantsUsage && faults.usage !== 'missing') {
    const usage = spoiltUsage(usageOf(generated.counted), faults.usage);
    events.push(event([], usage));
    if (faults.usage === 'double') events.push(event([], usage));
  }
  return events;
}

function toolStart(tool: { readonly name: string } | undefined, index: number): object {
  return tool === undefined ? {} : { tool_calls: [{ index: 0, id: `call_${index}`, type: 'function', function: { name: tool.name, arguments: '' } }] };
}

export function completionBody(request: CompletionRequest, generated: Generated, id: string, faults: Faults): object {
  const choices = generated.choices.map(({ pieces, finish }, index) => ({ index, text: pieces.join(''), logprobs: null, finish_reason: finish }));
  return { id, object: 'text_completion', created: CREATED, model: request.model, choices, usage: spoiltUsage(usageOf(generated.counted), faults.usage) };
}

export function completionEvents(request: CompletionRequest, generated: Generated, id: string, faults: Faults): string[] {
  const base = { id, object: 'text_completion', created: CREATED, model: request.model };
  const event = (fields: object): string => `data: ${JSON.stringify({ ...base, ...fields })}\n\n`;
  const events = generated.choices.flatMap(({ pieces, finish }, index) => [
    ...pieces.map((text) => event({ choices: [{ index, text, logprobs: null, finish_reason: null }] })),
    event({ choices: [{ index, text: '', logprobs: null, finish_reason: finish }] }),
  ]);
  if (request.stream_options?.include_usage === true && faults.usage !== 'missing') events.push(event({ choices: [], usage: spoiltUsage(usageOf(generated.counted), faults.usage) }));
  return events;
}
