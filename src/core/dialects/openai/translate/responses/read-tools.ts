import type { NeutralFormat, NeutralTool } from '../../../neutral.ts';
import { allowTools, readFunction, readSchema } from '../parameters.ts';
import type { ToolUse } from '../parameters.ts';
import { quoted } from '../reading.ts';
import type { ObjectReader } from '../reading.ts';

/** Reads `tools` and `tool_choice`. Tools that OpenAI runs itself are refused by name. */
export function readToolUse(body: ObjectReader): ToolUse {
  const tools = body.objects('tools').flatMap(readTool);
  const choice = body.value('tool_choice');
  if (choice === undefined) return { tools, toolChoice: undefined };
  if (typeof choice === 'string') {
    const kind = body.word('tool_choice', ['none', 'auto', 'required'] as const);
    return { tools, toolChoice: kind === undefined ? undefined : { kind } };
  }
  const named = body.object('tool_choice');
  return named === undefined ? { tools, toolChoice: undefined } : readChoice(named, tools);
}

function readChoice(choice: ObjectReader, tools: readonly NeutralTool[]): ToolUse {
  const type = choice.string('type');
  switch (type) {
    case 'function':
      return { tools, toolChoice: { kind: 'tool', name: choice.required('name') } };
    case 'allowed_tools': {
      const names = choice.objects('tools').flatMap((tool) => (refusesTool(tool) ? [] : [tool.required('name')]));
      return allowTools(tools, choice.word('mode', ['auto', 'required'] as const), names);
    }
    default:
      choice.log.losses.refused(choice.path, `tool_choice names a tool ${quoted(type)}, which is no function. Other providers know functions only.`);
      return { tools, toolChoice: undefined };
  }
}

function readTool(tool: ObjectReader): readonly NeutralTool[] {
  if (refusesTool(tool)) return [];
  const read = readFunction(tool);
  tool.dropRest();
  return [read];
}

function refusesTool(tool: ObjectReader): boolean {
  const type = tool.string('type');
  if (type === 'function') return false;
  tool.log.losses.refused(tool.path, `${tool.path} is a tool ${quoted(type)}, which only OpenAI has. Declare a function and run it yourself.`);
  return true;
}

/** Reads `text`, which has the answer's format. */
export function readFormat(body: ObjectReader): NeutralFormat | undefined {
  const text = body.object('text');
  text?.drop('verbosity', 'text.verbosity has no equivalent in other APIs and was left out. Ask for the length in the prompt.');
  const format = text?.object('format');
  const kind = format?.word('type', ['text', 'json_object', 'json_schema'] as const);
  text?.dropRest();
  if (format === undefined || kind === undefined) return undefined;
  return kind === 'json_schema' ? readSchema(format) : { kind };
}
