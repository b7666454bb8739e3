import type { NeutralContent, NeutralMessage, NeutralPart, NeutralThinking, NeutralToolResult } from '../../neutral.ts';
import { CallLedger } from './calls.ts';
import { readDetail, readFile, readInline } from './media.ts';
import type { Media } from './media.ts';
import type { ObjectReader } from './reading.ts';
import { readSeal } from './signature.ts';
import { isEmpty } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

type Role = 'user' | 'assistant';

/** Source: `Content` of `@google/genai`; `function` is what results came under before. */
const ROLES: ReadonlyMap<string, Role> = new Map([
  ['', 'user'],
  ['user', 'user'],
  ['function', 'user'],
  ['model', 'assistant'],
]);

/** Members of a function's response that are all of it. Source: `FunctionResponse` of `@google/genai`; `result` is what Google's examples use. */
const WHOLE_OUTPUTS: readonly string[] = ['output', 'result'];

/** Parts that tell of tools which Google ran in earlier answers. */
const HOSTED_PARTS: readonly string[] = ['codeExecutionResult', 'executableCode', 'toolCall', 'toolResponse'];

/**
 * Reads the system instruction and the contents. Contents of one role that follow each other are one message: streams are
 * kept by callers as many. As at Google, calls of functions are answered, all of them, before the model speaks again.
 */
export function readMessages(request: ObjectReader): readonly NeutralMessage[] {
  const messages: { role: NeutralMessage['role']; parts: NeutralPart[] }[] = [];
  const calls = new CallLedger();
  const instruction = request.object('systemInstruction');
  if (instruction !== undefined) messages.push({ role: 'system', parts: readInstruction(instruction) });
  for (const content of request.objects('contents')) {
    const role = readRole(content);
    const last = messages.at(-1);
    if (role === 'assistant' && last?.role !== 'assistant') refuseUnanswered(calls, content);
    const parts = content.objects('parts').flatMap((part) => readPart(part, role, calls));
    content.dropRest();
    if (last?.role === role) last.parts.push(...parts);
    else messages.push({ role, parts });
  }
  refuseUnanswered(calls, request);
  return messages.map(({ role, parts }) => ({ role, parts: role === 'assistant' ? joined(parts) : parts }));
}

function readInstruction(instruction: ObjectReader): NeutralPart[] {
  instruction.ignore(['role']);
  const parts = instruction.objects('parts').flatMap((part): readonly NeutralPart[] => {
    const text = part.string('text');
    if (text === undefined) part.log.losses.refused(part.path, `${part.path} is no text. Other providers take only text as a system prompt.`);
    else part.dropRest();
    return text === undefined || text === '' ? [] : [{ kind: 'text', text }];
  });
  instruction.dropRest();
  return parts;
}

function readRole(content: ObjectReader): Role {
  const role = ROLES.get(content.string('role') ?? '');
  if (role === undefined) content.log.invalid(content.at('role'), `${content.at('role')} must be user or model.`);
  return role ?? 'user';
}

function refuseUnanswered(calls: CallLedger, { path, log }: ObjectReader): void {
  if (calls.openCount === 0) return;
  const where = path === '' ? 'contents' : path;
  log.invalid(where, `${where}: each functionCall must be followed by its functionResponse. ${calls.openCount} of them have none.`);
}

function readPart(part: ObjectReader, role: Role, calls: CallLedger): readonly NeutralPart[] {
  const read = readPartOf(part, role, calls);
  for (const name of HOSTED_PARTS) part.drop(name, `${part.at(name)} tells of a tool that only Google runs, and was left out.`);
  part.dropRest();
  return read;
}

function readPartOf(part: ObjectReader, role: Role, calls: CallLedger): readonly NeutralPart[] {
  // Seals of what was said aloud are worth keeping only for Google, and it does without.
  const seal = readSeal(part.string('thoughtSignature'));
  const isThought = part.boolean('thought') === true;
  const call = part.object('functionCall');
  if (call !== undefined) return readCall(call, role, calls, seal);
  const response = part.object('functionResponse');
  if (response !== undefined) return readResponse(response, role, calls);
  const media = readMedia(part);
  if (media !== undefined) return readDetail(part, media);
  const text = part.string('text') ?? '';
  if (isThought) return text === '' && isEmpty(seal) ? [] : [{ kind: 'thinking', text, ...seal }];
  return text === '' ? [] : [{ kind: 'text', text }];
}

function readMedia(part: ObjectReader): readonly Media[] | undefined {
  const inline = part.object('inlineData');
  if (inline !== undefined) return readInline(inline);
  const file = part.object('fileData');
  return file === undefined ? undefined : readFile(file);
}

function readCall(call: ObjectReader, role: Role, calls: CallLedger, { signature }: Pick<NeutralThinking, 'signature'>): readonly NeutralPart[] {
  const name = call.required('name');
  const id = calls.open(name, call.string('id'));
  const args = call.json('args') ?? {};
  call.dropRest();
  if (role === 'user') call.log.invalid(call.path, `${call.path} must be in a content of the role model.`);
  return [{ kind: 'tool_call', id, name, argumentsJson: JSON.stringify(args), ...(signature === undefined ? {} : { signature }) }];
}

function readResponse(response: ObjectReader, role: Role, calls: CallLedger): readonly NeutralPart[] {
  const name = response.string('name');
  const call = calls.answer(name, response.string('id'));
  const outcome = readOutcome(response.json('response') ?? {});
  const media = response.objects('parts').flatMap((part) => {
    const read = readMedia(part);
    part.dropRest();
    return read ?? [];
  });
  response.dropRest();
  if (role === 'assistant') response.log.invalid(response.path, `${response.path} must be in a content of the role user.`);
  if (call === undefined) {
    response.log.invalid(response.path, `${response.path} answers no functionCall before it. Send the model's content with that call first.`);
    return [];
  }
  return [{ kind: 'tool_result', callId: call.id, name: name ?? call.name, content: [...outcome.content, ...media], isError: outcome.isError }];
}

function readOutcome(response: JsonObject): Pick<NeutralToolResult, 'content' | 'isError'> {
  const [first, ...others] = Object.keys(response);
  const isError = Object.hasOwn(response, 'error') && response['error'] !== null;
  if (first === undefined) return { content: [], isError: false };
  const isWhole = others.length === 0 && (isError || WHOLE_OUTPUTS.includes(first));
  return { content: textOf(isWhole ? response[first] : response), isError };
}

function textOf(value: unknown): readonly NeutralContent[] {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === '' ? [] : [{ kind: 'text', text }];
}

/** Joins what a stream has cut: texts, and thoughts up to the seal that closes them. */
function joined(parts: readonly NeutralPart[]): readonly NeutralPart[] {
  const whole: NeutralPart[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    if (part.kind === 'text' && last?.kind === 'text') whole[whole.length - 1] = { kind: 'text', text: last.text + part.text };
    else if (
      part.kind === 'thinking' &&
      last?.kind === 'thinking' &&
      last.signature === undefined &&
      last.redacted === undefined &&
      part.redacted === undefined
    ) {
      whole[whole.length - 1] = { ...part, text: last.text + part.text };
    } else whole.push(part);
  }
  return whole;
}
