import type { JsonNode } from '../../json/index.ts';
import { Fields } from '../fields.ts';
import { isObjectId, MAX_REFERENCES } from '../state.ts';
import type { StateKind, StateReference } from '../state.ts';

/** Longest `type` and the like that is looked at; longer ones are none that is known. */
const MAX_TYPE_BYTES = 64;

/** Longest id that is looked up. */
const MAX_ID_BYTES = 256;

/** How deep in a tool or an unknown part its ids are looked for. */
const MAX_KEPT_DEPTH = 16;

/** Where ids of files stand, whatever holds them. */
const FILE_ID = 'file_id';
const FILE_IDS = 'file_ids';

/** Where ids stand of what is not let through. */
const OTHERS_STATE: ReadonlySet<string> = new Set(['container_id', 'skill_id', 'vector_store_id', 'vector_store_ids']);

/** Tools that the caller runs itself, so that a call of one ends the answer. */
const CALLER_TOOLS = new Set(['function', 'custom', 'apply_patch', 'local_shell']);

const TEXT_PARTS = new Set(['text', 'refusal', 'input_text', 'output_text', 'summary_text', 'reasoning_text']);
const IMAGE_PARTS = new Set(['image_url', 'input_image', 'computer_screenshot']);

/** Items of a Responses input that are text and nothing else: their bytes bound their tokens. */
const TEXT_ITEMS = new Set([
  'apply_patch_call',
  'apply_patch_call_output',
  'code_interpreter_call',
  'computer_call',
  'custom_tool_call',
  'file_search_call',
  'function_call',
  'local_shell_call',
  'local_shell_call_output',
  'mcp_approval_request',
  'mcp_approval_response',
  'mcp_call',
  'mcp_list_tools',
  'program',
  'program_output',
  'shell_call',
  'shell_call_output',
  'tool_search_call',
  'web_search_call',
]);

/** Sums up what a request's input holds besides text. */
export class InputTally {
  images = 0;
  /** Bytes of the body that are image data, which is counted by the image and not by the byte. */
  imageBytes = 0;
  /** What of the things that the provider keeps is referred to. */
  readonly references: StateReference[] = [];
  readonly #unbounded = new Set<string>();

