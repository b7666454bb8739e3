/**
 * What becomes of one thing that a caller says or a provider answers: tried on the real translations, with and without it.
 */
import { translate } from '../../src/core/call/translate.ts';
import { backOf, translationOf } from '../../src/core/dialects/index.ts';
import type { AnswerContext, BackName, Dialect, Endpoint, Loss, NeutralRequest } from '../../src/core/dialects/index.ts';
import { decodeUtf8, encodeJson } from '../../src/core/json/index.ts';
import type { ProviderPolicy, WorkloadSnapshot } from '../../src/core/policy/index.ts';
import { changesBetween } from './changes.ts';
import type { Change } from './changes.ts';

/** One thing that a request or an answer can hold. */
export interface Probe<Body> {
  readonly name: string;
  /** What it needs beside it, in the request without it as well: so that it is itself what makes the difference. */
  readonly from?: Partial<Body>;
  readonly with: Partial<Body>;
  /** Why it may go missing without a word. Where it is not given, what goes missing so is a defect. */
  readonly silent?: string;
}

/** An API as callers speak it. */
export interface Front {
  readonly name: string;
  readonly dialect: Dialect;
  /** As callers send it, with the model for those that name it there. */
  readonly path: string;
  /** The least that it takes. */
  readonly base: object;
  readonly probes: readonly Probe<object>[];
}

/** An API as a provider answers in it. */
export interface Answers {
  readonly back: BackName;
  readonly base: object;
  readonly probes: readonly Probe<object>[];
}

/** What became of it. `changes` are those of what the provider gets. */
export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'said'; readonly changes: readonly Change[]; readonly isLiteral: boolean; readonly losses: readonly Loss[] };

const CONTENT = { contentType: 'application/json', contentEncoding: undefined };
const CREATED_S = 1_700_000_000;
const SNAPSHOT = {
  version: '0',
  workload: { namespace: 'default', name: 'probe' },
  rules: [],
  providers: new Map(),
  budgets: [],
  aliases: new Map(),
} as unknown as WorkloadSnapshot;

export function endpointOf({ dialect, path }: Pick<Front, 'dialect' | 'path'>): Endpoint {
  const match = dialect.match('POST', path);
  if (match.kind !== 'endpoint') throw new TypeError(`${path} is no endpoint of ${dialect.name}.`);
  return match.endpoint;
}

/** What becomes of a probe of a request at a kind of provider, for one of its models. */
export function probeRequest(front: Front, probe: Probe<object>, back: BackName, model: string): Outcome {
  const without = { ...front.base, ...probe.from };
  const whole = { ...without, ...probe.with };
  const after = say(front, whole, back, model);
  if (after.kind !== 'said') return after;
  const before = say(front, without, back, model);
  if (before.kind !== 'said') throw new TypeError(`${front.name}, ${probe.name}: what it is compared with is not translated.`);
  const changes = changesBetween(before.body, after.body);
  const known = new Set(before.losses.map(({ message }) => message));
  return {
    kind: 'said',
    changes,
    isLiteral: JSON.stringify(changes) === JSON.stringify(changesBetween(without, whole)),
    losses: after.losses.filter(({ message }) => !known.has(message)),
  };
}

type Said =
  | { readonly kind: 'said'; readonly body: object; readonly losses: readonly Loss[] }
  | { readonly kind: 'passed' }
  | { readonly kind: 'refused'; readonly message: string };

/** What is appended to a refusal: between whom it was. */
const BETWEEN = / \([a-z]+ to [a-z]+, at [^)]*\)$/;

function say({ dialect, path, ...front }: Front, request: object, name: BackName, model: string): Said {
  const endpoint = endpointOf({ ...front, dialect, path });
  const body = encodeJson({ ...request });
  const facts = dialect.readRequest(endpoint, body, CONTENT);
  if (!facts.ok) return { kind: 'refused', message: facts.error.message };
  const provider = { id: 'the provider', back: name } as unknown as ProviderPolicy;
  const translated = translate(
    { dialect, endpoint, body, content: CONTENT, facts: facts.value },
    backOf(name),
    provider,
    { name: model, price: undefined },
    SNAPSHOT,
  );
  if (!translated.ok) return { kind: 'refused', message: translated.error.message.replace(BETWEEN, '') };
  const { endpoint: written, body: bytes, translated: call } = translated.value;
  if (call === undefined) return { kind: 'passed' };
  // Where Gemini streams, its path says so.
  const stream = written.stream === true ? { path: written.path.replace(/^.*:/, ':') } : {};
  return {
    kind: 'said',
    body: { ...(JSON.parse(decodeUtf8(bytes)) as object), ...stream },
    losses: lossesOf(dialect, endpoint, body, backOf(name).dialect, model),
  };
}

/** In words; of them the translated call keeps the names only. */
function lossesOf(front: Dialect, endpoint: Endpoint, body: Uint8Array, back: Dialect, model: string): readonly Loss[] {
  const parsed = translationOf(front).parseRequest(endpoint, body);
  return parsed.ok ? [...parsed.value.losses, ...(translationOf(back).writeRequest(withModel(parsed.value.request, model))?.losses ?? [])] : [];
}

function withModel(request: NeutralRequest, model: string): NeutralRequest {
  return request.kind === 'count_tokens' ? { ...request, chat: { ...request.chat, model } } : { ...request, model };
}

/** What of a provider's answer the caller sees. */
export function probeAnswer(front: Front, answers: Answers, probe: Probe<object>, model: string): readonly Change[] {
  const without = { ...answers.base, ...probe.from };
  return changesBetween(answered(front, answers, without, model), answered(front, answers, { ...without, ...probe.with }, model));
}

function answered(front: Front, { back }: Answers, body: object, model: string): unknown {
  const endpoint = endpointOf(front);
  const [ours, theirs] = [translationOf(front.dialect), translationOf(backOf(back).dialect)];
  const parsed = ours.parseRequest(endpoint, encodeJson(front.base));
  const written = parsed.ok ? theirs.writeRequest(withModel(parsed.value.request, model)) : undefined;
  if (!parsed.ok || written === undefined) throw new TypeError(`${front.name} cannot ask ${back}.`);
  const answer = theirs.parseAnswer(written.endpoint, encodeJson(body));
  if (!answer.ok) throw new TypeError(`The answer of ${back} was not read: ${answer.error}`);
  const context: AnswerContext = { endpoint, request: parsed.value.request, requestId: 'air_1', created: CREATED_S };
  return JSON.parse(decodeUtf8(ours.writeAnswer(answer.value, context)));
}
