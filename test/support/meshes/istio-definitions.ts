import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { MESHES } from '../../../src/core/meshes/index.ts';
import type { ApiClient } from '../apiserver/client.ts';
import { DEFINITION_PATH } from '../apiserver/resources.ts';
import type { KubernetesObject } from '../apiserver/resources.ts';

/** Istio's own CustomResourceDefinitions, from its Go module. */
const MODULE = 'istio.io/api@v1.32.0';

function istioDefinitions(): KubernetesObject[] {
  const told = execFileSync('go', ['mod', 'download', '-json', MODULE], { encoding: 'utf8', cwd: '/', timeout: 300_000 });
  const { Dir: folder } = JSON.parse(told) as { readonly Dir: string };
  const text = readFileSync(join(folder, 'kubernetes/customresourcedefinitions.gen.yaml'), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}

/** Makes the kinds that we render known, and waits until the server takes them. */
export async function installIstio(client: ApiClient): Promise<void> {
  const { kinds } = MESHES.istio;
  const wanted = new Set(kinds.map(({ plural }) => `${plural}.networking.istio.io`));
  const definitions = istioDefinitions().filter(({ metadata }) => wanted.has(metadata.name));
  if (definitions.length !== kinds.length) throw new Error(`Istio defines ${definitions.length} of ${kinds.length} kinds`);
  for (const definition of definitions) {
    const path = `${DEFINITION_PATH}/${definition.metadata.name}?fieldManager=tests`;
    const { status } = await client.send('PATCH', path, { body: definition, type: 'application/apply-patch+yaml' });
    if (status >= 300) throw new Error(`${definition.metadata.name} was refused: ${status}`);
  }
  for (const { apiVersion, plural } of kinds) while ((await client.send('GET', `/apis/${apiVersion}/namespaces/default/${plural}`)).status !== 200);
}
