import type { Serve, Service, Stream } from '../wire/index.ts';
import { serveHold } from './hold.ts';
import type { LedgerHost } from './host.ts';
import { LEDGER_METHODS } from './methods.ts';
import { serveRecords } from './record.ts';
import type { RecordParts } from './record.ts';

export interface LedgerServiceParts extends RecordParts {
  readonly host: LedgerHost;
}

/** The ledger on a controller's port. The host is its owner's to close, before the server. */
export function ledgerService(parts: LedgerServiceParts): Service {
  const recorders = new Map<string, Stream>();
  const record: Serve = (stream, identity) => {
    const { processor } = identity;
    recorders.get(processor)?.end({ code: 'replaced', message: `a newer stream of ${processor} has taken the place of this one` });
    recorders.set(processor, stream);
    serveRecords(stream, identity, parts);
    return () => {
      if (recorders.get(processor) === stream) recorders.delete(processor);
    };
  };
  return {
    methods: [
      { method: LEDGER_METHODS.Hold, serve: (stream, identity) => serveHold(stream, identity, parts.host, parts.tell) },
      { method: LEDGER_METHODS.Record, serve: record },
    ],
  };
}
