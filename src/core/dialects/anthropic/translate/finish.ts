import type { NeutralFinish } from '../../neutral.ts';

/** Anthropic's reasons for the end of a message. Source: `StopReason` and `BetaStopReason` of `@anthropic-ai/sdk`. */
const TO_NEUTRAL: ReadonlyMap<string, NeutralFinish> = new Map([
  ['end_turn', 'stop'],
  ['max_tokens', 'length'],
  ['stop_sequence', 'stop_sequence'],
  ['tool_use', 'tool_calls'],
  ['pause_turn', 'pause'],
  ['refusal', 'refusal'],
  ['model_context_window_exceeded', 'length'],
]);

const FROM_NEUTRAL: Readonly<Record<NeutralFinish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  refusal: 'refusal',
  content_filter: 'refusal',
  stop_sequence: 'stop_sequence',
  pause: 'pause_turn',
};

/** A reason that came later than this room is an end like any other. */
export function finishOf(stopReason: string): NeutralFinish {
  return TO_NEUTRAL.get(stopReason) ?? 'stop';
}

/** What an answer held, as far as its end depends on it. */
export interface Held {
  readonly toolCalls: boolean;
  readonly refusals: boolean;
}

/** Others end an answer with tool calls, or with a refusal, like any other; Anthropic's callers look at the reason alone. */
export function stopReasonOf(finish: NeutralFinish | undefined, held: Held): string {
  if (finish !== undefined && finish !== 'stop') return FROM_NEUTRAL[finish];
  if (held.refusals) return 'refusal';
  return held.toolCalls ? 'tool_use' : 'end_turn';
}
