import type { NeutralSignature, NeutralThinking, NeutralToolCall } from '../../neutral.ts';
import { isObject, objectAt, withoutAbsent, wordAt } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/*
 * Seals of other providers, kept where callers of OpenAI's APIs give them back unread with the next request. Without
 * them Anthropic and Gemini refuse to go on with a tool call that came out of thinking.
 */

type Thought = Pick<NeutralThinking, 'signature' | 'redacted'>;

/** Begins an `encrypted_content` that another provider sealed: `airmesh:<origin>:<signature|redacted>:<data>`. */
const FOREIGN_SEAL = /^airmesh:(anthropic|gemini):(signature|redacted):/;

/** Longest beginning of an `encrypted_content` that is looked at for whose it is. */
const MAX_SEAL_HEAD = 64;

/** A call's seal in the member that Google's own OpenAI-compatible API has for it. Source: Gemini API, "Thought signatures". */
export function writeCallSignature({ signature }: Pick<NeutralToolCall, 'signature'>): { readonly extra_content?: JsonObject } {
  return signature?.origin === 'gemini' ? { extra_content: { google: { thought_signature: signature.data } } } : {};
}

export function readCallSignature(extra: unknown): { readonly signature?: NeutralSignature } {
  const google = isObject(extra) ? objectAt(extra, 'google') : undefined;
  const data = google === undefined ? undefined : wordAt(google, 'thought_signature');
  return data === undefined ? {} : { signature: { origin: 'gemini', data } };
}

/** The `encrypted_content` of a reasoning item: OpenAI's own as it was, others' marked with whose it is. */
export function writeSeal({ signature, redacted }: Thought): string | undefined {
  const seal = signature ?? redacted;
  if (seal === undefined) return undefined;
  return seal.origin === 'openai' ? seal.data : `airmesh:${seal.origin}:${signature === undefined ? 'redacted' : 'signature'}:${seal.data}`;
}

/** OpenAI's own seals a summary where there is one, and is all there is of the thinking where there is none. */
export function readSeal(encrypted: string, text: string): Thought {
  const [head, origin, kind] = FOREIGN_SEAL.exec(encrypted.slice(0, MAX_SEAL_HEAD)) ?? [];
  if (head === undefined) return text === '' ? { redacted: { origin: 'openai', data: encrypted } } : { signature: { origin: 'openai', data: encrypted } };
  const seal: NeutralSignature = { origin: origin === 'gemini' ? 'gemini' : 'anthropic', data: encrypted.slice(head.length) };
  return withoutAbsent({ signature: kind === 'signature' ? seal : undefined, redacted: kind === 'redacted' ? seal : undefined });
}
