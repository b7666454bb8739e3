import { withFormerKeys } from '../../core/control/index.ts';
import type { KeyReport, SidecarState } from '../../core/control/index.ts';
import { PolicyLink } from '../../shell/distribution/index.ts';
import type { BadState, SidecarReport, ToSidecar } from '../../shell/distribution/index.ts';
import type { KeyHealth } from '../../shell/keys/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import type { TokenAccess } from '../../shell/wire/index.ts';
import { systemClock } from '../mesh/clock.ts';
import type { Policies, PolicyFeed, PolicyListener } from '../mesh/feed.ts';
import { messageOf } from '../mesh/message-of.ts';
import { VERSION } from '../version.ts';
import type { KeptState } from './kept.ts';
import { NO_POLICIES, policiesOf } from './policies.ts';

/** How keys fare, and whether the application has its own, is told so often, where it has changed. */
const LOOK_MS = 1_000;
/** A reason is for people, and a message has its limits. */
const MAX_REASON = 2_000;

export interface ControllerFeedOptions {
  /** Of the controllers, `host:port`. */
  readonly addresses: readonly string[];
  readonly access: TokenAccess;
  readonly kept: KeptState;
  readonly logger: Logger;
}

/** Policies from a controller: the last that were kept at once, then each newer one, applied whole or refused with the reason. */
export class ControllerFeed implements PolicyFeed {
  readonly #options: ControllerFeedOptions;
  #link: PolicyLink | undefined;
  #listener: PolicyListener | undefined;
  /** The newest that is still to be applied. */
  #next: SidecarState | undefined;
  #isApplying = false;
  #kept: SidecarState | undefined;
  /** What is applied, with its keys. */
  #present: SidecarState | undefined;
  #applied: string | undefined;
  #refused: SidecarReport['refused'];
  /** Why the controller gives no state. */
  #waitsFor: string | undefined;
  #told = '';

  constructor(options: ControllerFeedOptions) {
    this.#options = options;
  }

  async first(): Promise<Policies> {
    const { kept, logger } = this.#options;
    const state = kept.read();
    if (state?.ok === false) logger.error('state.unusable', { reason: state.error });
    if (state?.ok === true) {
      this.#kept = state.value;
      this.#present = state.value;
      this.#trust(state.value);
    }
    this.#connect();
    return this.#kept === undefined ? NO_POLICIES : policiesOf(this.#kept);
  }

  follow(listener: PolicyListener): () => void {
    this.#listener = listener;
    // What was kept is applied, now that the mesh has started with it.
    if (this.#kept !== undefined) {
      this.#applied = this.#kept.version;
      this.#options.logger.info('state.restored', { version: this.#kept.version, afterMs: sinceStartMs() });
      this.#report();
    }
    void this.#apply();
    const timer = setInterval(() => {
      if (JSON.stringify([this.#keys(), this.#ownKeysFor()]) !== this.#told) this.#report();
    }, LOOK_MS);
    return () => {
      clearInterval(timer);
      this.#listener = undefined;
    };
  }

  stop(): void {
    this.#link?.close();
  }

  absence(): string | undefined {
    if (this.#applied !== undefined) return undefined;
    if (this.#refused !== undefined) return `the first policies cannot be applied: ${this.#refused.reason}`;
    if (this.#waitsFor !== undefined) return `the controller has nothing to give yet: ${this.#waitsFor}`;
    const lastError = this.#link?.state.lastError?.message;
    return `no policies have come from a controller yet${lastError === undefined ? '' : `: ${lastError}`}`;
  }

  /** Why no newer policies can come; `undefined`: they can. */
  problem(): string | undefined {
    if (this.#link === undefined || this.#link.state.connected !== undefined) return undefined;
    const lastError = this.#link.state.lastError?.message;
    return `no controller is connected, so policies stay as they are${lastError === undefined ? '' : `: ${lastError}`}`;
  }

  #connect(): void {
    const { addresses, access, logger } = this.#options;
    this.#link = new PolicyLink({
      addresses,
      access,
      clock: systemClock,
      report: () => this.#reportNow(),
      onConnected: () => logger.info('controller.connected', { to: this.#link?.state.connected?.to }),
      onAnswer: (answer) => this.#heard(answer),
    });
  }

  #heard(answer: ToSidecar | BadState): void {
    const { logger } = this.#options;
    this.#waitsFor = answer.kind === 'waiting' ? answer.reason : undefined;
    switch (answer.kind) {
      case 'state':
        this.#trust(answer.state);
        this.#next = answer.state;
        return void this.#apply();
      case 'bad':
        this.#listener?.refuse([answer.reason]);
        return this.#refuse(answer.version, answer.reason);
      case 'waiting':
        return logger.info('state.awaited', { reason: answer.reason });
      case 'current':
        return logger.debug('state.current', { version: answer.version });
    }
  }

  #trust({ controllerRoots }: SidecarState): void {
    if (controllerRoots !== undefined) this.#options.access.roots.pem = controllerRoots;
  }

  /** One at a time; what came meanwhile is next, and only the newest of it. */
  async #apply(): Promise<void> {
    if (this.#isApplying || this.#listener === undefined) return;
    this.#isApplying = true;
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      const state = withFormerKeys(next, this.#present);
      const refused = await this.#listener.apply(policiesOf(state)).catch((error: unknown) => [messageOf(error)]);
      if (refused === undefined) this.#isApplied(state);
      else this.#refuse(state.version, refused.join('; '));
    }
    this.#isApplying = false;
  }

  #take(): SidecarState | undefined {
    const next = this.#next;
    this.#next = undefined;
    return this.#listener === undefined ? undefined : next;
  }

  #isApplied(state: SidecarState): void {
    const { kept, logger } = this.#options;
    this.#applied = state.version;
    this.#present = state;
    this.#refused = undefined;
    logger.info('state.applied', { version: state.version, afterMs: sinceStartMs() });
    this.#report();
    try {
      kept.write(state);
    } catch (error) {
      logger.error('state.not_kept', { error: messageOf(error) });
    }
  }

  #refuse(version: string, reason: string): void {
    this.#refused = { version, reason: reason.slice(0, MAX_REASON) };
    this.#options.logger.error('state.refused', { version, reason: this.#refused.reason });
    this.#report();
  }

  #report(): void {
    this.#link?.report();
  }

  #reportNow(): SidecarReport {
    const [keys, ownKeysFor] = [this.#keys(), this.#ownKeysFor()];
    this.#told = JSON.stringify([keys, ownKeysFor]);
    return {
      program: VERSION,
      ...(this.#applied === undefined ? {} : { applied: this.#applied }),
      ...(this.#refused === undefined ? {} : { refused: this.#refused }),
      keys,
      ownKeysFor,
    };
  }

  #ownKeysFor(): readonly string[] {
    return this.#listener?.ownKeysFor() ?? [];
  }

  #keys(): KeyReport[] {
    return (this.#listener?.keys() ?? []).map(keyReport);
  }
}

/** Since this process began: of the first state, how long its pod waited. */
const sinceStartMs = (): number => Math.round(process.uptime() * 1_000);

function keyReport({ ref, totalRejections, used, lastRejectedAtMs, rejections }: KeyHealth): KeyReport {
  return { ref, totalRejections, used, isRefused: rejections > 0, ...(lastRejectedAtMs === undefined ? {} : { lastRejectedAt: lastRejectedAtMs }) };
}
