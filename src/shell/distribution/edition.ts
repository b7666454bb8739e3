import type { SidecarState } from '../../core/control/index.ts';
import { encodeAnswer } from './codec/answer.ts';

/** A workload with ten thousand models takes a third of it. What may wait on a stream is a little more. */
export const MAX_STATE_BYTES = 3 * 1_048_576;

/** One state as it travels; its bytes are made once, when the first sidecar wants them. */
export class Edition {
  readonly state: SidecarState;
  #bytes: Buffer | undefined;

  constructor(state: SidecarState) {
    this.state = state;
  }

  get version(): string {
    return this.state.version;
  }

  get bytes(): Buffer {
    return (this.#bytes ??= encodeAnswer({ kind: 'state', state: this.state }));
  }

  get isTooLarge(): boolean {
    return this.bytes.length > MAX_STATE_BYTES;
  }
}
