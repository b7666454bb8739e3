import type { ProtoFields } from './protojson.ts';
import type { StateReference } from '../state.ts';
import { MAX_WORD_BYTES } from './limits.ts';

/** Types of images that Gemini takes, each a count of tokens of its own whatever its bytes. Source: Gemini API, "Image understanding". */
const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/jpg', 'image/webp', 'image/heic', 'image/heif']);

/** Types that are read as text, so that a byte is at most a token. Source: Gemini API, "Document understanding". */
const TEXT_TYPE = /^(?:text\/[a-z0-9.+-]+|application\/(?:json|javascript|x-javascript))$/;

/** Fields of a part whose bytes bound their tokens. Source: `Part` of `@google/genai`. */
const TEXT_FIELDS: ReadonlySet<string> = new Set([
  'audioTranscription',
  'codeExecutionResult',
  'executableCode',
  'functionCall',
  'partMetadata',
  'speechMetadata',
  'text',
  'thought',
  'thoughtSignature',
  'toolCall',
  'toolResponse',
]);

/** Fields that say how a part's media is read. They cost something with media only, which is judged by itself. */
const MEDIA_SETTINGS: ReadonlySet<string> = new Set(['mediaProcessing', 'videoMetadata']);

/** Files that Google keeps for whoever holds the key: those of its Files API, by any of its hosts. */
const KEPT_FILE = /^https?:\/\/[^/?#]*generativelanguage[^/?#]*\.googleapis\.com(?:[:/]|$)/i;

/** Sums up what a request's input holds besides text. */
export class InputTally {
  images = 0;
  /** Bytes of the body that are image data, which is counted by the image and not by the byte. */
  imageBytes = 0;
  /** What of the things that Google keeps is referred to. */
  readonly references: StateReference[] = [];
  readonly #unbounded = new Set<string>();

  get unbounded(): readonly string[] {
    return [...this.#unbounded];
  }

  /** Notes what no count of bytes bounds. Names are the caller's, so only those of a plain form are repeated. */
  noteUnbounded(what: string, name?: string): void {
    this.#unbounded.add(name === undefined ? what : /^[a-z0-9_.+/-]{1,64}$/i.test(name) ? `${what} "${name}"` : `${what} of unknown type`);
  }
}

/** Reads what is said in one turn. */
export function readContent(content: ProtoFields, tally: InputTally): void {
  for (const part of content.objects('parts')) readPart(part, tally);
}

/** Reads `tools` and returns how many functions the caller has: tools that the provider runs add tokens and fees without bound. */
export function readTools(holder: ProtoFields, tally: InputTally): number {
  let functions = 0;
  for (const tool of holder.objects('tools')) {
    functions += tool.objects('functionDeclarations').length;
    for (const name of tool.names()) {
      if (name === 'fileSearch') {
        tool.fields.faults.add(
          'unsupported_state',
          tool.at(name),
          `${tool.at(name)} reads files that the provider keeps, where others who share its key could read them. Leave it out.`,
        );
      } else if (name !== 'functionDeclarations') {
        tally.noteUnbounded('hosted tool', name);
      }
    }
  }
  return functions;
}

function readPart(part: ProtoFields, tally: InputTally): void {
  for (const name of part.names()) {
    if (TEXT_FIELDS.has(name) || MEDIA_SETTINGS.has(name)) continue;
    switch (name) {
      case 'inlineData':
        readInline(part.object(name), tally);
        break;
      case 'fileData':
        readFile(part.object(name), tally);
        break;
      case 'functionResponse':
        for (const media of part.object(name)?.objects('parts') ?? []) readPart(media, tally);
        break;
      case 'mediaResolution':
        // A length that the caller chooses is no size that a model has.
        if (part.object(name)?.node('numTokens') !== undefined) tally.noteUnbounded('mediaResolution.numTokens');
        break;
      default:
        tally.noteUnbounded('content part', name);
    }
  }
}

function readInline(blob: ProtoFields | undefined, tally: InputTally): void {
  if (blob === undefined) return;
  const type = (blob.string('mimeType', MAX_WORD_BYTES) ?? '').toLowerCase().split(';', 1)[0]?.trim() ?? '';
  const data = blob.stringNode('data');
  if (IMAGE_TYPES.has(type)) {
    tally.images++;
    if (data !== undefined) tally.imageBytes += blob.fields.document.rawLength(data);
  } else if (!TEXT_TYPE.test(type)) {
    tally.noteUnbounded('inline data', type);
  }
}

function readFile(file: ProtoFields | undefined, tally: InputTally): void {
  if (file === undefined) return;
  const address = file.string('fileUri', MAX_WORD_BYTES) ?? '';
  if (/^https?:\/\//i.test(address) && !KEPT_FILE.test(address)) {
    tally.noteUnbounded('file by URL');
    return;
  }
  const path = file.at('fileUri');
  file.fields.faults.add(
    'unsupported_state',
    path,
    `${path} names a file that the provider keeps, where others who share its key could read it. Send it as inlineData, or by a public URL.`,
  );
}
