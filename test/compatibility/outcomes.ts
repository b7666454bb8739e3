import { translate } from '../../src/core/call/translate.ts';
import { anthropic, backOf, frontOf, gemini, openai, translationOf } from '../../src/core/dialects/index.ts';
import type { BackName, Dialect, Endpoint, NeutralFinish } from '../../src/core/dialects/index.ts';
import type { ProviderPolicy, WorkloadSnapshot } from '../../src/core/policy/index.ts';
import type { Probe, ProbedApi } from './probe.ts';

/** Backs that speak differently; the others speak as OpenAI does. */
export const BACKS: readonly BackName[] = ['openai', 'anthropic', 'gemini'];

const MODELS: Readonly<Partial<Record<BackName, string>>> = { openai: 'gpt-4.1', anthropic: 'claude-sonnet-4-5', gemini: 'gemini-2.5-flash' };
const SNAPSHOT: WorkloadSnapshot = { version: '0', workload: { namespace: 'default', name: 'probe' }, rules: [], providers: new Map(), budgets: [], aliases: new Map() } as unknown as WorkloadSnapshot;
const JSON_CONTENT = { contentType: 'application/json', contentEncoding: undefined };

/** What becomes of a probe at a back. `unnoticed`: the provider gets the same request as without it, and nobody is told. */
export type Outcome =
  | { readonly kind: 'as it is' | 'carried' | 'unnoticed' }
  | { readonly kind: 'dropped'; readonly paths: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string };

/** Runs the real translation on a request with and without the thing that is probed. */
export function outcomeOf(api: ProbedApi, probe: Probe, back: BackName): Outcome {
  const plain = said(api, api.plain, back);
  const probed = said(api, { ...api.plain, ...probe.change }, back);
  if (plain.kind !== 'said') throw new Error(`the plainest request of ${api.name} is refused at ${back}: ${plain.message}`);
  if (probed.kind === 'refused') return probed;
  if (probed.isSame) return { kind: 'as it is' };
  if (probed.dropped.length > 0) return { kind: 'dropped', paths: probed.dropped };
  return { kind: probed.body === plain.body && probe.isDefault !== true ? 'unnoticed' : 'carried' };
}

type Said = { readonly kind: 'said'; readonly body: string; readonly isSame: boolean; readonly dropped: readonly string[] } | { readonly kind: 'refused'; readonly message: string };

function said(api: ProbedApi, request: Readonly<Record<string, unknown>>, name: BackName): Said {
  const dialect = frontOf(api.path, new Map());
  const matched = dialect.match('POST', api.path);
  if (matched.kind !== 'endpoint') throw new Error(`${api.path} is no endpoint`);
  const body = new TextEncoder().encode(JSON.stringify(request));
  const facts = dialect.readRequest(matched.endpoint, body, JSON_CONTENT);
  if (!facts.ok) return { kind: 'refused', message: facts.error.message };
  const back = backOf(name);
  const provider = { id: 'default/probe', back: name } as unknown as ProviderPolicy;
  const model = { name: MODELS[name] ?? 'm', price: undefined };
  const translated = translate({ dialect, endpoint: matched.endpoint, body, content: JSON_CONTENT, facts: facts.value }, back, provider, model, SNAPSHOT);
  if (!translated.ok) return { kind: 'refused', message: translated.error.message };
  const { value } = translated;
  return { kind: 'said', body: `${JSON.stringify(value.endpoint)} ${new TextDecoder().decode(value.body)}`, isSame: value.translated === undefined, dropped: value.translated?.dropped ?? [] };
}

const FINISHES: readonly NeutralFinish[] = ['stop', 'stop_sequence', 'length', 'tool_calls', 'refusal', 'content_filter', 'pause'];

/** A front's answer to each reason for which an answer ends, as its member that says so. */
export function finishesOf(dialect: Dialect, endpoint: Endpoint): readonly (readonly [reason: NeutralFinish, said: string])[] {
  return FINISHES.map((finish) => {
    const choice = { index: 0, parts: [{ kind: 'text', text: 'x' } as const], finish };
    const request = { kind: 'chat', model: 'm', stream: false, wantsStreamUsage: false, messages: [], tools: [], toolChoice: undefined, parallelToolCalls: undefined, format: undefined, sampling: {}, reasoning: undefined, maxOutputTokens: undefined, choices: 1, user: undefined, metadata: undefined, tier: undefined } as const;
    const written = translationOf(dialect).writeAnswer({ kind: 'chat', id: 'a', model: 'm', created: 0, choices: [choice], usage: undefined }, { endpoint, request, requestId: 'r', created: 0 });
    return [finish, finishIn(JSON.parse(new TextDecoder().decode(written)))] as const;
  });
}

interface AnyAnswer {
  readonly choices?: readonly { readonly finish_reason?: string }[];
  readonly candidates?: readonly { readonly finishReason?: string }[];
  readonly stop_reason?: string;
  readonly status?: string;
  readonly incomplete_details?: { readonly reason?: string } | null;
}

function finishIn(answer: AnyAnswer): string {
  const { choices, candidates, stop_reason: stopReason, status, incomplete_details: details } = answer;
  return choices?.[0]?.finish_reason ?? candidates?.[0]?.finishReason ?? stopReason ?? details?.reason ?? status ?? '';
}

/** What a provider's status becomes for a caller, with the words of its API for it. */
export function errorOf(front: Dialect, back: Dialect, status: number): string {
  const error = translationOf(back).parseError(status, new TextEncoder().encode('{}'));
  const { status: told, body } = translationOf(front).writeError(error, 'r');
  const { error: object } = JSON.parse(new TextDecoder().decode(body)) as { readonly error: { readonly type?: string; readonly status?: string } };
  return `${told} \`${object.status ?? object.type ?? ''}\``;
}

export const DIALECTS: readonly Dialect[] = [openai, anthropic, gemini];
