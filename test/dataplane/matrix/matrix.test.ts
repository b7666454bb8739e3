/** Every client that people use, unchanged, to every kind of provider, through a real Envoy. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../../src/shell/simulator/index.ts';
import type { Simulator } from '../../../src/shell/simulator/index.ts';
import { startTestMesh } from '../../support/mesh.ts';
import type { TestMesh } from '../../support/mesh.ts';
import { anthropicMessages } from './anthropic.ts';
import { BACKS, ENVIRONMENT, KEYS, resourcesOf } from './backs.ts';
import type { MatrixBack } from './backs.ts';
import { CASES, FAILURES } from './cases.ts';
import type { MatrixCase } from './cases.ts';
import { failureOf } from './front.ts';
import type { Answered, Front, Place, Question } from './front.ts';
import { geminiGenerateContent } from './gemini.ts';
import { openaiChat, openaiResponses } from './openai.ts';
import { vercelFronts } from './vercel.ts';

const frontsAt = (place: Place): readonly Front[] => [
  openaiChat(place),
  openaiResponses(place),
  anthropicMessages(place),
  geminiGenerateContent(place),
  ...vercelFronts(place),
];

const NAMES = frontsAt({ origin: 'http://127.0.0.1' }).map(({ name }) => name);

/** How each API says why an answer ended. */
const FINISHES: Readonly<Record<string, Readonly<Record<MatrixCase['finish'], string>>>> = {
  'OpenAI chat completions': { stop: 'stop', tools: 'tool_calls', length: 'length' },
  'OpenAI responses': { stop: 'completed', tools: 'function_call', length: 'max_output_tokens' },
  'Anthropic messages': { stop: 'end_turn', tools: 'tool_use', length: 'max_tokens' },
  'Gemini generateContent': { stop: 'STOP', tools: 'STOP', length: 'MAX_TOKENS' },
};
const AI_SDK_FINISHES = { stop: 'stop', tools: 'tool-calls', length: 'length' };

/** Vercel's does not read what Gemini says of the model. */
const TELLS_WHAT_IT_ASKED = new Set(['AI SDK as Gemini generateContent']);

/** Where it knows no better, Vercel's asks Anthropic's models for JSON in words and by a tool, which all of them understand. */
const WITHOUT_SCHEMAS = 'AI SDK as Anthropic messages';

function lacks(name: string, back: MatrixBack, { subject }: MatrixCase): boolean {
  return back.lacks.includes(subject) && !(name === WITHOUT_SCHEMAS && subject === 'structured');
}

/** In the words of the mesh, or of the provider. */
const LACKING = /takes no images|response_format type is unavailable/;

/** `client|provider|subject` → what became of it. */
const outcomes = new Map<string, string>();

let simulators: ReadonlyMap<string, Simulator>;
let mesh: TestMesh;
let fronts: ReadonlyMap<string, Front>;
/** What the provider says when it is asked without a mesh in between, by case. */
let direct: ReadonlyMap<string, Answered>;

beforeAll(async () => {
  simulators = new Map(
    await Promise.all(BACKS.map(async ({ name }) => [name, await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEYS[name] ?? ''] })] as const)),
  );
  const urls = new Map([...simulators].map(([name, { url }]) => [name, url]));
  mesh = await startTestMesh({ resources: resourcesOf(urls), environment: ENVIRONMENT });
  fronts = new Map(frontsAt({ origin: mesh.baseURL.replace(/\/v1$/, '') }).map((front) => [front.name, front]));
  const reference = await startSimulator({ host: '127.0.0.1', port: 0, keys: 'any' });
  const asked = openaiChat({ origin: reference.url });
  direct = new Map(await Promise.all(CASES.map(async ({ name, question }) => [name, await asked.ask({ ...question, model: 'gpt-4.1' })] as const)));
  await reference.close();
});

afterAll(async () => {
  await mesh?.stop();
  await Promise.all([...(simulators?.values() ?? [])].map((simulator) => simulator.close()));
});

describe.each(NAMES)('%s', (name) => {
  describe.each(BACKS)('to $name', (back) => {
    it.each(CASES)('$name', async (one) => {
      if (lacks(name, back, one)) {
        const failure = await failureFrom(ask(name, back, one));
        expect(failure).toMatchObject({
          status: expect.toSatisfy((status: number) => status === 400 || status === 404),
          message: expect.stringMatching(LACKING),
        });
        return note(name, back, one, 'refused');
      }
      const answer = await ask(name, back, one);
      const expected = direct.get(one.name);
      const billed = await lastAttempt(back);
      const isObject = one.question.schema !== undefined;
      expect({
        text: isObject ? (JSON.parse(answer.text) as unknown) : answer.text,
        finish: answer.finish,
        calls: answer.calls.map(({ name: called, input }) => ({ called, input })),
        model: answer.model,
        inputTokens: answer.inputTokens,
        outputTokens: answer.outputTokens,
      }).toEqual({
        text: isObject ? (JSON.parse(expected?.text ?? '') as unknown) : expected?.text,
        finish: (FINISHES[name] ?? AI_SDK_FINISHES)[one.finish],
        calls: expected?.calls.map(({ name: called, input }) => ({ called, input })),
        model: TELLS_WHAT_IT_ASKED.has(name) ? back.model : back.served,
        inputTokens: billed.input,
        outputTokens: billed.output,
      });
      const ids = answer.calls.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      // Vercel's asks for JSON, and tells of tools' results, in a way of its own.
      if (FINISHES[name] !== undefined) expect([billed.input, billed.output]).toEqual([expected?.inputTokens, expected?.outputTokens]);
      note(name, back, one, 'carried');
    });

    it.each(FAILURES)('$name', async ({ simulate, stream, statuses }) => {
      const failure = await failureFrom(
        askWith(name, { model: back.model, turns: [{ role: 'user', text: 'Fail.' }], stream, headers: { 'x-simulate': simulate } }),
      );
      expect(statuses).toContain(failure?.status);
      expect(failure?.message).toMatch(/This failure was asked for/);
    });
  });
});

