import { createHash } from 'node:crypto';
import { countTokens } from './text.ts';

/*
 * What a caller said, in words that all dialects share: the simulator's own, so that a translation is never measured
 * against itself. The same conversation is the same prompt in every dialect, counts the same tokens and gets the same answer.
 */

export interface Prompt {
  readonly model: string;
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly choice: ToolChoice;
  /** Whether one answer may call several tools. */
  readonly parallel: boolean;
  readonly format: Format | undefined;
  /** Most tokens of an answer, hidden thinking included. `Infinity`: no cap. */
  readonly cap: number;
  readonly stops: readonly string[];
  /** Most tokens of thinking: 0 for models that do not think, `Infinity` where only the cap bounds it. */
  readonly thinking: number;
  /** How many answers. */
  readonly answers: number;
}

/** A caller's message. Anthropic's and Gemini's results of tools are turns of their own here, as OpenAI's are. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly name?: string | undefined;
  readonly parts: readonly Part[];
}

export type CacheTtl = '5m' | '1h';

export type Part = (
  | { readonly kind: 'text'; readonly text: string }
  /** An image, a document or audio: its bytes or its address. */
  | { readonly kind: 'media'; readonly data: string }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: string }
) & { /** What was said so far may be kept in the provider's cache. */ readonly cache?: CacheTtl | undefined };

export interface Tool {
  readonly name: string;
  readonly description: string | undefined;
  /** JSON Schema; other dialects' schemas are rewritten. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly cache?: CacheTtl | undefined;
}

export type ToolChoice =
  | { readonly kind: 'auto' | 'none' }
  | { readonly kind: 'required'; /** One of these; of all where absent. */ readonly names?: readonly string[] };

export type Format = { readonly kind: 'object' } | { readonly kind: 'schema'; readonly schema: Readonly<Record<string, unknown>> };

/** A piece of a prompt between places where a cache may begin anew. */
export interface Span {
  readonly tokens: number;
  /** Stands for everything up to the end of this piece. */
  readonly digest: string;
  readonly cache?: CacheTtl | undefined;
}

/** An image, document or sound. OpenAI's figure for an image at low detail, in all dialects, so that they can be compared. */
const MEDIA_TOKENS = 85;

/** Tokens that begin the answer: OpenAI's documented overhead. */
const ANSWER_TOKENS = 3;

/** Tokens around each message, and around a name. */
const TURN_TOKENS = 3;
const NAME_TOKENS = 1;

function partTokens(part: Part): number {
  switch (part.kind) {
    case 'text':
      return countTokens(part.text);
    case 'media':
      return MEDIA_TOKENS;
    case 'call':
      return countTokens(part.name + part.arguments);
  }
}

/** The prompt in pieces, in the order in which caches read them: tools, then what was said. */
export function spansOf({ tools, turns }: Pick<Prompt, 'tools' | 'turns'>): readonly Span[] {
  const spans: Span[] = [];
  const hash = createHash('sha256');
  const add = (tokens: number, content: string, cache: CacheTtl | undefined): void => {
    hash.update(`${content.length}:${content}`);
    spans.push({ tokens, digest: hash.copy().digest('base64'), cache });
  };
  for (const { name, description, schema, cache } of tools) {
    const text = JSON.stringify({ name, description, parameters: schema });
    add(countTokens(text), text, cache);
  }
  for (const turn of turns) {
    add(
      TURN_TOKENS + countTokens(turn.role) + (turn.name === undefined ? 0 : NAME_TOKENS + countTokens(turn.name)),
      `${turn.role} ${turn.name ?? ''}`,
      undefined,
    );
    for (const { cache, ...part } of turn.parts) add(partTokens(part), JSON.stringify(part), cache);
  }
  return spans;
}

export function inputTokens(spans: readonly Span[]): number {
  return spans.reduce((sum, { tokens }) => sum + tokens, ANSWER_TOKENS);
}

/** The last thing that the user said, in any dialect: merged or split messages do not change it. */
export function lastUserText({ turns }: Pick<Prompt, 'turns'>): string {
  const texts = turns.filter(({ role }) => role === 'user').flatMap(({ parts }) => parts.filter((part) => part.kind === 'text'));
  return texts.at(-1)?.text ?? '';
}

export function endsInToolResult({ turns }: Pick<Prompt, 'turns'>): boolean {
  return turns.at(-1)?.role === 'tool';
}
