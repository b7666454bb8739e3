import { encodeUtf8 } from '../../../json/index.ts';
import type { NeutralLogprob } from '../../neutral.ts';
import { objectsAt, textAt } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Reads the tokens of an answer with their likelihoods. Source: `ChatCompletionTokenLogprob` of the `openai` package. */
export function readLogprobs(holder: JsonObject | undefined, name: string): readonly NeutralLogprob[] {
  if (holder === undefined) return [];
  return objectsAt(holder, name).flatMap((entry) => readToken(entry).map((token) => ({ ...token, top: objectsAt(entry, 'top_logprobs').flatMap(readToken) })));
}

function readToken(entry: JsonObject): readonly { readonly token: string; readonly logprob: number }[] {
  const token = textAt(entry, 'token');
  const logprob = entry['logprob'];
  return token === undefined || typeof logprob !== 'number' ? [] : [{ token, logprob }];
}

/** Writes them in the form that chat completions and responses share. */
export function writeLogprobs(logprobs: readonly NeutralLogprob[]): readonly JsonObject[] {
  return logprobs.map(({ token, logprob, top }) => ({
    ...writeToken(token, logprob),
    top_logprobs: top.map((other) => writeToken(other.token, other.logprob)),
  }));
}

function writeToken(token: string, logprob: number): JsonObject {
  return { token, logprob, bytes: [...encodeUtf8(token)] };
}
