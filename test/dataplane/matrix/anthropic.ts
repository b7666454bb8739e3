import Anthropic from '@anthropic-ai/sdk';
import type { MessageCreateParamsNonStreaming, MessageParam } from '@anthropic-ai/sdk/resources/messages';
import type { Answered, Front, Place, Question, Turn } from './front.ts';

/** Anthropic wants a cap; this is more than any answer here takes. */
const ENOUGH_TOKENS = 1000;

/** Anthropic's SDK, messages. */
export function anthropicMessages({ origin }: Place): Front {
  const client = new Anthropic({ apiKey: 'any word', baseURL: origin, maxRetries: 0 });
  return { name: 'Anthropic messages', ask: (question) => ask(client, question) };
}

async function ask(client: Anthropic, question: Question): Promise<Answered> {
  const options = { headers: question.headers ?? {} };
  const body = bodyOf(question);
  const message = question.stream === true ? await client.messages.stream(body, options).finalMessage() : await client.messages.create(body, options);
  const { usage } = message;
  return {
    text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    finish: message.stop_reason ?? '',
    calls: message.content.flatMap((block) => (block.type === 'tool_use' ? [{ id: block.id, name: block.name, input: block.input }] : [])),
    model: message.model,
    inputTokens: usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0),
    outputTokens: usage.output_tokens,
  };
}

function bodyOf({ model, system, turns, tools, schema, maxTokens }: Question): MessageCreateParamsNonStreaming {
  return {
    model,
    max_tokens: maxTokens ?? ENOUGH_TOKENS,
    ...(system === undefined ? {} : { system }),
    messages: turns.map(messageOf),
    ...(tools === undefined
      ? {}
      : { tools: tools.map(({ name, description, parameters }) => ({ name, description, input_schema: { type: 'object' as const, ...parameters } })) }),
    ...(schema === undefined ? {} : { output_config: { format: { type: 'json_schema', schema: { ...schema } } } }),
  };
}

function messageOf(turn: Turn): MessageParam {
  switch (turn.role) {
    case 'user':
      if (turn.image === undefined) return { role: 'user', content: turn.text };
      return {
        role: 'user',
        content: [
          { type: 'text', text: turn.text },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: turn.image } },
        ],
      };
    case 'assistant':
      return { role: 'assistant', content: turn.text };
    case 'calls':
      return { role: 'assistant', content: turn.calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })) };
    case 'results':
      return { role: 'user', content: turn.results.map(({ id, output }) => ({ type: 'tool_result', tool_use_id: id, content: output })) };
  }
}
