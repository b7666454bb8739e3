import type { CallRecord } from '../../core/call/index.ts';
import { formatNanoUsd } from '../../core/units/index.ts';
import type { Cell } from '../terminal/csv.ts';

type Written<T> = T extends bigint
  ? string
  : T extends readonly (infer Part)[]
    ? readonly Written<Part>[]
    : T extends object
      ? { readonly [Field in keyof T]: Written<T[Field]> }
      : T;

/** A record as JSON has it: amounts are decimal digits of nano-dollars, and what is unknown is absent. */
export type WrittenRecord = Written<CallRecord>;

/** Columns of a record in CSV. Dollars are decimals; `accounts` tells each budget and rate limit, and how much was posted there. */
const COLUMNS: Readonly<Record<string, (record: WrittenRecord) => Cell>> = {
  id: ({ id }) => id,
  started: ({ at }) => new Date(at).toISOString(),
  ended: ({ endedAt }) => new Date(endedAt).toISOString(),
  namespace: ({ namespace }) => namespace,
  workload: ({ workload }) => workload,
  rule: ({ rule }) => rule,
  provider: ({ provider }) => provider,
  model: ({ model }) => model,
  served_model: ({ servedModel }) => servedModel,
  operation: ({ operation }) => operation,
  stream: ({ stream }) => stream,
  ending: ({ ending }) => ending,
  status: ({ status }) => status,
  estimated: ({ estimated }) => estimated,
  input_tokens: ({ usage }) => usage.inputTokens,
  cached_input_tokens: ({ usage }) => usage.cachedInputTokens,
  cache_write_tokens: ({ usage }) => usage.cacheWriteTokens,
  output_tokens: ({ usage }) => usage.outputTokens,
  reasoning_tokens: ({ usage }) => usage.reasoningTokens,
  cost_usd: ({ costNanoUsd }) => (costNanoUsd === undefined ? undefined : formatNanoUsd(BigInt(costNanoUsd))),
  charged_usd: ({ chargedNanoUsd }) => formatNanoUsd(BigInt(chargedNanoUsd)),
  price: ({ priceSource }) => priceSource,
  accounts: ({ posted }) => posted.map(({ limit, subject, amount }) => `${limit}${subject === '' ? '' : ` ${subject}`}=${amount}`).join('; '),
};

export const RECORD_COLUMNS: readonly string[] = Object.keys(COLUMNS);

/** In the order of the columns. */
export function recordCells(record: WrittenRecord): Cell[] {
  return Object.values(COLUMNS).map((cell) => cell(record));
}
