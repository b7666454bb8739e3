import type { Question } from './front.ts';

/** What is asked in each cell, apart from the model. */
export interface MatrixCase {
  readonly name: string;
  /** Its name without how it is delivered. */
  readonly subject: string;
  readonly question: Omit<Question, 'model'>;
  readonly finish: 'stop' | 'tools' | 'length';
}

/** A PNG of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const WEATHER = {
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
};

const TIME = {
  name: 'get_time',
  description: 'The time in a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};

const SCHEMA = {
  type: 'object',
  properties: { title: { type: 'string' }, pages: { type: 'integer' }, tags: { type: 'array', items: { type: 'string' } } },
  required: ['title', 'pages', 'tags'],
  additionalProperties: false,
};

const CALLS = [
  { id: 'call_weather_1', name: 'get_weather', input: { city: 'Oslo', days: 2 } },
  { id: 'call_time_2', name: 'get_time', input: { city: 'Oslo' } },
];

const plain: MatrixCase = {
  name: 'plain',
  subject: 'plain',
  question: {
    system: 'Be brief.',
    turns: [
      { role: 'user', text: 'What is a sidecar?' },
      { role: 'assistant', text: 'A helper beside a service.' },
      { role: 'user', text: 'And a mesh of them?' },
    ],
  },
  finish: 'stop',
};

const tools: MatrixCase = {
  name: 'tools',
  subject: 'tools',
  question: { turns: [{ role: 'user', text: 'Use your tools for Oslo.' }], tools: [WEATHER, TIME] },
  finish: 'tools',
};

const results: MatrixCase = {
  name: 'tool results',
  subject: 'tool results',
  question: {
    turns: [
      { role: 'user', text: 'How is Oslo now?' },
      { role: 'calls', calls: CALLS },
      {
        role: 'results',
        results: [
          { id: 'call_weather_1', name: 'get_weather', output: 'snow' },
          { id: 'call_time_2', name: 'get_time', output: 'noon' },
        ],
      },
    ],
    tools: [WEATHER, TIME],
  },
  finish: 'stop',
};

const image: MatrixCase = {
  name: 'image',
  subject: 'image',
  question: { turns: [{ role: 'user', text: 'What is in the picture?', image: PIXEL }] },
  finish: 'stop',
};
const structured: MatrixCase = {
  name: 'structured',
  subject: 'structured',
  question: { turns: [{ role: 'user', text: 'Describe a book, as JSON.' }], schema: SCHEMA },
  finish: 'stop',
};
const capped: MatrixCase = {
  name: 'capped',
  subject: 'capped',
  question: { turns: [{ role: 'user', text: 'Go on and on.' }], maxTokens: 16, headers: { 'x-simulate': 'tokens=40' } },
  finish: 'length',
};

const streamed = ({ name, subject, question, finish }: MatrixCase): MatrixCase => ({
  name: `${name}, streamed`,
  subject,
  question: { ...question, stream: true },
  finish,
});

export const CASES: readonly MatrixCase[] = [plain, tools, results, image, structured, capped].flatMap((one) => [one, streamed(one)]);

/** How the simulated provider is made to fail, with the status that every SDK is to report. */
export const FAILURES: readonly { readonly name: string; readonly simulate: string; readonly stream: boolean; readonly statuses: readonly number[] }[] = [
  { name: 'too many requests', simulate: 'status=429, retry-after=7', stream: false, statuses: [429] },
  { name: 'too many requests, streamed', simulate: 'status=429, retry-after=7', stream: true, statuses: [429] },
  { name: 'a failure of the provider', simulate: 'status=500', stream: false, statuses: [500] },
  { name: 'an overloaded provider', simulate: 'status=503', stream: false, statuses: [503, 529] },
];
