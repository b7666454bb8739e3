import type { Usage } from '../../../../catalog/index.ts';
import type { NeutralEvent, NeutralFinish } from '../../../neutral.ts';
import type { AnswerContext } from '../../../translation.ts';
import type { Endpoint } from '../../../types.ts';
import { MAX_CHOICES } from '../../limits.ts';
import { readFinish, writeFinish } from '../chat/finish.ts';
import { answerId, chatOf } from '../answer-context.ts';
import { errorObject } from '../error.ts';
import { EventStreamWriter } from '../event-stream.ts';
import type { StreamLanguage, StreamStep } from '../event-stream.ts';
import { usageOf, writeChatUsage } from '../usage.ts';
import { integerAt, objectsAt, textAt, wordAt } from '../../../values.ts';
import type { JsonObject, ParsedObject } from '../../../values.ts';
import { textFinish, TEXT_ONLY } from './answer.ts';

/** Reads the chunks of a streamed `text_completion`, which look like the whole. */
export class CompletionChunks implements StreamLanguage {
  readonly #endpoint: Endpoint;
  readonly #open = new Map<number, boolean>();
  #hasStarted = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  read(event: ParsedObject): readonly NeutralEvent[] | undefined {
    const { value } = event;
    if (!Array.isArray(value['choices'])) return undefined;
    const steps: NeutralEvent[] = [];
    if (!this.#hasStarted)
      steps.push({ kind: 'start', id: textAt(value, 'id') ?? '', model: textAt(value, 'model') ?? '', created: integerAt(value, 'created') });
    this.#hasStarted = true;
    for (const item of objectsAt(value, 'choices')) this.#readChoice(item, steps);
    const usage = usageOf(event, this.#endpoint);
    if (usage !== undefined) steps.push({ kind: 'usage', usage });
    return steps;
  }

  isWhole(): boolean {
    return this.#open.size > 0 && [...this.#open.values()].every((open) => !open);
  }

  #readChoice(value: JsonObject, steps: NeutralEvent[]): void {
    const choice = integerAt(value, 'index') ?? 0;
    if (choice < 0 || choice >= MAX_CHOICES || this.#open.get(choice) === false) return;
    const text = wordAt(value, 'text');
    const reason = wordAt(value, 'finish_reason');
    if (text !== undefined) steps.push({ kind: 'text', choice, delta: text });
    if (reason !== undefined) steps.push({ kind: 'finish', choice, reason: readFinish(reason, TEXT_ONLY) });
    this.#open.set(choice, reason === undefined);
  }
}

/** Writes them: text and refusals; what else a chat model does has no place there. */
export class CompletionStreamWriter extends EventStreamWriter {
  readonly #context: AnswerContext;
  readonly #finished = new Map<number, boolean>();
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
        return;
      case 'text':
      case 'refusal':
        this.#finished.set(event.choice, false);
        return this.#send(event.choice, event.delta, null);
      case 'finish':
        return this.#finish(event.choice, event.reason);
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'error':
        return this.send({ error: errorObject(event.error) });
      case 'end':
        return this.#end();
      default:
    }
  }

  #finish(choice: number, reason: NeutralFinish | undefined): void {
    if (this.#finished.get(choice) === true) return;
    this.#finished.set(choice, true);
    this.#send(choice, '', textFinish(writeFinish(reason, TEXT_ONLY)));
  }

  #end(): void {
    for (const choice of this.#finished.keys()) this.#finish(choice, undefined);
    if (this.#wantsUsage() && this.#usage !== undefined) this.send({ ...this.#head, choices: [], usage: writeChatUsage(this.#usage) });
    this.sendDone();
  }

  #send(index: number, text: string, finish: string | null): void {
    this.send({ ...this.#head, choices: [{ text, index, logprobs: null, finish_reason: finish }], ...(this.#wantsUsage() ? { usage: null } : {}) });
  }

  #headOf(id: string, model: string, created: number | undefined): JsonObject {
    return { id: answerId(id, this.#context, 'cmpl'), object: 'text_completion', created: created ?? this.#context.created, model };
  }

  #wantsUsage(): boolean {
    return chatOf(this.#context).wantsStreamUsage;
  }
}