  get unbounded(): readonly string[] {
    return [...this.#unbounded];
  }

  /** Notes what no count of bytes bounds. Names are the caller's, so only those of a plain form are repeated. */
  noteUnbounded(what: string, name?: string): void {
    this.#unbounded.add(name === undefined ? what : /^[a-z0-9_.-]{1,64}$/i.test(name) ? `${what} "${name}"` : `${what} of unknown type`);
  }

  /** Notes the id in a member that is there. */
  refer(fields: Fields, name: string, kind: StateKind): void {
    const id = fields.string(name, MAX_ID_BYTES);
    if (id !== undefined) this.referTo(fields, fields.at(name), kind, id);
  }

  referTo({ faults }: Fields, param: string, kind: StateKind, id: string): void {
    if (!isObjectId(id)) faults.add('invalid_value', param, `${param} must be an id of letters, digits, _ and -.`);
    else if (this.references.length === MAX_REFERENCES) faults.add('invalid_value', param, `The request refers to more than ${MAX_REFERENCES} things.`);
    else this.references.push({ kind, id, param });
  }

  image(fields: Fields, data: JsonNode | undefined): void {
    this.images++;
    if (data !== undefined && startsWithImageData(fields, data)) this.imageBytes += fields.document.rawLength(data);
  }
}

/** Reads the `messages` of a chat completion. */
export function readMessages(body: Fields, tally: InputTally): void {
  const messages = body.objects('messages');
  if (messages.length === 0) body.faults.add('invalid_value', 'messages', 'messages must be an array of at least one message.');
  for (const message of messages) {
    readContent(message, 'content', tally);
    if (message.node('audio') !== undefined) {
      body.faults.add(
        'unsupported_state',
        message.at('audio'),
        `${message.at('audio')} refers to an earlier answer that the provider keeps. Send its transcript as text instead.`,
      );
    }
  }
}

/** Reads the `input` of a response. */
export function readResponseInput(body: Fields, tally: InputTally): void {
  const input = body.node('input');
  if (input === undefined || body.document.kind(input) === 'string') return;
  for (const item of body.objects('input')) readItem(item, tally);
}

/** Reads `tools`: those that the provider runs add tokens and fees without bound. */
export function readTools(body: Fields, tally: InputTally): number {
  const tools = body.objects('tools');
  for (const tool of tools) {
    const type = tool.string('type', MAX_TYPE_BYTES) ?? '';
    if (type === 'namespace') readTools(tool, tally);
    else if (!CALLER_TOOLS.has(type) && !isLocalShell(tool, type) && !isClientToolSearch(tool, type)) {
      tally.noteUnbounded('hosted tool', type);
      readKept(tool, tally);
    }
  }
  return tools.length;
}

/** Looks through what is not known in all its fields for what of the provider's things it names. */
function readKept(holder: Fields, tally: InputTally, depth = 0): void {
  const { document, faults } = holder;
  if (depth > MAX_KEPT_DEPTH) return faults.add('invalid_value', holder.path, `${holder.path} is nested too deep.`);
  for (const [name, node] of holder.members) {
    const kind = document.kind(node);
    if (name === FILE_ID && kind === 'string') tally.refer(holder, name, 'file');
    else if (name === FILE_IDS) readFileIds(holder, tally);
    else if (kind !== 'null' && (OTHERS_STATE.has(name) || (name === 'container' && kind === 'string'))) {
      faults.add('unsupported_state', holder.at(name), `${holder.at(name)} refers to what the provider keeps for all who share its key. Leave it out.`);
    } else if (kind === 'object') readKept(new Fields(document, node, holder.at(name), faults), tally, depth + 1);
    else if (kind === 'array') {
      for (const [index, item] of document.items(node).entries()) {
        if (document.kind(item) === 'object') readKept(new Fields(document, item, `${holder.at(name)}[${index}]`, faults), tally, depth + 1);
      }
    }
  }
}

function readFileIds(holder: Fields, tally: InputTally): void {
  for (const [index, item] of holder.items(FILE_IDS).entries()) {
    const param = `${holder.at(FILE_IDS)}[${index}]`;
    if (holder.document.kind(item) === 'string' && holder.document.rawLength(item) <= MAX_ID_BYTES)
      tally.referTo(holder, param, 'file', holder.document.text(item));
    else holder.faults.add('invalid_value', param, `${param} must be the id of a file.`);
  }
}

function isLocalShell(tool: Fields, type: string): boolean {
  return type === 'shell' && tool.object('environment')?.string('type', MAX_TYPE_BYTES) === 'local';
}

function isClientToolSearch(tool: Fields, type: string): boolean {
  return type === 'tool_search' && tool.string('execution', MAX_TYPE_BYTES) === 'client';
}

function readItem(item: Fields, tally: InputTally): void {
  const type = item.string('type', MAX_TYPE_BYTES);
  switch (type) {
    case undefined:
      // A message may leave its type out, and so may a reference to a stored item.
      if (item.node('role') !== undefined) return readContent(item, 'content', tally);
      return tally.refer(item, 'id', 'item');
    case 'message':
      return readContent(item, 'content', tally);
    case 'item_reference':
      return tally.refer(item, 'id', 'item');
    case 'function_call_output':
    case 'custom_tool_call_output':
      return readContent(item, 'output', tally);
    case 'computer_call_output': {
      const output = item.object('output');
      if (output !== undefined) readPart(output, tally);
      return;
    }
    case 'reasoning':
      if (item.node('id') !== undefined && item.node('encrypted_content') === undefined && item.node('content') === undefined) tally.refer(item, 'id', 'item');
      return;
    case 'image_generation_call': {
      const result = item.stringNode('result');
      if (item.node('id') !== undefined && result === undefined) tally.refer(item, 'id', 'item');
      tally.images++;
      if (result !== undefined) tally.imageBytes += item.document.rawLength(result);
      return;
    }
    case 'additional_tools':
    case 'tool_search_output':
      readTools(item, tally);
      return;
    default:
      if (TEXT_ITEMS.has(type)) return;
      tally.noteUnbounded('input item', type);
      readKept(item, tally);
  }
}

function readContent(holder: Fields, name: string, tally: InputTally): void {
  const content = holder.node(name);
  if (content === undefined || holder.document.kind(content) === 'string') return;
  if (holder.document.kind(content) !== 'array') {
    holder.faults.add('invalid_value', holder.at(name), `${holder.at(name)} must be a string or an array of parts.`);
    return;
  }
  for (const part of holder.objects(name)) readPart(part, tally);
}

/** Reads one part of a message. */
export function readPart(part: Fields, tally: InputTally): void {
  const type = part.string('type', MAX_TYPE_BYTES) ?? '';
  if (TEXT_PARTS.has(type)) return;
  if (IMAGE_PARTS.has(type)) readImage(part, tally);
  else if (type === 'file' || type === 'input_file') readFile(part, type, tally);
  else {
    tally.noteUnbounded('content part', type);
    readKept(part, tally);
  }
}

/** Reads an image given as `image_url` (a string, or an object with `url`) or as the id of a file at the provider. */
export function readImage(holder: Fields, tally: InputTally): void {
  tally.refer(holder, FILE_ID, 'file');
  const value = holder.node('image_url');
  if (value !== undefined && holder.document.kind(value) === 'object') {
    const image = holder.object('image_url');
    if (image !== undefined) tally.image(image, image.stringNode('url'));
  } else {
    tally.image(holder, holder.stringNode('image_url'));
  }
}

/** A document costs its pages as text and as images, however it is given, and says nowhere how many it has. */
function readFile(part: Fields, type: string, tally: InputTally): void {
  const file = type === 'file' ? part.object('file') : part;
  if (file?.node(FILE_ID) !== undefined) {
    tally.refer(file, FILE_ID, 'file');
    tally.noteUnbounded(`${type} by id`);
  } else {
    tally.noteUnbounded(file?.node('file_url') === undefined ? type : `${type} by URL`);
  }
}

const IMAGE_DATA = [0x64, 0x61, 0x74, 0x61, 0x3a, 0x69, 0x6d, 0x61, 0x67, 0x65, 0x2f];

/** Whether a string begins with `data:image/`. */
function startsWithImageData(fields: Fields, string: JsonNode): boolean {
  const start = fields.document.start(string) + 1;
  return IMAGE_DATA.every((byte, index) => fields.document.bytes[start + index] === byte);
}
