/** What a model takes. Anthropic changes its API with its models, and answers 400 to what a model does not take. */
export interface Generation {
  /** How thinking is asked for: with a budget of tokens, or left to the model. */
  readonly thinking: 'budget' | 'adaptive';
  /** Takes `{"type":"disabled"}`, or does not think where `thinking` is absent. */
  readonly canDisableThinking: boolean;
  /** Takes `output_config.effort`. */
  readonly effort: boolean;
  /** Takes `temperature`, `top_p` and `top_k`. */
  readonly sampling: boolean;
  /** Takes `temperature` and `top_p` in one request. */
  readonly bothSampling: boolean;
  /** Takes `output_config.format`. */
  readonly format: boolean;
}

/** Models that are not Anthropic's, behind an API that is compatible with its first form. */
const COMPATIBLE: Generation = { thinking: 'budget', canDisableThinking: true, effort: false, sampling: true, bothSampling: true, format: true };

/** `claude-3-5-haiku-20241022`, `claude-sonnet-4-5`, `us.anthropic.claude-opus-4-20250514-v1:0`, `claude-sonnet-4.5`. */
const NAME = /claude-(?:([a-z]+)-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/i;

/**
 * The generation of a model, by the version in its name; a name without one is taken for the newest.
 * Source: Claude API docs, "Thinking" (which models take which `type`), "Effort", "Structured outputs" and the migration
 * guides of Claude 4.6, 4.7 and 5.5.
 */
export function generationOf(model: string): Generation {
  if (!/claude/i.test(model)) return COMPATIBLE;
  const [, family = '', major, minor = '0'] = NAME.exec(model) ?? [];
  const version = major === undefined ? Number.POSITIVE_INFINITY : Number(major) * 100 + Number(minor);
  const alwaysThinks = (version >= 505 && family !== 'haiku') || family === 'fable' || family === 'mythos';
  return {
    thinking: version >= 406 ? 'adaptive' : 'budget',
    canDisableThinking: !alwaysThinks,
    effort: version >= 406 || (version === 405 && family === 'opus'),
    sampling: version < 407,
    bothSampling: version < 401,
    format: version >= 401,
  };
}
