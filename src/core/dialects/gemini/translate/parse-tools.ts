import type { NeutralTool, NeutralToolChoice } from '../../neutral.ts';
import type { ObjectReader } from './reading.ts';
import { jsonSchemaOf } from './schema.ts';

/** Which functions the model may call, and how it chooses among them. */
export interface ToolUse {
  readonly tools: readonly NeutralTool[];
  readonly toolChoice: NeutralToolChoice | undefined;
}

/** Tools that Google runs. Source: `Tool` of `@google/genai`. */
const HOSTED_TOOLS: readonly string[] = [
  'codeExecution',
  'computerUse',
  'enterpriseWebSearch',
  'exaAiSearch',
  'fileSearch',
  'googleMaps',
  'googleSearch',
  'googleSearchRetrieval',
  'mcpServers',
  'parallelAiSearch',
  'retrieval',
  'urlContext',
];

/** Reads `tools` and `toolConfig`. */
export function readTools(request: ObjectReader): ToolUse {
  const tools = request.objects('tools').flatMap((tool) => {
    for (const name of HOSTED_TOOLS) tool.refuse(name, `${tool.at(name)} is a tool that only Google runs. Leave it out, or call a Gemini model.`);
    const functions = tool.objects('functionDeclarations').map(readFunction);
    tool.dropRest();
    return functions;
  });
  const config = request.object('toolConfig');
  const calling = config?.object('functionCallingConfig');
  const use = calling === undefined ? { tools, toolChoice: undefined } : readChoice(calling, tools);
  calling?.dropRest();
  config?.dropRest();
  return use;
}

function readFunction(declared: ObjectReader): NeutralTool {
  const name = declared.required('name');
  const schema = declared.json('parametersJsonSchema');
  const openApi = declared.json('parameters');
  const tool = {
    name,
    description: declared.string('description'),
    parameters: schema ?? (openApi === undefined ? undefined : jsonSchemaOf(openApi)),
    strict: undefined,
  };
  declared.dropRest();
  return tool;
}

/**
 * Where the model is free to call none, functions that are not allowed are left out of the list, which comes to the same.
 * `VALIDATED` holds the model to the schemas, as `strict` does elsewhere.
 */
function readChoice(calling: ObjectReader, tools: readonly NeutralTool[]): ToolUse {
  const mode = calling.string('mode') ?? 'AUTO';
  const names = calling.strings('allowedFunctionNames') ?? [];
  switch (mode) {
    case 'MODE_UNSPECIFIED':
    case 'AUTO':
      return { tools, toolChoice: { kind: 'auto' } };
    case 'VALIDATED':
      return {
        tools: tools.filter(({ name }) => names.length === 0 || names.includes(name)).map((tool) => ({ ...tool, strict: true })),
        toolChoice: { kind: 'auto' },
      };
    case 'NONE':
      return { tools, toolChoice: { kind: 'none' } };
    case 'ANY':
      return { tools, toolChoice: requiredChoice(names) };
    default:
      calling.log.invalid(calling.at('mode'), `${calling.at('mode')} must be AUTO, ANY, NONE or VALIDATED.`);
      return { tools, toolChoice: undefined };
  }
}

function requiredChoice(names: readonly string[]): NeutralToolChoice {
  const [name, other] = names;
  if (name === undefined) return { kind: 'required' };
  return other === undefined ? { kind: 'tool', name } : { kind: 'required', names };
}
