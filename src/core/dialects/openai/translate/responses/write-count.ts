import type { NeutralChat, NeutralContent, NeutralMessage } from '../../../neutral.ts';
import type { Endpoint } from '../../../types.ts';
import type { LossLog } from '../losses.ts';
import { writeDataUrl } from '../media.ts';
import { writeEffort } from '../reasoning.ts';
import { withoutAbsent } from '../values.ts';
import type { JsonObject } from '../values.ts';
import { writeFormat, writeToolUse } from './write-tools.ts';

/** Counts the input of a response. Source: `responses.inputTokens.count` of the `openai` package. */
export const INPUT_TOKENS: Endpoint = { operation: 'count_tokens', path: '/responses/input_tokens', body: 'json' };

const UNNAMED_FILE = 'document.pdf';

/** Writes the body of `POST /responses/input_tokens`. Source: `InputTokenCountParams` of the `openai` package. */
export function writeCount(chat: NeutralChat, losses: LossLog): JsonObject {
  const effort = writeEffort(chat.reasoning);
  return {
    model: chat.model,
    input: chat.messages.flatMap((message) => writeItems(message, losses)),
    ...writeToolUse(chat),
    ...withoutAbsent({
      text: chat.format === undefined ? undefined : { format: writeFormat(chat.format) },
      reasoning: effort === undefined ? undefined : { effort },
    }),
  };
}

/** A message becomes one for each run of what was said, with calls and results as items between them, in their order. */
function writeItems({ role, parts }: NeutralMessage, losses: LossLog): readonly JsonObject[] {
  const items: JsonObject[] = [];
  let said: JsonObject[] = [];
  const close = (): void => {
    if (said.length > 0) items.push({ type: 'message', role, content: said });
    said = [];
  };
  for (const part of parts) {
    switch (part.kind) {
      case 'thinking':
        losses.dropped('thinking', 'What the model thought in earlier answers is not counted.');
        break;
      case 'tool_call':
        close();
        items.push({ type: 'function_call', call_id: part.id, name: part.name, arguments: part.argumentsJson });
        break;
      case 'tool_result':
        close();
        items.push({ type: 'function_call_output', call_id: part.callId, output: part.content.flatMap((inner) => writePart(inner, 'input_text', losses)) });
        break;
      default:
        said.push(...writePart(part, role === 'assistant' ? 'output_text' : 'input_text', losses));
    }
  }
  close();
  return items;
}

function writePart(part: NeutralContent, textType: 'input_text' | 'output_text', losses: LossLog): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
      return [{ type: textType, text: part.text }];
    case 'refusal':
      return [textType === 'output_text' ? { type: 'refusal', refusal: part.text } : { type: textType, text: part.text }];
    case 'image':
      if (part.source.kind === 'text') break;
      return [{ type: 'input_image', detail: part.detail ?? 'auto', image_url: part.source.kind === 'url' ? part.source.url : writeDataUrl(part.source) }];
    case 'document':
      return [writeDocument(part)];
    case 'audio':
  }
  losses.refused(part.kind, `OpenAI counts no ${part.kind} of this kind. Count the text alone.`);
  return [];
}

function writeDocument({ source, name }: Extract<NeutralContent, { readonly kind: 'document' }>): JsonObject {
  switch (source.kind) {
    case 'text':
      return { type: 'input_text', text: source.text };
    case 'url':
      return { type: 'input_file', file_url: source.url, ...withoutAbsent({ filename: name }) };
    case 'base64':
      return { type: 'input_file', filename: name ?? UNNAMED_FILE, file_data: writeDataUrl(source) };
  }
}
