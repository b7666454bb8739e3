/** A pod as it comes out beside each mesh: what a webhook's patch makes of it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { injectPod } from '../../../src/core/injection/index.ts';
import type { Pod } from '../../../src/core/injection/index.ts';
import { LABELLED, SETTINGS } from '../../../src/core/injection/pods.test-support.ts';
import type { MeshName } from '../../../src/core/meshes/index.ts';
import { besideApplication } from '../../../src/main/controller/injected.ts';

const file = { imagePullPolicy: SETTINGS.imagePullPolicy, interceptedPorts: [], controllers: [...SETTINGS.controllers] };
const pod = parse(readFileSync(fileURLToPath(new URL('deployment.yaml', import.meta.url)), 'utf8')) as Pod;

describe.each<MeshName>(['istio', 'kuma', 'consul', 'linkerd'])('beside %s', (mesh) => {
  it.each([
    ['http', false],
    ['https', true],
  ])('%s is ours', async (name, intercept) => {
    const verdict = injectPod(pod, LABELLED, { ...SETTINGS, intercept }, [besideApplication(file, mesh)]);
    if (verdict.kind !== 'injected') throw new Error(verdict.kind);
    await expect(stringify({ warnings: verdict.warnings, pod: verdict.pod }, { aliasDuplicateObjects: false })).toMatchFileSnapshot(`./meshes/${mesh}-${name}.out.yaml`);
  });
});
