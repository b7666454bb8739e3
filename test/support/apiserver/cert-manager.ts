import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ApiClient } from './client.ts';
import { DEFINITION_PATH } from './resources.ts';
import type { KubernetesObject } from './resources.ts';

/** cert-manager's own definition of a Certificate is in its Go module, as a template of its chart. */
const MODULE = 'github.com/cert-manager/cert-manager@v1.18.2';
const FILES = ['deploy/crds/crd-certificates.yaml', 'deploy/crds/cert-manager.io_certificates.yaml'];

function definition(): KubernetesObject {
  const told = execFileSync('go', ['mod', 'download', '-json', MODULE], { encoding: 'utf8', cwd: '/', timeout: 300_000 });
  const { Dir: folder } = JSON.parse(told) as { readonly Dir: string };
  for (const file of FILES) {
    try {
      return parse(withoutTemplates(readFileSync(join(folder, file), 'utf8'))) as KubernetesObject;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${MODULE} has none of ${FILES.join(', ')}`);
}

const withoutTemplates = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.includes('{{'))
    .join('\n');

/** Makes Certificates known, and waits until the server takes them. */
export async function installCertificates(client: ApiClient): Promise<void> {
  const { apiVersion, kind, metadata, spec } = definition();
  const body = { apiVersion, kind, metadata: { name: metadata.name }, spec };
  const path = `${DEFINITION_PATH}/${metadata.name}?fieldManager=tests`;
  const { status, body: answer } = await client.send('PATCH', path, { body, type: 'application/apply-patch+yaml' });
  if (status >= 300) throw new Error(`${metadata.name} was refused: ${JSON.stringify(answer).slice(0, 500)}`);
  while ((await client.send('GET', '/apis/cert-manager.io/v1/namespaces/default/certificates')).status !== 200);
}
