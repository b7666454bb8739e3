/** A pod's sidecar, in a process of its own: all that `airmesh sidecar` is, but for the controller, whose part the test takes. */
import { interceptionOf } from '../../../src/core/control/index.ts';
import type { InterceptionSettings, LeafCertificate } from '../../../src/core/control/index.ts';
import { compile, parseResource } from '../../../src/core/policy/index.ts';
import type { Policies, PolicyFeed, PolicyListener } from '../../../src/main/mesh/feed.ts';
import { startMesh } from '../../../src/main/mesh/mesh.ts';
import { knownModels } from '../../../src/shell/prices/index.ts';
import { createLogger, fileDescriptorDestination } from '../../../src/shell/telemetry/index.ts';
import { readCertificates } from '../../../src/shell/trust/index.ts';

export interface SidecarOrders {
  /** Resources, as documents. */
  readonly resources: readonly object[];
  /** By host. */
  readonly leaves: Readonly<Record<string, LeafCertificate>>;
  readonly roots: string;
  readonly interception: InterceptionSettings;
}

export interface SidecarStart extends SidecarOrders {
  readonly envoy: string;
  readonly stateDir: string;
  readonly trustFolder: string;
  readonly publicCa: string;
  readonly port: number;
}

const WORKLOAD = { namespace: 'shop', name: 'checkout' };

class TestFeed implements PolicyFeed {
  listener: PolicyListener | undefined;
  readonly #first: SidecarOrders;

  constructor(first: SidecarOrders) {
    this.#first = first;
  }

  async first(): Promise<Policies> {
    return policiesOf(this.#first);
  }

  follow(listener: PolicyListener): () => void {
    this.listener = listener;
    return () => undefined;
  }

  stop(): void {
    this.listener = undefined;
  }
}

function policiesOf({ resources, leaves, roots, interception }: SidecarOrders): Policies {
  const parsed = resources.map((document) => {
    const each = parseResource(document);
    if (!each.ok) throw new Error(JSON.stringify(each.error));
    return each.value;
  });
  const compiled = compile(parsed, [WORKLOAD], { own: [], known: knownModels(), simulatedUrl: undefined, readCertificates });
  const snapshot = compiled.snapshots.get(`${WORKLOAD.namespace}/${WORKLOAD.name}`);
  if (snapshot === undefined) throw new Error('no snapshot');
  return { ...compiled, interception: interceptionOf(snapshot, new Map(Object.entries(leaves)), roots, interception) };
}

let feed: TestFeed | undefined;
let stop: (() => Promise<void>) | undefined;

async function start({ envoy, stateDir, trustFolder, publicCa, port, ...orders }: SidecarStart): Promise<void> {
  feed = new TestFeed(orders);
  const mesh = await startMesh({
    feed,
    listeners: [{ workload: 'shop/checkout', host: '127.0.0.1', port: 15_480, option: 'api' }],
    admin: { host: '127.0.0.1', port: 15_420 },
    redirected: { workload: 'shop/checkout', addresses: ['127.0.0.1', '::1'].map((host) => ({ host, port })) },
    trust: { folder: trustFolder },
    stateDir,
    envoy: { path: envoy, concurrency: 2 },
    environment: { ...process.env, SSL_CERT_FILE: publicCa },
    logger: createLogger({ level: 'debug', format: 'json', colour: false, destination: fileDescriptorDestination(2, false) }),
  });
  stop = () => mesh.stop();
  process.send?.({ kind: 'ready' });
}

process.on(
  'message',
  (
    message:
      | { readonly kind: 'start'; readonly start: SidecarStart }
      | { readonly kind: 'orders'; readonly orders: SidecarOrders }
      | { readonly kind: 'stop' | 'own keys' },
  ) => {
    const work =
      message.kind === 'start'
        ? start(message.start)
        : message.kind === 'orders'
          ? feed?.listener?.apply(policiesOf(message.orders)).then((refused) => process.send?.({ kind: 'applied', refused }))
          : message.kind === 'stop'
            ? stop?.().then(() => process.exit(0))
            : Promise.resolve(process.send?.({ kind: 'own keys', hosts: feed?.listener?.ownKeysFor() }));
    work?.catch((error: unknown) => {
      process.send?.({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      process.exit(1);
    });
  },
);
process.on('disconnect', () => process.exit(0));
