import type { Usage } from '../../catalog/index.ts';
import { EventEnder } from '../ender.ts';
import type { StreamEnder } from '../ender.ts';
import type { Endpoint } from '../types.ts';
import { integerAt } from '../values.ts';
import type { JsonObject } from '../values.ts';
import { countsOf } from './translate/usage.ts';

/** Ends a stream of messages; `undefined` for what is none. Source: Claude API docs, "Streaming messages" and "Handling stop reasons". */
export function ender({ operation }: Endpoint): StreamEnder | undefined {
  return operation === 'chat' ? new EventEnder(new MessageEnding()) : undefined;
}

class MessageEnding {
  readonly #open = new Set<number>();

  read(event: JsonObject): void {
    const index = integerAt(event, 'index');
    if (index === undefined) return;
    if (event['type'] === 'content_block_start') this.#open.add(index);
    else if (event['type'] === 'content_block_stop') this.#open.delete(index);
  }

  ending(usage: Usage): readonly string[] {
    return [
      ...[...this.#open].map((index) => written({ type: 'content_block_stop', index })),
      written({ type: 'message_delta', delta: { stop_reason: 'max_tokens', stop_sequence: null }, usage: countsOf(usage) }),
      written({ type: 'message_stop' }),
    ];
  }
}

const written = (event: JsonObject): string => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`;
