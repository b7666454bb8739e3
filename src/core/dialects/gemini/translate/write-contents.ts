import type { NeutralContent, NeutralMessage, NeutralPart, NeutralThinking, NeutralToolCall, NeutralToolResult } from '../../neutral.ts';
import type { Generation } from './generation.ts';
import type { LossLog } from '../../losses.ts';
import { writeMedia } from './media.ts';
import type { Media } from './media.ts';
import { NO_SIGNATURE } from './signature.ts';
import { isObject, withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** What a conversation is in Gemini's form. */
export interface WrittenMessages {
  readonly systemInstruction: JsonObject | undefined;
  readonly contents: readonly JsonObject[];
}

interface WrittenContent {
  readonly role: 'user' | 'model';
  readonly parts: JsonObject[];
}

/**
 * Writes a conversation. Messages of one side that follow each other become one content, as Gemini's sides take turns.
 * Marks for a cache are left out without a word: Google caches by itself.
 */
export function writeMessages(messages: readonly NeutralMessage[], generation: Generation, losses: LossLog): WrittenMessages {
  const instruction: JsonObject[] = [];
  const contents: WrittenContent[] = [];
  const names = new Map<string, string>();
  for (const message of messages) {
    if (message.name !== undefined) losses.dropped('message.name', 'Gemini has no names of participants, so it was left out.');
    if (message.role === 'system') {
      if (contents.length > 0) losses.dropped('system', 'Gemini has one place for system messages, before all others; those that came later were moved there.');
      instruction.push(...message.parts.flatMap((part) => writeInstruction(part, losses)));
      continue;
    }
    const role = message.role === 'user' ? 'user' : 'model';
    const parts = role === 'user' ? writeUser(message.parts, names, generation, losses) : writeAssistant(message.parts, names, generation, losses);
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts: [...parts] });
  }
  if (instruction.length === 0) return { systemInstruction: undefined, contents: contents.map(toJson) };
  if (generation.hasInstruction) return { systemInstruction: { parts: instruction }, contents: contents.map(toJson) };
  return { systemInstruction: undefined, contents: inFront(instruction, contents).map(toJson) };
}

/** Gemma takes a system prompt as the beginning of what the user says. */
function inFront(instruction: readonly JsonObject[], contents: readonly WrittenContent[]): readonly WrittenContent[] {
  const [first, ...others] = contents;
  return first?.role === 'user'
    ? [{ role: 'user', parts: [...instruction, ...first.parts] }, ...others]
    : [{ role: 'user', parts: [...instruction] }, ...contents];
}

function toJson({ role, parts }: WrittenContent): JsonObject {
  return { role, parts };
}

function writeInstruction(part: NeutralPart, losses: LossLog): readonly JsonObject[] {
  if (part.kind === 'text' || part.kind === 'refusal') return part.text === '' ? [] : [{ text: part.text }];
  losses.refused(`system.${part.kind}`, `Gemini takes only text as a system prompt. Send the ${part.kind} in a user message.`);
  return [];
}

/** Results come first and together, as they answer the turn before; what they show elsewhere comes behind them all. */
function writeUser(parts: readonly NeutralPart[], names: ReadonlyMap<string, string>, generation: Generation, losses: LossLog): readonly JsonObject[] {
  const results = parts.filter((part) => part.kind === 'tool_result');
  const shown = generation.isThird ? [] : results.flatMap(({ content }) => content.filter(isMedia));
  if (shown.length > 0) losses.dropped('tool_result.content', 'This model takes only text from tools. Images and files of a result were put behind it.');
  const said = parts.flatMap((part): readonly JsonObject[] => {
    switch (part.kind) {
      case 'tool_result':
        return [];
      case 'tool_call':
      case 'thinking':
        losses.refused(`user.${part.kind}`, `A user message holds a ${part.kind}, which only a model says.`);
        return [];
      default:
        return writeContent(part, losses);
    }
  });
  return [...results.flatMap((result) => writeResult(result, names, generation, losses)), ...shown.flatMap((media) => writeMedia(media, losses)), ...said];
}

