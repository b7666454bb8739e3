import { spoiltUsage } from '../answer.ts';
import type { Counted } from '../books.ts';
import type { Faults } from '../faults.ts';

/** Usage as chat and text completions report it. Source: `CompletionUsage` of the `openai` package. */
export function completionUsage({ input, cached, output, reasoning }: Counted, faults: Faults): unknown {
  const usage = {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  };
  return spoiltUsage(usage, faults.usage);
}

/** Usage as responses report it. Source: `ResponseUsage` of the `openai` package. */
export function responseUsage({ input, cached, output, reasoning }: Counted, faults: Faults): unknown {
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
  return spoiltUsage(usage, faults.usage);
}
