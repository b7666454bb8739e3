/** Longest name of a model, in bytes as they are written in the body. */
export const MAX_MODEL_BYTES = 256;

/** Largest cap that is taken for one; no model comes near it, and sums of it stay exact. */
export const MAX_TOKEN_CAP = 1_000_000_000;

/** Largest `n` or `best_of`: OpenAI's own limit. */
export const MAX_CHOICES = 128;

/**
 * Tokens that chat templates add to what the caller wrote (role markers are covered by the JSON around them; a template's
 * own system text is not), and those that templates add to explain tools, at compatible providers as well.
 */
export const TEMPLATE_TOKENS = 64;
export const TOOLS_TEMPLATE_TOKENS = 512;

/** For estimates only: bytes of a token of ordinary text, and tokens of an ordinary image. */
export const BYTES_PER_TOKEN = 4;
export const IMAGE_TOKENS = 765;

/** What is wrong with a model's name, if anything is; the provider decides whether there is such a model. */
export function modelNameProblem(model: string): string | undefined {
  if (model.trim() === '') return 'model is empty. Name the model to be used.';
  return /[\p{Cc}\p{Cs}]/u.test(model) ? 'model holds control characters or half a surrogate pair.' : undefined;
}
