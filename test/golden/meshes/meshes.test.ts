/** What each mesh is given for the same resources, as it was agreed upon. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MESHES } from '../../../src/core/meshes/index.ts';
import { renderedFor } from '../../support/meshes/objects.ts';
import type { Loose } from '../../support/meshes/objects.ts';

const RESOURCES = fileURLToPath(new URL('resources.yaml', import.meta.url));

describe.each(Object.keys(MESHES))('for %s', (mesh) => {
  it('what is applied is what was agreed upon', async () => {
    const { text, errors } = await renderedFor(mesh, RESOURCES);
    await expect(text).toMatchFileSnapshot(`${mesh}.yaml`);
    await expect(errors).toMatchFileSnapshot(`${mesh}.notes.txt`);
  });

  it('and what goes on the pods', async () => {
    const { text } = await renderedFor(mesh, RESOURCES, '--pods');
    await expect(text).toMatchFileSnapshot(`${mesh}.pods.yaml`);
  });

  it('nothing tells of keys, and nothing leads to a provider without the processor’s word', async () => {
    const { text, objects } = await renderedFor(mesh, RESOURCES);
    expect(text).not.toMatch(/secretRef|name: keys/);
    const routes = objects
      .flatMap(({ spec }) => [...(spec?.configPatches ?? []).map((each: Loose) => each.patch.value), ...(spec?.default?.appendModifications ?? []).flatMap((each: Loose) => each.virtualHost?.jsonPatches.map((patch: Loose) => patch.value) ?? [])])
      .filter((value: Loose) => value?.route !== undefined);
    if (MESHES[mesh as keyof typeof MESHES].kinds.length > 0) expect(routes.length).toBeGreaterThan(3);
    const word = (key: string): Loose => [{ filter: 'airmesh', path: [{ key }], value: { present_match: true } }];
    for (const route of routes) expect(route.match.dynamic_metadata).toEqual(word(route.name === 'airmesh/pass' ? 'passed' : 'front'));
  });
});
