import { parseJson } from '../../../json/index.ts';
import { FaultLog, Fields } from '../../fields.ts';
import type { NeutralEvent } from '../../neutral.ts';
import { EventReader } from '../../sse.ts';
import type { EventData, EventListener } from '../../sse.ts';
import type { StreamReader } from '../../translation.ts';
import { UsageTally } from '../usage.ts';
import { finishOf } from './finish.ts';
import { parseErrorEvent } from './parse-error.ts';
import { rawJson, textOf } from './values.ts';

/** Longest `type` and the like that is looked at. */
const MAX_WORD_BYTES = 64;

/** Anthropic gives one answer to a request. */
const CHOICE = 0;

/** The block that is open. Anthropic's blocks follow one another. */
interface OpenBlock {
  readonly index: number | undefined;
  /** The number of the tool call that it is; `undefined`: it is none. */
  readonly call: number | undefined;
  /** Its input was given, in whole or in part. */
  hasInput: boolean;
  /** Whether its deltas mean something here; those of tools that Anthropic runs itself do not. */
  readonly isRead: boolean;
}

/** Reads a provider's stream. Source: Claude API docs, "Streaming messages"; `RawMessageStreamEvent` of `@anthropic-ai/sdk`. */
export function readStream(): StreamReader {
  return new MessageReader();
}

class MessageReader implements StreamReader, EventListener {
  skipped = 0;
  readonly #reader = new EventReader(this, false);
  readonly #tally = new UsageTally();
  #events: NeutralEvent[] = [];
  #block: OpenBlock | undefined;
  #calls = 0;
  #isOver = false;

  push(chunk: Uint8Array, endOfStream: boolean): readonly NeutralEvent[] {
    this.#events = [];
    this.#reader.push(chunk, endOfStream);
    return this.#events;
  }

