import { setTimeout as delay } from 'node:timers/promises';
import { injectPod } from '../../core/injection/index.ts';
import type { InjectionSettings } from '../../core/injection/index.ts';
import type { MeshName } from '../../core/meshes/index.ts';
import { BundleKeeper, clusterRegistration, foreignRegistration, startWebhook } from '../../shell/injector/index.ts';
import type { InjectorFile, WebhookEvent, WebhookIdentity } from '../../shell/injector/index.ts';
import type { ApiServer } from '../../shell/kube/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { messageOf } from '../mesh/message-of.ts';
import type { Address } from '../ports.ts';
import { VERSION } from '../version.ts';
import { besideApplication } from './injected.ts';

/** The controller's certificate and the authorities by which others believe it, PEM. */
export interface InjectorIdentity extends WebhookIdentity {
  readonly roots: string;
}

export interface InjectorOptions {
  readonly listen: Address;
  /** What the chart says about injection. */
  readonly file: InjectorFile;
  /** Whose injector makes the same pods; absent: nobody's. */
  readonly mesh?: MeshName;
  readonly identity: InjectorIdentity;
  readonly api: Pick<ApiServer, 'send'>;
  /** Whether another tells API servers to trust the certificate, as cert-manager's injector does. */
  readonly isTrustForeign?: boolean;
  readonly logger: Logger;
}

export interface RunningInjector {
  readonly address: Address;
  /** Why pods cannot be injected; `undefined` where they can. */
  problem(): string | undefined;
  /** Whether they could, at any time since the start. */
  hasBeenTrusted(): boolean;
  /** The controller has another certificate, or other authorities. */
  use(identity: InjectorIdentity): void;
  stop(): Promise<void>;
}

/** Serves the webhook, and keeps API servers' trust in it current. */
export async function startInjector({ listen, file, mesh, identity, api, isTrustForeign = false, logger }: InjectorOptions): Promise<RunningInjector> {
  let present = identity;
  const settings = (): InjectionSettings => settingsOf(file, present.roots);
  const webhook = await startWebhook({
    ...listen,
    identity,
    inject: (pod, namespace) => injectPod(pod, namespace, settings(), [besideApplication(file, mesh)]),
    onEvent: (event) => tell(event, logger),
  });
  const keeper = new BundleKeeper({
    registration: (isTrustForeign ? foreignRegistration : clusterRegistration)(api, file.webhook),
    authorities: () => present.roots,
    wait: (ms, signal) => delay(ms, undefined, { signal, ref: false }).catch(() => undefined),
    onEvent: (event) =>
      event.kind === 'trusted' ? logger.info('injector.trusted', { webhooks: event.webhooks }) : logger.error('injector.untrusted', { problem: event.problem }),
  });
  keeper.start();
  return {
    address: { host: webhook.host, port: webhook.port },
    problem: () => keeper.problem(),
    hasBeenTrusted: () => keeper.hasBeenTrusted,
    use: (next) => {
      const isTrustedAlike = next.roots === present.roots;
      present = next;
      webhook.use(next);
      if (!isTrustedAlike) keeper.look();
    },
    stop: async () => {
      await keeper.stop();
      await webhook.stop();
    },
  };
}

function settingsOf({ resources: { requests, limits }, ...file }: InjectorFile, controllerRoots: string): InjectionSettings {
  return {
    ...file,
    controllerRoots,
    resources: {
      ...(requests.cpu === undefined ? {} : { cpuRequest: requests.cpu }),
      ...(limits.cpu === undefined ? {} : { cpuLimit: limits.cpu }),
      ...(requests.memory === undefined ? {} : { memoryRequest: requests.memory }),
      ...(limits.memory === undefined ? {} : { memoryLimit: limits.memory }),
    },
    program: VERSION,
  };
}

function tell(event: WebhookEvent, logger: Logger): void {
  switch (event.kind) {
    case 'injected':
      return logger.info('pod.injected', { namespace: event.namespace, pod: event.pod, warnings: event.why });
    case 'left':
      return logger.info('pod.left', { namespace: event.namespace, pod: event.pod, why: event.why });
    case 'refused':
      return logger.warn('pod.refused', { namespace: event.namespace, pod: event.pod, why: event.why });
    case 'unreadable':
      return logger.warn('review.unreadable', { status: event.status, why: event.why });
    case 'failed':
      return logger.error('review.failed', { error: messageOf(event.error) });
  }
}
