import type { NeutralFinish } from '../../neutral.ts';

/**
 * Why an answer ended. What is broken or stopped by something outside of the model (malformed calls, too many of them,
 * `OTHER`) has no word elsewhere; `content_filter` at least tells the caller that the answer is not what it could have been.
 * Source: `FinishReason` of `@google/genai`.
 */
const FINISHES: ReadonlyMap<string, NeutralFinish> = new Map([
  ['FINISH_REASON_UNSPECIFIED', 'stop'],
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['CONTINUATION', 'length'],
]);

export function readFinish(reason: string, hasCalls: boolean): NeutralFinish {
  const finish = FINISHES.get(reason) ?? 'content_filter';
  return finish === 'stop' && hasCalls ? 'tool_calls' : finish;
}

export function writeFinish(finish: NeutralFinish | undefined): string {
  switch (finish) {
    case 'stop':
    case 'stop_sequence':
    case 'tool_calls':
      return 'STOP';
    case 'length':
      return 'MAX_TOKENS';
    case 'refusal':
    case 'content_filter':
      return 'SAFETY';
    case 'pause':
    case undefined:
      return 'OTHER';
  }
}
