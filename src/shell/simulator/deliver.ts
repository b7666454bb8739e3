import type { Stream } from './answer.ts';
import type { Exchange, Failure } from './api.ts';
import { NOTHING } from './books.ts';
import type { Counted } from './books.ts';
import type { Outcome } from './model.ts';

/** An answer that was generated, and what it costs. */
export interface Delivery {
  readonly model: string;
  readonly counted: Counted;
  /** Where the caller asked for one. */
  readonly stream: Stream | undefined;
  readonly body: () => unknown;
  /** White space before the body. */
  readonly lead?: string;
}

/** Sends the answer and books it: what was generated is billed, also when the caller left before it was sent. */
export async function deliver(exchange: Exchange, { model, counted, stream, body, lead }: Delivery): Promise<void> {
  const { answer, faults } = exchange;
  if (faults.reset === 'before') {
    record(exchange, { model, status: 0, billed: true, counted });
    return answer.reset();
  }
  if (stream === undefined) {
    record(exchange, { model, status: 200, billed: true, counted });
    return answer.json(200, body(), exchange.acceptEncoding, lead);
  }
  const { sent, whole } = await answer.stream(stream);
  record(exchange, { model, status: 200, billed: true, counted: whole ? counted : soFar(counted, sent, stream.events.length) });
}

export function refuse(exchange: Exchange, { status, body }: Failure): void {
  record(exchange, { model: '', status, billed: false, counted: NOTHING });
  exchange.answer.json(status, body);
}

function record(
  { api, answer, books }: Exchange,
  { model, status, billed, counted }: { readonly model: string; readonly status: number; readonly billed: boolean; readonly counted: Counted },
): void {
  books.record({ requestId: answer.requestId, dialect: api, model, status, billed, ...counted });
}

/** Input and output together; what caches did is added where there is one. */
export function countedOf(input: number, { output, reasoning }: Pick<Outcome, 'output' | 'reasoning'>, cached = 0): Counted {
  return { ...NOTHING, input, cached, output, reasoning };
}

/** What was generated until the break was noticed: the input, the hidden reasoning, and a share of the text. */
function soFar(counted: Counted, sent: number, events: number): Counted {
  const text = counted.output - counted.reasoning;
  return { ...counted, output: counted.reasoning + Math.min(text, Math.ceil((text * (sent + 1)) / Math.max(1, events))) };
}
