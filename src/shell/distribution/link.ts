import { Dialer } from '../wire/index.ts';
import type { LinkParts, LinkState } from '../wire/index.ts';
import { decodeAnswer } from './codec/answer.ts';
import type { BadState, ToSidecar } from './codec/answer.ts';
import { encodeReport } from './codec/report.ts';
import type { SidecarReport } from './codec/report.ts';
import { POLICY_METHODS } from './methods.ts';

export interface PolicyLinkParts extends LinkParts {
  /** What there is to say now; whole. */
  readonly report: () => SidecarReport;
  readonly onAnswer: (answer: ToSidecar | BadState) => void;
  readonly onConnected: () => void;
}

/** A sidecar's way to its policies, from whichever controller takes it. */
export class PolicyLink {
  readonly #parts: PolicyLinkParts;
  readonly #dialer: Dialer;

  constructor(parts: PolicyLinkParts) {
    const { report: _report, onAnswer, onConnected, ...common } = parts;
    this.#parts = parts;
    this.#dialer = new Dialer({
      ...common,
      method: POLICY_METHODS.Follow,
      onOpen: () => {
        onConnected();
        this.report();
      },
      onClosed: () => undefined,
      onMessage: (bytes) => {
        const answer = decodeAnswer(bytes);
        if (!answer.ok) return answer.error;
        onAnswer(answer.value);
        return undefined;
      },
    });
  }

  /** Says what there is to say now; forgotten where there is no connection, as the next one begins with it. */
  report(): void {
    this.#dialer.send(encodeReport(this.#parts.report()));
  }

  get state(): LinkState {
    return this.#dialer.state;
  }

  close(): void {
    this.#dialer.close();
  }
}
