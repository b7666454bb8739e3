import type { Fields } from '../fields.ts';
import { isObjectId, MAX_REFERENCES } from '../state.ts';
import type { StateReference } from '../state.ts';
import { KEPT_TOOL_TOKENS, TOOLS_TEMPLATE_TOKENS } from './limits.ts';

/** Longest `type` and the like that is looked at; longer ones are none that is known. */
const MAX_TYPE_BYTES = 64;

/** Tools that the caller runs itself, though Anthropic keeps their definitions; each has versions by date. */
const KEPT_CALLER_TOOLS = /^(?:bash|computer|memory|text_editor)_\d{8}$/;

/** Edits that only take something out of the context. */
const CLEARING_EDIT = /^clear_[a-z_]+_\d{8}$/;

/**
 * Blocks whose bytes bound their tokens. The seals among them (`signature`, `data`) hold what the model thought, encrypted
 * and in base64, which takes more bytes than it had tokens.
 */
const TEXT_BLOCKS: ReadonlySet<string> = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use', 'server_tool_use', 'tool_reference']);

/** Sums up what a request's input holds besides text. */
export class InputTally {
  images = 0;
  /** Bytes of the body that are an image or a document in base64, which are not counted by the byte. */
  mediaBytes = 0;
  /** Files that Anthropic keeps and that are referred to. */
  readonly references: StateReference[] = [];
  readonly #unbounded = new Set<string>();

  get unbounded(): readonly string[] {
    return [...this.#unbounded];
  }

  /** Notes what no count of bytes bounds. Names are the caller's, so only those of a plain form are repeated. */
  noteUnbounded(what: string, name?: string): void {
    this.#unbounded.add(name === undefined ? what : /^[a-z0-9_.-]{1,64}$/i.test(name) ? `${what} "${name}"` : `${what} of unknown type`);
  }
}

/** Longest id that is looked up. */
const MAX_ID_BYTES = 256;

/** Reads `messages`. */
export function readMessages(body: Fields, tally: InputTally): void {
  const messages = body.objects('messages');
  if (messages.length === 0) body.faults.add('invalid_value', 'messages', 'messages must be an array of at least one message.');
  for (const message of messages) readBlocks(message, 'content', tally);
}

/** Reads what is a string or an array of blocks: the system prompt, a message's content, a tool's result. */
export function readBlocks(holder: Fields, name: string, tally: InputTally): void {
  const content = holder.node(name);
  if (content === undefined || holder.document.kind(content) === 'string') return;
  if (holder.document.kind(content) !== 'array') {
    holder.faults.add('invalid_value', holder.at(name), `${holder.at(name)} must be a string or an array of blocks.`);
    return;
  }
  for (const block of holder.objects(name)) readBlock(block, tally);
}

/** Reads `tools` and returns the tokens that Anthropic adds for them. Those that it runs itself add tokens and fees without bound. */
export function readTools(body: Fields, tally: InputTally): number {
  const tools = body.objects('tools');
  let tokens = tools.length === 0 ? 0 : TOOLS_TEMPLATE_TOKENS;
  for (const tool of tools) {
    const type = tool.string('type', MAX_TYPE_BYTES) ?? 'custom';
    if (KEPT_CALLER_TOOLS.test(type)) tokens += KEPT_TOOL_TOKENS;
    else if (type.includes('_toolset')) tally.noteUnbounded('toolset', type);
    else if (type !== 'custom') tally.noteUnbounded('hosted tool', type);
  }
  return tokens;
}

/** Reads `context_management`: what clears the context only lowers the cost, what compacts it is another call of the model. */
export function readContextManagement(body: Fields, tally: InputTally): void {
  for (const edit of body.object('context_management')?.objects('edits') ?? []) {
    const type = edit.string('type', MAX_TYPE_BYTES) ?? '';
    if (!CLEARING_EDIT.test(type)) tally.noteUnbounded('context_management', type);
  }
}

function readBlock(block: Fields, tally: InputTally): void {
  const type = block.string('type', MAX_TYPE_BYTES) ?? '';
  switch (type) {
    case 'image':
      tally.images++;
      return readSource(block, type, tally);
    case 'document':
      return readSource(block, type, tally);
    case 'tool_result':
    case 'search_result':
      return readBlocks(block, 'content', tally);
    case 'container_upload':
      return refuseFile(block);
    default:
      if (!TEXT_BLOCKS.has(type)) tally.noteUnbounded('content block', type);
  }
}

/** A document in base64 or at a URL costs its pages as text and as images, and says nowhere outside of itself how many it has. */
function readSource(block: Fields, kind: 'image' | 'document', tally: InputTally): void {
  const source = block.object('source');
  const type = source?.string('type', MAX_TYPE_BYTES) ?? '';
  if (source === undefined || type === 'text') return;
  if (type === 'content') return readBlocks(source, 'content', tally);
  if (type === 'base64') {
    const data = source.stringNode('data');
    if (data !== undefined) tally.mediaBytes += source.document.rawLength(data);
  } else if (type === 'file') {
    referToFile(source, tally);
  } else if (type !== 'url') {
    tally.noteUnbounded(`${kind} source`, type);
  }
  if (kind === 'document') tally.noteUnbounded(DOCUMENTS[type] ?? 'document');
}

const DOCUMENTS: Readonly<Record<string, string>> = { url: 'document by URL', file: 'document by file id' };

function referToFile(source: Fields, tally: InputTally): void {
  const param = source.at('file_id');
  const id = source.string('file_id', MAX_ID_BYTES) ?? '';
  if (!isObjectId(id)) source.faults.add('invalid_value', param, `${param} must be the id of a file.`);
  else if (tally.references.length === MAX_REFERENCES) source.faults.add('invalid_value', param, `The request refers to more than ${MAX_REFERENCES} files.`);
  else tally.references.push({ kind: 'file', id, param });
}

function refuseFile(holder: Fields): void {
  holder.faults.add(
    'unsupported_state',
    holder.at('file_id'),
    `${holder.at('file_id')} puts a file into a container that the provider keeps. Send its content itself.`,
  );
}
