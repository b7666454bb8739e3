import { anthropic } from './anthropic/index.ts';
import { anthropicTranslation } from './anthropic/translate/index.ts';
import { gemini } from './gemini/index.ts';
import { geminiTranslation } from './gemini/translate/index.ts';
import { openai } from './openai/index.ts';
import { openaiTranslation } from './openai/translate/index.ts';
import type { Translation } from './translation.ts';
import type { Dialect } from './types.ts';

const TRANSLATIONS: ReadonlyMap<Dialect, Translation> = new Map([
  [openai, openaiTranslation],
  [anthropic, anthropicTranslation],
  [gemini, geminiTranslation],
]);

/** A dialect's way to and from the neutral form. */
export function translationOf(dialect: Dialect): Translation {
  const translation = TRANSLATIONS.get(dialect);
  if (translation === undefined) throw new TypeError(`${dialect.name} is not translated.`);
  return translation;
}

/** A path of Gemini's: a version that only Google has, a collection of theirs, or a method behind a model's name. */
const GEMINI_PATH = /^(?:\/upload|\/download)?\/v1(?:alpha|beta)\/|^(?:\/v1)?\/cachedContents(?=[/?#]|$)|^(?:\/v1)?\/models\/[^?#]*:[A-Za-z]+(?=[?#]|$)/;
const ANTHROPIC_PATH = /^(?:\/v1)?\/messages(?=[/?#]|$)/;
/** Paths that several share. */
const SHARED_PATH = /^(?:\/v1)?\/(?:batches|files|models)(?=[/?#]|$)/;

/** Sent by every client of Anthropic's. */
const ANTHROPIC_VERSION = 'anthropic-version';

/** Sent by Google's own clients; they say who they are, not who calls. */
const GOOGLE_CLIENT = 'x-goog-api-client';

/** Lower-case names of headers that tell whose list of models is meant, or which version of an API is spoken. */
export const FRONT_HEADERS: readonly string[] = [ANTHROPIC_VERSION, GOOGLE_CLIENT];

/**
 * The language that a caller speaks, from where it calls. `ofHost` is spoken at the host that it calls, for paths that
 * several share. OpenAI's is what everybody else speaks.
 */
export function frontOf(path: string, headers: ReadonlyMap<string, string>, ofHost: Dialect = openai): Dialect {
  if (GEMINI_PATH.test(path)) return gemini;
  if (ANTHROPIC_PATH.test(path)) return anthropic;
  if (!SHARED_PATH.test(path)) return openai;
  if (headers.has(ANTHROPIC_VERSION)) return anthropic;
  return headers.has(GOOGLE_CLIENT) ? gemini : ofHost;
}
