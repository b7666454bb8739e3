import { setTimeout as delay } from 'node:timers/promises';
import { paths, refusalOf } from '../../shell/kube/index.ts';
import type { ApiServer } from '../../shell/kube/index.ts';
import { messageOf } from '../mesh/message-of.ts';

export interface RootsTellerParts {
  readonly api: Pick<ApiServer, 'send'>;
  readonly namespace: string;
  /** Of the ConfigMap, which the chart makes. */
  readonly name: string;
  readonly closing: AbortSignal;
  /** Told once, until it works again. */
  readonly onFault: (error: string) => void;
}

/** The entry of the ConfigMap. */
const ENTRY = 'ca.crt';
const MANAGER = 'airmesh-roots';
const AGAIN_MS = 2_000;

/** Writes, for whoever mounts it, by which authorities controllers are known. All controllers write the same. */
export class RootsTeller {
  readonly #parts: RootsTellerParts;
  #wanted = '';
  #isTelling = false;

  constructor(parts: RootsTellerParts) {
    this.#parts = parts;
  }

  /** PEM. Tried until it is written. */
  tell(roots: string): void {
    this.#wanted = roots;
    if (!this.#isTelling) void this.#run();
  }

  async #run(): Promise<void> {
    const { closing, onFault } = this.#parts;
    this.#isTelling = true;
    let fault: string | undefined;
    for (let told = ''; told !== this.#wanted && !closing.aborted;) {
      const roots = this.#wanted;
      const before = fault;
      fault = await this.#write(roots);
      if (fault === undefined) told = roots;
      else {
        if (fault !== before) onFault(fault);
        await delay(AGAIN_MS, undefined, { signal: closing, ref: false }).catch(() => undefined);
      }
    }
    this.#isTelling = false;
  }

  async #write(roots: string): Promise<string | undefined> {
    const { api, namespace, name } = this.#parts;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { [ENTRY]: roots } };
    const query = { fieldManager: MANAGER, force: 'true' };
    try {
      const answer = await api.send('PATCH', paths.core('configmaps', namespace, name), { body, query, type: 'application/apply-patch+yaml' });
      if (answer.status < 300) return undefined;
      return `ConfigMap ${namespace}/${name}: ${refusalOf(answer)}`;
    } catch (error) {
      return messageOf(error);
    }
  }
}