  event(name: string, { bytes, start, end }: EventData): 'keep' {
    if (this.#isOver) return 'keep';
    const parsed = parseJson(bytes.subarray(start, end));
    const faults = new FaultLog();
    const event = parsed.ok && parsed.value.kind(parsed.value.root) === 'object' ? new Fields(parsed.value, parsed.value.root, '', faults) : undefined;
    if (event === undefined || !this.#read(event, name) || faults.first !== undefined) this.skipped++;
    return 'keep';
  }

  unreadable(): void {
    this.skipped++;
  }

  /** Says whether the event is known. Its type is told twice, and some compatible providers leave one out. */
  #read(event: Fields, name: string): boolean {
    switch (event.string('type', MAX_WORD_BYTES) ?? name) {
      case 'message_start':
        return this.#start(event);
      case 'content_block_start':
        return this.#openBlock(event);
      case 'content_block_delta':
        return this.#delta(event);
      case 'content_block_stop':
        return this.#closeBlock();
      case 'message_delta':
        return this.#messageDelta(event);
      case 'message_stop':
        return this.#end({ kind: 'end' });
      case 'error':
        return this.#end({ kind: 'error', error: parseErrorEvent(event) });
      case 'ping':
        return this.#tell({ kind: 'ping' });
      default:
        return false;
    }
  }

  #start(event: Fields): boolean {
    const message = event.object('message');
    if (message === undefined) return false;
    this.#tally.take(message.document, message.node('usage'));
    const usage = this.#tally.usage();
    return this.#tell({
      kind: 'start',
      id: textOf(message, 'id') ?? '',
      model: textOf(message, 'model') ?? '',
      created: undefined,
      ...(usage === undefined ? {} : { usage }),
    });
  }

  #openBlock(event: Fields): boolean {
    const block = event.object('content_block');
    if (block === undefined) return false;
    this.#closeBlock();
    const type = block.string('type', MAX_WORD_BYTES);
    const isCall = type === 'tool_use';
    this.#block = {
      index: indexOf(event),
      call: isCall ? this.#calls++ : undefined,
      hasInput: false,
      isRead: isCall || type === 'text' || type === 'thinking',
    };
    switch (type) {
      case 'text':
        return this.#text('text', textOf(block, 'text'));
      case 'thinking':
        return this.#text('thinking', textOf(block, 'thinking')) && this.#signature(textOf(block, 'signature'));
      case 'redacted_thinking':
        return this.#tell({ kind: 'redacted_thinking', choice: CHOICE, redacted: { origin: 'anthropic', data: textOf(block, 'data') ?? '' } });
      case 'tool_use':
        return this.#openCall(block, this.#block);
      default:
        return true;
    }
  }

  #openCall(block: Fields, open: OpenBlock): boolean {
    this.#tell({ kind: 'tool_call', choice: CHOICE, call: open.call ?? 0, id: textOf(block, 'id') ?? '', name: textOf(block, 'name') ?? '' });
    const input = block.object('input');
    const node = input?.members.size === 0 ? undefined : block.node('input');
    return node === undefined || input === undefined || this.#arguments(open, rawJson(block.document, node));
  }

  #delta(event: Fields): boolean {
    const open = this.#block;
    const delta = event.object('delta');
    if (delta === undefined || open === undefined || open.index !== indexOf(event)) return false;
    if (!open.isRead) return true;
    switch (delta.string('type', MAX_WORD_BYTES)) {
      case 'text_delta':
        return this.#text('text', textOf(delta, 'text'));
      case 'thinking_delta':
        return this.#text('thinking', textOf(delta, 'thinking'));
      case 'signature_delta':
        return this.#signature(textOf(delta, 'signature'));
      case 'input_json_delta':
        return this.#arguments(open, textOf(delta, 'partial_json') ?? '');
      case 'citations_delta':
        return true;
      default:
        return false;
    }
  }

  /** A call whose input never came takes none. */
  #closeBlock(): boolean {
    const open = this.#block;
    this.#block = undefined;
    return open?.call === undefined || open.hasInput || this.#arguments(open, '{}');
  }

  #messageDelta(event: Fields): boolean {
    this.#tally.take(event.document, event.node('usage'));
    const delta = event.object('delta');
    const reason = delta?.string('stop_reason', MAX_WORD_BYTES);
    if (delta !== undefined && reason !== undefined) {
      const explanation = delta.object('stop_details');
      this.#text('refusal', explanation === undefined ? undefined : textOf(explanation, 'explanation'));
      const stopSequence = textOf(delta, 'stop_sequence');
      this.#tell({ kind: 'finish', choice: CHOICE, reason: finishOf(reason), ...(stopSequence === undefined ? {} : { stopSequence }) });
    }
    const usage = this.#tally.finalProblem() === undefined ? this.#tally.usage() : undefined;
    return usage === undefined || this.#tell({ kind: 'usage', usage });
  }

  #end(event: NeutralEvent): boolean {
    this.#isOver = true;
    return this.#tell(event);
  }

  #text(kind: 'text' | 'thinking' | 'refusal', delta: string | undefined): boolean {
    return delta === undefined || delta === '' || this.#tell({ kind, choice: CHOICE, delta });
  }

  #signature(data: string | undefined): boolean {
    return data === undefined || data === '' || this.#tell({ kind: 'thinking_signature', choice: CHOICE, signature: { origin: 'anthropic', data } });
  }

  #arguments(open: OpenBlock, delta: string): boolean {
    if (open.call === undefined) return false;
    if (delta === '') return true;
    open.hasInput = true;
    return this.#tell({ kind: 'tool_arguments', choice: CHOICE, call: open.call, delta });
  }

  #tell(event: NeutralEvent): true {
    this.#events.push(event);
    return true;
  }
}

function indexOf(event: Fields): number | undefined {
  const node = event.node('index');
  return node === undefined || event.document.kind(node) !== 'number' ? undefined : event.document.integer(node);
}
