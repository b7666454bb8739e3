import type { Usage } from '../../catalog/index.ts';
import { EventEnder } from '../ender.ts';
import type { EnderContext, StreamEnder } from '../ender.ts';
import type { Endpoint } from '../types.ts';
import { integerAt, objectsAt, wordAt } from '../values.ts';
import type { JsonObject } from '../values.ts';
import { MAX_CANDIDATES } from './limits.ts';
import { writeUsage } from './translate/usage.ts';

/**
 * Ends a stream of responses; `undefined` for what is none, and for an array in JSON, which has no events.
 * Source: Gemini API docs, "Generating content", `GenerateContentResponse` and `FinishReason`.
 */
export function ender({ operation, streamForm }: Endpoint, context: EnderContext): StreamEnder | undefined {
  return operation === 'chat' && streamForm === 'sse' ? new EventEnder(new ResponseEnding(context)) : undefined;
}

class ResponseEnding {
  readonly #open = new Set<number>();
  #model: string;
  #id: string;

  constructor({ model, requestId }: EnderContext) {
    this.#model = model;
    this.#id = requestId;
  }

  read(event: JsonObject): void {
    this.#model = wordAt(event, 'modelVersion') ?? this.#model;
    this.#id = wordAt(event, 'responseId') ?? this.#id;
    for (const candidate of objectsAt(event, 'candidates')) {
      const index = integerAt(candidate, 'index') ?? 0;
      if (wordAt(candidate, 'finishReason') !== undefined) this.#open.delete(index);
      else if (this.#open.size < MAX_CANDIDATES) this.#open.add(index);
    }
  }

  ending(usage: Usage): readonly string[] {
    const candidates = [...this.#open].map((index) => ({ content: { parts: [{ text: '' }], role: 'model' }, finishReason: 'MAX_TOKENS', index }));
    const last = { candidates, usageMetadata: writeUsage(usage), modelVersion: this.#model, responseId: this.#id };
    return [`data: ${JSON.stringify(last)}\r\n\r\n`];
  }
}