function writeContent(part: NeutralContent, losses: LossLog): readonly JsonObject[] {
  if (part.kind === 'text' || part.kind === 'refusal') return part.text === '' ? [] : [{ text: part.text }];
  return writeMedia(part, losses);
}

/** From the third generation on, the first call of a turn must have its seal; calls that another model made never had one. */
function writeAssistant(parts: readonly NeutralPart[], names: Map<string, string>, generation: Generation, losses: LossLog): readonly JsonObject[] {
  const calls = parts.filter((part) => part.kind === 'tool_call');
  const unsealed = generation.isThird && !calls.some(({ signature }) => signature?.origin === 'gemini') ? calls[0] : undefined;
  return parts.flatMap((part): readonly JsonObject[] => {
    switch (part.kind) {
      case 'thinking':
        return writeThinking(part, losses);
      case 'tool_call':
        names.set(part.id, part.name);
        return [writeCall(part, part === unsealed ? NO_SIGNATURE : undefined, losses)];
      case 'tool_result':
        losses.refused('assistant.tool_result', 'An assistant message holds the result of a tool, which only a user message can.');
        return [];
      default:
        return writeContent(part, losses);
    }
  });
}

/** Thoughts that another provider sealed are its own; those without a seal are text like any other. */
function writeThinking({ text, signature, redacted }: NeutralThinking, losses: LossLog): readonly JsonObject[] {
  const seal = signature ?? redacted;
  if (seal !== undefined && seal.origin !== 'gemini') {
    losses.dropped('thinking', 'What a model of another provider thought in earlier answers was left out, as only that provider takes it back.');
    return [];
  }
  return text === '' && seal === undefined ? [] : [{ text, thought: true, ...withoutAbsent({ thoughtSignature: seal?.data }) }];
}

function writeCall({ id, name, argumentsJson, signature }: NeutralToolCall, placeholder: string | undefined, losses: LossLog): JsonObject {
  const own = signature?.origin === 'gemini' ? signature.data : undefined;
  return { functionCall: { id, name, args: writeArguments(argumentsJson, losses) }, ...withoutAbsent({ thoughtSignature: own ?? placeholder }) };
}

function writeArguments(text: string, losses: LossLog): JsonObject {
  const args = argumentsOf(text);
  if (args === undefined)
    losses.dropped('tool_call.arguments', 'The arguments of an earlier tool call are not a JSON object, which Gemini wants, so they were left out.');
  return args ?? {};
}

/**
 * The arguments of a call as an object, `undefined` where their text is none. Numbers become doubles, which is all that they
 * are at Google. Source: Gemini API reference, "FunctionCall": `args` is a `Struct`.
 */
export function argumentsOf(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  try {
    const args: unknown = JSON.parse(text);
    return isObject(args) ? args : undefined;
  } catch {
    return undefined;
  }
}

/** From the third generation on, a result holds what it shows. */
function writeResult(result: NeutralToolResult, names: ReadonlyMap<string, string>, generation: Generation, losses: LossLog): readonly JsonObject[] {
  const name = result.name ?? names.get(result.callId);
  if (name === undefined) {
    losses.refused('tool_result', 'The result of a tool names no earlier call, and Gemini must know which tool it is of.');
    return [];
  }
  const text = result.content.flatMap((part) => (part.kind === 'text' || part.kind === 'refusal' ? [part.text] : [])).join('\n');
  const parts = generation.isThird ? result.content.filter(isMedia).flatMap((part) => writeMedia(part, losses)) : [];
  const response = result.isError ? { error: text } : { output: text };
  return [{ functionResponse: { id: result.callId, name, response, ...(parts.length === 0 ? {} : { parts }) } }];
}

function isMedia(part: NeutralContent): part is Media {
  return part.kind !== 'text' && part.kind !== 'refusal';
}
