import type { NeutralContent, NeutralMessage, NeutralPart, NeutralToolCall, NeutralToolResult } from '../../../neutral.ts';
import { OpenCalls, readArguments } from '../calls.ts';
import { readAudio, readFile, readImage } from '../content.ts';
import { readCache } from '../media.ts';
import type { ObjectReader } from '../reading.ts';
import { readCallSignature } from '../signature.ts';

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const;

/**
 * Reads `messages`. Results of tools that follow each other become one user message. As at OpenAI, the results of all calls
 * follow the message that made them before anything else does, and none comes without its call.
 */
export function readMessages(body: ObjectReader): readonly NeutralMessage[] {
  const messages: NeutralMessage[] = [];
  const calls = new OpenCalls();
  let results: NeutralToolResult[] = [];
  for (const message of body.objects('messages')) {
    const role = message.word('role', ROLES);
    if (role === 'tool' || role === 'function') {
      if (results.length === 0) messages.push({ role: 'user', parts: results });
      results.push(role === 'tool' ? readResult(message, calls) : readFunctionResult(message, calls));
    } else {
      refuseUnanswered(calls, message.path, body);
      results = [];
      messages.push(role === 'assistant' ? readAssistant(message, calls) : readSaid(message, role === 'user' ? 'user' : 'system'));
    }
    message.dropRest();
  }
  refuseUnanswered(calls, 'messages', body);
  if (messages.length === 0) body.log.invalid('messages', 'messages must be an array of at least one message.');
  return messages;
}

function refuseUnanswered(calls: OpenCalls, path: string, { log }: ObjectReader): void {
  if (calls.size > 0)
    log.invalid(
      path,
      `${path}: an assistant message with tool_calls must be followed by one tool message for each of its calls. ${calls.size} of them have no answer.`,
    );
}

function readSaid(message: ObjectReader, role: 'system' | 'user'): NeutralMessage {
  return { role, parts: readContent(message), ...readName(message) };
}

function readName(message: ObjectReader): { readonly name?: string } {
  const name = message.string('name');
  return name === undefined ? {} : { name };
}

function readAssistant(message: ObjectReader, calls: OpenCalls): NeutralMessage {
  // Where an earlier answer found what it cites: nothing to a model.
  message.ignore(['annotations']);
  message.refuse('audio', `${message.at('audio')} refers to an earlier answer that OpenAI keeps. Send its transcript as text instead.`);
  const parts: NeutralPart[] = [];
  // DeepSeek's name of what its models thought; OpenRouter and newer vLLM servers call it `reasoning`.
  const thought = message.string('reasoning_content') ?? message.string('reasoning') ?? '';
  if (thought !== '') parts.push({ kind: 'thinking', text: thought });
  if (message.value('content') !== '') parts.push(...readContent(message));
  const refusal = message.string('refusal') ?? '';
  if (refusal !== '') parts.push({ kind: 'refusal', text: refusal });
  const made = [...message.objects('tool_calls').flatMap(readCall), ...readFunctionCall(message)];
  for (const call of made) calls.open(call);
  return { role: 'assistant', parts: [...parts, ...made], ...readName(message) };
}

function readCall(call: ObjectReader): readonly NeutralToolCall[] {
  const type = call.string('type') ?? 'function';
  const made = call.object('function');
  if (type !== 'function' || made === undefined) {
    call.log.losses.refused(call.path, `${call.path} is no call of a function. Other providers know functions only, whose arguments are JSON.`);
    return [];
  }
  // The place of a call among the others; a stream's fragments are put together by it.
  call.ignore(['index']);
  const read: NeutralToolCall = {
    kind: 'tool_call',
    id: call.required('id'),
    name: made.required('name'),
    argumentsJson: readArguments(made, 'arguments'),
    ...readCallSignature(call.json('extra_content')),
  };
  call.dropRest();
  return [read];
}

/** The deprecated form of a single call has no id; its place in the conversation serves as one. */
function readFunctionCall(message: ObjectReader): readonly NeutralToolCall[] {
  const made = message.object('function_call');
  if (made === undefined) return [];
  const id = `function_call_${message.path.replaceAll(/\D/g, '')}`;
  return [{ kind: 'tool_call', id, name: made.required('name'), argumentsJson: readArguments(made, 'arguments') }];
}

function readResult(message: ObjectReader, calls: OpenCalls): NeutralToolResult {
  const callId = message.required('tool_call_id');
  const name = calls.answer(callId);
  if (name === undefined) {
    message.log.invalid(
      message.at('tool_call_id'),
      `${message.at('tool_call_id')} answers no call of the assistant message before it. Send that message with its tool_calls first.`,
    );
  }
  message.ignore(['name']);
  return { kind: 'tool_result', callId, name, content: readContent(message), isError: false };
}

function readFunctionResult(message: ObjectReader, calls: OpenCalls): NeutralToolResult {
  const name = message.required('name');
  const callId = calls.idOf(name) ?? '';
  if (calls.answer(callId) === undefined) {
    message.log.invalid(message.at('name'), `${message.at('name')} answers no function_call of the assistant message before it. Send that message first.`);
  }
  return { kind: 'tool_result', callId, name, content: readContent(message), isError: false };
}

/** Reads a `content` that is a text or an array of parts. */
function readContent(message: ObjectReader): readonly NeutralContent[] {
  const content = message.value('content');
  if (content === undefined) return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return message.objects('content').flatMap(readPart);
}

function readPart(part: ObjectReader): readonly NeutralContent[] {
  const read = readPartOf(part, part.string('type'));
  part.dropRest();
  return read;
}

function readPartOf(part: ObjectReader, type: string | undefined): readonly NeutralContent[] {
  const cached = readCache(part);
  switch (type) {
    case 'text':
      return [{ kind: 'text', text: part.required('text'), ...cached }];
    case 'refusal':
      return [{ kind: 'refusal', text: part.required('refusal') }];
    case 'image_url': {
      // Some clients send the address itself, which compatible servers take.
      if (typeof part.value('image_url') === 'string') return readImage(part, 'image_url', cached);
      const image = part.object('image_url');
      return image === undefined ? missing(part, 'image_url') : readImage(image, 'url', cached);
    }
    case 'input_audio': {
      const audio = part.object('input_audio');
      return audio === undefined ? missing(part, 'input_audio') : readAudio(audio, cached);
    }
    case 'file': {
      const file = part.object('file');
      return file === undefined ? missing(part, 'file') : readFile(file, cached);
    }
    default:
      part.log.invalid(part.at('type'), `${part.at('type')} must be text, image_url, input_audio, file or refusal.`);
      return [];
  }
}

function missing(part: ObjectReader, name: string): readonly [] {
  part.log.invalid(part.at(name), `${part.at(name)} is missing.`);
  return [];
}
