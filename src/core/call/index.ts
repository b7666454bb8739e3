/**
 * Call: one call's life, from who calls to what it cost. Joins the other rooms.
 *
 * Owns the order identify, resolve, admit, inject, meter, settle. Must never know how Envoy delivers it.
 */
export type { CallHold, CallRecord, Ending } from './record.ts';
export type { BudgetGate, CallPorts, Clock, KeySource, SnapshotSource } from './ports.ts';
