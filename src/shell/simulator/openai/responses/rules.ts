import type { Failure } from '../../api.ts';
import { isSealed } from '../../seal.ts';
import { invalid } from '../errors.ts';
import { isReasoning } from '../rules.ts';
import { strictProblem } from '../strict.ts';
import type { ResponsesRequest } from './schema.ts';

/** What reasoning is sealed for. */
export const REASONING_SEAL = 'openai reasoning';

/** What the fields are each allowed and together are not. */
export function impossible(request: ResponsesRequest): Failure | undefined {
  return wrongItems(request) ?? wrongSchema(request) ?? unsupported(request);
}

/** Every output has its call, and every call its output. */
function wrongItems({ input }: ResponsesRequest): Failure | undefined {
  if (typeof input === 'string') return undefined;
  const open = new Set<string>();
  for (const [index, item] of input.entries()) {
    if (!('type' in item)) continue;
    if (item.type === 'function_call') open.add(item.call_id);
    if (item.type === 'function_call_output' && !open.delete(item.call_id))
      return invalid(`No tool call found for function call output with call_id ${item.call_id}.`, null, 'input');
    if (item.type === 'reasoning' && item.encrypted_content != null && !isSealed(REASONING_SEAL, '', item.encrypted_content)) {
      return invalid(`The encrypted content for item ${item.id ?? index} could not be verified.`, 'invalid_encrypted_content', null);
    }
  }
  const [first] = open;
  return first === undefined ? undefined : invalid(`No tool output found for function call ${first}.`, null, 'input');
}

function wrongSchema({ text, tools = [] }: ResponsesRequest): Failure | undefined {
  const format = text?.format;
  if (format?.type === 'json_schema' && format.strict === true) {
    const problem = strictProblem(format.schema);
    if (problem !== undefined) return invalid(`Invalid schema for response_format '${format.name}': ${problem}`, 'invalid_json_schema', 'text.format.schema');
  }
  for (const [index, tool] of tools.entries()) {
    const problem = tool.strict === true ? strictProblem(tool.parameters) : undefined;
    if (problem !== undefined)
      return invalid(`Invalid schema for function '${tool.name}': ${problem}`, 'invalid_function_parameters', `tools[${index}].parameters`);
  }
  return undefined;
}

function unsupported({ model, reasoning, temperature, top_p: topP }: ResponsesRequest): Failure | undefined {
  if (model.startsWith('gpt-4') && reasoning?.effort != null)
    return invalid("Unsupported parameter: 'reasoning.effort' is not supported with this model.", 'unsupported_parameter', 'reasoning.effort');
  if (!isReasoning(model) || reasoning?.effort === 'none') return undefined;
  if (temperature != null) return invalid("Unsupported parameter: 'temperature' is not supported with this model.", null, 'temperature');
  return topP == null ? undefined : invalid("Unsupported parameter: 'top_p' is not supported with this model.", null, 'top_p');
}
