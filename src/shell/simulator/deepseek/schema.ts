/** DeepSeek's chat completions: OpenAI's, and what is its own. Source: DeepSeek API docs, "Create Chat Completion", "Thinking Mode". */
import { z } from 'zod';
import { chatRequest, messagesWith } from '../openai/schema.ts';

export const deepseekRequest = chatRequest.extend({
  messages: messagesWith({ reasoning_content: z.string().nullable().optional(), prefix: z.boolean().optional() }),
  thinking: z
    .strictObject({ type: z.enum(['enabled', 'disabled']) })
    .nullable()
    .optional(),
});

export type DeepseekRequest = z.output<typeof deepseekRequest>;
