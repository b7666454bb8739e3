import type { Failure } from '../api.ts';
import { impossible as impossibleAtOpenai } from '../openai/rules.ts';
import { invalid, UNKNOWN_MODEL, unreadable } from './errors.ts';
import type { DeepseekRequest } from './schema.ts';

/** Its own names of its models; relays have others for them. The catalogue's provider models are the first two. */
export const MODELS: readonly string[] = ['deepseek-chat', 'deepseek-reasoner', 'deepseek-v4-flash', 'deepseek-v4-pro'];

/** The newer models think unless they are told not to, of the older ones one always does. Source: DeepSeek API docs, "Thinking Mode". */
export function thinks({ model, thinking, reasoning_effort: effort }: DeepseekRequest): boolean {
  if (model === 'deepseek-reasoner') return true;
  if (thinking != null) return thinking.type === 'enabled';
  return model.startsWith('deepseek-v4') && effort !== 'none';
}

/** What OpenAI takes and DeepSeek does not, and the other way round. */
export function impossible(request: DeepseekRequest): Failure | undefined {
  if (!MODELS.includes(request.model)) return UNKNOWN_MODEL;
  return wrongMessages(request) ?? wrongFormat(request) ?? impossibleAtOpenai(request) ?? lostThoughts(request);
}

function wrongMessages({ messages }: DeepseekRequest): Failure | undefined {
  for (const [index, { role, content }] of messages.entries()) {
    if (role === 'developer')
      return unreadable(`messages[${index}].role: unknown variant \`developer\`, expected one of \`system\`, \`user\`, \`assistant\`, \`tool\``);
    const other = Array.isArray(content) ? content.find(({ type }) => type !== 'text') : undefined;
    if (other !== undefined) return unreadable(`messages[${index}]: unknown variant \`${other.type}\`, expected \`text\``);
  }
  return undefined;
}

function wrongFormat({ response_format: format }: DeepseekRequest): Failure | undefined {
  return format?.type === 'json_schema' ? invalid('This response_format type is unavailable now') : undefined;
}

/** A thinking model wants back what it thought before it called its tools. Source: DeepSeek API docs, "Thinking Mode", tool calls. */
function lostThoughts(request: DeepseekRequest): Failure | undefined {
  if (!thinks(request)) return undefined;
  const lost = request.messages.some((message) => message.role === 'assistant' && message.tool_calls !== undefined && !message.reasoning_content);
  return lost ? invalid('The `reasoning_content` in the thinking mode must be passed back to the API.') : undefined;
}
