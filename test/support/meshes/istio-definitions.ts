import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../apiserver/resources.ts';

/** Istio's own CustomResourceDefinitions, from its Go module. */
const MODULE = 'istio.io/api@v1.32.0';

export function istioDefinitions(): KubernetesObject[] {
  const told = execFileSync('go', ['mod', 'download', '-json', MODULE], { encoding: 'utf8', cwd: '/', timeout: 300_000 });
  const { Dir: folder } = JSON.parse(told) as { readonly Dir: string };
  const text = readFileSync(join(folder, 'kubernetes/customresourcedefinitions.gen.yaml'), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}
