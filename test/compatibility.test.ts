/** docs/compatibility.md is what the translations do, not what somebody believes that they do. */
import { describe, expect, it } from 'vitest';
import { ANTHROPIC } from './compatibility/anthropic.ts';
import { GEMINI } from './compatibility/gemini.ts';
import { OPENAI_CHAT, OPENAI_RESPONSES } from './compatibility/openai.ts';
import { BACKS, DIALECTS, errorOf, finishesOf, outcomeOf } from './compatibility/outcomes.ts';
import type { Outcome } from './compatibility/outcomes.ts';
import type { ProbedApi } from './compatibility/probe.ts';
import { anthropic, backOf, gemini, openai } from '../src/core/dialects/index.ts';
import type { BackName, Dialect, Endpoint, Operation } from '../src/core/dialects/index.ts';

const APIS = [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI];
const ALL_BACKS: readonly BackName[] = ['openai', 'azure', 'compatible', 'deepseek', 'anthropic', 'gemini'];
const STATUSES = [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529];

const chatAt = (path: string): Endpoint => ({ operation: 'chat', path, body: 'json' });
const FINISHING: readonly (readonly [name: string, dialect: Dialect, endpoint: Endpoint])[] = [
  ['OpenAI chat completions', openai, chatAt('/chat/completions')],
  ['OpenAI responses', openai, { ...chatAt('/responses'), operation: 'responses' }],
  ['Anthropic messages', anthropic, chatAt('/messages')],
  ['Gemini generateContent', gemini, { ...chatAt('/models/m:generateContent'), model: 'm' }],
];

describe.each(APIS)('a request to $name', (api) => {
  it.each(BACKS)('loses nothing on its way to %s of which nobody is told', (back) => {
    const unnoticed = api.probes.filter((probe) => outcomeOf(api, probe, back).kind === 'unnoticed').map(({ subject }) => subject);
    expect(unnoticed).toEqual([]);
  });
});

it('is told in docs/compatibility.md', async () => {
  await expect(document()).toMatchFileSnapshot('../docs/compatibility.md');
});

function document(): string {
  return [
    '# Compatibility',
    '',
    'Written by `test/compatibility.test.ts` from what the translations do (`npm test -- -u` writes it anew). What was seen to work with the official clients is in [compatibility-matrix.md](compatibility-matrix.md).',
    '',
    '*as it is*: the bytes go on, but for what the route asks for. *yes*: said in the other API’s words. *dropped*: the call goes on without it, and the header `x-airmesh-warning` names it. *refused*: 400 or 404 with the reason, before anything is sent or charged.',
    '',
    '## Operations',
    '',
    ...operations(),
    '',
    ...APIS.flatMap((api) => [`## ${api.name}`, '', ...fields(api), '']),
    '## Why an answer ended',
    '',
    'What a provider says is first understood as one of these, and then said in the caller’s API.',
    '',
    ...table(['reason', ...FINISHING.map(([name]) => name)], transposed(FINISHING.map(([, dialect, endpoint]) => finishesOf(dialect, endpoint)))),
    '',
    '## Errors',
    '',
    'Status and type by which a caller is told of a provider’s status; `retry-after` goes on as it comes.',
    '',
    ...DIALECTS.flatMap((front) => [`### For callers who speak ${NAMES[front.name] ?? front.name}`, '', ...errors(front), '']),
  ].join('\n');
}

const NAMES: Readonly<Record<string, string>> = { openai: 'OpenAI', anthropic: 'Anthropic', gemini: 'Gemini' };

const OPERATIONS: readonly (readonly [name: string, front: Dialect, operation: Operation])[] = [
  ['OpenAI chat completions', openai, 'chat'],
  ['OpenAI completions', openai, 'text_completion'],
  ['OpenAI responses', openai, 'responses'],
  ['OpenAI embeddings', openai, 'embeddings'],
  ['OpenAI images', openai, 'images'],
  ['OpenAI audio', openai, 'audio'],
  ['OpenAI moderations', openai, 'moderations'],
  ['OpenAI input tokens', openai, 'count_tokens'],
  ['Anthropic messages', anthropic, 'chat'],
  ['Anthropic count_tokens', anthropic, 'count_tokens'],
  ['Gemini generateContent, streamGenerateContent', gemini, 'chat'],
  ['Gemini embedContent, batchEmbedContents', gemini, 'embeddings'],
  ['Gemini countTokens', gemini, 'count_tokens'],
];

/** Operations that have a neutral form. */
const TRANSLATED: ReadonlySet<Operation> = new Set<Operation>(['chat', 'text_completion', 'responses', 'embeddings', 'count_tokens']);
/** What they need of the provider. */
const NEEDS: Readonly<Partial<Record<Operation, Operation>>> = { text_completion: 'chat', responses: 'chat' };

function operations(): readonly string[] {
  const cell = (front: Dialect, operation: Operation, name: BackName): string => {
    const back = backOf(name);
    if (back.dialect === front && back.operations.has(operation)) return 'as it is';
    return TRANSLATED.has(operation) && back.operations.has(NEEDS[operation] ?? operation) ? 'yes' : 'refused';
  };
  return table(['', ...ALL_BACKS], OPERATIONS.map(([name, front, operation]) => [name, ...ALL_BACKS.map((back) => cell(front, operation, back))]));
}

function fields(api: ProbedApi): readonly string[] {
  return table(['', ...BACKS.map((back) => `to ${NAMES[back] ?? back}`)], api.probes.map((probe) => [probe.subject, ...BACKS.map((back) => cellOf(outcomeOf(api, probe, back)))]));
}

function cellOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'carried':
      return 'yes';
    case 'dropped':
      return `dropped: ${outcome.paths.map((path) => `\`${path}\``).join(', ')}`;
    case 'refused':
      return `refused: ${outcome.message.replaceAll('|', '\\|').replace(/ \([a-z]+ to [a-z]+, at [^)]*\)$/, '')}`;
    default:
      return outcome.kind;
  }
}

function errors(front: Dialect): readonly string[] {
  const others = DIALECTS.filter((back) => back !== front);
  return table(['from', ...others.map(({ name }) => NAMES[name] ?? name)], STATUSES.map((status) => [String(status), ...others.map((back) => errorOf(front, back, status))]));
}

function transposed(columns: readonly (readonly (readonly [reason: string, said: string])[])[]): readonly (readonly string[])[] {
  return (columns[0] ?? []).map(([reason], row) => [reason, ...columns.map((column) => `\`${column[row]?.[1] ?? ''}\``)]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)];
}
