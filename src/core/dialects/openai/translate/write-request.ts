import type { NeutralRequest } from '../../neutral.ts';
import type { Endpoint } from '../../types.ts';
import { writeChat } from './chat/write-request.ts';
import { writeEmbedding } from './embeddings/request.ts';
import type { LossLog } from '../../losses.ts';
import { INPUT_TOKENS, writeCount } from './responses/write-count.ts';
import type { JsonObject } from '../../values.ts';

const CHAT: Endpoint = { operation: 'chat', path: '/chat/completions', body: 'json' };
const EMBEDDINGS: Endpoint = { operation: 'embeddings', path: '/embeddings', body: 'json' };

/** Chooses the endpoint for a request and writes its body. */
export function writeNeutral(request: NeutralRequest, losses: LossLog): { readonly endpoint: Endpoint; readonly body: JsonObject } {
  switch (request.kind) {
    case 'chat':
      return { endpoint: CHAT, body: writeChat(request, losses) };
    case 'embedding':
      return { endpoint: EMBEDDINGS, body: writeEmbedding(request, losses) };
    case 'count_tokens':
      return { endpoint: INPUT_TOKENS, body: writeCount(request.chat, losses) };
  }
}
