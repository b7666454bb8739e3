import type { NeutralChat, NeutralFormat, NeutralTool, NeutralToolChoice } from '../../../neutral.ts';
import { withoutAbsent } from '../../../values.ts';
import type { JsonObject } from '../../../values.ts';

/** A schema has to have a name; other APIs' have none. */
const UNNAMED_SCHEMA = 'answer';

/** A function as responses have it, whose schema and strictness are not optional. Source: `FunctionTool` of the `openai` package. */
export function writeTool({ name, description, parameters, strict }: NeutralTool): JsonObject {
  return { type: 'function', name, ...withoutAbsent({ description }), parameters: parameters ?? null, strict: strict ?? null };
}

export function writeChoice(choice: NeutralToolChoice): string | JsonObject {
  if (choice.kind === 'tool') return { type: 'function', name: choice.name };
  if (choice.kind !== 'required' || choice.names === undefined) return choice.kind;
  return { type: 'allowed_tools', mode: 'required', tools: choice.names.map((name) => ({ type: 'function', name })) };
}

export function writeFormat(format: NeutralFormat): JsonObject {
  if (format.kind !== 'json_schema') return { type: format.kind };
  const { name = UNNAMED_SCHEMA, description, schema, strict } = format;
  return { type: 'json_schema', name, ...withoutAbsent({ description, strict }), schema };
}

/** The members of a request that say how tools are used. */
export function writeToolUse({ tools, toolChoice, parallelToolCalls }: NeutralChat): JsonObject {
  if (tools.length === 0) return {};
  return {
    tools: tools.map(writeTool),
    ...withoutAbsent({ tool_choice: toolChoice === undefined ? undefined : writeChoice(toolChoice), parallel_tool_calls: parallelToolCalls }),
  };
}
