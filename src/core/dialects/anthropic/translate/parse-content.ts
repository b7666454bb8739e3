import type { Fields } from '../../fields.ts';
import type { NeutralCache, NeutralContent, NeutralPart, NeutralSignature, NeutralSource, NeutralToolCall, NeutralToolResult } from '../../neutral.ts';
import type { LossLog } from './losses.ts';
import { readCallSeal, readSeal } from './seals.ts';
import { rawJson, requiredText, textOf } from './values.ts';

/** Longest `type` that is looked at; longer ones are none that is known. */
const MAX_TYPE_BYTES = 64;

const known = (...names: readonly string[]): ReadonlySet<string> => new Set(['type', 'cache_control', ...names]);

const TEXT_FIELDS = known('text', 'citations');
const IMAGE_FIELDS = known('source');
const DOCUMENT_FIELDS = known('source', 'title', 'citations');
const SEARCH_RESULT_FIELDS = known('content', 'source', 'title', 'citations');
const TOOL_USE_FIELDS = known('id', 'name', 'input', 'caller');
const TOOL_RESULT_FIELDS = known('tool_use_id', 'content', 'is_error');

/** What tools left behind that Anthropic ran itself; the text after them tells what came of it. */
const HOSTED_HISTORY = /^(?:server_tool_use|mcp_tool_use|(?:\w+_)?tool_result)$/;

/** What is kept while the messages of one request are read. */
export interface Conversation {
  readonly losses: LossLog;
  /** Names of the tools that were called so far, by the id of the call. */
  readonly toolNames: Map<string, string>;
}

type Role = 'user' | 'assistant' | 'system';

/** Reads a message's `content`, or the `system` prompt: a string, or blocks. */
export function readContent(holder: Fields, name: string, role: Role, conversation: Conversation): readonly NeutralPart[] {
  const content = holder.node(name);
  if (content === undefined) {
    holder.faults.add('invalid_value', holder.at(name), `${holder.at(name)} is missing. Send a string or an array of blocks.`);
    return [];
  }
  if (holder.document.kind(content) === 'string') return [{ kind: 'text', text: holder.document.text(content) }];
  const parts: NeutralPart[] = [];
  let callSeal: NeutralSignature | undefined;
  for (const block of holder.objects(name)) {
    const type = block.string('type', MAX_TYPE_BYTES) ?? '';
    const seal = type === 'redacted_thinking' ? readCallSeal(requiredText(block, 'data')) : undefined;
    if (seal === undefined) parts.push(...readBlock(block, type, role, conversation, callSeal));
    callSeal = seal;
  }
  return parts;
}

/** `cache_control` of a block or a tool. */
export function readCache(holder: Fields): { readonly cache?: NeutralCache } {
  const control = holder.object('cache_control');
  if (control === undefined) return {};
  const ttl = control.string('ttl', MAX_TYPE_BYTES);
  return { cache: { ttl: ttl === '1h' || ttl === '5m' ? ttl : undefined } };
}

function readBlock(block: Fields, type: string, role: Role, conversation: Conversation, callSeal: NeutralSignature | undefined): readonly NeutralPart[] {
  switch (type) {
    case 'tool_use':
      return inPlace(block, role, 'assistant') ? [readToolUse(block, conversation, callSeal)] : [];
    case 'thinking':
      return inPlace(block, role, 'assistant') ? [{ kind: 'thinking', text: requiredText(block, 'thinking'), ...signatureOf(textOf(block, 'signature')) }] : [];
    case 'redacted_thinking': {
      const redacted = readSeal(requiredText(block, 'data'));
      return redacted === undefined || !inPlace(block, role, 'assistant') ? [] : [{ kind: 'thinking', text: '', redacted }];
    }
    case 'tool_result':
      return inPlace(block, role, 'user') ? [readToolResult(block, conversation)] : [];
    default:
      return readContentBlock(block, type, conversation.losses);
  }
}

function inPlace(block: Fields, role: Role, wanted: Role): boolean {
  if (role === wanted) return true;
  block.faults.add('invalid_value', block.path, `${block.path} is a block that only messages of the role ${wanted} can hold.`);
  return false;
}

function signatureOf(text: string | undefined): { readonly signature?: NeutralSignature } {
  const signature = readSeal(text ?? '');
  return signature === undefined ? {} : { signature };
}

/** Reads what can stand in a message and in a tool's result. */
function readContentBlock(block: Fields, type: string, losses: LossLog): readonly NeutralContent[] {
  switch (type) {
    case 'text':
      noteCitations(block, losses);
      losses.unknownFields(block, TEXT_FIELDS);
      return [{ kind: 'text', text: requiredText(block, 'text'), ...readCache(block) }];
    case 'image': {
      losses.unknownFields(block, IMAGE_FIELDS);
      const source = readSource(block, losses);
      return source === undefined ? [] : [{ kind: 'image', source, ...readCache(block) }];
    }
    case 'document':
      return readDocument(block, losses);
    case 'search_result':
      return readSearchResult(block, losses);
    default:
      if (HOSTED_HISTORY.test(type)) losses.dropped(block.path, 'What tools did that Anthropic ran itself is left out of the conversation.');
      else losses.refused(block.path, `${block.path} is a block of a type that only Anthropic knows. Route this call to Anthropic, or leave the block out.`);
      return [];
  }
}

