import type { NeutralContent, NeutralMessage, NeutralPart, NeutralThinking } from '../../../neutral.ts';
import { OpenCalls, readArguments } from '../calls.ts';
import { readAudio, readFile, readImage } from '../content.ts';
import { readCache } from '../media.ts';
import { quoted } from '../reading.ts';
import type { ObjectReader } from '../reading.ts';
import { readCallSignature, readSeal } from '../signature.ts';

/**
 * What items of earlier answers hold that says nothing to a model: names, how they ended, who may have called, and
 * `phase`, which only models of OpenAI's were taught.
 */
const ITEM_EXTRAS: readonly string[] = ['id', 'status', 'phase', 'caller', 'async', 'type'];
const OUTPUT_EXTRAS: readonly string[] = ['annotations', 'logprobs'];

/** Puts items together into messages: all that a model said in a row is one message, and so are results of tools. */
class Conversation {
  readonly messages: NeutralMessage[] = [];
  readonly calls = new OpenCalls();
  #open: { readonly kind: 'said' | 'results'; readonly parts: NeutralPart[] } | undefined;

  say(message: NeutralMessage): void {
    this.#open = undefined;
    this.messages.push(message);
  }

  add(kind: 'said' | 'results', parts: readonly NeutralPart[]): void {
    if (this.#open?.kind !== kind) {
      this.#open = { kind, parts: [] };
      this.messages.push({ role: kind === 'said' ? 'assistant' : 'user', parts: this.#open.parts });
    }
    this.#open.parts.push(...parts);
  }
}

/** Reads `input`: a text, or items. As at OpenAI, each call has its result and each result its call. */
export function readInput(body: ObjectReader): readonly NeutralMessage[] {
  const input = body.value('input');
  if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input }] }];
  const conversation = new Conversation();
  for (const item of body.objects('input')) {
    readItem(item, conversation);
    item.ignore(ITEM_EXTRAS);
    item.dropRest();
  }
  if (conversation.calls.size > 0) {
    body.log.invalid(
      'input',
      `input holds function calls without their output. Send a function_call_output for each call; ${conversation.calls.size} have none.`,
    );
  }
  if (conversation.messages.length === 0) body.log.invalid('input', 'input must be a string or an array of at least one item.');
  return conversation.messages;
}

function readItem(item: ObjectReader, conversation: Conversation): void {
  const type = item.string('type') ?? (item.has('role') ? 'message' : 'item_reference');
  switch (type) {
    case 'message':
      return readMessage(item, conversation);
    case 'reasoning':
      return conversation.add('said', readThinking(item));
    case 'function_call':
      return readCall(item, conversation);
    case 'function_call_output':
      return readResult(item, conversation);
    default:
      item.log.losses.refused(
        item.path,
        `${item.path} is an item ${quoted(type)}, which only OpenAI has. Send messages, reasoning, function calls and their output.`,
      );
  }
}

function readMessage(item: ObjectReader, conversation: Conversation): void {
  const role = item.word('role', ['user', 'assistant', 'system', 'developer'] as const);
  const parts = readContent(item, 'content');
  if (role === 'assistant') conversation.add('said', parts);
  else conversation.say({ role: role === 'user' ? 'user' : 'system', parts });
}

function readThinking(item: ObjectReader): readonly NeutralThinking[] {
  const whole = item
    .objects('content')
    .map((part) => part.string('text') ?? '')
    .join('');
  const summary = item
    .objects('summary')
    .map((part) => part.string('text') ?? '')
    .join('\n\n');
  const text = whole === '' ? summary : whole;
  const encrypted = item.string('encrypted_content') ?? '';
  if (encrypted === '') return text === '' ? [] : [{ kind: 'thinking', text }];
  return [{ kind: 'thinking', text, ...readSeal(encrypted, text) }];
}

function readCall(item: ObjectReader, conversation: Conversation): void {
  item.refuse('namespace', `${item.at('namespace')} belongs to a group of tools, which only OpenAI has. Declare functions one by one.`);
  const call = {
    kind: 'tool_call',
    id: item.required('call_id'),
    name: item.required('name'),
    argumentsJson: readArguments(item, 'arguments'),
    ...readCallSignature(item.json('extra_content')),
  } as const;
  conversation.calls.open(call);
  conversation.add('said', [call]);
}

function readResult(item: ObjectReader, conversation: Conversation): void {
  const callId = item.required('call_id');
  const name = conversation.calls.answer(callId);
  if (name === undefined) item.log.invalid(item.at('call_id'), `${item.at('call_id')} answers no function call before it. Send the function_call item first.`);
  item.ignore(['name', 'namespace']);
  conversation.add('results', [{ kind: 'tool_result', callId, name, content: readContent(item, 'output'), isError: false }]);
}

/** Reads a text or an array of parts. */
function readContent(item: ObjectReader, field: 'content' | 'output'): readonly NeutralContent[] {
  const content = item.value(field);
  if (content === undefined) return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return item.objects(field).flatMap((part) => {
    const read = readPart(part);
    part.ignore(OUTPUT_EXTRAS);
    part.dropRest();
    return read;
  });
}

function readPart(part: ObjectReader): readonly NeutralContent[] {
  const type = part.string('type');
  const cached = readCache(part);
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return [{ kind: 'text', text: part.required('text'), ...cached }];
    case 'refusal':
      return [{ kind: 'refusal', text: part.required('refusal') }];
    case 'input_image':
      return readImage(part, 'image_url', cached);
    case 'input_file':
      part.drop('detail', `${part.at('detail')} has no equivalent in other APIs and was left out.`);
      return readFile(part, cached);
    case 'input_audio':
      return readAudio(part.object('input_audio'), cached);
    default:
      part.log.invalid(part.at('type'), `${part.at('type')} must be input_text, input_image, input_file, output_text or refusal.`);
      return [];
  }
}
