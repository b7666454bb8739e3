import type { Usage } from '../../../catalog/index.ts';
import { parseJson } from '../../../json/index.ts';
import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import { bodyForm } from '../../content.ts';
import { JsonLines } from '../../jsonlines.ts';
import { isObjectId, MAX_BATCH_REQUESTS, membersOf, textAt } from '../../state.ts';
import type { BatchAnswer, BatchRequest, BatchResultReader, BatchStatus, Creation } from '../../state.ts';
import { valueOf } from '../../statewatch.ts';
import type { Endpoint, RequestContentHeaders, RequestFault } from '../../types.ts';
import { UsageTally } from '../usage.ts';

const MESSAGES: Endpoint = { operation: 'chat', path: '/messages', body: 'json' };

const JSON_ONLY: ReadonlySet<'json'> = new Set(['json']);

/** Longest usage, with all its details. */
const MAX_VALUE_BYTES = 16 * 1024;

const TYPE = 'result.type';
const MODEL = 'result.message.model';
const USAGE = 'result.message.usage';

/** Reads the creation of a batch, whose requests stand in it. Source: `BatchCreateParams` of `@anthropic-ai/sdk`. */
export function readBatchCreation(body: Uint8Array, headers: RequestContentHeaders): Result<Creation, RequestFault> {
  const form = bodyForm(headers, JSON_ONLY);
  if (!form.ok) return form;
  const parsed = parseJson(body);
  if (!parsed.ok) return fault('invalid_json', undefined, `The body is not valid JSON. ${parsed.error.message}`);
  const document = parsed.value;
  const members = membersOf(document, document.root);
  const list = members.get('requests');
  if (members.size !== 1 || list === undefined || document.kind(list) !== 'array')
    return fault('invalid_value', 'requests', 'The body must be an object with an array of requests, and nothing else.');
  const requests: BatchRequest[] = [];
  for (const [index, item] of document.items(list).entries()) {
    const name = `requests[${index}]`;
    const fields = membersOf(document, item);
    const params = fields.get('params');
    if (params === undefined || document.kind(params) !== 'object')
      return fault('invalid_value', name, `${name} must be an object with params, each of its keys once.`);
    if (index === MAX_BATCH_REQUESTS) return fault('invalid_value', 'requests', `There are more than ${MAX_BATCH_REQUESTS} requests.`);
    requests.push({ endpoint: MESSAGES, start: document.start(params), end: document.end(params), name });
  }
  if (requests.length === 0) return fault('invalid_value', 'requests', 'requests must have at least one request.');
  return ok({ kind: 'requests', requests, startsNow: true, endpointPath: MESSAGES.path });
}

/** What a batch says of itself. Source: `MessageBatch` of `@anthropic-ai/sdk`. */
export function readBatch(body: Uint8Array): BatchStatus | undefined {
  const parsed = parseJson(body);
  if (!parsed.ok) return undefined;
  const members = membersOf(parsed.value, parsed.value.root);
  const id = textAt(parsed.value, members, 'id');
  if (textAt(parsed.value, members, 'type') !== 'message_batch' || id === undefined || !isObjectId(id)) return undefined;
  if (textAt(parsed.value, members, 'processing_status') !== 'ended') return { kind: 'open' };
  return { kind: 'ended', results: [`/messages/batches/${id}/results`], outputs: [] };
}

/** Reads the results of a batch. What was not answered (`errored`, `canceled`, `expired`) is not billed. Source: `MessageBatchIndividualResponse` of `@anthropic-ai/sdk`. */
export function readResults(_endpointPath: string, found: (answer: BatchAnswer) => void): BatchResultReader {
  let line = emptyLine();
  return new JsonLines({
    paths: new Set([TYPE, MODEL, USAGE]),
    maxPathDepth: 3,
    maxValueBytes: MAX_VALUE_BYTES,
    found: (path, bytes) => {
      if (path === USAGE) line.usage = bytes;
      else if (path === TYPE) line.type = bytes === undefined ? undefined : valueOf(bytes);
      else line.model = bytes === undefined ? undefined : valueOf(bytes);
    },
    lineEnd: (isWhole) => {
      const { type, model, usage } = line;
      line = emptyLine();
      // What cannot be read may have been served.
      if (isWhole && type !== 'succeeded') return;
      found({ model: typeof model === 'string' ? model : undefined, usage: isWhole && usage !== undefined ? usageOf(usage) : undefined });
    },
  });
}

function usageOf(bytes: Uint8Array): Usage | undefined {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return undefined;
  const tally = new UsageTally();
  tally.take(parsed.value, parsed.value.root);
  return tally.finalProblem() === undefined ? tally.usage() : undefined;
}

interface Line {
  type: unknown;
  model: unknown;
  usage: Uint8Array | undefined;
}

const emptyLine = (): Line => ({ type: undefined, model: undefined, usage: undefined });

function fault(code: RequestFault['code'], param: string | undefined, message: string): Result<never, RequestFault> {
  return err({ code, param, message });
}
