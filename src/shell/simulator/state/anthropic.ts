import { formOf, jsonAnswer, pageOf, urlOf } from './answers.ts';
import type { KeptAnswer, KeptBatch, KeptFile, KeptRequest, KeptRoute, KeptThings } from './kept.ts';

const DAY_S = 86_400;

const notFound = (message: string): KeptAnswer => jsonAnswer(404, { type: 'error', error: { type: 'not_found_error', message } });

const time = (seconds: number): string => new Date(seconds * 1000).toISOString();

const fileObject = ({ id, name, bytes, createdS }: KeptFile): object => ({
  id,
  type: 'file',
  filename: name,
  mime_type: 'application/octet-stream',
  size_bytes: bytes.length,
  created_at: time(createdS),
  downloadable: true,
});

function batchObject({ id, createdS, state, requests, results }: KeptBatch): object {
  const isOver = state === 'ended' || state === 'cancelled';
  return {
    id,
    type: 'message_batch',
    processing_status: isOver ? 'ended' : state === 'cancelling' ? 'canceling' : 'in_progress',
    request_counts: {
      processing: isOver ? 0 : requests,
      succeeded: isOver ? results.length : 0,
      errored: 0,
      canceled: isOver ? requests - results.length : 0,
      expired: 0,
    },
    created_at: time(createdS),
    expires_at: time(createdS + DAY_S),
    ended_at: isOver ? time(createdS) : null,
    archived_at: null,
    cancel_initiated_at: null,
    results_url: isOver ? `https://api.anthropic.com/v1/messages/batches/${id}/results` : null,
  };
}

const listObject = (data: readonly object[], hasMore: boolean): object => ({
  data,
  has_more: hasMore,
  first_id: (data[0] as { id?: string } | undefined)?.id ?? null,
  last_id: (data.at(-1) as { id?: string } | undefined)?.id ?? null,
});

/** Sources: Claude API reference, "Message Batches" and "Files". */
export const anthropicRoutes: readonly KeptRoute[] = [batches, files];

function batches(request: KeptRequest, things: KeptThings): KeptAnswer | undefined {
  const { pathname, searchParams } = urlOf(request);
  if (!/^\/v1\/messages\/batches(?:\/|$)/.test(pathname)) return undefined;
  const [, id, below] = /^\/v1\/messages\/batches(?:\/([^/]+)(\/results|\/cancel)?)?$/.exec(pathname) ?? [];
  if (id === undefined) {
    if (request.method === 'POST') return createBatch(request, things);
    const { page, hasMore } = pageOf([...things.batches.values()], searchParams, (batch) => batch.id, 'after_id');
    return jsonAnswer(200, listObject(page.map(batchObject), hasMore));
  }
  const batch = things.batches.get(id);
  if (batch === undefined) return notFound(`Message batch ${id} not found.`);
  if (below === '/results') return { status: 200, contentType: 'application/x-jsonl', body: Buffer.from(`${batch.results.join('\n')}\n`) };
  if (below === '/cancel' && batch.state === 'open') batch.state = 'cancelling';
  if (request.method !== 'DELETE') return jsonAnswer(200, batchObject(batch));
  things.batches.delete(id);
  return jsonAnswer(200, { id, type: 'message_batch_deleted' });
}

function createBatch(request: KeptRequest, things: KeptThings): KeptAnswer {
  const { requests } = JSON.parse(request.body.toString('utf8')) as { requests: { custom_id: string; params: unknown }[] };
  const batch: KeptBatch = {
    id: things.newId('msgbatch_'),
    createdS: Math.floor(Date.now() / 1000),
    endpoint: '/v1/messages',
    inputFile: '',
    requests: requests.length,
    state: 'open',
    results: [],
    outputFile: undefined,
  };
  things.start(
    batch,
    requests.map(({ custom_id, params }) => ({
      path: '/v1/messages',
      body: params,
      lineOf: ({ status, body }) =>
        JSON.stringify({ custom_id, result: status < 300 ? { type: 'succeeded', message: body } : { type: 'errored', error: body } }),
    })),
    () => undefined,
  );
  return jsonAnswer(200, batchObject(batch));
}

async function files(request: KeptRequest, things: KeptThings): Promise<KeptAnswer | undefined> {
  const { pathname, searchParams } = urlOf(request);
  if (!/^\/v1\/files(?:\/|$)/.test(pathname)) return undefined;
  const [, id, content] = /^\/v1\/files(?:\/([^/]+)(\/content)?)?$/.exec(pathname) ?? [];
  if (id === undefined) {
    if (request.method === 'POST') {
      const { file } = await formOf(request);
      if (file === undefined) return jsonAnswer(400, { type: 'error', error: { type: 'invalid_request_error', message: 'file: Field required' } });
      return jsonAnswer(200, fileObject(things.addFile('file_', file.name, 'user', Buffer.from(await file.arrayBuffer()))));
    }
    const { page, hasMore } = pageOf([...things.files.values()], searchParams, (file) => file.id, 'page');
    return jsonAnswer(200, { data: page.map(fileObject), next_page: hasMore ? (page.at(-1)?.id ?? null) : null });
  }
  const file = things.files.get(id);
  if (file === undefined) return notFound(`File ${id} not found.`);
  if (request.method === 'DELETE') {
    things.files.delete(id);
    return jsonAnswer(200, { id, type: 'file_deleted' });
  }
  return content === undefined ? jsonAnswer(200, fileObject(file)) : { status: 200, contentType: 'application/octet-stream', body: file.bytes };
}
