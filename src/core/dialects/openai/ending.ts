import type { Usage } from '../../catalog/index.ts';
import { EventEnder } from '../ender.ts';
import type { EnderContext, StreamEnder } from '../ender.ts';
import type { Endpoint } from '../types.ts';
import { integerAt, objectsAt, wordAt } from '../values.ts';
import type { JsonObject } from '../values.ts';
import { ResponseEnding } from './ending-response.ts';
import { writeChatUsage } from './translate/usage.ts';

/** Choices that are told apart; the API allows 128. */
const MAX_CHOICES = 128;

/** Ends a stream of chunks or of a response's events; `undefined` for what is neither. Source: OpenAI API reference, "Chat completion chunk object" and "Streaming events". */
export function ender({ operation }: Endpoint, context: EnderContext): StreamEnder | undefined {
  switch (operation) {
    case 'chat':
      return new EventEnder(new ChunkEnding(context, 'chatcmpl', { object: 'chat.completion.chunk' }, { delta: {} }));
    case 'text_completion':
      return new EventEnder(new ChunkEnding(context, 'cmpl', { object: 'text_completion' }, { text: '', logprobs: null }));
    case 'responses':
      return new EventEnder(new ResponseEnding(context));
    default:
      return undefined;
  }
}

/** Chunks of chats and of text completions: one more for each choice that has not ended, usage where it was asked for, `[DONE]`. */
class ChunkEnding {
  readonly #context: EnderContext;
  readonly #nothing: JsonObject;
  readonly #open = new Set<number>();
  #head: JsonObject;

  constructor(context: EnderContext, prefix: string, object: JsonObject, nothing: JsonObject) {
    this.#context = context;
    this.#nothing = nothing;
    this.#head = { id: `${prefix}-${context.requestId}`, ...object, created: context.created, model: context.model };
  }

  read(event: JsonObject): void {
    const { id, created, model } = this.#head;
    this.#head = { ...this.#head, id: wordAt(event, 'id') ?? id, created: integerAt(event, 'created') ?? created, model: wordAt(event, 'model') ?? model };
    for (const choice of objectsAt(event, 'choices')) {
      const index = integerAt(choice, 'index') ?? 0;
      if (wordAt(choice, 'finish_reason') !== undefined) this.#open.delete(index);
      else if (this.#open.size < MAX_CHOICES) this.#open.add(index);
    }
  }

  ending(usage: Usage): readonly string[] {
    const { wantsUsage } = this.#context;
    const none = wantsUsage ? { usage: null } : {};
    return [
      ...[...this.#open].map((index) => written({ ...this.#head, choices: [{ index, ...this.#nothing, finish_reason: 'length' }], ...none })),
      ...(wantsUsage ? [written({ ...this.#head, choices: [], usage: writeChatUsage(usage) })] : []),
      'data: [DONE]\n\n',
    ];
  }
}

const written = (event: JsonObject): string => `data: ${JSON.stringify(event)}\n\n`;
