import type { WorkloadSnapshot } from '../core/policy/index.ts';
import type { Result } from '../core/units/index.ts';
import type { Logger } from '../shell/telemetry/index.ts';
import type { StartSummary } from './views/banner.ts';
import type { SpendReport } from './views/spend-report.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RunOptions {
  /** Files and folders of resources; empty: the environment's providers, else the example with the simulated one. */
  readonly paths: readonly string[];
  readonly listen: Address;
  readonly admin: Address;
  /** Further workloads, each with a listener of its own. */
  readonly workloads: readonly (Address & { readonly name: string })[];
  readonly stateDir: string;
  readonly envoy: { readonly path?: string; readonly version?: string; readonly concurrency?: number };
  readonly environment: NodeJS.ProcessEnv;
  /** `auto`: the simulated provider where no key is declared. */
  readonly simulate: 'auto' | 'never';
  readonly logger: Logger;
}

/** The whole of Airmesh, running. */
export interface RunningMesh {
  readonly summary: StartSummary;
  /** Accepts no more calls, lets those in flight end, settles, stops Envoy. May be called once more after `abort`. */
  stop(): Promise<void>;
  /** Fulfilled when it stopped by itself, which it does only when it cannot go on; holds the reason. */
  readonly failed: Promise<Error>;
}

/** A problem in the resources, where it is, and what to do. */
export interface PolicyFinding {
  readonly severity: 'error' | 'warning';
  readonly file: string | undefined;
  readonly line: number | undefined;
  /** `AIProvider shop/openai`. */
  readonly resource: string | undefined;
  /** `spec.models[0].price.inputPerMillion`. */
  readonly field: string | undefined;
  readonly message: string;
}

export interface PolicyReport {
  readonly findings: readonly PolicyFinding[];
  readonly resources: number;
  /** By `namespace/name`. Empty where an error stands in the way. */
  readonly snapshots: ReadonlyMap<string, WorkloadSnapshot>;
}

/** A provider to be asked whether it accepts its key. */
export interface CheckTarget {
  readonly provider: string;
  readonly baseUrl: string;
  /** `undefined`: it takes none. */
  readonly key: Result<string, string> | undefined;
  readonly simulated: boolean;
}

export interface RunningSimulator extends Address {
  stop(): Promise<void>;
}

/** What the commands need from the rest of the program; each is loaded when it is first used, so that `--help` is quick. */
export interface CliPorts {
  run(options: RunOptions): Promise<RunningMesh>;
  readPolicies(paths: readonly string[], workloads: readonly string[], environment: NodeJS.ProcessEnv): Promise<PolicyReport>;
  checkTargets(paths: readonly string[], environment: NodeJS.ProcessEnv): Promise<{ readonly targets: readonly CheckTarget[]; readonly findings: readonly PolicyFinding[] }>;
  /** From the books in the state folder, where no server runs. The error says why there are none. */
  storedSpend(stateDir: string, parameters: ReadonlyMap<string, string>): Promise<Result<SpendReport, string>>;
  simulate(listen: Address, logger: Logger): Promise<RunningSimulator>;
}
