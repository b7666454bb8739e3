import { BatchTally } from '../../core/call/index.ts';
import type { CallHold, KeptObject } from '../../core/call/index.ts';
import { backOf } from '../../core/dialects/index.ts';
import type { Back, FoundObject } from '../../core/dialects/index.ts';
import type { ProviderPolicy } from '../../core/policy/index.ts';
import { ask } from './ask.ts';

/** Of what a batch says of itself; one whose results stand in it may be long. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;

const GONE: ReadonlySet<number> = new Set([404, 410]);

/** What came of looking at a batch. */
export type Look =
  | { readonly kind: 'open' }
  | { readonly kind: 'ended'; readonly tally: BatchTally; readonly outputs: readonly FoundObject[] }
  /** It, or its result, is not there any more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Looking {
  readonly batch: KeptObject;
  readonly holds: readonly CallHold[];
  readonly provider: ProviderPolicy;
  /** `undefined`: the provider takes none. */
  readonly key: string | undefined;
  readonly certificateAuthority?: string | undefined;
}

/** Asks for a batch, and reads its results where it is over. */
export async function look(looking: Looking): Promise<Look> {
  try {
    return await lookOnce(looking);
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function lookOnce(looking: Looking): Promise<Look> {
  const { batch, holds, provider } = looking;
  const back = backOf(provider.back);
  const { state } = back.dialect;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const status = await askProvider(looking, back, state.batchPath(batch.id), (chunk) => {
    bytes += chunk.length;
    if (bytes <= MAX_BATCH_BYTES) chunks.push(chunk);
  });
  const problem = problemOf(status);
  if (problem !== undefined) return problem;
  const said = bytes > MAX_BATCH_BYTES ? undefined : state.readBatch(Buffer.concat(chunks));
  if (said === undefined) return { kind: 'failed', reason: 'what the provider answered is no batch' };
  if (said.kind === 'open') return said;
  const tally = new BatchTally(holds, (hold) => provider.models.get(hold.model.toLowerCase()));
  const endpointPath = batch.open?.endpointPath ?? '';
  if (said.results === 'inline') {
    state.readResults(endpointPath, (answer) => tally.add(answer)).push(Buffer.concat(chunks), true);
    return { kind: 'ended', tally, outputs: said.outputs };
  }
  for (const path of said.results) {
    const reader = state.readResults(endpointPath, (answer) => tally.add(answer));
    const fetched = problemOf(await askProvider(looking, back, path, (chunk) => reader.push(chunk, false)));
    if (fetched !== undefined) return fetched;
    reader.push(new Uint8Array(0), true);
  }
  return { kind: 'ended', tally, outputs: said.outputs };
}

function askProvider({ provider, key, certificateAuthority }: Looking, back: Back, path: string, onChunk: (chunk: Uint8Array) => void): Promise<number> {
  const { baseUrl, apiVersion } = provider;
  const endpoint = { operation: 'batches' as const, path, body: 'none' as const, state: { kind: 'batch' as const, action: 'get' as const } };
  const host = baseUrl.host.includes(':') ? `[${baseUrl.host}]` : baseUrl.host;
  const below = back.path({ endpoint, model: '', query: '', apiVersion });
  const url = new URL(`${baseUrl.tls ? 'https' : 'http'}://${host}:${baseUrl.port}${baseUrl.basePath}${below}`);
  const { set, defaults = [] } = back.auth(key ?? '');
  return ask({ url, headers: Object.fromEntries([...defaults, ...set]), certificateAuthority, onChunk });
}

function problemOf(status: number): Look | undefined {
  if (status >= 200 && status < 300) return undefined;
  return GONE.has(status) ? { kind: 'gone' } : { kind: 'failed', reason: `the provider answered ${status}` };
}
