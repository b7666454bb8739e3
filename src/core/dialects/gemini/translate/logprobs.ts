import type { NeutralLogprob } from '../../neutral.ts';
import { objectAt, objectsAt, textAt } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

type Token = Pick<NeutralLogprob, 'token' | 'logprob'>;

/** Reads a candidate's tokens with their likelihoods. Source: `LogprobsResult` of `@google/genai`. */
export function readLogprobs(candidate: JsonObject): readonly NeutralLogprob[] | undefined {
  const result = objectAt(candidate, 'logprobsResult');
  if (result === undefined) return undefined;
  const tops = objectsAt(result, 'topCandidates').map((step) => objectsAt(step, 'candidates').flatMap(readToken));
  return objectsAt(result, 'chosenCandidates').flatMap((chosen, place) => readToken(chosen).map((token) => ({ ...token, top: tops[place] ?? [] })));
}

function readToken(candidate: JsonObject): readonly Token[] {
  const token = textAt(candidate, 'token');
  // A likelihood of one has the logarithm 0, which is left out on the wire.
  const logprob = candidate['logProbability'] ?? 0;
  return token === undefined || typeof logprob !== 'number' ? [] : [{ token, logprob }];
}

export function writeLogprobs(logprobs: readonly NeutralLogprob[]): JsonObject {
  return {
    chosenCandidates: logprobs.map(writeToken),
    topCandidates: logprobs.map(({ top }) => ({ candidates: top.map(writeToken) })),
  };
}

function writeToken({ token, logprob }: Token): JsonObject {
  return { token, logProbability: logprob };
}
