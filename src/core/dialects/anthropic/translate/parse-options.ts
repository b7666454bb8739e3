import type { Fields } from '../../fields.ts';
import type { NeutralChat, NeutralFormat, NeutralReasoning, NeutralSampling, NeutralTool, NeutralToolChoice } from '../../neutral.ts';
import type { LossLog } from './losses.ts';
import { readCache } from './parse-content.ts';
import { numberOf, plainObject, requiredText, textOf, textsOf } from './values.ts';

/** Longest word of a vocabulary, such as a `type`. */
const MAX_WORD_BYTES = 64;

/** Largest `top_k` and `budget_tokens` that are taken for ones. */
const MAX_COUNT = 1_000_000_000;

const TOOL_FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control']);
const OUTPUT_FIELDS: ReadonlySet<string> = new Set(['effort', 'format']);
const METADATA_FIELDS: ReadonlySet<string> = new Set(['user_id']);

const EFFORTS: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'xhigh', 'max'] satisfies NeutralReasoning['effort'][]);

/** Reads `tools`. Those whose meaning only Anthropic's models know are refused, whoever runs them. */
export function readTools(body: Fields, losses: LossLog): readonly NeutralTool[] {
  return body.objects('tools').flatMap((tool): NeutralTool[] => {
    const type = tool.string('type', MAX_WORD_BYTES) ?? 'custom';
    if (type !== 'custom') {
      losses.refused(
        tool.path,
        `${tool.path} is a tool of Anthropic's own, which no other provider has. Route this call to Anthropic, or describe the tool by an input_schema.`,
      );
      return [];
    }
    losses.unknownFields(tool, TOOL_FIELDS);
    return [
      {
        name: requiredText(tool, 'name'),
        description: textOf(tool, 'description'),
        parameters: plainObject(tool, 'input_schema'),
        strict: tool.boolean('strict'),
        ...readCache(tool),
      },
    ];
  });
}

/** Reads `tool_choice`, and whether several tools may be called at once. */
export function readToolChoice(body: Fields): Pick<NeutralChat, 'toolChoice' | 'parallelToolCalls'> {
  const choice = body.object('tool_choice');
  if (choice === undefined) return { toolChoice: undefined, parallelToolCalls: undefined };
  const disabled = choice.boolean('disable_parallel_tool_use');
  return { toolChoice: toolChoiceOf(choice), parallelToolCalls: disabled === undefined ? undefined : !disabled };
}

function toolChoiceOf(choice: Fields): NeutralToolChoice | undefined {
  switch (choice.string('type', MAX_WORD_BYTES)) {
    case 'auto':
      return { kind: 'auto' };
    case 'any':
      return { kind: 'required' };
    case 'none':
      return { kind: 'none' };
    case 'tool':
      return { kind: 'tool', name: requiredText(choice, 'name') };
    default:
      choice.faults.add('invalid_value', choice.at('type'), `${choice.at('type')} must be auto, any, tool or none.`);
      return undefined;
  }
}

/** Reads `thinking` and `output_config.effort`, which go together. */
export function readReasoning(body: Fields, losses: LossLog): NeutralReasoning | undefined {
  const effort = readEffort(body);
  const thinking = body.object('thinking');
  if (thinking === undefined) return effort.effort === undefined ? undefined : effort;
  switch (thinking.string('type', MAX_WORD_BYTES)) {
    case 'enabled': {
      const budgetTokens = thinking.integer('budget_tokens', { min: 0, max: MAX_COUNT });
      return { ...effort, ...(budgetTokens === undefined ? {} : { budgetTokens }), ...visibleOf(thinking) };
    }
    case 'adaptive':
      return { ...effort, adaptive: true, ...visibleOf(thinking) };
    case 'between_tools':
      losses.dropped('thinking.type', 'Notes between tool calls (between_tools) have no counterpart at the provider; thinking is turned off.');
      return { effort: 'none' };
    case 'disabled':
      if (effort.effort !== undefined)
        losses.dropped('output_config.effort', 'An effort without thinking has no counterpart at the provider; thinking is turned off.');
      return { effort: 'none' };
    default:
      thinking.faults.add('invalid_value', thinking.at('type'), `${thinking.at('type')} must be enabled, adaptive, between_tools or disabled.`);
      return undefined;
  }
}

function readEffort(body: Fields): Pick<NeutralReasoning, 'effort'> {
  const config = body.object('output_config');
  const effort = config?.string('effort', MAX_WORD_BYTES);
  if (config === undefined || effort === undefined) return {};
  if (EFFORTS.has(effort)) return { effort: effort as NonNullable<NeutralReasoning['effort']> };
  config.faults.add('invalid_value', config.at('effort'), `${config.at('effort')} must be low, medium, high, xhigh or max.`);
  return {};
}

function visibleOf(thinking: Fields): Pick<NeutralReasoning, 'visible'> {
  const display = thinking.string('display', MAX_WORD_BYTES);
  return display === undefined ? {} : { visible: display !== 'omitted' };
}

/** Reads `output_config.format`, or the `output_format` that came before it. */
export function readFormat(body: Fields, losses: LossLog): NeutralFormat | undefined {
  const config = body.object('output_config');
  if (config !== undefined) losses.unknownFields(config, OUTPUT_FIELDS);
  const format = config?.object('format') ?? body.object('output_format');
  if (format === undefined) return undefined;
  const schema = plainObject(format, 'schema');
  if (format.string('type', MAX_WORD_BYTES) !== 'json_schema' || schema === undefined) {
    format.faults.add('invalid_value', format.path, `${format.path} must be of the type json_schema, and hold a schema.`);
    return undefined;
  }
  return { kind: 'json_schema', name: undefined, description: undefined, schema, strict: true };
}

export function readSampling(body: Fields): NeutralSampling {
  const temperature = numberOf(body, 'temperature');
  const topP = numberOf(body, 'top_p');
  const topK = body.integer('top_k', { min: 0, max: MAX_COUNT });
  const stop = textsOf(body, 'stop_sequences');
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(stop.length === 0 ? {} : { stop }),
  };
}

export function readUser(body: Fields, losses: LossLog): string | undefined {
  const metadata = body.object('metadata');
  if (metadata === undefined) return undefined;
  losses.unknownFields(metadata, METADATA_FIELDS);
  return textOf(metadata, 'user_id');
}

export function readTier(body: Fields, losses: LossLog): NeutralChat['tier'] {
  const tier = body.string('service_tier', MAX_WORD_BYTES);
  if (tier === undefined || tier === 'auto') return tier;
  if (tier === 'standard_only') return 'standard';
  losses.dropped('service_tier', 'This service_tier has no counterpart at the provider and is left out.');
  return undefined;
}
