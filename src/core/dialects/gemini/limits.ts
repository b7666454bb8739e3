/** Most answers to one request (`candidateCount`). Source: Gemini API reference, "GenerationConfig". */
export const MAX_CANDIDATES = 8;

/** Longest value of an enum, media type or address that is looked at. */
export const MAX_WORD_BYTES = 4096;

/** Tokens that the provider may add around what the caller wrote, and those that explain tools to the model. */
export const TEMPLATE_TOKENS = 64;
export const TOOLS_TEMPLATE_TOKENS = 512;

/** For estimates only: bytes of a token of ordinary text, and tokens of an ordinary image. Source: Gemini API, "Understand and count tokens". */
export const BYTES_PER_TOKEN = 4;
export const IMAGE_TOKENS = 258;
