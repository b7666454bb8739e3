import { backOf } from '../../src/core/dialects/index.ts';
import { FRONTS, KINDS, PAIRS, answersOf, outcomesOf } from './apis.ts';
import type { Pair } from './apis.ts';
import { describeChanges } from './changes.ts';
import { probeAnswer, probeRequest } from './probe.ts';
import type { Outcome, Probe } from './probe.ts';
import { ORIGIN, lines, table } from './table.ts';

/** docs/compatibility-fields.md: what each thing is said as, pair by pair. */
export function details(): string {
  return lines([
    '# What becomes of each field',
    '',
    `${ORIGIN} The tables at a glance are in [compatibility.md](compatibility.md).`,
    '',
    'Each row is a request, or an answer, with and without one thing; what is shown is the difference that it makes on the other side. *dropped* is told in the header `x-airmesh-warning`, whose words are the names of the fields; *refused* is the message of the error. What is said as *nothing* gives its reason.',
    '',
    '## The same API on both sides',
    '',
    'Everything passes, also what is newer than Airmesh, but for this:',
    '',
    ...table(['API', 'field', 'refused with'], refusedAtHome()),
    '',
    ...PAIRS.flatMap(requests),
    ...PAIRS.filter((pair) => answersOf(pair).length > 0).flatMap(answers),
  ]);
}

function refusedAtHome(): readonly (readonly string[])[] {
  return FRONTS.flatMap((front) =>
    front.probes.flatMap((probe) => {
      const home = front.dialect.name === 'openai' ? 'openai' : front.dialect.name === 'anthropic' ? 'anthropic' : 'gemini';
      const outcome = probeRequest(front, probe, home, 'm');
      return outcome.kind === 'refused' ? [[front.name, probe.name, outcome.message]] : [];
    }),
  );
}

function requests(pair: Pair): readonly string[] {
  const { front, back } = pair;
  return [
    `## Requests: ${front.name} to ${back.name}`,
    '',
    placesOf(pair),
    '',
    ...table(
      ['said', 'what becomes of it'],
      front.probes.map((probe) => [probe.name, requestCell(pair, probe)]),
    ),
    '',
  ];
}

function placesOf({ kinds, back }: Pair): string {
  const nameOf = (kind: string): string => KINDS.find(([name]) => name === kind)?.[1] ?? kind;
  const capped = kinds.filter((kind) => backOf(kind).capField !== undefined);
  return [
    `At ${kinds.map(nameOf).join(', ')}.`,
    ...(back.models.length > 1 ? [`Tried for ${back.models.map((model) => `\`${model}\``).join(' and ')}.`] : []),
    ...capped.map((kind) => `${nameOf(kind)} gets the cap as \`${backOf(kind).capField}\`.`),
  ].join(' ');
}

/** One sentence, or one for each model where they differ. */
function requestCell(pair: Pair, probe: Probe<object>): string {
  const texts = outcomesOf(pair, probe).map((outcome) => outcomeText(outcome, probe));
  const [first = ''] = texts;
  return texts.every((text) => text === first) ? first : pair.back.models.map((model, index) => `\`${model}\`: ${texts[index]}`).join('<br>');
}

function outcomeText(outcome: Outcome, { silent = '' }: Probe<object>): string {
  if (outcome.kind === 'passed') return 'as it is';
  if (outcome.kind === 'refused') return `*refused*: ${outcome.message}`;
  const { changes, losses, isLiteral } = outcome;
  const carried = changes.length === 0 ? [] : [isLiteral ? 'the same' : describeChanges(changes)];
  const dropped = losses.map(({ message }) => `*dropped*: ${message}`);
  return carried.length + dropped.length === 0 ? `nothing: ${silent}` : [...carried, ...dropped].join('; ');
}

function answers(pair: Pair): readonly string[] {
  const { front, back } = pair;
  const cell = (probe: Probe<object>): string => {
    const changes = probeAnswer(front, back.answers, probe, back.models[0]);
    return changes.length === 0 ? `nothing: ${probe.silent ?? ''}` : describeChanges(changes);
  };
  return [
    `## Answers: ${back.name} to ${front.name}`,
    '',
    ...table(
      ['answered', 'what the caller gets'],
      answersOf(pair).map((probe) => [probe.name, cell(probe)]),
    ),
    '',
  ];
}
