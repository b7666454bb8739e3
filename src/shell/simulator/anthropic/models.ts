/** Those that are listed; others that could be are served as well. */
export const MODELS = ['claude-sonnet-4-5', 'claude-opus-4-5', 'claude-haiku-4-5'];

/** Names as Anthropic makes them: a family and its version, or the other way round in older ones. */
const MODEL = /^claude-(?:([a-z]+)-(\d)(?:-(\d))?|3(?:-\d)?-[a-z]+)(?:-\d{8}|-latest|-0)?$/;

export const isServed = (model: string): boolean => MODEL.test(model);

/** 405 is version 4.5. */
export function versionOf(model: string): number {
  const [, , major = '3', minor = '0'] = MODEL.exec(model) ?? [];
  return Number(major) * 100 + Number(minor);
}

/** Most tokens of an answer. Source: Claude docs, "Models overview". */
export const mostTokens = (model: string): number => (versionOf(model) >= 406 ? 128_000 : 64_000);
