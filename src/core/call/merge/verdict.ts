import { isPlain, kindOf } from '../answer.ts';
import type { AnswerHead } from '../request.ts';

/**
 * What the beginning of an answer to a merged call means for its members. `vectors`: to be shared out. `refused`: one of the
 * inputs may be at fault, and nothing was billed. `theirs`: each would have been answered so by itself. `ours`: Envoy said it,
 * as no answer came. `unreadable`: it may have been billed, and nobody can tell what is whose.
 */
export type HeadVerdict = 'vectors' | 'refused' | 'theirs' | 'ours' | 'unreadable';

/**
 * A provider says by these that it does not like what is asked, or that it is too much. By other errors it says that it
 * serves nobody, or not now, or not with that key or model, which all members have in common. Sources: OpenAI API, "Error
 * codes"; Gemini API, "Troubleshooting"; 413 and 422 are what vLLM and Text Embeddings Inference say of too long inputs and
 * of too many.
 */
const MAY_BE_ONE_INPUT: ReadonlySet<number> = new Set([400, 413, 422]);

export function verdictOnHead({ status, local, contentType, contentEncoding }: AnswerHead): HeadVerdict {
  if (local !== undefined) return 'ours';
  if (MAY_BE_ONE_INPUT.has(status)) return 'refused';
  if (status >= 300) return 'theirs';
  return isPlain(contentEncoding) && kindOf(contentType) === 'json' ? 'vectors' : 'unreadable';
}
