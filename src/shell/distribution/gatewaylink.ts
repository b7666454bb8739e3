import { Dialer } from '../wire/index.ts';
import type { LinkParts, LinkState } from '../wire/index.ts';
import { decodeToGateway, encodeGatewayReport } from './codec/gateway.ts';
import type { BadGatewayState, GatewayReport, ToGateway } from './codec/gateway.ts';
import { POLICY_METHODS } from './methods.ts';

export interface GatewayLinkParts extends LinkParts {
  /** All that there is to say to a controller that knows nothing yet; in its order. */
  readonly onConnected: () => readonly GatewayReport[];
  readonly onAnswer: (answer: ToGateway | BadGatewayState) => void;
}

/** A gateway's way to the policies of those who call by it, from whichever controller takes it. */
export class GatewayLink {
  readonly #dialer: Dialer;

  constructor(parts: GatewayLinkParts) {
    const { onConnected, onAnswer, ...common } = parts;
    this.#dialer = new Dialer({
      ...common,
      method: POLICY_METHODS.Serve,
      onOpen: () => {
        for (const report of onConnected()) this.say(report);
      },
      onClosed: () => undefined,
      onMessage: (bytes) => {
        const answer = decodeToGateway(bytes);
        if (!answer.ok) return answer.error;
        onAnswer(answer.value);
        return undefined;
      },
    });
  }

  /** Forgotten where there is no connection, as the next one begins with all that there is to say. */
  say(report: GatewayReport): void {
    this.#dialer.send(encodeGatewayReport(report));
  }

  get state(): LinkState {
    return this.#dialer.state;
  }

  close(): void {
    this.#dialer.close();
  }
}
