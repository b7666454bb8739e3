/** One webhook of a MutatingWebhookConfiguration (admissionregistration.k8s.io/v1). */
export interface RegisteredWebhook {
  readonly name: string;
  /** PEM; absent where none is set. */
  readonly authorities?: string;
}

/** The webhook's registration in the cluster: that one object, by its name. Both reject where the API server cannot be asked. */
export interface WebhookRegistration {
  /** `undefined`: there is no such object. */
  read(): Promise<readonly RegisteredWebhook[] | undefined>;
  /** Sets the authorities of those that are named, and nothing else. */
  trust(names: readonly string[], authorities: string): Promise<void>;
}

export interface BundleKeeperParts {
  readonly registration: WebhookRegistration;
  /** Authorities of the certificate that the webhook shows, PEM. */
  readonly authorities: () => string;
  /** Waits; ends early when it is stopped. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onEvent: (event: { readonly kind: 'trusted'; readonly webhooks: readonly string[] } | { readonly kind: 'failed'; readonly problem: string }) => void;
}

/** An upgrade of the chart, or a hand, may take the bundle away at any time. */
const LOOK_EVERY_MS = 10_000;
const AGAIN_AFTER_MS = 1_000;

/** Keeps the authorities that API servers trust the webhook by what they should be. Every replica may: all write the same. */
export class BundleKeeper {
  readonly #parts: BundleKeeperParts;
  readonly #stopped = new AbortController();
  #wake = new AbortController();
  #problem: string | undefined = 'API servers have not been told yet to trust the injector';
  #hasBeenTrusted = false;
  #done: Promise<void> | undefined;

  constructor(parts: BundleKeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** Whether API servers have trusted the webhook since this began. An API server that is out of reach later takes nothing back. */
  get hasBeenTrusted(): boolean {
    return this.#hasBeenTrusted;
  }

  /** What keeps API servers from asking the webhook; `undefined` where nothing does. */
  problem(): string | undefined {
    return this.#problem;
  }

  /** The authorities have changed. */
  look(): void {
    this.#wake.abort();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#wake = new AbortController();
      const problem = await this.#keep();
      if (problem !== undefined && problem !== this.#problem) this.#parts.onEvent({ kind: 'failed', problem });
      this.#problem = problem;
      if (problem === undefined) this.#hasBeenTrusted = true;
      // It may have been stopped while it looked.
      if (this.#stopped.signal.aborted) return;
      await this.#parts.wait(problem === undefined ? LOOK_EVERY_MS : AGAIN_AFTER_MS, this.#wake.signal);
    }
  }

  async #keep(): Promise<string | undefined> {
    const { registration, authorities, onEvent } = this.#parts;
    const wanted = authorities();
    try {
      const webhooks = await registration.read();
      if (webhooks === undefined) return 'the MutatingWebhookConfiguration of the injector is missing; helm upgrade makes it anew';
      const stale = webhooks.filter((webhook) => webhook.authorities !== wanted).map(({ name }) => name);
      if (stale.length === 0) return undefined;
      await registration.trust(stale, wanted);
      onEvent({ kind: 'trusted', webhooks: stale });
      return undefined;
    } catch (error) {
      return `API servers cannot be told to trust the injector: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
