import type { CallRecord } from '../../core/call/index.ts';
import { quote } from '../wire/index.ts';
import type { Identity, Stream } from '../wire/index.ts';
import type { Permissions, ServiceEvent } from './ports.ts';
import { decodeBatch, encodeReceipt } from './record-codec.ts';
import type { RecordBatch, RecordReceipt } from './record-codec.ts';
import type { LedgerStore } from './store.ts';

export interface RecordParts {
  readonly store: Pick<LedgerStore, 'addRecords'>;
  readonly permissions: Pick<Permissions, 'maySpeakFor'>;
  readonly tell: (event: ServiceEvent) => void;
}

/** Stores one processor's batches, one at a time, and says of each that it is durable. */
export function serveRecords(stream: Stream, identity: Identity, parts: RecordParts): void {
  const { processor } = identity;
  let latest = Promise.resolve();
  stream.open((bytes, done) => {
    latest = latest.then(async () => {
      if (!stream.isOpen) return;
      const batch = decodeBatch(bytes);
      if (!batch.ok) {
        const why = { code: 'invalid', message: batch.error } as const;
        parts.tell({ kind: 'violation', processor, ...why });
        stream.end(why);
        return;
      }
      const { taken, receipt } = sift(batch.value, identity, parts.permissions);
      const [refused] = receipt.refused;
      if (refused !== undefined)
        parts.tell({
          kind: 'violation',
          processor,
          code: 'not_permitted',
          message: `${receipt.refused.length} records were refused, the first because ${refused.reason}`,
        });
      try {
        if (taken.length > 0) await parts.store.addRecords(processor, taken);
      } catch (error) {
        parts.tell({ kind: 'records_failed', processor, error: error instanceof Error ? error : new Error(String(error)) });
        stream.end({ code: 'unavailable', message: 'the store of the ledger service is out of reach' });
        return;
      }
      stream.send(encodeReceipt(receipt));
      done();
    });
  });
}

function sift({ number, records }: RecordBatch, identity: Identity, permissions: RecordParts['permissions']): { taken: CallRecord[]; receipt: RecordReceipt } {
  const taken: CallRecord[] = [];
  const refused: { index: number; reason: string }[] = [];
  for (const [index, record] of records.entries()) {
    if (!record.ok) refused.push({ index, reason: record.error });
    else if (permissions.maySpeakFor(identity, record.value)) taken.push(record.value);
    else refused.push({ index, reason: `${quote(identity.processor)} may not speak for ${quote(`${record.value.namespace}/${record.value.workload}`)}` });
  }
  return { taken, receipt: { number, refused } };
}
