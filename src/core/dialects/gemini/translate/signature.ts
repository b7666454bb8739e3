import { decodeUtf8, encodeUtf8 } from '../../../json/index.ts';
import type { NeutralSignature, NeutralThinking } from '../../neutral.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';

/*
 * Seals of other providers, kept where callers of Gemini's API give them back unread with the next request. Without them
 * Anthropic refuses to go on with a tool call that came out of thinking.
 */

export type Seal = Pick<NeutralThinking, 'signature' | 'redacted'>;

/** Begins a seal that is not Gemini's own, before its base64: `airmesh:<origin>:<signature|redacted>:<data>`. */
const FOREIGN_SEAL = /^airmesh:(anthropic|openai):(signature|redacted):/;

/** The beginning of all of those, as base64 has it, so that Gemini's own are told apart without being decoded. */
const FOREIGN_BEGINNING = encodeBase64(encodeUtf8('airmesh:')).slice(0, 10);

/** Written where a call needs a seal and none is known. Source: Gemini API, "Thought signatures". */
export const NO_SIGNATURE = 'skip_thought_signature_validator';

/** Reads a `thoughtSignature`. */
export function readSeal(text: string | undefined): Seal {
  if (text === undefined || text === '' || text === NO_SIGNATURE) return {};
  const bytes = text.startsWith(FOREIGN_BEGINNING) ? decodeBase64(text) : undefined;
  // Ours are ASCII; anything else that begins so is not.
  const plain = bytes?.every((byte) => byte < 0x80) === true ? decodeUtf8(bytes) : '';
  const [head, origin, kind] = FOREIGN_SEAL.exec(plain) ?? [];
  if (head === undefined) return { signature: { origin: 'gemini', data: text } };
  const seal: NeutralSignature = { origin: origin === 'openai' ? 'openai' : 'anthropic', data: plain.slice(head.length) };
  return kind === 'redacted' ? { redacted: seal } : { signature: seal };
}

/** Writes a `thoughtSignature` for a caller: Gemini's own as it was, others' marked with whose it is. */
export function writeSeal({ signature, redacted }: Seal): string | undefined {
  const seal = signature ?? redacted;
  if (seal === undefined) return undefined;
  if (seal.origin === 'gemini') return seal.data;
  return encodeBase64(encodeUtf8(`airmesh:${seal.origin}:${signature === undefined ? 'redacted' : 'signature'}:${seal.data}`));
}
