/** Longest name of a model, in bytes as they are written in the body. */
export const MAX_MODEL_BYTES = 256;

/** Largest cap that is taken for one; no model comes near it, and sums of it stay exact. */
export const MAX_TOKEN_CAP = 1_000_000_000;

/** What is wrong with a model's name, if anything is; the provider decides whether there is such a model. */
export function modelNameProblem(model: string): string | undefined {
  if (model.trim() === '') return 'model is empty. Name the model to be used.';
  return /[\p{Cc}\p{Cs}]/u.test(model) ? 'model holds control characters or half a surrogate pair.' : undefined;
}
