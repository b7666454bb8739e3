import { encodeJson } from '../../../json/index.ts';
import type { NeutralChat, NeutralRequest } from '../../neutral.ts';
import type { WrittenRequest } from '../../translation.ts';
import { bareModel, endpointOf } from '../endpoints.ts';
import { generationOf } from './generation.ts';
import { LossLog } from '../../losses.ts';
import { withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';
import { writeMessages } from './write-contents.ts';
import { writeEmbedding } from './write-embedding.ts';
import { writeRest, writeSettings } from './write-settings.ts';
import { writeTools } from './write-tools.ts';

/**
 * Writes a request for Gemini. `model` is the provider's own name of it: what a model takes differs by generation, and the
 * name is in the path. A stream is asked for as events.
 */
export function writeRequest(request: NeutralRequest): WrittenRequest {
  switch (request.kind) {
    case 'embedding':
      return writeEmbedding(request);
    case 'count_tokens':
      return writeCount(request.chat);
    case 'chat':
      return writeChat(request);
  }
}

function writeChat(chat: NeutralChat): WrittenRequest {
  const losses = new LossLog();
  const generation = generationOf(chat.model);
  const body = { ...writeInput(chat, losses), ...withoutAbsent({ generationConfig: writeSettings(chat, generation, losses) }), ...writeRest(chat, losses) };
  return { endpoint: endpointOf(chat.model, chat.stream ? 'streamGenerateContent' : 'generateContent', 'sse'), body: encodeJson(body), losses: losses.list() };
}

/** What is counted is the input alone; what would govern the answer is left out without a word, as there is none. */
function writeCount(chat: NeutralChat): WrittenRequest {
  const losses = new LossLog();
  const generateContentRequest = { model: `models/${bareModel(chat.model)}`, ...writeInput(chat, losses) };
  return { endpoint: endpointOf(chat.model, 'countTokens', 'json_array'), body: encodeJson({ generateContentRequest }), losses: losses.list() };
}

function writeInput(chat: NeutralChat, losses: LossLog): JsonObject {
  const { systemInstruction, contents } = writeMessages(chat.messages, generationOf(chat.model), losses);
  return { ...withoutAbsent({ systemInstruction }), contents, ...writeTools(chat, losses) };
}