function readDocument(block: Fields, losses: LossLog): readonly NeutralContent[] {
  noteCitations(block, losses);
  losses.unknownFields(block, DOCUMENT_FIELDS);
  const source = readSource(block, losses);
  return source === undefined ? [] : [{ kind: 'document', source, ...nameOf(block), ...readCache(block) }];
}

function readSearchResult(block: Fields, losses: LossLog): readonly NeutralContent[] {
  noteCitations(block, losses);
  losses.unknownFields(block, SEARCH_RESULT_FIELDS);
  const text = block.objects('content').map((part) => requiredText(part, 'text'));
  return [{ kind: 'document', source: { kind: 'text', text: [requiredText(block, 'source'), ...text].join('\n') }, ...nameOf(block), ...readCache(block) }];
}

function nameOf(block: Fields): { readonly name?: string } {
  const title = textOf(block, 'title');
  return title === undefined ? {} : { name: title };
}

function readSource(block: Fields, losses: LossLog): NeutralSource | undefined {
  const source = block.object('source');
  if (source === undefined) {
    block.faults.add('invalid_value', block.at('source'), `${block.at('source')} is missing.`);
    return undefined;
  }
  switch (source.string('type', MAX_TYPE_BYTES)) {
    case 'base64':
      return { kind: 'base64', mediaType: requiredText(source, 'media_type').toLowerCase(), data: requiredText(source, 'data') };
    case 'url':
      return { kind: 'url', url: requiredText(source, 'url') };
    case 'text':
      return { kind: 'text', text: requiredText(source, 'data') };
    case 'content':
      return readContentSource(source, losses);
    case 'file':
      losses.refused(source.path, `${source.path} names a file that Anthropic keeps, which no other provider can read. Send the file itself in base64.`);
      return undefined;
    default:
      source.faults.add('invalid_value', source.at('type'), `${source.at('type')} must be base64, url, text, content or file.`);
      return undefined;
  }
}

/** A document of blocks is one text where its blocks are; one with pictures has no counterpart. */
function readContentSource(source: Fields, losses: LossLog): NeutralSource {
  const content = source.node('content');
  if (content !== undefined && source.document.kind(content) === 'string') return { kind: 'text', text: source.document.text(content) };
  const texts = source.objects('content').flatMap((part) => {
    if (part.string('type', MAX_TYPE_BYTES) === 'text') return [requiredText(part, 'text')];
    losses.refused(part.path, `${part.path} is a picture within a document, which only Anthropic takes. Send it as an image of its own.`);
    return [];
  });
  return { kind: 'text', text: texts.join('\n\n') };
}

function readToolUse(block: Fields, conversation: Conversation, seal: NeutralSignature | undefined): NeutralToolCall {
  conversation.losses.unknownFields(block, TOOL_USE_FIELDS);
  const [id, name] = [requiredText(block, 'id'), requiredText(block, 'name')];
  conversation.toolNames.set(id, name);
  const input = block.object('input') === undefined ? undefined : block.node('input');
  const argumentsJson = input === undefined ? '{}' : rawJson(block.document, input);
  return { kind: 'tool_call', id, name, argumentsJson, ...(seal === undefined ? {} : { signature: seal }), ...readCache(block) };
}

function readToolResult(block: Fields, { losses, toolNames }: Conversation): NeutralToolResult {
  losses.unknownFields(block, TOOL_RESULT_FIELDS);
  const callId = requiredText(block, 'tool_use_id');
  const name = toolNames.get(callId);
  if (!toolNames.has(callId))
    block.faults.add('invalid_value', block.at('tool_use_id'), `${block.at('tool_use_id')} names no tool_use block of an earlier message.`);
  const content = block.node('content');
  const isText = content !== undefined && block.document.kind(content) === 'string';
  const parts: readonly NeutralContent[] = isText
    ? [{ kind: 'text', text: block.document.text(content) }]
    : block.objects('content').flatMap((part) => readContentBlock(part, part.string('type', MAX_TYPE_BYTES) ?? '', losses));
  return { kind: 'tool_result', callId, name, content: parts, isError: block.boolean('is_error') ?? false, ...readCache(block) };
}

/** Citations are asked for on documents, and come back on the texts of answers. */
function noteCitations(block: Fields, losses: LossLog): void {
  const node = block.node('citations');
  if (node === undefined) return;
  const isAsked = block.document.kind(node) === 'array' ? block.document.items(node).length > 0 : block.object('citations')?.boolean('enabled') === true;
  if (isAsked) losses.dropped(block.at('citations'), 'Citations have no counterpart at the provider; the answer comes without them.');
}
