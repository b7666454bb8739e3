import { paths } from '../kube/index.ts';
import type { ApiAnswer, ApiServer } from '../kube/index.ts';
import type { WebhookRegistration } from './bundle.ts';

/** Who writes the field, for API servers. */
const MANAGER = 'airmesh-injector';

interface Configuration {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

/** A MutatingWebhookConfiguration. Needs `get` and `patch` of that one object. */
export function clusterRegistration(api: Pick<ApiServer, 'send'>, name: string): WebhookRegistration {
  return {
    async read() {
      const answer = await api.send('GET', paths.webhooks(name));
      if (answer.status === 404) return undefined;
      const { webhooks = [] } = taken(answer, `MutatingWebhookConfiguration ${name} cannot be read`) as Configuration;
      return webhooks.map((webhook) => {
        const { caBundle } = webhook.clientConfig;
        return { name: webhook.name, ...(caBundle === undefined ? {} : { authorities: Buffer.from(caBundle, 'base64').toString('utf8') }) };
      });
    },
    async trust(names, authorities) {
      const caBundle = Buffer.from(authorities).toString('base64');
      const body = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name },
        // Server-side apply: of each webhook this field, and nothing else, is ours.
        webhooks: names.map((each) => ({ name: each, clientConfig: { caBundle } })),
      };
      const query = { fieldManager: MANAGER, force: 'true' };
      taken(
        await api.send('PATCH', paths.webhooks(name), { body, query, type: 'application/apply-patch+yaml' }),
        `MutatingWebhookConfiguration ${name} cannot be changed`,
      );
    },
  };
}

/** The same where another writes `caBundle`: it is looked at, and never written. Needs `get` of that object. */
export function foreignRegistration(api: Pick<ApiServer, 'send'>, name: string): WebhookRegistration {
  return {
    read: clusterRegistration(api, name).read,
    trust: () =>
      Promise.reject(new Error(`MutatingWebhookConfiguration ${name} has not the authorities of the certificate; cert-manager’s cainjector is to write them`)),
  };
}

function taken({ status, body }: ApiAnswer, otherwise: string): unknown {
  if (status === 200) return body;
  const { message } = (body ?? {}) as { readonly message?: string };
  throw new Error(`${otherwise}: ${message ?? `HTTP status ${status}`}`);
}
