import type { SidecarState } from '../../../core/control/index.ts';
import type { Result } from '../../../core/units/index.ts';
import { misfit, optionalChild, reading, text } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { schema } from './schema.ts';
import { rawState, readState } from './state.ts';

/** What a controller says to a sidecar. */
export type ToSidecar =
  | { readonly kind: 'state'; readonly state: SidecarState }
  /** There is no state for this workload yet. */
  | { readonly kind: 'waiting'; readonly reason: string }
  /** What the sidecar applies is the newest. */
  | { readonly kind: 'current'; readonly version: string };

/** A state that makes no sense here: which it is, as far as it says, and what is wrong. */
export interface BadState {
  readonly kind: 'bad';
  readonly version: string;
  readonly reason: string;
}

const answerSchema = schema('ToSidecar');

export function encodeAnswer(answer: ToSidecar): Buffer {
  switch (answer.kind) {
    case 'state':
      return answerSchema.encode({ state: rawState(answer.state) });
    case 'waiting':
      return answerSchema.encode({ waiting: { reason: answer.reason } });
    case 'current':
      return answerSchema.encode({ current: { version: answer.version } });
  }
}

/** A state that cannot be used is no error of the stream: it is refused by its name. The error is of bytes that are no message. */
export function decodeAnswer(bytes: Uint8Array): Result<ToSidecar | BadState, string> {
  return answerSchema.decode<ToSidecar | BadState>(
    bytes,
    (raw) =>
      optionalChild(raw, 'state', readStateOrWhy) ??
      optionalChild(raw, 'waiting', (waiting): ToSidecar => ({ kind: 'waiting', reason: text(waiting, 'reason') })) ??
      optionalChild(raw, 'current', (current): ToSidecar => ({ kind: 'current', version: text(current, 'version') })) ??
      misfit('', 'holds no message that is known here'),
  );
}

function readStateOrWhy(raw: Raw): ToSidecar | BadState {
  const state = reading('State', () => readState(raw));
  return state.ok ? { kind: 'state', state: state.value } : { kind: 'bad', version: text(raw, 'version'), reason: state.error };
}
