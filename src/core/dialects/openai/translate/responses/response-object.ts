import type { Usage } from '../../../../catalog/index.ts';
import type { NeutralFinish, NeutralMessage } from '../../../neutral.ts';
import type { AnswerContext } from '../../../translation.ts';
import { chatOf } from '../answer-context.ts';
import { writeFinish } from '../chat/finish.ts';
import type { Said } from '../chat/finish.ts';
import { writeResponseUsage } from '../usage.ts';
import type { JsonObject } from '../../../values.ts';
import { writeChoice, writeFormat, writeTool } from './write-tools.ts';

/** How far a response is. */
export interface Progress {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  readonly incompleteReason?: 'max_output_tokens' | 'content_filter';
  readonly error?: JsonObject;
  readonly output: readonly JsonObject[];
  readonly usage: Usage | undefined;
}

export interface ResponseHead {
  readonly id: string;
  readonly model: string;
  readonly created: number;
}

/** How an answer ended, in a response's words. */
export function progressOf(finish: NeutralFinish | undefined, said: Said): Pick<Progress, 'status' | 'incompleteReason'> {
  switch (writeFinish(finish, said)) {
    case 'length':
      return { status: 'incomplete', incompleteReason: 'max_output_tokens' };
    case 'content_filter':
      return { status: 'incomplete', incompleteReason: 'content_filter' };
    default:
      return { status: 'completed' };
  }
}

/**
 * A whole `response`, which repeats the request with the API's own defaults. Nothing is stored and nothing runs in the
 * background. Source: `Response` of the `openai` package, apart from `output_text`, which the SDKs add themselves.
 */
export function responseObject(head: ResponseHead, progress: Progress, context: AnswerContext): JsonObject {
  const chat = chatOf(context);
  const { sampling, reasoning, format } = chat;
  return {
    id: head.id,
    object: 'response',
    created_at: head.created,
    status: progress.status,
    background: false,
    error: progress.error ?? null,
    incomplete_details: progress.incompleteReason === undefined ? null : { reason: progress.incompleteReason },
    instructions: instructionsOf(chat.messages),
    max_output_tokens: chat.maxOutputTokens ?? null,
    model: head.model,
    output: progress.output,
    parallel_tool_calls: chat.parallelToolCalls ?? true,
    previous_response_id: null,
    reasoning: { effort: reasoning?.effort ?? null, summary: reasoning?.visible === true ? 'auto' : null },
    safety_identifier: chat.user ?? null,
    service_tier: chat.tier === 'standard' ? 'default' : (chat.tier ?? 'auto'),
    store: false,
    temperature: sampling.temperature ?? null,
    text: { format: writeFormat(format ?? { kind: 'text' }) },
    tool_choice: writeChoice(chat.toolChoice ?? { kind: 'auto' }),
    tools: chat.tools.map(writeTool),
    top_logprobs: sampling.topLogprobs ?? 0,
    top_p: sampling.topP ?? null,
    truncation: 'disabled',
    usage: progress.usage === undefined ? null : writeResponseUsage(progress.usage),
    access_programs: null,
    metadata: chat.metadata ?? {},
  };
}

/** The system's words at the beginning are the instructions, or as good as they. */
function instructionsOf([first]: readonly NeutralMessage[]): string | null {
  const [part, more] = first?.role === 'system' ? first.parts : [];
  return part?.kind === 'text' && more === undefined ? part.text : null;
}
