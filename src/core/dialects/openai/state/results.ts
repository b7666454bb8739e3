import { parseJson } from '../../../json/index.ts';
import type { Usage } from '../../../catalog/index.ts';
import { JsonLines } from '../../jsonlines.ts';
import { isObjectId, membersOf, textAt } from '../../state.ts';
import type { BatchAnswer, BatchResultReader, BatchStatus, FoundObject } from '../../state.ts';
import { valueOf } from '../../statewatch.ts';
import { TOOL_ITEMS } from '../response.ts';
import { readUsage } from '../usage.ts';
import { batchEndpoint } from './files.ts';

/** States in which a batch does nothing more. Source: `Batch.status` of the `openai` package. */
const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** Longest usage, with all its details. */
const MAX_VALUE_BYTES = 16 * 1024;

const STATUS = 'response.status_code';
const MODEL = 'response.body.model';
const USAGE = 'response.body.usage';
const ITEM_TYPE = 'response.body.output[].type';

/** Fields of a batch that name files of its owner's. */
export const OUTPUT_FIELDS: ReadonlyMap<string, 'file'> = new Map([
  ['output_file_id', 'file'],
  ['error_file_id', 'file'],
]);

/** What a batch says of itself. What failed is in a file of its own and costs nothing. */
export function readBatch(body: Uint8Array): BatchStatus | undefined {
  const parsed = parseJson(body);
  if (!parsed.ok) return undefined;
  const members = membersOf(parsed.value, parsed.value.root);
  const status = textAt(parsed.value, members, 'status');
  if (textAt(parsed.value, members, 'object') !== 'batch' || status === undefined) return undefined;
  if (!ENDED.has(status)) return { kind: 'open' };
  const output = textAt(parsed.value, members, 'output_file_id');
  const outputs = [...OUTPUT_FIELDS].flatMap(([name, kind]): FoundObject[] => {
    const id = textAt(parsed.value, members, name);
    return id === undefined || !isObjectId(id) ? [] : [{ kind, id }];
  });
  return { kind: 'ended', results: output === undefined || !isObjectId(output) ? [] : [`/files/${output}/content`], outputs };
}

/** Reads an output file. Source: OpenAI's guide, "Batch API", "Retrieve the results". */
export function readResults(endpointPath: string, found: (answer: BatchAnswer) => void): BatchResultReader {
  const endpoint = batchEndpoint(endpointPath) ?? { operation: 'chat', path: endpointPath, body: 'json' };
  let line = emptyLine();
  return new JsonLines({
    paths: new Set([STATUS, MODEL, USAGE, ITEM_TYPE]),
    maxPathDepth: ITEM_TYPE.split('.').length + 1,
    maxValueBytes: MAX_VALUE_BYTES,
    found: (path, bytes) => {
      if (path === USAGE) {
        const usage = bytes === undefined ? undefined : parseJson(bytes);
        const read = usage?.ok === true ? readUsage(usage.value, usage.value.root, endpoint) : undefined;
        line.usage = read !== undefined && read !== 'absent' && read.ok ? read.value : undefined;
        return;
      }
      const value = bytes === undefined ? undefined : valueOf(bytes);
      if (path === STATUS) line.status = typeof value === 'number' ? value : 0;
      else if (typeof value !== 'string') return;
      else if (path === MODEL) line.model = value;
      else if (TOOL_ITEMS.has(value)) line.toolCalls++;
    },
    lineEnd: (isWhole) => {
      const { status, model, usage, toolCalls } = line;
      line = emptyLine();
      // What cannot be read may have been served.
      if (!isWhole) return found({ model, usage: undefined });
      if (status === undefined || status < 200 || status >= 300) return;
      // A moderation costs nothing, and says so by saying nothing.
      const counted = usage ?? (endpoint.operation === 'moderations' ? { inputTokens: 0, outputTokens: 0 } : undefined);
      found({ model, usage: counted === undefined || toolCalls === 0 ? counted : { ...counted, hostedToolCalls: toolCalls } });
    },
  });
}

interface Line {
  status: number | undefined;
  model: string | undefined;
  usage: Usage | undefined;
  toolCalls: number;
}

const emptyLine = (): Line => ({ status: undefined, model: undefined, usage: undefined, toolCalls: 0 });
