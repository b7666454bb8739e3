import type { StrangerReason } from '../../core/call/index.ts';
import { WORKLOAD_METADATA } from '../../core/envoyconfig/index.ts';
import { ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';

/** What a call shows of who makes it. */
export interface Credentials {
  /** What the filter's own configuration sends; no caller can. */
  metadata(name: string): string | undefined;
  /** By lower-case name; only what the filter forwards is there. */
  header(name: string): string | undefined;
  /** With its query. */
  readonly path: string;
  /** Of what Envoy knows of the connection; no caller can say it. */
  attribute(name: string): string | undefined;
}

/**
 * Whose a call is: `namespace/name` of its workload. Asked once for each call, before anything else of it is read. What it was shown is not
 * to be kept beyond that, nor told to anybody.
 */
export type Identify = (credentials: Credentials) => Result<string, StrangerReason> | Promise<Result<string, StrangerReason>>;

/** The listener that a call came in by is its workload's. */
export const byListener: Identify = ({ metadata }) => ok(metadata(WORKLOAD_METADATA) ?? '');

/** All calls are one workload's: whose Envoy asks is whoever can open the socket, and that is one pod. */
export const always = (workload: string): Identify => {
  const answer = ok(workload);
  return () => answer;
};
