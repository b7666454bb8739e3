import type { NeutralCache, NeutralContent } from '../../neutral.ts';
import { audioMediaTypeOf, readDataUrl, readUrl } from './media.ts';
import type { ObjectReader } from './reading.ts';

/*
 * What chat completions and responses both take within a message, under different names.
 * Source: `ChatCompletionContentPart` and `ResponseInputContent` of the `openai` package.
 */

const DETAILS = ['low', 'high', 'auto', 'original'] as const;

interface Cached {
  readonly cache?: NeutralCache;
}

/** An image whose address or data is in `field`, with `detail` beside it. */
export function readImage(holder: ObjectReader, field: 'url' | 'image_url', cached: Cached): readonly NeutralContent[] {
  const detail = holder.word('detail', DETAILS);
  if (refusesFileId(holder)) return [];
  const source = readUrl(holder.required(field));
  if (source === undefined) {
    holder.log.invalid(holder.at(field), `${holder.at(field)} must be an http or https URL, or a data: URL in base64.`);
    return [];
  }
  return [{ kind: 'image', source, ...(detail === undefined ? {} : { detail }), ...cached }];
}

/** Sound in base64 with its `format`. */
export function readAudio(audio: ObjectReader | undefined, cached: Cached): readonly NeutralContent[] {
  const format = audio?.word('format', ['wav', 'mp3'] as const);
  if (audio === undefined || format === undefined) {
    audio?.log.invalid(audio.at('format'), `${audio.at('format')} must be wav or mp3.`);
    return [];
  }
  return [{ kind: 'audio', source: { kind: 'base64', mediaType: audioMediaTypeOf(format), data: audio.required('data') }, ...cached }];
}

/** A document in base64 (a `data:` URL, or bare with a name that tells its type), or at an address. */
export function readFile(file: ObjectReader, cached: Cached): readonly NeutralContent[] {
  const name = file.string('filename');
  const named = name === undefined ? {} : { name };
  if (refusesFileId(file)) return [];
  const url = file.string('file_url');
  if (url !== undefined) return [{ kind: 'document', source: { kind: 'url', url }, ...named, ...cached }];
  const data = file.required('file_data');
  const source = readDataUrl(data) ?? { kind: 'base64', mediaType: mediaTypeOf(name), data };
  return [{ kind: 'document', source, ...named, ...cached }];
}

function refusesFileId(holder: ObjectReader): boolean {
  holder.refuse('file_id', `${holder.at('file_id')} names a file that one provider keeps. Send the file itself in base64.`);
  return holder.has('file_id');
}

/** PDF is what the API takes as a file unless the name tells of text. */
function mediaTypeOf(name: string | undefined): string {
  return /\.(?:txt|md|text)$/i.test(name ?? '') ? 'text/plain' : 'application/pdf';
}
