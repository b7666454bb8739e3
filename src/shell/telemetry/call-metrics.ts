import type { CallRecord, CallTimings, MergedCalls, ReusedAnswer } from '../../core/call/index.ts';
import type { RefusalCode } from '../../core/dialects/index.ts';
import type { ProviderType } from '../../core/policy/index.ts';
import { NANO_PER_USD } from '../../core/units/index.ts';
import type { NanoUsd } from '../../core/units/index.ts';
import { errorType, operationName, providerName } from './conventions.ts';
import type { Instruments } from './instruments.ts';
import { BoundedSeries, MAX_CALL_SERIES, OTHER, labelValue } from './series.ts';

interface CallLabels {
  readonly call: Record<'workload' | 'model' | 'provider', string>;
  readonly genAi: Record<'gen_ai_operation_name' | 'gen_ai_provider_name' | 'gen_ai_request_model' | 'gen_ai_response_model', string>;
}

const OVERFLOW: CallLabels = {
  call: { workload: OTHER, model: OTHER, provider: OTHER },
  genAi: { gen_ai_operation_name: OTHER, gen_ai_provider_name: OTHER, gen_ai_request_model: OTHER, gen_ai_response_model: OTHER },
};

/** What a call does to the metrics: a lookup and a handful of additions. */
export class CallMetrics {
  readonly #instruments: Instruments;
  readonly #providers: { providerType(provider: string): ProviderType | undefined };
  readonly #series = new BoundedSeries<CallLabels>(MAX_CALL_SERIES, OVERFLOW);
  readonly #providerSeries = new BoundedSeries<Record<'provider' | 'model', string>>(MAX_CALL_SERIES, { provider: OTHER, model: OTHER });
  readonly #reusedSeries = new BoundedSeries<CallLabels['call']>(MAX_CALL_SERIES, OVERFLOW.call);
  readonly #mergedSeries = new BoundedSeries<CallLabels['call']>(MAX_CALL_SERIES, OVERFLOW.call);

  constructor(instruments: Instruments, providers: { providerType(provider: string): ProviderType | undefined }) {
    this.#instruments = instruments;
    this.#providers = providers;
  }

  refused(workload: string, code: RefusalCode): void {
    this.#instruments.refusals.inc({ code, workload });
  }

  reused({ workload, model, provider, how, savedNanoUsd }: ReusedAnswer): void {
    const { reusedAnswers, saved, seriesOverflow } = this.#instruments;
    const labels = this.#reusedSeries.get(`${workload}\n${provider}\n${model}`, () => ({ workload, model: labelValue(model), provider }));
    if (labels === OVERFLOW.call) seriesOverflow.inc();
    reusedAnswers.inc({ ...labels, how });
    if (savedNanoUsd !== undefined) saved.inc(labels, dollars(savedNanoUsd));
  }

  merged({ workload, model, provider, how, calls }: MergedCalls): void {
    const { mergedCalls, mergedRequests, unmergedCalls, seriesOverflow } = this.#instruments;
    const labels = this.#mergedSeries.get(`${workload}\n${provider}\n${model}`, () => ({ workload, model: labelValue(model), provider }));
    if (labels === OVERFLOW.call) seriesOverflow.inc();
    if (how === 'sent_alone') return unmergedCalls.inc(labels, calls);
    mergedCalls.inc(labels, calls);
    mergedRequests.inc(labels);
  }

  /** Beyond the bound, providers share one series, and the last word counts. */
  providerOut(provider: string, model: string, isOut: boolean): void {
    const { providerOut } = this.#instruments;
    const labels = this.#providerSeries.get(`${provider}\n${model}`, () => ({ provider, model: labelValue(model) }));
    providerOut.set(labels, isOut ? 1 : 0);
  }

  settled(record: CallRecord, timings: CallTimings): void {
    const labels = this.#labelsOf(record);
    this.#countCall(record, labels.call);
    this.#countUsage(record, labels);
    this.#measure(record, timings, labels.genAi);
  }

  #labelsOf(record: CallRecord): CallLabels {
    const { namespace, workload, model, provider, operation, servedModel = model } = record;
    const key = `${namespace}/${workload}\n${provider}\n${operation}\n${model}\n${servedModel}`;
    const labels = this.#series.get(key, () => {
      const providerType = this.#providers.providerType(provider);
      return {
        call: { workload: `${namespace}/${workload}`, model: labelValue(model), provider },
        genAi: {
          gen_ai_operation_name: operationName(operation),
          gen_ai_provider_name: providerName(providerType),
          gen_ai_request_model: labelValue(model),
          gen_ai_response_model: labelValue(servedModel),
        },
      };
    });
    if (labels === OVERFLOW) this.#instruments.seriesOverflow.inc();
    return labels;
  }

  #countCall(record: CallRecord, labels: CallLabels['call']): void {
    const { calls, cost, charged, unpricedCalls, estimatedSettlements, shrunkCalls } = this.#instruments;
    calls.inc({ ...labels, ending: record.ending });
    if (record.costNanoUsd === undefined) unpricedCalls.inc(labels);
    else cost.inc(labels, dollars(record.costNanoUsd));
    charged.inc(labels, dollars(record.chargedNanoUsd));
    if (record.estimated) estimatedSettlements.inc(labels);
    if (record.shrunkToTokens !== undefined) shrunkCalls.inc(labels);
  }

  #countUsage(record: CallRecord, labels: CallLabels): void {
    const { tokens, cachedInputTokens, reasoningTokens, tokenUsage } = this.#instruments;
    const { inputTokens, outputTokens, cachedInputTokens: cached, reasoningTokens: reasoning } = record.usage;
    tokens.inc({ ...labels.call, token_type: 'input' }, inputTokens);
    tokens.inc({ ...labels.call, token_type: 'output' }, outputTokens);
    if (cached !== undefined) cachedInputTokens.inc(labels.call, cached);
    if (reasoning !== undefined) reasoningTokens.inc(labels.call, reasoning);
    // The conventions want what was counted, not guessed; and a call that failed before any usage has none to report.
    if (record.estimated || inputTokens + outputTokens === 0) return;
    tokenUsage.observe({ ...labels.genAi, gen_ai_token_type: 'input' }, inputTokens);
    tokenUsage.observe({ ...labels.genAi, gen_ai_token_type: 'output' }, outputTokens);
  }

  #measure(record: CallRecord, timings: CallTimings, labels: CallLabels['genAi']): void {
    const { operationDuration, timeToFirstToken, timePerOutputToken } = this.#instruments;
    const { durationMs, firstByteMs } = timings;
    operationDuration.observe({ ...labels, error_type: errorType(record.ending, record.status) }, durationMs / 1_000);
    if (record.ending !== 'finished' || !record.stream || firstByteMs === undefined) return;
    timeToFirstToken.observe(labels, firstByteMs / 1_000);
    const laterTokens = record.usage.outputTokens - 1;
    if (laterTokens > 0) timePerOutputToken.observe(labels, (durationMs - firstByteMs) / laterTokens / 1_000);
  }
}

/** A counter must not go down; a charge below zero would be a bug elsewhere, and no reason to fail here. */
function dollars(amount: NanoUsd): number {
  return amount > 0n ? Number(amount) / Number(NANO_PER_USD) : 0;
}
