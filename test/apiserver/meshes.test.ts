/** What `airmesh render` writes is taken by a real API server that has the mesh's own definitions, field by field. */
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { MESHES } from '../../src/core/meshes/index.ts';
import { connect } from '../support/apiserver/client.ts';
import { makeNamespace } from '../support/apiserver/resources.ts';
import { installIstio } from '../support/meshes/istio-definitions.ts';
import { renderedFor } from '../support/meshes/objects.ts';
import type { AppliedObject } from '../support/meshes/objects.ts';

const client = connect(inject('apiserver'));
const RESOURCES = fileURLToPath(new URL('../golden/meshes/resources.yaml', import.meta.url));
const { kinds } = MESHES.istio;
const { objects } = await renderedFor('istio', RESOURCES);

const pathOf = ({ apiVersion, kind, metadata }: AppliedObject): string =>
  `/apis/${apiVersion}/namespaces/${metadata.namespace ?? ''}/${kinds.find((each) => each.kind === kind)?.plural ?? ''}/${metadata.name}`;
const APPLY = 'fieldManager=tests&fieldValidation=Strict';

beforeAll(async () => {
  await installIstio(client);
  for (const namespace of ['shop', 'search']) await makeNamespace(client, namespace);
});

describe('Istio’s definitions', () => {
  it.each(objects.map((object) => [`${object.kind} ${object.metadata.namespace}/${object.metadata.name}`, object] as const))(
    'take %s',
    async (_name, object) => {
      const answer = await client.send('PATCH', `${pathOf(object)}?${APPLY}`, { body: object, type: 'application/apply-patch+yaml' });
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
      // What a schema does not know, it drops: all that was written is still there.
      expect((answer.body as AppliedObject).spec).toMatchObject(object.spec);
    },
  );

  it('would say so if they did not', async () => {
    const [first] = objects;
    if (first === undefined) throw new Error('nothing is rendered');
    const wrong = { ...first, spec: { ...first.spec, ports: [{ ...first.spec.ports[0], targetPort: 'https' }] } };
    const answer = await client.send('PATCH', `${pathOf(first)}?${APPLY}&dryRun=All`, { body: wrong, type: 'application/apply-patch+yaml' });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(answer.body)).toContain('targetPort');
  });
});
