import { concatBytes, decodeUtf8, encodeUtf8, parseJson } from '../../../json/index.ts';
import type { NeutralContent, NeutralSource } from '../../neutral.ts';
import { decodeBase64, encodeBase64, standardBase64 } from './base64.ts';
import type { LossLog } from '../../losses.ts';
import type { ObjectReader } from './reading.ts';
import { withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

export type Media = Exclude<NeutralContent, { readonly kind: 'text' | 'refusal' }>;

const PLAIN_TEXT = 'text/plain';

const QUOTE = Uint8Array.of(0x22);

/** Media types by the ending of an address, for those that come without one. */
const ENDINGS: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['gif', 'image/gif'],
  ['heic', 'image/heic'],
  ['heif', 'image/heif'],
  ['pdf', 'application/pdf'],
  ['txt', PLAIN_TEXT],
  ['mp3', 'audio/mpeg'],
  ['wav', 'audio/wav'],
]);

/** Levels of resolution that have a name elsewhere. Source: `PartMediaResolutionLevel` of `@google/genai`. */
const DETAILS: ReadonlyMap<string, 'low' | 'high'> = new Map([
  ['MEDIA_RESOLUTION_LOW', 'low'],
  ['MEDIA_RESOLUTION_HIGH', 'high'],
]);

/** Reads a part's `inlineData`: media in base64. */
export function readInline(blob: ObjectReader): readonly Media[] {
  const mediaType = bareType(blob.required('mimeType'));
  const data = standardBase64(blob.string('data') ?? '');
  const name = blob.string('displayName');
  blob.dropRest();
  const kind = kindOf(mediaType);
  if (kind === undefined) return refused(blob, 'mimeType');
  const source: NeutralSource = mediaType === PLAIN_TEXT ? textSource(data) : { kind: 'base64', mediaType, data };
  return [mediaOf(kind, source, name)];
}

/** Reads a part's `fileData`: an address that the provider fetches. `readRequest` has refused those that it keeps. */
export function readFile(file: ObjectReader): readonly Media[] {
  const url = file.required('fileUri');
  const mediaType = bareType(file.string('mimeType') ?? '') || typeOf(url);
  const name = file.string('displayName');
  file.dropRest();
  const kind = /^https?:\/\/(?:www\.)?(?:youtube\.com|youtu\.be)\//i.test(url) ? undefined : mediaType === undefined ? 'document' : kindOf(mediaType);
  if (kind === undefined) return refused(file, 'fileUri');
  return [mediaOf(kind, { kind: 'url', url, ...withoutAbsent({ mediaType }) }, name)];
}

/** Adds what a part says of how closely an image is to be seen. */
export function readDetail(part: ObjectReader, media: readonly Media[]): readonly Media[] {
  const resolution = part.object('mediaResolution');
  if (resolution === undefined) return media;
  const detail = DETAILS.get(resolution.string('level') ?? '');
  if (detail === undefined)
    part.log.losses.dropped(resolution.path, `${resolution.path} has no equal beyond Gemini's API but for low and high, and was left out.`);
  return media.map((one) => (one.kind === 'image' && detail !== undefined ? { ...one, detail } : one));
}

/** Writes media as a part of a content, or of a function's result. */
export function writeMedia(media: Media, losses: LossLog): readonly JsonObject[] {
  if (media.kind === 'document' && media.name !== undefined) losses.dropped('document.name', 'Gemini takes documents without a name, so it was left out.');
  if (media.kind === 'image' && media.detail !== undefined && media.detail !== 'auto')
    losses.dropped('image.detail', 'Not every Gemini model takes a resolution for one image, so it was left out.');
  const { source } = media;
  switch (source.kind) {
    case 'base64':
      return [{ inlineData: { mimeType: source.mediaType, data: source.data } }];
    case 'text':
      return [{ inlineData: { mimeType: PLAIN_TEXT, data: encodeBase64(encodeUtf8(source.text)) } }];
    case 'url':
      if (/^https?:\/\//i.test(source.url)) return [{ fileData: withoutAbsent({ fileUri: source.url, mimeType: source.mediaType ?? typeOf(source.url) }) }];
      losses.refused(`${media.kind}.url`, `Gemini fetches http and https URLs only. Send the ${media.kind} in base64.`);
      return [];
  }
}

function mediaOf(kind: Media['kind'], source: NeutralSource, name: string | undefined): Media {
  return kind === 'document' ? { kind, source, ...withoutAbsent({ name }) } : { kind, source };
}

function kindOf(mediaType: string): Media['kind'] | undefined {
  if (mediaType.startsWith('image/')) return 'image';
  if (mediaType.startsWith('audio/')) return 'audio';
  return mediaType === 'application/pdf' || mediaType.startsWith('text/') ? 'document' : undefined;
}

function refused(holder: ObjectReader, name: string): readonly [] {
  holder.log.losses.refused(holder.path, `${holder.at(name)} is of a type that only Gemini takes. Other providers take images, audio, PDF and text.`);
  return [];
}

/** Plain text as text, where it is UTF-8. A JSON string is the check at hand for that. */
function textSource(data: string): NeutralSource {
  const bytes = decodeBase64(data);
  return bytes !== undefined && isUtf8(bytes) ? { kind: 'text', text: decodeUtf8(bytes) } : { kind: 'base64', mediaType: PLAIN_TEXT, data };
}

function isUtf8(bytes: Uint8Array): boolean {
  // What JSON wants escaped is put out of the way; it is ASCII, and part of no other character.
  const string = bytes.map((byte) => (byte < 0x20 || byte === 0x22 || byte === 0x5c ? 0x20 : byte));
  return parseJson(concatBytes([QUOTE, string, QUOTE])).ok;
}

function bareType(mimeType: string): string {
  return (mimeType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function typeOf(url: string): string | undefined {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  return ENDINGS.get(path.slice(path.lastIndexOf('.') + 1).toLowerCase());
}
