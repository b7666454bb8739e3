import type { NeutralFinish } from '../../../neutral.ts';

/** What an answer held, which its finish reason alone does not tell. */
export interface Said {
  readonly calls: boolean;
  readonly refused: boolean;
}

/**
 * Reads `finish_reason`. A call of a tool that the caller named, and any call at some compatible servers, ends in `stop`;
 * so does a refusal. Reasons that are not known are taken for a plain stop, since the answer did end.
 * Source: `ChatCompletion.Choice` of the `openai` package; `insufficient_system_resource` is DeepSeek's, who cuts the answer.
 */
export function readFinish(reason: string, { calls, refused }: Said): NeutralFinish {
  switch (reason) {
    case 'length':
    case 'max_tokens':
    case 'insufficient_system_resource':
      return 'length';
    case 'content_filter':
      return 'content_filter';
    case 'tool_calls':
    case 'function_call':
      return 'tool_calls';
    default:
      return calls ? 'tool_calls' : refused ? 'refusal' : 'stop';
  }
}

export type ChatFinish = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** Writes `finish_reason`. A model that refuses in words has stopped; one that is silent was filtered, as far as OpenAI's words go. */
export function writeFinish(finish: NeutralFinish | undefined, { calls, refused }: Said): ChatFinish {
  switch (finish) {
    case 'length':
      return 'length';
    case 'content_filter':
      return 'content_filter';
    case 'refusal':
      return refused ? 'stop' : 'content_filter';
    case 'tool_calls':
      return 'tool_calls';
    default:
      return calls && finish === undefined ? 'tool_calls' : 'stop';
  }
}
