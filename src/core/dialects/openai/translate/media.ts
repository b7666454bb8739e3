import type { NeutralCache, NeutralSource } from '../../neutral.ts';
import type { ObjectReader } from './reading.ts';

/** Longest beginning of a `data:` URL, up to its comma, that is looked at. */
const MAX_DATA_URL_HEAD = 256;

/** Formats of sound that chat completions take, by media type. Source: `ChatCompletionContentPartInputAudio` of the `openai` package. */
const AUDIO_FORMATS: ReadonlyMap<string, 'wav' | 'mp3'> = new Map([
  ['audio/wav', 'wav'],
  ['audio/x-wav', 'wav'],
  ['audio/wave', 'wav'],
  ['audio/vnd.wave', 'wav'],
  ['audio/mpeg', 'mp3'],
  ['audio/mp3', 'mp3'],
]);

type InlineSource = Extract<NeutralSource, { readonly kind: 'base64' }>;

/** A URL of content: what a `data:` URL holds in base64, or an address that the provider fetches. `undefined`: neither. */
export function readUrl(url: string): NeutralSource | undefined {
  return readDataUrl(url) ?? (/^https?:\/\//i.test(url) ? { kind: 'url', url } : undefined);
}

/** Source: RFC 2397. Parameters but `base64` are left out. */
export function readDataUrl(url: string): InlineSource | undefined {
  const head = url.slice(0, MAX_DATA_URL_HEAD);
  const parts = /^data:([^;,\s]+)(?:;[^;,]*)*;base64,/i.exec(head);
  const [whole, mediaType] = parts ?? [];
  return whole === undefined || mediaType === undefined ? undefined : { kind: 'base64', mediaType: mediaType.toLowerCase(), data: url.slice(whole.length) };
}

export function writeDataUrl({ mediaType, data }: InlineSource): string {
  return `data:${mediaType};base64,${data}`;
}

export function audioFormatOf(mediaType: string): 'wav' | 'mp3' | undefined {
  return AUDIO_FORMATS.get(mediaType);
}

export function audioMediaTypeOf(format: 'wav' | 'mp3'): string {
  return format === 'wav' ? 'audio/wav' : 'audio/mpeg';
}

/**
 * The end of a prompt's reusable beginning, as the caller marks it on a part. OpenAI's longer time to live becomes the
 * longer one elsewhere, its usual one the usual one. Source: `prompt_cache_breakpoint` of the `openai` package's content parts.
 */
export function readCache(part: ObjectReader): { readonly cache?: NeutralCache } {
  const breakpoint = part.object('prompt_cache_breakpoint');
  return breakpoint === undefined ? {} : { cache: { ttl: breakpoint.string('ttl') === '12h' ? '1h' : undefined } };
}
