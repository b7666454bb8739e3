import type { ToAuthority, ToHolder } from '../../core/leases/index.ts';
import { decodeToHolder, encodeToAuthority } from './codec.ts';
import { Dialer } from '../wire/index.ts';
import type { LinkParts, LinkState } from '../wire/index.ts';
import { LEDGER_METHODS } from './methods.ts';

/** All that a holder says is answered at once; the holder takes 3 s of silence for the loss of the service. */
const ANSWER_MS = 5_000;

export interface LedgerLinkParts extends LinkParts {
  /** There is a connection to who leads; what was said before may be lost, and is to be said again (`Holder.connected`). */
  readonly onConnected: () => void;
  readonly onMessage: (message: ToHolder) => void;
}

/** Messages so far. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** A processor's way to the authority, wherever that is. */
export class LedgerLink {
  readonly #dialer: Dialer;
  #sent = 0;
  #received = 0;

  constructor({ onConnected, onMessage, ...parts }: LedgerLinkParts) {
    this.#dialer = new Dialer({
      ...parts,
      method: LEDGER_METHODS.Hold,
      answerMs: ANSWER_MS,
      onOpen: onConnected,
      onClosed: () => undefined,
      onMessage: (bytes) => {
        const message = decodeToHolder(bytes);
        if (!message.ok) return message.error;
        this.#received += 1;
        onMessage(message.value);
        return undefined;
      },
    });
  }

  /** Lost where there is no connection, and perhaps where there is: counters are whole, so the next message tells all. */
  send(message: ToAuthority): void {
    this.#sent += 1;
    this.#dialer.send(encodeToAuthority(message));
  }

  get traffic(): Traffic {
    return { sent: this.#sent, received: this.#received };
  }

  get state(): LinkState {
    return this.#dialer.state;
  }

  close(): void {
    this.#dialer.close();
  }
}
