import type { Pod } from './pod.ts';

/** RFC 6902, as far as it is used. */
export interface PatchOperation {
  readonly op: 'add' | 'replace';
  readonly path: string;
  readonly value: unknown;
}

const METADATA = ['labels', 'annotations'] as const;
const SPEC = ['volumes', 'initContainers', 'containers'] as const;

/**
 * What makes one pod of the other. Whole lists are replaced: no position within them is named, so nothing depends on what
 * the server made of the pod in between.
 */
export function patchOf(before: Pod, after: Pod): readonly PatchOperation[] {
  return [
    ...METADATA.flatMap((field) => change(`/metadata/${field}`, before.metadata[field], after.metadata[field])),
    ...SPEC.flatMap((field) => change(`/spec/${field}`, before.spec[field], after.spec[field])),
    ...change('/spec/imagePullSecrets', before.spec.imagePullSecrets, after.spec.imagePullSecrets),
  ];
}

function change(path: string, before: unknown, after: unknown): PatchOperation[] {
  if (after === undefined || JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ op: before === undefined ? 'add' : 'replace', path, value: after }];
}
