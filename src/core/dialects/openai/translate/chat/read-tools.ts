import type { NeutralFormat, NeutralTool } from '../../../neutral.ts';
import { allowTools, readFunction, readSchema } from '../parameters.ts';
import type { ToolUse } from '../parameters.ts';
import type { ObjectReader } from '../reading.ts';

const CHOICES = ['none', 'auto', 'required'] as const;

/** Reads `tools` and `tool_choice`, and the deprecated `functions` and `function_call`. */
export function readToolUse(body: ObjectReader): ToolUse {
  const tools = [...body.objects('tools').flatMap(readTool), ...readFunctions(body)];
  const choice = body.value('tool_choice') === undefined ? 'function_call' : 'tool_choice';
  const value = body.value(choice);
  if (value === undefined) return { tools, toolChoice: undefined };
  if (typeof value === 'string') {
    const kind = body.word(choice, CHOICES);
    return { tools, toolChoice: kind === undefined ? undefined : { kind } };
  }
  const named = body.object(choice);
  if (named === undefined) return { tools, toolChoice: undefined };
  return choice === 'function_call' ? { tools, toolChoice: { kind: 'tool', name: named.required('name') } } : readChoice(named, tools);
}

function readChoice(choice: ObjectReader, tools: readonly NeutralTool[]): ToolUse {
  switch (choice.string('type')) {
    case 'function':
      return { tools, toolChoice: { kind: 'tool', name: choice.object('function')?.required('name') ?? '' } };
    case 'allowed_tools': {
      const allowed = choice.object('allowed_tools');
      const names = allowed?.objects('tools').flatMap((tool) => readTool(tool).map(({ name }) => name)) ?? [];
      return allowTools(tools, allowed?.word('mode', ['auto', 'required'] as const), names);
    }
    default:
      choice.log.losses.refused(choice.path, 'tool_choice names a tool that is no function. Other providers know functions only.');
      return { tools, toolChoice: undefined };
  }
}

function readTool(tool: ObjectReader): readonly NeutralTool[] {
  const type = tool.string('type');
  const definition = tool.object('function');
  if (type !== 'function' || definition === undefined) {
    tool.log.losses.refused(tool.path, `${tool.path} is no function. Other providers know functions only, whose arguments are JSON.`);
    return [];
  }
  const read = readFunction(definition);
  definition.dropRest();
  tool.dropRest();
  return [read];
}

/** Answers to them come as tool calls, since nothing of the neutral form tells that the caller speaks the older form. */
function readFunctions(body: ObjectReader): readonly NeutralTool[] {
  const functions = body.objects('functions');
  body.drop('functions', 'functions is deprecated, and what the model calls comes back in tool_calls. Send tools instead.');
  return functions.map(readFunction);
}

/** Reads `response_format`. */
export function readFormat(body: ObjectReader): NeutralFormat | undefined {
  const format = body.object('response_format');
  const kind = format?.word('type', ['text', 'json_object', 'json_schema'] as const);
  if (format === undefined || kind === undefined) return undefined;
  if (kind !== 'json_schema') return { kind };
  const schema = format.object('json_schema');
  if (schema !== undefined) return readSchema(schema);
  format.log.invalid(format.at('json_schema'), `${format.at('json_schema')} is missing. Send the schema that the answer must follow.`);
  return undefined;
}