it('is told in docs/compatibility-matrix.md', async () => {
  await expect(tableOf()).toMatchFileSnapshot('../../../docs/compatibility-matrix.md');
});

describe('the books', () => {
  it.each(BACKS)('agree with those of $name, to the nano-dollar', async (back) => {
    const { name } = back;
    const theirs = await booksOf(back);
    const { byProvider, budgets } = await mesh.spend();
    const ours = byProvider.find((row) => row.name === `default/${name}`);
    const billed = Object.values(theirs.models);
    const sum = (of: 'requests' | 'input' | 'output'): number => billed.reduce((total, model) => total + model[of], 0);
    expect(sum('requests')).toBe(NAMES.flatMap((front) => CASES.filter((one) => !lacks(front, back, one))).length);
    expect(ours).toMatchObject({ inputTokens: sum('input'), outputTokens: sum('output'), costUsd: usd(theirs.costNanoUsd), estimatedRequests: 0 });
    expect(budgets.map(({ pending }) => Number(pending))).toEqual([0]);
  });

  it('and no log holds the key or what was asked', () => {
    for (const key of Object.values(KEYS)) expect(mesh.log()).not.toContain(key);
    expect(mesh.log()).not.toContain('sidecar?');
  });
});

function ask(name: string, back: MatrixBack, { question }: MatrixCase): Promise<Answered> {
  return askWith(name, { ...question, model: back.model });
}

function askWith(name: string, question: Question): Promise<Answered> {
  const front = fronts.get(name);
  if (front === undefined) throw new Error(`there is no front ${name}`);
  return front.ask(question);
}

async function failureFrom(asked: Promise<Answered>): Promise<ReturnType<typeof failureOf> | undefined> {
  return asked.then(
    () => undefined,
    (error: unknown) => failureOf(error),
  );
}

interface Attempt {
  readonly input: number;
  readonly output: number;
}

interface ProviderBooks {
  readonly costNanoUsd: string;
  readonly models: Readonly<Record<string, Attempt & { readonly requests: number }>>;
  readonly attempts: readonly Attempt[];
}

async function booksOf({ name }: MatrixBack): Promise<ProviderBooks> {
  return (await (await fetch(`${simulators.get(name)?.url}/simulator/books`)).json()) as ProviderBooks;
}

/** What the provider counted for the call that was just made. */
async function lastAttempt(back: MatrixBack): Promise<Attempt> {
  return (await booksOf(back)).attempts.at(-1) ?? { input: -1, output: -1 };
}

function note(name: string, back: MatrixBack, { subject }: MatrixCase, outcome: string): void {
  const cell = `${name}|${back.name}|${subject}`;
  outcomes.set(cell, outcomes.get(cell) === undefined || outcomes.get(cell) === outcome ? outcome : 'differs when streamed');
}

/** The outcomes as a table; a cell is one client at one kind of provider. */
function tableOf(): string {
  const subjects = [...new Set(CASES.map(({ subject }) => subject))];
  const cellOf = (name: string, back: MatrixBack): string => {
    const refused = subjects.filter((subject) => outcomes.get(`${name}|${back.name}|${subject}`) !== 'carried');
    return refused.length === 0 ? 'all' : `all but ${refused.join(', ')}`;
  };
  const rows = NAMES.map((name) => `| ${name} | ${BACKS.map((back) => cellOf(name, back)).join(' | ')} |`);
  return [
    '# What was seen to work',
    '',
    'Written by `test/dataplane/matrix`: every client, as its makers publish it, asked every kind of provider through a real Envoy; what came back was compared field by field with what the provider said and counted, and both books to the nano-dollar. ' +
      `In each cell: ${subjects.join(', ')}, each whole and streamed, and failures of the provider.`,
    '',
    `| client | ${BACKS.map(({ name }) => name).join(' | ')} |`,
    `|---|${BACKS.map(() => '---').join('|')}|`,
    ...rows,
    '',
  ].join('\n');
}

/** `0.00102402` of `1024020`. */
function usd(nano: string): string {
  const digits = nano.padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '');
}
