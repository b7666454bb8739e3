import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import type { CallRecord } from '../../core/call/index.ts';
import { MAX_RECORDS, decodeBatch, decodeReceipt, encodeBatch, encodeReceipt } from './record-codec.ts';

const root = protobuf.loadSync(fileURLToPath(new URL('../../../proto/airmesh/ledger/v1/ledger.proto', import.meta.url)));

const amount = fc.bigInt({ min: 0n, max: 10n ** 30n - 1n });
const whole = fc.maxSafeNat();
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const name = fc.string({ minLength: 1, maxLength: 30 });
const absent = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

const posting = fc
  .tuple(fc.record({ limit: text, subject: text, windowStart: whole, amount }), absent(whole))
  .map(([hold, lease]) => ({ ...hold, ...(lease === undefined ? {} : { lease }) }));

const record: fc.Arbitrary<CallRecord> = fc.record({
  id: name,
  at: whole,
  endedAt: whole,
  namespace: name,
  workload: name,
  rule: text,
  provider: text,
  model: text,
  operation: fc.constantFrom('chat' as const, 'embeddings' as const, 'cached_contents' as const),
  stream: fc.boolean(),
  priceSource: absent(text),
  ending: fc.constantFrom('finished' as const, 'client_gone' as const, 'lost' as const),
  status: fc.nat({ max: 599 }),
  servedModel: absent(text),
  usage: fc.record(
    { inputTokens: whole, outputTokens: whole, cachedInputTokens: whole, reasoningTokens: whole, hostedToolCalls: whole },
    { requiredKeys: ['inputTokens', 'outputTokens'] },
  ),
  estimated: fc.boolean(),
  costNanoUsd: absent(amount),
  chargedNanoUsd: amount,
  heldNanoUsd: amount,
  posted: fc.array(posting, { maxLength: 5 }),
  shrunkToTokens: absent(whole),
});

const [some] = fc.sample(record, { numRuns: 1, seed: 1 });
if (some === undefined) throw new Error('no sample');
const sample = some;

/** A batch of one record with one thing wrong. */
function wrong(changes: object): Uint8Array {
  const { costNanoUsd: _, ...rest } = sample;
  const raw = { ...rest, chargedNanoUsd: '1', heldNanoUsd: '1', posted: [], ...changes };
  return root
    .lookupType('airmesh.ledger.v1.RecordBatch')
    .encode({ number: 1, records: [raw] })
    .finish();
}

describe('records', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(whole, fc.array(record, { maxLength: 5 }), (number, records) => {
        expect(decodeBatch(encodeBatch(number, records))).toEqual({ ok: true, value: { number, records: records.map((value) => ({ ok: true, value })) } });
      }),
    );
  });

  it('know what the provider did not count from nothing', () => {
    const [back] = roundTrip([{ ...sample, usage: { inputTokens: 1, outputTokens: 2, reasoningTokens: 0 } }]);
    expect(back?.ok === true && back.value.usage).toEqual({ inputTokens: 1, outputTokens: 2, reasoningTokens: 0 });
  });

  it.each([
    ['no id', { id: '' }, 'record.id: is missing'],
    ['nobody', { workload: '' }, 'record.workload: is missing'],
    ['an ending that nobody knows', { ending: 'bored' }, 'record.ending: "bored" is not known here; it may come from a newer version'],
    ['an operation that is every object’s', { operation: 'toString' }, 'record.operation: "toString" is not known here; it may come from a newer version'],
    ['no usage', { usage: undefined }, 'record.usage: is missing'],
    ['a cost that is none', { costNanoUsd: '' }, 'record.costNanoUsd: is missing'],
    ['less than nothing', { chargedNanoUsd: '-5' }, 'record.chargedNanoUsd: "-5" is not an amount'],
    ['a posting of nothing', { posted: [{ limit: 'l', subject: '', windowStart: 1 }] }, 'record.posted[0].amount: is missing'],
  ])('that are wrong are named one by one: %s', (_, changes, error) => {
    expect(decodeBatch(wrong(changes))).toEqual({ ok: true, value: { number: 1, records: [{ ok: false, error }] } });
  });

  it('are at most so many', () => {
    const most = Array.from({ length: MAX_RECORDS }, () => sample);
    expect(decodeBatch(encodeBatch(1, most)).ok).toBe(true);
    expect(decodeBatch(encodeBatch(1, [...most, sample]))).toEqual({ ok: false, error: 'RecordBatch.records: has 501 entries; at most 500 were expected' });
  });
});

it('receipts come back as they were', () => {
  const receipt = {
    number: 7,
    refused: [
      { index: 0, reason: 'no' },
      { index: 3, reason: '' },
    ],
  };
  expect(decodeReceipt(encodeReceipt(receipt))).toEqual({ ok: true, value: receipt });
});

function roundTrip(records: readonly CallRecord[]) {
  const batch = decodeBatch(encodeBatch(1, records));
  return batch.ok ? batch.value.records : [];
}
