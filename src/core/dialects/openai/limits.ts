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
