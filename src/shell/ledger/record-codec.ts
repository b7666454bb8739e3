import type { CallRecord, Ending } from '../../core/call/index.ts';
import type { Usage } from '../../core/catalog/index.ts';
import type { Operation } from '../../core/dialects/index.ts';
import type { Hold } from '../../core/ledger/index.ts';
import type { Result } from '../../core/units/index.ts';
import { amount, child, count, flag, list, name, oneOf, optionalAmount, optionalCount, optionalText, reading, text } from '../wire/index.ts';
import type { Raw } from '../wire/index.ts';
import { schema } from './schema.ts';

/** Records in one batch. */
export const MAX_RECORDS = 500;
/** Budgets that one call can count in, and far more. */
const MAX_POSTINGS = 1_000;

export interface RecordBatch {
  readonly number: number;
  /** In their order; where one makes no sense, what is wrong with it. */
  readonly records: readonly Result<CallRecord, string>[];
}

export interface RecordReceipt {
  readonly number: number;
  /** By place in the batch: what will never be taken, and why. */
  readonly refused: readonly { readonly index: number; readonly reason: string }[];
}

const ENDINGS: Readonly<Record<Ending, true>> = {
  finished: true,
  provider_error: true,
  stream_error: true,
  client_gone: true,
  provider_reset: true,
  timeout: true,
  cut: true,
  lost: true,
};
const OPERATIONS: Readonly<Record<Operation, true>> = {
  chat: true,
  text_completion: true,
  responses: true,
  embeddings: true,
  models: true,
  images: true,
  audio: true,
  moderations: true,
  count_tokens: true,
  files: true,
  batches: true,
  stored_responses: true,
  cached_contents: true,
};
const PARTS = [
  'cachedInputTokens',
  'cacheWriteTokens',
  'cacheWriteLongTokens',
  'reasoningTokens',
  'inputAudioTokens',
  'outputAudioTokens',
  'inputImageTokens',
  'outputImageTokens',
  'hostedToolCalls',
] as const satisfies readonly Exclude<keyof Usage, 'inputTokens' | 'outputTokens'>[];

const batchSchema = schema('RecordBatch');
const receiptSchema = schema('RecordReceipt');

export function encodeBatch(number: number, records: readonly CallRecord[]): Buffer {
  return batchSchema.encode({ number, records: records.map(rawRecord) });
}

/** An error where the batch itself makes no sense. */
export function decodeBatch(bytes: Uint8Array): Result<RecordBatch, string> {
  return batchSchema.decode(bytes, (raw) => ({
    number: count(raw, 'number'),
    records: list(raw, 'records', MAX_RECORDS, (record) => reading('record', () => readRecord(record))),
  }));
}

export function encodeReceipt({ number, refused }: RecordReceipt): Buffer {
  return receiptSchema.encode({ number, refused });
}

export function decodeReceipt(bytes: Uint8Array): Result<RecordReceipt, string> {
  return receiptSchema.decode(bytes, (raw) => ({
    number: count(raw, 'number'),
    refused: list(raw, 'refused', MAX_RECORDS, (refused) => ({ index: count(refused, 'index'), reason: text(refused, 'reason') })),
  }));
}

function rawRecord(record: CallRecord): Raw {
  return {
    ...record,
    costNanoUsd: record.costNanoUsd === undefined ? undefined : String(record.costNanoUsd),
    chargedNanoUsd: String(record.chargedNanoUsd),
    heldNanoUsd: String(record.heldNanoUsd),
    posted: record.posted.map((posting) => ({ ...posting, amount: String(posting.amount) })),
  };
}

function readRecord(raw: Raw): CallRecord {
  return {
    id: name(raw, 'id'),
    at: count(raw, 'at'),
    endedAt: count(raw, 'endedAt'),
    namespace: name(raw, 'namespace'),
    workload: name(raw, 'workload'),
    rule: text(raw, 'rule'),
    provider: text(raw, 'provider'),
    model: text(raw, 'model'),
    operation: oneOf(raw, 'operation', OPERATIONS),
    stream: flag(raw, 'stream'),
    priceSource: optionalText(raw, 'priceSource'),
    ending: oneOf(raw, 'ending', ENDINGS),
    status: count(raw, 'status'),
    servedModel: optionalText(raw, 'servedModel'),
    usage: child(raw, 'usage', readUsage),
    estimated: flag(raw, 'estimated'),
    costNanoUsd: optionalAmount(raw, 'costNanoUsd'),
    chargedNanoUsd: amount(raw, 'chargedNanoUsd'),
    heldNanoUsd: amount(raw, 'heldNanoUsd'),
    posted: list(raw, 'posted', MAX_POSTINGS, readPosting),
    shrunkToTokens: optionalCount(raw, 'shrunkToTokens'),
  };
}

function readUsage(raw: Raw): Usage {
  const parts = PARTS.flatMap((part) => {
    const tokens = optionalCount(raw, part);
    return tokens === undefined ? [] : [[part, tokens]];
  });
  return { inputTokens: count(raw, 'inputTokens'), outputTokens: count(raw, 'outputTokens'), ...Object.fromEntries(parts) };
}

function readPosting(raw: Raw): Hold {
  const lease = optionalCount(raw, 'lease');
  return {
    limit: text(raw, 'limit'),
    subject: text(raw, 'subject'),
    windowStart: count(raw, 'windowStart'),
    amount: amount(raw, 'amount'),
    ...(lease === undefined ? {} : { lease }),
  };
}
