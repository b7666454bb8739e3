import { formOf, jsonAnswer, pageOf, urlOf } from './answers.ts';
import type { KeptAnswer, KeptBatch, KeptFile, KeptRequest, KeptRoute, KeptThings } from './kept.ts';

const DAY_S = 86_400;

const error = (status: number, message: string, param: string | null = null, code: string | null = null): KeptAnswer =>
  jsonAnswer(status, { error: { message, type: 'invalid_request_error', param, code } });

const fileObject = ({ id, name, purpose, bytes, createdS }: KeptFile): object => ({
  id,
  object: 'file',
  bytes: bytes.length,
  created_at: createdS,
  filename: name,
  purpose,
  status: 'processed',
  expires_at: createdS + 30 * DAY_S,
});

const STATES = { open: 'in_progress', cancelling: 'cancelling', ended: 'completed', cancelled: 'cancelled', failed: 'failed' } as const;

const batchObject = ({ id, createdS, endpoint, inputFile, state, requests, results, outputFile }: KeptBatch): object => ({
  id,
  object: 'batch',
  endpoint,
  input_file_id: inputFile,
  completion_window: '24h',
  status: STATES[state],
  created_at: createdS,
  expires_at: createdS + DAY_S,
  request_counts: { total: requests, completed: results.length, failed: 0 },
  ...(outputFile === undefined ? {} : { output_file_id: outputFile }),
});

const listObject = (data: readonly object[], hasMore: boolean): object => ({
  object: 'list',
  data,
  first_id: (data[0] as { id?: string } | undefined)?.id ?? null,
  last_id: (data.at(-1) as { id?: string } | undefined)?.id ?? null,
  has_more: hasMore,
});

/** Sources: OpenAI API reference, "Files", "Batch" and "Responses". */
export const openaiRoutes: readonly KeptRoute[] = [files, batches, responses];

async function files(request: KeptRequest, things: KeptThings): Promise<KeptAnswer | undefined> {
  const { pathname, searchParams } = urlOf(request);
  const [, id, content] = /^\/v1\/files(?:\/([^/]+)(\/content)?)?$/.exec(pathname) ?? [];
  if (!/^\/v1\/files(?:\/|$)/.test(pathname)) return undefined;
  if (id === undefined) {
    if (request.method === 'POST') {
      const { fields, file } = await formOf(request);
      if (file === undefined || !fields.has('purpose')) return error(400, 'file and purpose are required');
      return jsonAnswer(200, fileObject(things.addFile('file-', file.name, fields.get('purpose') ?? '', Buffer.from(await file.arrayBuffer()))));
    }
    const { page, hasMore } = pageOf([...things.files.values()], searchParams, (file) => file.id, 'after');
    return jsonAnswer(200, listObject(page.map(fileObject), hasMore));
  }
  const file = things.files.get(id);
  if (file === undefined) return error(404, `No such File object: ${id}`, 'id');
  if (request.method === 'DELETE') {
    things.files.delete(id);
    return jsonAnswer(200, { id, object: 'file', deleted: true });
  }
  return content === undefined ? jsonAnswer(200, fileObject(file)) : { status: 200, contentType: 'application/octet-stream', body: file.bytes };
}

function batches(request: KeptRequest, things: KeptThings): KeptAnswer | undefined {
  const { pathname, searchParams } = urlOf(request);
  if (!/^\/v1\/batches(?:\/|$)/.test(pathname)) return undefined;
  const [, id, cancel] = /^\/v1\/batches(?:\/([^/]+)(\/cancel)?)?$/.exec(pathname) ?? [];
  if (id === undefined) {
    if (request.method === 'POST') return createBatch(request, things);
    const { page, hasMore } = pageOf([...things.batches.values()], searchParams, (batch) => batch.id, 'after');
    return jsonAnswer(200, listObject(page.map(batchObject), hasMore));
  }
  const batch = things.batches.get(id);
  if (batch === undefined) return error(404, `No batch found with id '${id}'.`);
  if (cancel !== undefined && batch.state === 'open') batch.state = 'cancelling';
  return jsonAnswer(200, batchObject(batch));
}

function createBatch(request: KeptRequest, things: KeptThings): KeptAnswer {
  const { input_file_id: inputFile, endpoint } = JSON.parse(request.body.toString('utf8')) as { input_file_id: string; endpoint: string };
  const file = things.files.get(inputFile);
  if (file === undefined || file.purpose !== 'batch') return error(400, `Invalid input_file_id: ${inputFile}`, 'input_file_id');
  const lines = file.bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as { custom_id: string; url: string; body: unknown });
  const batch: KeptBatch = {
    id: things.newId('batch_'),
    createdS: Math.floor(Date.now() / 1000),
    endpoint,
    inputFile,
    requests: lines.length,
    state: lines.every(({ url }) => url === endpoint) ? 'open' : 'failed',
    results: [],
    outputFile: undefined,
  };
  const requests = lines.map(({ custom_id, url, body }, index) => ({
    path: url,
    body,
    lineOf: (served: { status: number; body: unknown }) =>
      JSON.stringify({
        id: `batch_req_${index}`,
        custom_id,
        response: { status_code: served.status, request_id: `req_${index}`, body: served.body },
        error: null,
      }),
  }));
  things.start(batch, batch.state === 'failed' ? [] : requests, () => {
    if (batch.results.length > 0) batch.outputFile = things.addFile('file-', 'output.jsonl', 'batch_output', Buffer.from(`${batch.results.join('\n')}\n`)).id;
  });
  return jsonAnswer(200, batchObject(batch));
}

function responses(request: KeptRequest, things: KeptThings): KeptAnswer | undefined {
  const { pathname } = urlOf(request);
  const [, id, below] = /^\/v1\/responses\/([^/]+)(\/input_items|\/cancel)?$/.exec(pathname) ?? [];
  if (id === undefined || id === 'input_tokens') return undefined;
  const response = things.responses.get(id);
  if (response === undefined) return error(404, `Response with id '${id}' not found.`);
  if (below === '/input_items') return jsonAnswer(200, listObject([{ id: 'msg_1', type: 'message', role: 'user', content: [] }], false));
  if (below === '/cancel') return error(400, 'Cannot cancel a synchronous response.');
  if (request.method === 'DELETE') {
    things.responses.delete(id);
    return jsonAnswer(200, { id, object: 'response', deleted: true });
  }
  return jsonAnswer(200, response);
}
