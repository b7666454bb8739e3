import type { NeutralSignature } from '../../neutral.ts';

/**
 * Seals of other providers travel in the fields that Anthropic's callers send back unread (`signature`, `data`), marked by
 * where they came from, so that a conversation keeps them from turn to turn.
 */
const FOREIGN = /^airmesh:(openai|gemini):/;

/** Marks a `redacted_thinking` block that is the seal of the tool call behind it. */
const OF_CALL = 'airmesh-call:';

/** A seal as Anthropic's callers see it. */
export function writeSeal({ origin, data }: NeutralSignature): string {
  return origin === 'anthropic' ? data : `airmesh:${origin}:${data}`;
}

/** A seal that a caller sent back; `undefined` where there is none. */
export function readSeal(text: string): NeutralSignature | undefined {
  if (text === '') return undefined;
  const origin = FOREIGN.exec(text)?.[1];
  if (origin !== 'openai' && origin !== 'gemini') return { origin: 'anthropic', data: text };
  return { origin, data: text.slice(`airmesh:${origin}:`.length) };
}

/** The `data` of a block that stands before a tool call and holds its seal. */
export function writeCallSeal(seal: NeutralSignature): string {
  return `${OF_CALL}${writeSeal(seal)}`;
}

/** The seal of the tool call that follows; `undefined` where the block is what it looks like. */
export function readCallSeal(data: string): NeutralSignature | undefined {
  return data.startsWith(OF_CALL) ? readSeal(data.slice(OF_CALL.length)) : undefined;
}
