import type { NeutralCache, NeutralContent, NeutralPart, NeutralSource, NeutralThinking, NeutralToolResult } from '../../neutral.ts';
import { ToolIds } from './ids.ts';
import { inputOf, isJsonObject } from './jsontext.ts';
import type { LossLog } from './losses.ts';

/** A content block, a tool or a message on its way into a body. */
export type Wire = Readonly<Record<string, unknown>>;

/** Source: `Base64ImageSource` of `@anthropic-ai/sdk`. */
const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** Source: Claude API docs, "Prompt caching": "up to 4 cache breakpoints". */
const MAX_CACHE_BREAKPOINTS = 4;

/** Writes the blocks of one request, which share their ids and their few cache breakpoints. */
export class BlockWriter {
  readonly #losses: LossLog;
  readonly #ids: ToolIds;
  #breakpoints = 0;

  /** `callIds`: those of all calls and results of the request. */
  constructor(callIds: Iterable<string>, losses: LossLog) {
    this.#ids = new ToolIds(callIds);
    this.#losses = losses;
  }

  /** A part of a message; nothing where it is empty, which Anthropic refuses, or is lost. */
  part(part: NeutralPart, role: 'user' | 'assistant'): readonly Wire[] {
    switch (part.kind) {
      case 'thinking':
        return role === 'assistant' ? this.#thinking(part) : [];
      case 'tool_call': {
        if (!isJsonObject(part.argumentsJson) && part.argumentsJson.trim() !== '') {
          this.#losses.dropped('arguments', 'Arguments of an earlier tool call are no JSON object; Anthropic gets them as a text in one.');
        }
        return [{ type: 'tool_use', id: this.#ids.of(part.id), name: part.name, input: inputOf(part.argumentsJson), ...this.cacheControl(part.cache) }];
      }
      case 'tool_result':
        return [this.#toolResult(part)];
      default:
        if (role === 'user' || part.kind === 'text' || part.kind === 'refusal') return this.#content(part);
        this.#losses.refused(part.kind, `Anthropic takes no ${part.kind} in a message of the assistant. Leave it out.`);
        return [];
    }
  }

  /** Text of a system prompt. */
  systemText(part: NeutralPart): readonly Wire[] {
    if (part.kind === 'text' || part.kind === 'refusal') return this.#content(part);
    this.#losses.dropped('system', "Anthropic's system prompt is text only; other parts of it are left out.");
    return [];
  }

  cacheControl(cache: NeutralCache | undefined): Wire {
    if (cache === undefined) return {};
    if (this.#breakpoints === MAX_CACHE_BREAKPOINTS) {
      this.#losses.dropped('cache_control', `Anthropic takes ${MAX_CACHE_BREAKPOINTS} cache breakpoints; later ones are left out.`);
      return {};
    }
    this.#breakpoints++;
    return { cache_control: { type: 'ephemeral', ...(cache.ttl === undefined ? {} : { ttl: cache.ttl }) } };
  }

  #content(part: NeutralContent): readonly Wire[] {
    switch (part.kind) {
      case 'text':
        return part.text === '' ? [] : [{ type: 'text', text: part.text, ...this.cacheControl(part.cache) }];
      case 'refusal':
        return part.text === '' ? [] : [{ type: 'text', text: part.text }];
      case 'image': {
        if (part.detail !== undefined && part.detail !== 'auto')
          this.#losses.dropped('detail', 'Anthropic has no detail of images; each is seen at the full size that the model takes.');
        const source = this.#imageSource(part.source);
        return source === undefined ? [] : [{ type: 'image', source, ...this.cacheControl(part.cache) }];
      }
      case 'document': {
        const source = this.#documentSource(part.source);
        return source === undefined
          ? []
          : [{ type: 'document', source, ...(part.name === undefined ? {} : { title: part.name }), ...this.cacheControl(part.cache) }];
      }
      case 'audio':
        this.#losses.refused('audio', 'Anthropic takes no audio. Send its transcript as text.');
        return [];
    }
  }

  #imageSource(source: NeutralSource): Wire | undefined {
    if (source.kind === 'url') return this.#urlSource(source.url);
    if (source.kind === 'base64' && IMAGE_TYPES.has(source.mediaType)) return { type: 'base64', media_type: source.mediaType, data: source.data };
    this.#losses.refused('image', 'Anthropic takes images as JPEG, PNG, GIF or WebP only. Send one of them.');
    return undefined;
  }

  #documentSource(source: NeutralSource): Wire | undefined {
    if (source.kind === 'url') return this.#urlSource(source.url);
    if (source.kind === 'text') return { type: 'text', media_type: 'text/plain', data: source.text };
    if (source.mediaType === 'application/pdf') return { type: 'base64', media_type: source.mediaType, data: source.data };
    this.#losses.refused('document', 'Anthropic takes documents as PDF or as plain text only. Send one of them.');
    return undefined;
  }

  #urlSource(url: string): Wire | undefined {
    if (/^https?:\/\//i.test(url)) return { type: 'url', url };
    this.#losses.refused('url', 'Anthropic fetches from HTTP addresses only. Send the content itself.');
    return undefined;
  }

  #thinking({ text, signature, redacted }: NeutralThinking): readonly Wire[] {
    if (redacted?.origin === 'anthropic') return [{ type: 'redacted_thinking', data: redacted.data }];
    if (signature?.origin === 'anthropic') return [{ type: 'thinking', thinking: text, signature: signature.data }];
    this.#losses.dropped('thinking', 'Anthropic takes only thinking that it sealed itself; that of others is left out.');
    return [];
  }

  #toolResult({ callId, content, isError, cache }: NeutralToolResult): Wire {
    const [only, ...others] = content;
    const isPlain = only?.kind === 'text' && only.cache === undefined && others.length === 0;
    const written = isPlain ? only.text : content.flatMap((part) => this.#content(part));
    return {
      type: 'tool_result',
      tool_use_id: this.#ids.of(callId),
      ...(written.length === 0 ? {} : { content: written }),
      ...(isError ? { is_error: true } : {}),
      ...this.cacheControl(cache),
    };
  }
}
