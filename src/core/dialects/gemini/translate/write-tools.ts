import type { NeutralChat, NeutralTool, NeutralToolChoice } from '../../neutral.ts';
import type { LossLog } from '../../losses.ts';
import { withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Writes `tools` and `toolConfig`; neither where there are no tools. Marks for a cache are left out: Google caches by itself. */
export function writeTools({ tools, toolChoice, parallelToolCalls }: NeutralChat, losses: LossLog): JsonObject {
  if (tools.length === 0) {
    if (toolChoice?.kind === 'required' || toolChoice?.kind === 'tool')
      losses.refused('tool_choice', 'tool_choice wants a tool to be called, and there is none. Send tools, or leave tool_choice out.');
    return {};
  }
  if (parallelToolCalls === false) losses.dropped('parallel_tool_calls', 'Gemini cannot be held to one tool call in an answer, so this was left out.');
  const isStrict = tools.some(({ strict }) => strict === true);
  return withoutAbsent({ tools: [{ functionDeclarations: tools.map(writeFunction) }], toolConfig: writeChoice(toolChoice, isStrict) });
}

function writeFunction({ name, description, parameters }: NeutralTool): JsonObject {
  return withoutAbsent({ name, description, parametersJsonSchema: parameters });
}

/** One strict tool holds the model to the schemas of all, as Gemini knows no difference between them. */
function writeChoice(choice: NeutralToolChoice | undefined, isStrict: boolean): JsonObject | undefined {
  const calling = callingOf(choice, isStrict);
  return calling === undefined ? undefined : { functionCallingConfig: calling };
}

function callingOf(choice: NeutralToolChoice | undefined, isStrict: boolean): JsonObject | undefined {
  switch (choice?.kind) {
    case undefined:
      return isStrict ? { mode: 'VALIDATED' } : undefined;
    case 'auto':
      return { mode: isStrict ? 'VALIDATED' : 'AUTO' };
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY', ...withoutAbsent({ allowedFunctionNames: choice.names }) };
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  }
}
