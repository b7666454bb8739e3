import type { Usage } from '../../../catalog/index.ts';
import { encodeUtf8 } from '../../../json/index.ts';
import type { NeutralError, NeutralEvent, NeutralFinish } from '../../neutral.ts';
import type { AnswerContext, StreamWriter } from '../../translation.ts';
import { BlockSequence } from './blocks.ts';
import { stopReasonOf } from './finish.ts';
import { writeCallSeal, writeSeal } from './seals.ts';
import { countsOf, usageObject } from './usage.ts';
import { emptyMessage, toolUse } from './write-answer.ts';
import type { Wire } from './write-content.ts';
import { errorObject } from './write-error.ts';

const CUT_OFF: NeutralError = { kind: 'server_error', status: 502, message: "The provider's stream ended before its answer did. Try again." };
const TOO_MUCH_HELD: NeutralError = {
  kind: 'server_error',
  status: 502,
  message: "The provider's answer interleaves more than can be put in order. Try again.",
};

/** Writes a caller's stream, as Anthropic's SDKs put it together. Source: Claude API docs, "Streaming messages"; `MessageStream` of `@anthropic-ai/sdk`. */
export function writeStream(context: AnswerContext): StreamWriter {
  return new MessageWriter(context);
}

class MessageWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #blocks = new BlockSequence((event) => this.#emit(event));
  #text = '';
  #hasStarted = false;
  #isOver = false;
  #finish: { readonly reason: NeutralFinish; readonly stopSequence?: string } | undefined;
  #usage: Usage | undefined;
  readonly #held = { toolCalls: false, refusals: false };

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(events: readonly NeutralEvent[]): Uint8Array {
    for (const event of events) {
      if (this.#isOver) break;
      this.#write(event);
      if (this.#blocks.overflows) this.#fail(TOO_MUCH_HELD);
    }
    return this.#taken();
  }

  finish(): Uint8Array {
    if (!this.#isOver) this.#fail(CUT_OFF);
    return this.#taken();
  }

  #write(event: NeutralEvent): void {
    // Anthropic's callers get one answer; none of them can have asked for more.
    if ('choice' in event && event.choice !== 0) return;
    switch (event.kind) {
      case 'start':
        return this.#start(event.id, event.model, event.usage);
      case 'ping':
        return this.#emit({ type: 'ping' });
      case 'error':
        return this.#fail(event.error);
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'finish':
        this.#finish = event;
        return;
      case 'end':
        return this.#end();
      default:
        this.#start('', '', undefined);
        return this.#content(event);
    }
  }

  #content(event: Exclude<NeutralEvent, { readonly kind: 'start' | 'ping' | 'error' | 'usage' | 'finish' | 'end' }>): void {
    switch (event.kind) {
      case 'refusal':
        this.#held.refusals = true;
        return this.#words('text', event.delta);
      case 'text':
      case 'thinking':
        return this.#words(event.kind, event.delta);
      case 'thinking_signature':
        this.#open('thinking');
        this.#blocks.add('thinking', { type: 'signature_delta', signature: writeSeal(event.signature) }, '');
        return this.#blocks.seal('thinking');
      case 'redacted_thinking':
        return this.#blocks.begin('sealed', { type: 'redacted_thinking', data: writeSeal(event.redacted) });
      case 'tool_call':
        this.#held.toolCalls = true;
        if (event.signature !== undefined) this.#blocks.begin('sealed', { type: 'redacted_thinking', data: writeCallSeal(event.signature) });
        return this.#blocks.begin(`call ${event.call}`, toolUse(event.id === '' ? `toolu_${this.#context.requestId}_${event.call}` : event.id, event.name));
      case 'tool_arguments':
        if (event.delta !== '') this.#blocks.add(`call ${event.call}`, { type: 'input_json_delta', partial_json: event.delta }, event.delta);
    }
  }

  #words(kind: 'text' | 'thinking', delta: string): void {
    if (delta === '') return;
    this.#open(kind);
    this.#blocks.add(kind, kind === 'text' ? { type: 'text_delta', text: delta } : { type: 'thinking_delta', thinking: delta }, delta);
  }

  #open(kind: 'text' | 'thinking'): void {
    if (this.#blocks.isOpen(kind)) return;
    this.#blocks.begin(kind, kind === 'text' ? { type: 'text', text: '', citations: null } : { type: 'thinking', thinking: '', signature: '' });
  }

  #start(id: string, model: string, usage: Usage | undefined): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#usage = usage ?? this.#usage;
    this.#emit({ type: 'message_start', message: { ...emptyMessage(id, model, this.#context), usage: usageObject(usage) } });
  }

  #end(): void {
    this.#start('', '', undefined);
    this.#blocks.finish();
    const stop = { stop_reason: stopReasonOf(this.#finish?.reason, this.#held), stop_sequence: this.#finish?.stopSequence ?? null };
    this.#emit({ type: 'message_delta', delta: { container: null, stop_details: null, ...stop }, usage: countsOf(this.#usage) });
    this.#emit({ type: 'message_stop' });
    this.#isOver = true;
  }

  #fail(error: NeutralError): void {
    this.#emit({ type: 'error', error: errorObject(error), request_id: this.#context.requestId });
    this.#isOver = true;
  }

  #emit(event: Wire): void {
    this.#text += `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`;
  }

  #taken(): Uint8Array {
    const text = this.#text;
    this.#text = '';
    return encodeUtf8(text);
  }
}
