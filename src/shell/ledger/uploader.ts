import type { CallRecord } from '../../core/call/index.ts';
import { Dialer, MAX_MESSAGE_BYTES, backoffMs } from '../wire/index.ts';
import type { LinkParts, LinkState } from '../wire/index.ts';
import { LEDGER_METHODS } from './methods.ts';
import type { Traffic } from './link.ts';
import { MAX_RECORDS, decodeReceipt, encodeBatch } from './record-codec.ts';
import type { RecordReceipt } from './record-codec.ts';

/** A store may take a while. */
const ANSWER_MS = 15_000;
/** Between attempts to read an outbox that fails. */
const OUTBOX_BACKOFF = { leastMs: 500, mostMs: 10_000 };

/** Records that wait to be told. */
export interface Outbox {
  /** The oldest that are not delivered, at most so many; the same again until they are. */
  next(count: number): Promise<readonly CallRecord[]>;
  /** They are durable elsewhere, or will never be taken; unknown ids change nothing. */
  delivered(ids: readonly string[]): Promise<void>;
}

export interface RecordLinkParts extends LinkParts {
  readonly outbox: Outbox;
  /** The service will never take this record; it counts as delivered. */
  readonly onRefused: (id: string, reason: string) => void;
  /** The outbox failed; it is tried again. */
  readonly onFault: (error: Error) => void;
}

interface Unacknowledged {
  readonly number: number;
  /** Without a receipt where the stream ended before it came. */
  readonly resolve: (receipt: RecordReceipt | undefined) => void;
}

/** Tells a processor's records to the ledger service, a batch at a time, each until it is acknowledged. */
export class RecordLink {
  readonly #parts: RecordLinkParts;
  readonly #dialer: Dialer;
  #isConnected = false;
  #unacknowledged: Unacknowledged | undefined;
  /** Rises with each batch. */
  #number = 0;
  #isWorking = false;
  /** There may be more than what is being told. */
  #isPoked = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;
  #received = 0;

  constructor(parts: RecordLinkParts) {
    this.#parts = parts;
    this.#dialer = new Dialer({
      ...parts,
      method: LEDGER_METHODS.Record,
      answerMs: ANSWER_MS,
      onOpen: () => {
        this.#isConnected = true;
        this.poke();
      },
      onClosed: () => {
        this.#isConnected = false;
        this.#acknowledge(undefined);
      },
      onMessage: (bytes) => this.#heard(bytes),
    });
  }

  /** There is something in the outbox. */
  poke(): void {
    this.#isPoked = true;
    void this.#work();
  }

  get traffic(): Traffic {
    return { sent: this.#number, received: this.#received };
  }

  get state(): LinkState {
    return this.#dialer.state;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#dialer.close();
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      while (this.#isPoked && this.#isConnected && !this.#isClosed) {
        this.#isPoked = false;
        while (await this.#tellSome());
      }
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#parts.onFault(error instanceof Error ? error : new Error(String(error)));
      clearTimeout(this.#retry);
      if (!this.#isClosed) this.#retry = setTimeout(() => this.poke(), backoffMs(OUTBOX_BACKOFF, this.#failures));
    }
    this.#isWorking = false;
  }

  /** False where nothing is left, or nobody takes it now. Rejects where the outbox does. */
  async #tellSome(): Promise<boolean> {
    const { outbox, onRefused } = this.#parts;
    const records = await outbox.next(MAX_RECORDS);
    if (records.length === 0 || !this.#isConnected) return false;
    const number = ++this.#number;
    const { bytes, count } = batchOf(number, records);
    const receipt = await new Promise<RecordReceipt | undefined>((resolve) => {
      this.#unacknowledged = { number, resolve };
      this.#dialer.send(bytes);
    });
    if (receipt === undefined) return false;
    for (const { index, reason } of receipt.refused) {
      const record = records[index];
      if (record !== undefined) onRefused(record.id, reason);
    }
    await outbox.delivered(records.slice(0, count).map(({ id }) => id));
    return true;
  }

  #heard(bytes: Buffer): string | undefined {
    const receipt = decodeReceipt(bytes);
    if (!receipt.ok) return receipt.error;
    if (this.#unacknowledged?.number !== receipt.value.number) return `RecordReceipt.number: ${receipt.value.number} is not what was sent`;
    this.#received += 1;
    this.#acknowledge(receipt.value);
    return undefined;
  }

  #acknowledge(receipt: RecordReceipt | undefined): void {
    this.#unacknowledged?.resolve(receipt);
    this.#unacknowledged = undefined;
  }
}

/** As many of them as one message can hold; at least one. */
function batchOf(number: number, records: readonly CallRecord[]): { readonly bytes: Buffer; readonly count: number } {
  for (let count = records.length; ; count = Math.ceil(count / 2)) {
    const bytes = encodeBatch(number, records.slice(0, count));
    if (bytes.length <= MAX_MESSAGE_BYTES || count === 1) return { bytes, count };
  }
}
