import { decodeToAuthority, encodeToHolder } from './codec.ts';
import type { LedgerHost } from './host.ts';
import type { Identity, Stream } from '../wire/index.ts';
import type { ServiceEvent } from './ports.ts';

/** Joins one processor's stream to the host. Returns what to do when the stream is over. */
export function serveHold(stream: Stream, identity: Identity, host: LedgerHost, tell: (event: ServiceEvent) => void): () => void {
  const { processor } = identity;
  const seat = host.seat(identity, { send: (message) => stream.send(encodeToHolder(message)), end: (why) => stream.end(why) });
  if (!seat.ok) {
    stream.end(seat.error);
    return () => undefined;
  }
  const { hear, leave } = seat.value;
  stream.open((bytes, done) => {
    const message = decodeToAuthority(bytes);
    if (!message.ok) {
      const why = { code: 'invalid', message: message.error } as const;
      tell({ kind: 'violation', processor, ...why });
      stream.end(why);
      return;
    }
    const heard = hear(message.value, done);
    if (!heard.ok) stream.end(heard.error);
  });
  return leave;
}
