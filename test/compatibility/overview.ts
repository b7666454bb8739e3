import { passesThrough } from '../../src/core/call/translate.ts';
import { anthropic, backOf, gemini, openai, translationOf } from '../../src/core/dialects/index.ts';
import type { BackName, Dialect, Endpoint } from '../../src/core/dialects/index.ts';
import { encodeJson } from '../../src/core/json/index.ts';
import { CHATS, FRONTS, KINDS, modelsOf } from './apis.ts';
import { DIALECTS, errorOf, finishesOf } from './endings.ts';
import { anthropicMessages } from './fronts/anthropic-messages.ts';
import { geminiEmbed, geminiGenerate } from './fronts/gemini.ts';
import { openaiChat } from './fronts/openai-chat.ts';
import { openaiCompletions, openaiEmbeddings } from './fronts/openai-others.ts';
import { openaiResponses } from './fronts/openai-responses.ts';
import { endpointOf, probeRequest } from './probe.ts';
import type { Front, Outcome } from './probe.ts';
import { ORIGIN, lines, table } from './table.ts';

/** Each place that callers can ask at, with the least that is asked there. */
const PLACES: readonly (readonly [name: string, dialect: Dialect, path: string, body: object])[] = [
  ['OpenAI chat completions', openai, '/v1/chat/completions', openaiChat.base],
  ['OpenAI completions', openai, '/v1/completions', openaiCompletions.base],
  ['OpenAI responses', openai, '/v1/responses', openaiResponses.base],
  ['OpenAI input tokens', openai, '/v1/responses/input_tokens', { model: 'm', input: 'x' }],
  ['OpenAI embeddings', openai, '/v1/embeddings', openaiEmbeddings.base],
  ['OpenAI images', openai, '/v1/images/generations', { model: 'm', prompt: 'x' }],
  ['OpenAI speech', openai, '/v1/audio/speech', { model: 'm', input: 'x', voice: 'alloy' }],
  ['OpenAI transcriptions', openai, '/v1/audio/transcriptions', {}],
  ['OpenAI moderations', openai, '/v1/moderations', { model: 'm', input: 'x' }],
  ['Anthropic Messages', anthropic, '/v1/messages', anthropicMessages.base],
  ['Anthropic count_tokens', anthropic, '/v1/messages/count_tokens', { model: 'm', messages: [{ role: 'user', content: 'x' }] }],
  ['Gemini generateContent', gemini, '/v1beta/models/m:generateContent', geminiGenerate.base],
  ['Gemini streamGenerateContent', gemini, '/v1beta/models/m:streamGenerateContent', geminiGenerate.base],
  ['Gemini embedContent', gemini, '/v1beta/models/m:embedContent', geminiEmbed.base],
  ['Gemini batchEmbedContents', gemini, '/v1beta/models/m:batchEmbedContents', { requests: [geminiEmbed.base] }],
  ['Gemini countTokens', gemini, '/v1beta/models/m:countTokens', geminiGenerate.base],
];

const STATUSES = [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529];

/** Kinds of providers that differ in what they take. */
const COLUMNS: readonly BackName[] = ['openai', 'deepseek', 'anthropic', 'gemini'];

const NAMES: Readonly<Record<string, string>> = { openai: 'OpenAI', anthropic: 'Anthropic', gemini: 'Gemini' };

/** docs/compatibility.md: what goes where. */
export function overview(): string {
  return lines([
    '# Compatibility',
    '',
    `${ORIGIN} What each thing is said as, and in which words it is refused, is in [compatibility-fields.md](compatibility-fields.md); what was seen to work with the official clients, in [compatibility-matrix.md](compatibility-matrix.md).`,
    '',
    '*as it is*: the bytes go on, but for what the route asks for. *yes*: said in the other API’s words. *dropped*: the call goes on without it, or with what comes nearest, and the header `x-airmesh-warning` names it. *refused*: 400 or 404 with the reason, before anything is sent or charged. *nothing to say*: it is so without it. Where the generations of a provider’s models differ, each is told.',
    '',
    '## Operations',
    '',
    ...table(
      ['', ...KINDS.map(([, name]) => name)],
      PLACES.map(([name, dialect, path, body]) => [name, ...KINDS.map(([kind]) => operationAt(dialect, path, body, kind))]),
    ),
    '',
    ...FRONTS.flatMap((front) => [`## ${front.name}`, '', ...fields(front), '']),
    '## Why an answer ended',
    '',
    'What a provider says is first understood as one of these, and then said in the caller’s API.',
    '',
    ...finishes(),
    '',
    '## Errors',
    '',
    'Status and type by which a caller is told of a provider’s status; `retry-after` goes on as it comes.',
    '',
    ...DIALECTS.flatMap((front) => [`### For callers who speak ${NAMES[front.name] ?? front.name}`, '', ...errors(front), '']),
  ]);
}

function operationAt(dialect: Dialect, path: string, body: object, kind: BackName): string {
  const endpoint = endpointOf({ dialect, path });
  const back = backOf(kind);
  if (passesThrough(dialect, endpoint, back)) return 'as it is';
  const written = writtenEndpoint(dialect, endpoint, body, back.dialect);
  return written !== undefined && back.operations.has(written.operation) ? 'yes' : 'refused';
}

function writtenEndpoint(dialect: Dialect, endpoint: Endpoint, body: object, back: Dialect): Endpoint | undefined {
  const parsed = translationOf(dialect).parseRequest(endpoint, encodeJson({ ...body }));
  return parsed.ok ? translationOf(back).writeRequest(parsed.value.request)?.endpoint : undefined;
}

function fields(front: Front): readonly string[] {
  const columns = COLUMNS.filter((kind) => probeRequest(front, { name: 'nothing', with: {} }, kind, modelsOf(kind)[0]).kind !== 'refused');
  const cell = (probe: Front['probes'][number], kind: BackName): string => {
    const models = modelsOf(kind);
    const words = models.map((model) => wordFor(probeRequest(front, probe, kind, model)));
    return words.every((word) => word === words[0]) ? (words[0] ?? '') : models.map((model, index) => `${words[index]} (${model})`).join(', ');
  };
  return table(
    ['', ...columns.map((kind) => `to ${KINDS.find(([name]) => name === kind)?.[1] ?? kind}`)],
    front.probes.map((probe) => [probe.name, ...columns.map((kind) => cell(probe, kind))]),
  );
}

function wordFor(outcome: Outcome): string {
  if (outcome.kind === 'passed') return 'as it is';
  if (outcome.kind === 'refused') return 'refused';
  if (outcome.losses.length > 0) return `dropped: ${outcome.losses.map(({ param }) => `\`${param}\``).join(', ')}`;
  return outcome.changes.length > 0 ? 'yes' : 'nothing to say';
}

function finishes(): readonly string[] {
  const columns = CHATS.map(finishesOf);
  return table(
    ['reason', ...CHATS.map(({ name }) => name)],
    (columns[0] ?? []).map(([reason], row) => [reason, ...columns.map((column) => `\`${column[row]?.[1] ?? ''}\``)]),
  );
}

function errors(front: Dialect): readonly string[] {
  const others = DIALECTS.filter((back) => back !== front);
  return table(
    ['from', ...others.map(({ name }) => NAMES[name] ?? name)],
    STATUSES.map((status) => [String(status), ...others.map((back) => errorOf(front, back, status))]),
  );
}
