import type { Usage } from '../../../../catalog/index.ts';
import type { NeutralFinish } from '../../../neutral.ts';
import type { AnswerContext } from '../../../translation.ts';
import { answerId, chatOf } from '../answer-context.ts';
import { errorObject } from '../error.ts';
import { EventStreamWriter } from '../event-stream.ts';
import type { StreamStep } from '../event-stream.ts';
import { writeLogprobs } from '../logprobs.ts';
import { writeCallSignature } from '../signature.ts';
import { writeChatUsage } from '../usage.ts';
import type { JsonObject } from '../../../values.ts';
import { writeFinish } from './finish.ts';

/** Steps that add to a choice. */
type Addition = Extract<StreamStep, { readonly kind: 'text' | 'refusal' | 'thinking' | 'tool_call' | 'tool_arguments' }>;

interface ChoiceState {
  /** Calls, and whether anything of their arguments was written. */
  readonly calls: Map<number, boolean>;
  refused: boolean;
  finished: boolean;
}

/**
 * Writes `chat.completion.chunk`s: the role first, the finish reason last, usage in a chunk of its own where the caller
 * asked for it, `[DONE]` at the end. Source: `ChatCompletionChunk` of the `openai` package.
 */
export class ChatStreamWriter extends EventStreamWriter {
  readonly #context: AnswerContext;
  readonly #choices = new Map<number, ChoiceState>();
  #head: JsonObject;
  #usage: Usage | undefined;

  constructor(context: AnswerContext) {
    super();
    this.#context = context;
    this.#head = this.#headOf('', chatOf(context).model, undefined);
  }

  override step(event: StreamStep): void {
    switch (event.kind) {
      case 'start':
        this.#head = this.#headOf(event.id, event.model, event.created);
        this.#usage = event.usage;
        this.#choice(0);
        return;
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'error':
        return this.send({ error: errorObject(event.error) });
      case 'end':
        return this.#end();
      case 'finish':
        return this.#finish(event.choice, event.reason);
      case 'thinking_signature':
      case 'redacted_thinking':
        // No field of a chunk holds them.
        return;
      default:
        this.#add(event);
    }
  }

  #add(event: Addition): void {
    const state = this.#choice(event.choice);
    switch (event.kind) {
      case 'text':
        return this.#sendChoice(
          event.choice,
          { content: event.delta },
          null,
          event.logprobs === undefined ? {} : { logprobs: { content: writeLogprobs(event.logprobs), refusal: null } },
        );
      case 'refusal':
        state.refused = true;
        return this.#sendChoice(event.choice, { refusal: event.delta });
      case 'thinking':
        return this.#sendChoice(event.choice, { reasoning_content: event.delta });
      case 'tool_call':
        state.calls.set(event.call, false);
        return this.#sendCall(event.choice, {
          index: event.call,
          id: event.id,
          type: 'function',
          function: { name: event.name, arguments: '' },
          ...writeCallSignature(event),
        });
      case 'tool_arguments':
        state.calls.set(event.call, true);
        return this.#sendCall(event.choice, { index: event.call, function: { arguments: event.delta } });
    }
  }

  /** A call without arguments has those of an empty object, as clients parse them; one that was cut has what came of them. */
  #finish(choice: number, finish: NeutralFinish | undefined): void {
    const state = this.#choice(choice);
    if (state.finished) return;
    state.finished = true;
    const reason = writeFinish(finish, { calls: state.calls.size > 0, refused: state.refused });
    const isWhole = reason === 'stop' || reason === 'tool_calls';
    for (const [call, hasArguments] of state.calls) if (isWhole && !hasArguments) this.#sendCall(choice, { index: call, function: { arguments: '{}' } });
    this.#sendChoice(choice, {}, reason);
  }

  #end(): void {
    for (const choice of this.#choices.keys()) this.#finish(choice, undefined);
    if (this.#wantsUsage() && this.#usage !== undefined) this.send({ ...this.#head, choices: [], usage: writeChatUsage(this.#usage) });
    this.sendDone();
  }

  #choice(choice: number): ChoiceState {
    const known = this.#choices.get(choice);
    if (known !== undefined) return known;
    const state: ChoiceState = { calls: new Map(), refused: false, finished: false };
    this.#choices.set(choice, state);
    this.#sendChoice(choice, { role: 'assistant' });
    return state;
  }

  #sendCall(choice: number, call: JsonObject): void {
    this.#sendChoice(choice, { tool_calls: [call] });
  }

  #sendChoice(index: number, delta: JsonObject, finish: string | null = null, more: JsonObject = {}): void {
    this.send({ ...this.#head, choices: [{ index, delta, ...more, finish_reason: finish }], ...(this.#wantsUsage() ? { usage: null } : {}) });
  }

  #headOf(id: string, model: string, created: number | undefined): JsonObject {
    return { id: answerId(id, this.#context, 'chatcmpl'), object: 'chat.completion.chunk', created: created ?? this.#context.created, model };
  }

  #wantsUsage(): boolean {
    return chatOf(this.#context).wantsStreamUsage;
  }
}
