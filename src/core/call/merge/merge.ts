import type { EmbeddingPart } from '../../dialects/index.ts';
import type { Granted } from '../../ledger/index.ts';
import type { MergePolicy } from '../../policy/index.ts';
import type { Exchange } from '../exchange.ts';
import { bodyFor, instructionsFor, providerModel } from '../inject.ts';
import type { Injection } from '../inject.ts';
import type { CallPorts } from '../ports.ts';
import type { Forwarded, Replied } from '../request.ts';
import type { Told } from './member.ts';

/** Where the model's own bound is not known: what most models for embeddings take in one input. */
const USUAL_INPUT_TOKENS = 8_192;

/** A call that may be sent on. */
export interface HeldCall {
  readonly injection: Injection;
  readonly granted: Granted;
  readonly exchange: Exchange;
}

/** `lost`: it was settled without an answer, as another's call was to bring it. */
export type Merged = Forwarded | Replied | { readonly kind: 'lost' };

/** `body`: what the provider is to see of it, where that was made already. */
export function goAlone({ injection, exchange }: HeldCall, body = bodyFor(injection)): Forwarded {
  return { kind: 'forward', instructions: instructionsFor(injection, injection.endpoint, body), call: exchange };
}

/** A held call on its way: by itself, with what others ask, or answered by another's. docs/decisions/0015-merged-embeddings.md */
export async function merge(id: string, held: HeldCall, ports: Pick<CallPorts, 'merging' | 'observer'>): Promise<Merged> {
  const { injection, granted, exchange } = held;
  const { rule, provider, model, snapshot } = injection;
  const policy = rule.mergeEmbeddings;
  if (policy === undefined || !isWorthALook(injection, policy)) return goAlone(held);
  const body = bodyFor(injection);
  const part = partOf(injection, body, policy);
  if (part === undefined) return goAlone(held, body);
  const key = keyOf(injection, granted, part);
  if (ports.merging.isPaused(key)) return goAlone(held, body);
  const { promise, resolve } = Promise.withResolvers<Told>();
  const workload = `${snapshot.workload.namespace}/${snapshot.workload.name}`;
  const tell = (how: 'merged' | 'sent_alone', calls: number): void => ports.observer.merged({ workload, provider: provider.id, model: model.name, how, calls });
  const observer = { merged: (calls: number): void => tell('merged', calls), sentAlone: (calls: number): void => tell('sent_alone', calls) };
  if (!ports.merging.join(key, policy, { id, injection, exchange, part, tell: resolve, hasLeft: false }, observer)) return goAlone(held, body);
  const told = await promise;
  ports.merging.told(id);
  switch (told.kind) {
    case 'alone':
      return goAlone(held, body);
    case 'leads':
      return { kind: 'forward', instructions: told.merged.instructions(), call: told.merged };
    case 'answered':
      return { kind: 'reply', reply: told.reply, refusal: undefined };
    case 'lost':
      return told;
  }
}

/** Whether it is for embeddings, small and of known cost. */
function isWorthALook({ endpoint, facts, body }: Injection, policy: MergePolicy): boolean {
  return endpoint.operation === 'embeddings' && !facts.stream && facts.unbounded.length === 0 && body.length <= policy.maxBytes + MAX_OTHER_BYTES;
}

/** `undefined`: it is not small, or such that it could spoil others. */
function partOf(injection: Injection, body: Uint8Array, policy: MergePolicy): EmbeddingPart | undefined {
  const { back, endpoint, model } = injection;
  const part = back.dialect.embeddings?.read(endpoint, body, providerModel(injection));
  if (part === undefined || part.inputs.length > policy.maxInputs) return undefined;
  const longest = Math.max(...part.inputs.map(({ tokenBound }) => tokenBound));
  const bytes = part.inputs.reduce((sum, { json }) => sum + json.length, 0);
  return longest > (model.contextWindow ?? USUAL_INPUT_TOKENS) || bytes > policy.maxBytes ? undefined : part;
}

/** Of a body that is worth a look, what is not input. */
const MAX_OTHER_BYTES = 4_096;

/** Calls of one workload, under one state of its policies, counted by the same budgets, that differ in nothing but what they ask. */
function keyOf({ snapshot, rule, provider, model, front, query }: Injection, { holds }: Granted, { like }: EmbeddingPart): string {
  const { namespace, name } = snapshot.workload;
  const accounts = holds.map(({ limit, subject }) => [limit, subject]);
  return JSON.stringify([namespace, name, snapshot.version, rule.id, provider.id, model.name, front.dialect.name, query, accounts, like]);
}
