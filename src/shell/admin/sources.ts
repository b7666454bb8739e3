import type { Result } from '../../core/units/index.ts';

/** What the administration server shows; of what is absent there is no page. Nothing that it is given holds a key or a prompt. */
export interface AdminSources {
  /** Whether the process can do its work at all; a `false` asks for a restart. */
  healthy(): boolean;
  readiness(): Promise<Readiness> | Readiness;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** The report of `/spend`, ready for JSON; the error says which parameter is wrong. */
  spend?(parameters: ReadonlyMap<string, string>): Promise<Result<object, string>>;
  /** A page of `/records`, as `/spend`. */
  records?(parameters: ReadonlyMap<string, string>): Promise<Result<object, string>>;
  /** What is in force, without keys and prompts: `describeSnapshot` of each workload's snapshot. */
  configuration?(): object;
  /** What people open in a browser. */
  readonly dashboard?: Dashboard;
}

/** HTML without scripts, and what it looks like. */
export interface Dashboard {
  /** The error says which parameter is wrong. */
  page(parameters: ReadonlyMap<string, string>): Promise<Result<string, string>>;
  readonly style: string;
}

/** The answer of `/readyz`. */
export interface Readiness {
  /** Envoy runs the present configuration. */
  readonly ready: boolean;
  /** Why not, a sentence each; empty when ready. */
  readonly reasons: readonly string[];
  /** What people should know though calls go on: a file that is broken, a key that its provider refuses. */
  readonly warnings: readonly string[];
  readonly configuration: { readonly present: string | undefined; readonly running: string | undefined };
  readonly providers: readonly ProviderReadiness[];
}

export interface ProviderReadiness {
  /** `namespace/name` of the AIProvider. */
  readonly provider: string;
  /** `accepted`, `rejected` and `missing` are what was seen last; `unused`: no call went there yet. */
  readonly key: 'none' | 'unused' | 'accepted' | 'rejected' | 'missing';
  /** Answers 401 and 403 since the start. */
  readonly keyRejections: number;
  readonly lastRejectedAt: string | undefined;
}
