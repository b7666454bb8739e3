import type { NeutralContent, NeutralMessage, NeutralPart, NeutralToolCall, NeutralToolResult } from '../../../neutral.ts';
import type { LossLog } from '../../../losses.ts';
import { audioFormatOf, writeDataUrl } from '../media.ts';
import { withoutAbsent } from '../../../values.ts';
import type { JsonObject } from '../../../values.ts';

/** A file's name is not optional beside its data, but says nothing to the model. */
const UNNAMED_FILE = 'document.pdf';

/**
 * Writes `messages`. Text alone is written as a string, which every compatible server takes; several parts as parts.
 * Marks for a cache are left out without a word: OpenAI caches by itself, and compatible servers do not know its field.
 * Seals are left out as well: they are worth something only where they came from.
 */
export function writeMessages(messages: readonly NeutralMessage[], losses: LossLog): readonly JsonObject[] {
  return messages.flatMap((message) => {
    switch (message.role) {
      case 'system':
        return [{ role: 'system', content: writeContent(message.parts.filter(isContent), 'system', losses), ...nameOf(message) }];
      case 'assistant':
        return writeAssistant(message, losses);
      case 'user':
        return writeUser(message, losses);
    }
  });
}

function nameOf({ name }: NeutralMessage): JsonObject {
  return withoutAbsent({ name });
}

/** Results of tools are messages of their own, and come first: they have to follow the calls. */
function writeUser(message: NeutralMessage, losses: LossLog): readonly JsonObject[] {
  const results = message.parts.filter((part) => part.kind === 'tool_result');
  const said = message.parts.filter(isContent);
  const written = results.map((result) => writeResult(result, losses));
  const shown = results.flatMap(({ content }) => content.filter(isMedia));
  if (shown.length > 0) {
    losses.dropped('tool_result.content', 'Chat completions take only text from tools. Images and files of a result were put into a user message behind it.');
  }
  const content = [...shown, ...said];
  if (content.length > 0 || results.length === 0) written.push({ role: 'user', content: writeContent(content, 'user', losses), ...nameOf(message) });
  return written;
}

function writeResult(result: NeutralToolResult, losses: LossLog): JsonObject {
  if (result.isError) losses.dropped('tool_result.is_error', 'Chat completions have no mark for a tool that failed. Its text was kept.');
  return {
    role: 'tool',
    tool_call_id: result.callId,
    content: writeContent(
      result.content.filter((part) => !isMedia(part)),
      'tool',
      losses,
    ),
  };
}

/** A message of thoughts alone is left out: without them nothing was said. */
function writeAssistant(message: NeutralMessage, losses: LossLog): readonly JsonObject[] {
  const calls = message.parts.filter((part) => part.kind === 'tool_call').map(writeCall);
  const content = message.parts.filter(isContent);
  if (content.length + calls.length < message.parts.length) {
    losses.dropped('thinking', 'What the model thought in earlier answers was left out, as chat completions do not take it back.');
    if (content.length + calls.length === 0) return [];
  }
  const said = content.length === 0 && calls.length > 0 ? null : writeContent(content, 'assistant', losses);
  return [{ role: 'assistant', content: said, ...nameOf(message), ...(calls.length === 0 ? {} : { tool_calls: calls }) }];
}

function writeCall({ id, name, argumentsJson }: NeutralToolCall): JsonObject {
  return { id, type: 'function', function: { name, arguments: argumentsJson } };
}

type Role = 'system' | 'user' | 'assistant' | 'tool';

function writeContent(parts: readonly NeutralContent[], role: Role, losses: LossLog): string | readonly JsonObject[] {
  const [first, second] = parts;
  if (first === undefined) return '';
  if (second === undefined && first.kind === 'text') return first.text;
  return parts.flatMap((part) => writePart(part, role, losses));
}

function writePart(part: NeutralContent, role: Role, losses: LossLog): readonly JsonObject[] {
  if (part.kind === 'text') return [{ type: 'text', text: part.text }];
  if (part.kind === 'refusal') return [role === 'assistant' ? { type: 'refusal', refusal: part.text } : { type: 'text', text: part.text }];
  if (role !== 'user') {
    losses.refused(`${role}.${part.kind}`, `Chat completions take no ${part.kind} in a message of role ${role}. Send it in a user message.`);
    return [];
  }
  return writeMedia(part, losses);
}

type Media = Exclude<NeutralContent, { readonly kind: 'text' | 'refusal' }>;

function writeMedia(part: Media, losses: LossLog): readonly JsonObject[] {
  switch (part.kind) {
    case 'image':
      return writeImage(part, losses);
    case 'document':
      return writeDocument(part, losses);
    case 'audio':
      return writeAudio(part, losses);
  }
}

function writeImage({ source, detail }: Extract<Media, { readonly kind: 'image' }>, losses: LossLog): readonly JsonObject[] {
  if (source.kind === 'text') {
    losses.refused('image', 'An image was given as text. Send it in base64 or by its URL.');
    return [];
  }
  const url = source.kind === 'url' ? source.url : writeDataUrl(source);
  return [{ type: 'image_url', image_url: { url, ...withoutAbsent({ detail }) } }];
}

function writeDocument({ source, name }: Extract<Media, { readonly kind: 'document' }>, losses: LossLog): readonly JsonObject[] {
  switch (source.kind) {
    case 'base64':
      return [{ type: 'file', file: { filename: name ?? UNNAMED_FILE, file_data: writeDataUrl(source) } }];
    case 'text':
      if (name !== undefined) losses.dropped('document.name', 'A plain text document became text of its message, and lost its name.');
      return [{ type: 'text', text: source.text }];
    case 'url':
      losses.refused('document.url', 'Chat completions take no document by its URL. Send it in base64.');
      return [];
  }
}

function writeAudio({ source }: Extract<Media, { readonly kind: 'audio' }>, losses: LossLog): readonly JsonObject[] {
  const format = source.kind === 'base64' ? audioFormatOf(source.mediaType) : undefined;
  if (source.kind === 'base64' && format !== undefined) return [{ type: 'input_audio', input_audio: { data: source.data, format } }];
  losses.refused('audio', 'Chat completions take audio as WAV or MP3 in base64 only.');
  return [];
}

function isMedia(part: NeutralContent): part is Media {
  return part.kind !== 'text' && part.kind !== 'refusal';
}

function isContent(part: NeutralPart): part is NeutralContent {
  return part.kind !== 'tool_call' && part.kind !== 'tool_result' && part.kind !== 'thinking';
}
