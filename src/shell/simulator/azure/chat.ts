import type { Exchange } from '../api.ts';
import { refuse } from '../deliver.ts';
import { chat as openaiChat, OPENAI_STYLE } from '../openai/chat.ts';
import type { ChatStyle } from '../openai/chat.ts';
import { PROMPT_FILTERED, SAFE } from './errors.ts';

const PROMPT_FILTER = { prompt_filter_results: [{ prompt_index: 0, content_filter_results: SAFE }] };

/** What its content filter adds to every answer; a stream begins with a chunk about the prompt. */
const STYLE: ChatStyle = {
  ...OPENAI_STYLE,
  more: { system_fingerprint: 'fp_simulated', ...PROMPT_FILTER },
  moreOfChoice: { content_filter_results: SAFE },
  preface: [{ choices: [], created: 0, id: '', model: '', object: '', ...PROMPT_FILTER }],
};

/** OpenAI's chat completions behind a content filter. Source: Azure OpenAI REST API reference, "Create chat completion". */
export async function chat(body: unknown, exchange: Exchange): Promise<void> {
  if (exchange.faults.block === 'prompt') return refuse(exchange, PROMPT_FILTERED);
  await openaiChat(body, exchange, STYLE);
}
