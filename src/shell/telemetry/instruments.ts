import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { accountGauges } from './accounts.ts';

// Boundaries and attributes: OpenTelemetry semantic conventions for generative AI, "Generative AI metrics". Names follow
// OpenTelemetry's "Prometheus and OpenMetrics Compatibility": dots become underscores, the unit `s` becomes `_seconds`,
// an annotation such as `{token}` is dropped.
const TOKEN_BUCKETS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];
const DURATION_BUCKETS_S = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const FIRST_TOKEN_BUCKETS_S = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const PER_TOKEN_BUCKETS_S = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];

const GEN_AI_LABELS = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model', 'gen_ai_response_model'] as const;
const CALL_LABELS = ['workload', 'model', 'provider'] as const;

export type Instruments = ReturnType<typeof createInstruments>;

/** Every metric of ours. The help text is the reference documentation, so it says unit and meaning. */
export function createInstruments(registry: Registry) {
  const registers = [registry];
  return {
    tokenUsage: new Histogram({
      name: 'gen_ai_client_token_usage',
      help: 'Tokens of a call as its provider counted them, input and output apart. Calls whose usage is an estimate are not in it.',
      labelNames: [...GEN_AI_LABELS, 'gen_ai_token_type'],
      buckets: TOKEN_BUCKETS,
      registers,
    }),
    operationDuration: new Histogram({
      name: 'gen_ai_client_operation_duration_seconds',
      help: 'Time from forwarding a call until it was settled, in seconds. error_type is empty for a call that succeeded.',
      labelNames: [...GEN_AI_LABELS, 'error_type'],
      buckets: DURATION_BUCKETS_S,
      registers,
    }),
    timeToFirstToken: new Histogram({
      name: 'gen_ai_server_time_to_first_token_seconds',
      help: 'Time from forwarding a streamed call until the first bytes of its answer, in seconds. Successful calls.',
      labelNames: GEN_AI_LABELS,
      buckets: FIRST_TOKEN_BUCKETS_S,
      registers,
    }),
    timePerOutputToken: new Histogram({
      name: 'gen_ai_server_time_per_output_token_seconds',
      help: 'Average time of each output token after the first of a streamed call, in seconds. Successful calls.',
      labelNames: GEN_AI_LABELS,
      buckets: PER_TOKEN_BUCKETS_S,
      registers,
    }),
    calls: new Counter({
      name: 'airmesh_calls_total',
      help: 'Calls that were forwarded, by how they ended.',
      labelNames: [...CALL_LABELS, 'ending'],
      registers,
    }),
    refusals: new Counter({
      name: 'airmesh_refusals_total',
      help: 'Calls that were answered here instead of forwarded, by the code that the caller got (docs/errors.md).',
      labelNames: ['code', 'workload'],
      registers,
    }),
    tokens: new Counter({
      name: 'airmesh_tokens_total',
      help: 'Tokens used, estimates included. token_type is input or output; cached and reasoning tokens are part of those.',
      labelNames: [...CALL_LABELS, 'token_type'],
      registers,
    }),
    cachedInputTokens: new Counter({
      name: 'airmesh_cached_input_tokens_total',
      help: 'Of the input tokens, those that the provider read from its cache.',
      labelNames: CALL_LABELS,
      registers,
    }),
    reasoningTokens: new Counter({
      name: 'airmesh_reasoning_tokens_total',
      help: 'Of the output tokens, those that the provider spent on reasoning.',
      labelNames: CALL_LABELS,
      registers,
    }),
    cost: new Counter({
      name: 'airmesh_cost_usd_total',
      help: "Cost of the usage at the catalogue's prices, in US dollars.",
      labelNames: CALL_LABELS,
      registers,
    }),
    charged: new Counter({
      name: 'airmesh_charged_usd_total',
      help: 'What budgets were charged, in US dollars. Above the cost where a strict budget posted the whole hold of a call without usage.',
      labelNames: CALL_LABELS,
      registers,
    }),
    unpricedCalls: new Counter({
      name: 'airmesh_unpriced_calls_total',
      help: 'Calls whose price is unknown; their cost is in no sum.',
      labelNames: CALL_LABELS,
      registers,
    }),
    estimatedSettlements: new Counter({
      name: 'airmesh_estimated_settlements_total',
      help: "Calls that were settled by an estimate, as the provider's own count did not arrive.",
      labelNames: CALL_LABELS,
      registers,
    }),
    shrunkCalls: new Counter({
      name: 'airmesh_shrunk_calls_total',
      help: 'Calls whose output cap was lowered to what was left of a budget.',
      labelNames: CALL_LABELS,
      registers,
    }),
    keyRejections: new Counter({
      name: 'airmesh_key_rejections_total',
      help: 'Answers 401 and 403 of a provider to the key that was put in.',
      labelNames: ['provider'],
      registers,
    }),
    providerOut: new Gauge({
      name: 'airmesh_provider_out',
      help: '1 while a model of a provider is out of use after failures, so that other backends of a rule take its calls; 0 since it serves again.',
      labelNames: ['provider', 'model'],
      registers,
    }),
    reusedAnswers: new Counter({
      name: 'airmesh_reused_answers_total',
      help: 'Calls that were given an answer again instead of being sent on. how is kept (an earlier answer) or coalesced (that of an identical call in flight).',
      labelNames: [...CALL_LABELS, 'how'],
      registers,
    }),
    mergedCalls: new Counter({
      name: 'airmesh_merged_calls_total',
      help: 'Calls for embeddings that went to the provider together with others, as one call.',
      labelNames: CALL_LABELS,
      registers,
    }),
    mergedRequests: new Counter({
      name: 'airmesh_merged_requests_total',
      help: 'Calls to the provider that were made for several calls for embeddings.',
      labelNames: CALL_LABELS,
      registers,
    }),
    unmergedCalls: new Counter({
      name: 'airmesh_unmerged_calls_total',
      help: 'Of the merged calls, those that were sent again by themselves, as the provider refused what was merged.',
      labelNames: CALL_LABELS,
      registers,
    }),
    saved: new Counter({
      name: 'airmesh_saved_usd_total',
      help: 'What the answers that were given again cost the first time, in US dollars. Nobody is charged for them again.',
      labelNames: CALL_LABELS,
      registers,
    }),
    budgetThresholds: new Counter({
      name: 'airmesh_budget_threshold_total',
      help: 'Budgets that reached a threshold of their limit, in percent, once in each window and account. Of shared budgets the ledger service counts.',
      labelNames: ['budget', 'percent'],
      registers,
    }),
    budgetWouldRefuse: new Counter({
      name: 'airmesh_budget_would_refuse_total',
      help: 'Calls that a budget in mode Observe would have refused, or made to wait.',
      labelNames: ['budget', 'workload'],
      registers,
    }),
    budgetOverdrawn: new Counter({
      name: 'airmesh_budget_overdrawn_total',
      help: 'Calls that used more than a budget in mode Bounded held for them, and more than was free there.',
      labelNames: ['budget'],
      registers,
    }),
    ...accountGauges(registry),
    snapshotsApplied: new Counter({
      name: 'airmesh_snapshots_applied_total',
      help: 'Configurations that took effect.',
      registers,
    }),
    snapshotsRejected: new Counter({
      name: 'airmesh_snapshots_rejected_total',
      help: 'Configurations that were refused as a whole for an error in a file; the last good one went on. What Envoy refuses shows in airmesh_ready.',
      registers,
    }),
    snapshotAppliedAt: new Gauge({
      name: 'airmesh_snapshot_applied_timestamp_seconds',
      help: 'When the configuration in force took effect, in seconds since 1970.',
      registers,
    }),
    envoyRestarts: new Counter({
      name: 'airmesh_envoy_restarts_total',
      help: 'Times that Envoy ended unasked and was started again.',
      registers,
    }),
    ledgerMessages: new Counter({
      name: 'airmesh_ledger_messages_total',
      help: 'Messages between this processor and the ledger service. stream is hold (slices of budgets) or record (batches of records); direction is sent or received.',
      labelNames: ['stream', 'direction'],
      registers,
    }),
    stateFolder: new Gauge({
      name: 'airmesh_state_folder_bytes',
      help: 'What books and journal take of the disk of the state folder (what: used), and what is free there (free). Full, it refuses calls that budgets count.',
      labelNames: ['what'],
      registers,
    }),
    ready: new Gauge({
      name: 'airmesh_ready',
      help: '1 while Envoy runs the present configuration, else 0: the same as /readyz.',
      registers,
    }),
    seriesOverflow: new Counter({
      name: 'airmesh_series_overflow_total',
      help: 'Calls that were counted under "other", as too many combinations of label values were in use.',
      registers,
    }),
    build: new Gauge({
      name: 'airmesh_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'node'],
      registers,
    }),
  };
}
