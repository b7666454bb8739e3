/**
 * Call: one call's life, from who calls to what it cost. Joins the other rooms.
 *
 * Owns the order identify, resolve, admit, inject, meter, settle. Must never know how Envoy delivers it.
 */
export type { CallHold, CallRecord, Ending } from './record.ts';
export { SPEND_GROUPINGS } from './spend.ts';
export type { RecordQuery, SpendGrouping, SpendQuery, SpendRow } from './spend.ts';
export { abandon, begin, refuseBody, refuseStranger } from './begin.ts';
export type { StrangerReason } from './begin.ts';
export type { BatchPart, BatchRequests, KeptObject, OpenBatch } from './kept.ts';
export { MAX_KEPT_ANSWER_BYTES } from './reuse.ts';
export type { AnswerCache, AnswerSlot, KeptAnswer, Lookup, Question } from './reuse.ts';
export { Merging } from './merge/merging.ts';
export type { After } from './merge/merging.ts';
export { bodyRefusal, overloadRefusal } from './refusals.ts';
export { Room } from './room.ts';
export type { RoomLimits } from './room.ts';
export { ProviderHealth } from './health.ts';
export type { HealthEvent } from './health.ts';
export { cutsStreams, headersReadBy } from './headers.ts';
export { limitsOf } from './limits.ts';
export type {
  AnswerChanges,
  AnswerHead,
  Forwarded,
  ExchangeEnd,
  ForwardedCall,
  ForwardInstructions,
  IncomingRequest,
  LocalAnswer,
  Replied,
} from './request.ts';
export type {
  BudgetGate,
  CallObserver,
  CallPorts,
  CallTimings,
  Clock,
  KeySource,
  MergedCalls,
  ReusedAnswer,
  SnapshotSource,
  StateBook,
  Unavailable,
} from './ports.ts';
export { isRateLimit } from '../units/index.ts';
export { canCountIn, usdLimits } from './accounts.ts';
export { recordOf, settlementOf } from './ended.ts';
export type { Ended } from './ended.ts';
export { BatchTally, lostEnd } from './state/settle.ts';
