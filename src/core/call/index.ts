/**
 * Call: one call's life, from who calls to what it cost. Joins the other rooms.
 *
 * Owns the order identify, resolve, admit, inject, meter, settle. Must never know how Envoy delivers it.
 */
export type { CallHold, CallRecord, Ending } from './record.ts';
export { begin } from './begin.ts';
export { headersReadBy } from './headers.ts';
export { limitsOf } from './limits.ts';
export type { AnswerChanges, AnswerHead, Forwarded, ForwardedCall, ForwardInstructions, IncomingRequest, LocalAnswer, Replied } from './request.ts';
export type { BudgetGate, CallObserver, CallPorts, Clock, KeySource, SnapshotSource, Unavailable } from './ports.ts';
