import type { Usage } from '../../../../catalog/index.ts';
import type { NeutralError, NeutralFinish } from '../../../neutral.ts';
import type { AnswerContext } from '../../../translation.ts';
import { answerId, chatOf } from '../answer-context.ts';
import { errorObject } from '../error.ts';
import { EventStreamWriter } from '../event-stream.ts';
import type { StreamStep } from '../event-stream.ts';
import type { JsonObject } from '../../../values.ts';
import { itemId } from './items.ts';
import type { ItemStatus } from './items.ts';
import { ItemEvents, OpenCall, OpenMessage, OpenReasoning } from './open-items.ts';
import type { OpenItem } from './open-items.ts';
import { progressOf, responseObject } from './response-object.ts';
import type { Progress, ResponseHead } from './response-object.ts';

/** A response has one answer; steps of others are passed over. */
const CHOICE = 0;

type ItemStep = Extract<StreamStep, { readonly choice: number }>;

/**
 * Writes the events of a streamed response. One message or one thought is open at a time. Calls stay open to the answer's
 * end, as their arguments can come in turns. The whole answer is kept, since the last event repeats it.
 * Source: `ResponseStreamEvent` of the `openai` package, and how its `responses.stream` puts them together.
 */
export class ResponseStreamWriter extends EventStreamWriter {
  readonly #context: AnswerContext;
  #head: ResponseHead;
  #hasBegun = false;
  #number = 0;
  /** Finished items, by their place in the output; there are gaps as long as others are open. */
  readonly #output: JsonObject[] = [];
  #places = 0;
  #open: { readonly index: number; readonly item: OpenMessage | OpenReasoning } | undefined;
  readonly #calls = new Map<number, { readonly index: number; readonly item: OpenCall }>();
  #hasRefused = false;
  #finish: NeutralFinish | undefined;
  #usage: Usage | undefined;

  constructor(context: AnswerContext) {
    super();
    this.#context = context;
    this.#head = this.#headOf('', chatOf(context).model, undefined);
  }

  override step(event: StreamStep): void {
    if (event.kind === 'start' && !this.#hasBegun) this.#head = this.#headOf(event.id, event.model, event.created);
    this.#begin();
    switch (event.kind) {
      case 'start':
        this.#usage = event.usage;
        return;
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'error':
        return this.#fail(event.error);
      case 'end':
        return this.#end();
      default:
        if (event.choice === CHOICE) this.#add(event);
    }
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const response = this.#response({ status: 'in_progress' });
    this.#emit('response.created', { response });
    this.#emit('response.in_progress', { response });
  }

  #add(event: ItemStep): void {
    switch (event.kind) {
      case 'text':
        // Nothing opens no message.
        if (event.delta === '' && event.logprobs === undefined) return;
        return this.#message().add('text', event.delta, event.logprobs);
      case 'refusal':
        this.#hasRefused = true;
        return this.#message().add('refusal', event.delta);
      case 'thinking':
        return this.#reasoning().think(event.delta);
      case 'thinking_signature':
        return this.#reasoning().seal({ signature: event.signature });
      case 'redacted_thinking':
        return this.#reasoning().seal({ redacted: event.redacted });
      case 'tool_call':
        this.#closeOpen('completed');
        if (!this.#calls.has(event.call))
          this.#calls.set(
            event.call,
            this.#next('fc', (events) => new OpenCall(events, event)),
          );
        return;
      case 'tool_arguments':
        return this.#calls.get(event.call)?.item.add(event.delta);
      case 'finish':
        this.#finish ??= event.reason;
    }
  }

  #message(): OpenMessage {
    if (this.#open?.item instanceof OpenMessage) return this.#open.item;
    this.#closeOpen('completed');
    const next = this.#next('msg', (events) => new OpenMessage(events));
    this.#open = next;
    return next.item;
  }

  #reasoning(): OpenReasoning {
    if (this.#open?.item instanceof OpenReasoning && !this.#open.item.isSealed) return this.#open.item;
    this.#closeOpen('completed');
    const next = this.#next('rs', (events) => new OpenReasoning(events));
    this.#open = next;
    return next.item;
  }

  #next<Item extends OpenItem>(prefix: Parameters<typeof itemId>[0], open: (events: ItemEvents) => Item): { readonly index: number; readonly item: Item } {
    const index = this.#places++;
    const events = new ItemEvents((type, members) => this.#emit(type, members), itemId(prefix, this.#head.id, index), index);
    return { index, item: open(events) };
  }

  #closeOpen(status: ItemStatus): void {
    if (this.#open !== undefined) this.#output[this.#open.index] = this.#open.item.close(status);
    this.#open = undefined;
  }

  #closeAll(status: ItemStatus): void {
    this.#closeOpen(status);
    for (const { index, item } of this.#calls.values()) this.#output[index] = item.close(status);
  }

  #end(): void {
    const progress = progressOf(this.#finish, { calls: this.#calls.size > 0, refused: this.#hasRefused });
    this.#closeAll(progress.status === 'completed' ? 'completed' : 'incomplete');
    this.#emit(`response.${progress.status}`, { response: this.#response(progress) });
  }

  /**
   * The response has failed, and the stream with it: some clients look at the one and some at the other. The second event
   * has the error both beside its type, as the reference says, and in a member of its own, as OpenAI sends it. What is
   * open stays open: a call that is told to be done is made by clients, whatever its arguments.
   */
  #fail(error: NeutralError): void {
    const told = errorObject(error);
    this.#emit('response.failed', { response: this.#response({ status: 'failed', error: { code: told['code'] ?? 'server_error', message: error.message } }) });
    this.#emit('error', { code: told['code'], message: error.message, param: told['param'], error: told });
  }

  #response(progress: Omit<Progress, 'output' | 'usage'>): JsonObject {
    const usage = progress.status === 'in_progress' ? undefined : this.#usage;
    return responseObject(this.#head, { ...progress, output: Object.values(this.#output), usage }, this.#context);
  }

  #emit(type: string, members: JsonObject): void {
    this.send({ type, sequence_number: this.#number++, ...members }, type);
  }

  #headOf(id: string, model: string, created: number | undefined): ResponseHead {
    return { id: answerId(id, this.#context, 'resp'), model, created: created ?? this.#context.created };
  }
}
