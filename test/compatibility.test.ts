/** The documents on compatibility are what the translations do, not what somebody believes that they do. */
import { describe, expect, it } from 'vitest';
import { FRONTS, LANGUAGES, PAIRS, answersOf, isLost, isSilent, outcomesOf } from './compatibility/apis.ts';
import { details } from './compatibility/details.ts';
import { overview } from './compatibility/overview.ts';

const named = PAIRS.map((pair) => [pair.front.name, pair.back.name, pair] as const);

it('every chat reaches every other language, and embeddings those that have them', () => {
  expect(named.map(([front, back]) => `${front} → ${back}`)).toEqual([
    'OpenAI chat completions → Anthropic',
    'OpenAI chat completions → Gemini',
    'OpenAI responses → OpenAI chat completions',
    'OpenAI responses → Anthropic',
    'OpenAI responses → Gemini',
    'OpenAI completions → Anthropic',
    'OpenAI completions → Gemini',
    'Anthropic Messages → OpenAI chat completions',
    'Anthropic Messages → Gemini',
    'Gemini generateContent → OpenAI chat completions',
    'Gemini generateContent → Anthropic',
    'OpenAI embeddings → Gemini',
    'Gemini embedContent → OpenAI chat completions',
  ]);
});

describe.each(named)('%s to %s', (_front, _back, pair) => {
  it('loses nothing of a request without a word or a reason', () => {
    expect(pair.front.probes.filter((probe) => probe.silent === undefined && outcomesOf(pair, probe).some(isSilent)).map(({ name }) => name)).toEqual([]);
  });

  it('loses nothing of an answer without a reason', () => {
    expect(
      answersOf(pair)
        .filter((probe) => probe.silent === undefined && isLost(pair, probe))
        .map(({ name }) => name),
    ).toEqual([]);
  });
});

it('no reason is given for what never goes missing', () => {
  const requests = FRONTS.flatMap((front) => {
    const pairs = PAIRS.filter((pair) => pair.front === front);
    return front.probes
      .filter((probe) => probe.silent !== undefined && !pairs.some((pair) => outcomesOf(pair, probe).some(isSilent)))
      .map(({ name }) => `${front.name}: ${name}`);
  });
  const answers = LANGUAGES.flatMap(({ name: back, answers: { probes } }) => {
    const pairs = PAIRS.filter((pair) => pair.back.name === back && answersOf(pair).length > 0);
    return probes.filter((probe) => probe.silent !== undefined && !pairs.some((pair) => isLost(pair, probe))).map(({ name }) => `answers of ${back}: ${name}`);
  });
  expect([...requests, ...answers]).toEqual([]);
});

it('is told at a glance in docs/compatibility.md', async () => {
  await expect(overview()).toMatchFileSnapshot('../docs/compatibility.md');
});

it('is told in words in docs/compatibility-fields.md', async () => {
  await expect(details()).toMatchFileSnapshot('../docs/compatibility-fields.md');
});
