/**
 * Tokens that Anthropic adds to what the caller wrote. Role markers and block boundaries are covered by the JSON around
 * them, and citation markers by the slack of counting bytes; a system prompt of Anthropic's own is not.
 */
export const TEMPLATE_TOKENS = 64;

/** Added once where there are tools: 530 at most in the published tables ("Tool use pricing"), doubled for models that came later. */
export const TOOLS_TEMPLATE_TOKENS = 1_060;

/**
 * Added for each client-side tool whose definition Anthropic keeps: 245 for bash, 700 for the text editor, 735 for
 * computer use ("Pricing", tool use), and as much again for versions that came later.
 */
export const KEPT_TOOL_TOKENS = 1_500;

/** Added to explain an output format; the schema itself is among the caller's bytes. */
export const FORMAT_TEMPLATE_TOKENS = 512;

/** For estimates only: bytes of a token of ordinary text, and tokens of an ordinary image ("Vision": at most 1,568, or 4,784 in high resolution). */
export const BYTES_PER_TOKEN = 3.5;
export const IMAGE_TOKENS = 1_568;

/** Smallest `thinking.budget_tokens` that Anthropic takes. Source: `ThinkingConfigEnabled` of `@anthropic-ai/sdk`. */
export const MIN_THINKING_BUDGET = 1_024;
