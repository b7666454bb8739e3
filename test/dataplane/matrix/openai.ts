import OpenAI from 'openai';
import type { ChatCompletionMessageParam, ChatCompletionMessageToolCall } from 'openai/resources/chat/completions';
import type { Response, ResponseInputItem } from 'openai/resources/responses/responses';
import type { Answered, Call, Front, Place, Question, Turn } from './front.ts';

const clientAt = ({ origin }: Place): OpenAI => new OpenAI({ apiKey: 'any word', baseURL: `${origin}/v1`, maxRetries: 0 });

/** OpenAI's SDK, chat completions. */
export function openaiChat(place: Place): Front {
  const client = clientAt(place);
  return { name: 'OpenAI chat completions', ask: (question) => (question.stream === true ? streamChat(client, question) : plainChat(client, question)) };
}

async function plainChat(client: OpenAI, question: Question): Promise<Answered> {
  const { choices, usage, model } = await client.chat.completions.create(chatBody(question), { headers: question.headers ?? {} });
  const [choice] = choices;
  return {
    text: choice?.message.content ?? '',
    finish: choice?.finish_reason ?? '',
    calls: callsOf(choice?.message.tool_calls),
    model,
    inputTokens: usage?.prompt_tokens ?? -1,
    outputTokens: usage?.completion_tokens ?? -1,
  };
}

async function streamChat(client: OpenAI, question: Question): Promise<Answered> {
  const stream = client.chat.completions.stream({ ...chatBody(question), stream_options: { include_usage: true } }, { headers: question.headers ?? {} });
  const { choices, usage, model } = await stream.finalChatCompletion();
  const [choice] = choices;
  return {
    text: choice?.message.content ?? '',
    finish: choice?.finish_reason ?? '',
    calls: callsOf(choice?.message.tool_calls),
    model,
    inputTokens: usage?.prompt_tokens ?? -1,
    outputTokens: usage?.completion_tokens ?? -1,
  };
}

function callsOf(calls: readonly ChatCompletionMessageToolCall[] | undefined): Call[] {
  return (calls ?? []).flatMap((call) =>
    call.type === 'function' ? [{ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) as unknown }] : [],
  );
}

function chatBody({ model, system, turns, tools, schema, maxTokens }: Question) {
  return {
    model,
    messages: [...(system === undefined ? [] : [{ role: 'system' as const, content: system }]), ...turns.flatMap(messagesOf)],
    ...(tools === undefined
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: 'function' as const,
            function: { name, description, parameters: { ...parameters } },
          })),
        }),
    ...(schema === undefined
      ? {}
      : { response_format: { type: 'json_schema' as const, json_schema: { name: 'answer', strict: true, schema: { ...schema } } } }),
    ...(maxTokens === undefined ? {} : { max_completion_tokens: maxTokens }),
  };
}

function messagesOf(turn: Turn): ChatCompletionMessageParam[] {
  switch (turn.role) {
    case 'user':
      if (turn.image === undefined) return [{ role: 'user', content: turn.text }];
      return [
        {
          role: 'user',
          content: [
            { type: 'text', text: turn.text },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${turn.image}` } },
          ],
        },
      ];
    case 'assistant':
      return [{ role: 'assistant', content: turn.text }];
    case 'calls':
      return [
        {
          role: 'assistant',
          content: null,
          tool_calls: turn.calls.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } })),
        },
      ];
    case 'results':
      return turn.results.map(({ id, output }) => ({ role: 'tool', tool_call_id: id, content: output }));
  }
}

/** OpenAI's SDK, responses. */
export function openaiResponses(place: Place): Front {
  const client = clientAt(place);
  return { name: 'OpenAI responses', ask: (question) => askResponses(client, question) };
}

async function askResponses(client: OpenAI, question: Question): Promise<Answered> {
  const options = { headers: question.headers ?? {} };
  const body = responsesBody(question);
  const response = question.stream === true ? await client.responses.stream(body, options).finalResponse() : await client.responses.create(body, options);
  const calls = response.output.flatMap((item) =>
    item.type === 'function_call' ? [{ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) as unknown }] : [],
  );
  return {
    text: response.output_text,
    finish: finishOf(response),
    calls,
    model: response.model,
    inputTokens: response.usage?.input_tokens ?? -1,
    outputTokens: response.usage?.output_tokens ?? -1,
  };
}

const finishOf = ({ status, incomplete_details, output }: Response): string =>
  status === 'incomplete'
    ? (incomplete_details?.reason ?? 'incomplete')
    : output.some(({ type }) => type === 'function_call')
      ? 'function_call'
      : (status ?? '');

function responsesBody({ model, system, turns, tools, schema, maxTokens }: Question) {
  return {
    model,
    store: false,
    ...(system === undefined ? {} : { instructions: system }),
    input: turns.flatMap(itemsOf),
    ...(tools === undefined
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: 'function' as const,
            name,
            description,
            parameters: { ...parameters },
            strict: false,
          })),
        }),
    ...(schema === undefined ? {} : { text: { format: { type: 'json_schema' as const, name: 'answer', strict: true, schema: { ...schema } } } }),
    ...(maxTokens === undefined ? {} : { max_output_tokens: maxTokens }),
  };
}

function itemsOf(turn: Turn): ResponseInputItem[] {
  switch (turn.role) {
    case 'user':
      if (turn.image === undefined) return [{ role: 'user', content: turn.text }];
      return [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: turn.text },
            { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${turn.image}` },
          ],
        },
      ];
    case 'assistant':
      return [{ role: 'assistant', content: turn.text }];
    case 'calls':
      return turn.calls.map(({ id, name, input }) => ({ type: 'function_call', call_id: id, name, arguments: JSON.stringify(input) }));
    case 'results':
      return turn.results.map(({ id, output }) => ({ type: 'function_call_output', call_id: id, output }));
  }
}
