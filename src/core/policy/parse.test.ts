import { describe, expect, it } from 'vitest';
import { parseKnownFields } from './parse.ts';

const route = (spec: object, more: object = {}): object => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind: 'AIRoute',
  metadata: { name: 'chat', namespace: 'shop', uid: 'u', managedFields: [] },
  spec,
  ...more,
});
const RULE = { backends: [{ provider: 'relay' }] };

const valueAt = (resource: object, path: string): unknown =>
  path.split(/[.[\]]+/).reduce<unknown>((value, part) => (Object.hasOwn(Object(value), part) ? (value as Record<string, unknown>)[part] : undefined), resource);

describe('what an API server of a newer version holds', () => {
  it.each([
    ['nothing new', route({ workloads: ['a'], rules: [RULE] }), []],
    ['a field', route({ workloads: ['a'], rules: [RULE], priority: 5 }), ['spec.priority']],
    ['a default within what is known', route({ workloads: ['a'], rules: [RULE, { ...RULE, match: { regions: [] } }] }), ['spec.rules[1].match.regions']],
    [
      'several',
      route({ workloads: ['a'], rules: [{ backends: [{ provider: 'relay', region: 'eu', tier: 1 }] }], mode: {} }),
      ['spec.mode', 'spec.rules[0].backends[0].region', 'spec.rules[0].backends[0].tier'],
    ],
    ['a field beside spec', route({ workloads: ['a'], rules: [RULE] }, { scale: {} }), ['scale']],
    [
      'a field of JavaScript’s own',
      route(JSON.parse('{"workloads":["a"],"rules":[{"backends":[{"provider":"relay"}]}],"__proto__":{"x":1}}') as object),
      ['spec.__proto__'],
    ],
  ])('is read without it, and told: %s', (_name, document, paths) => {
    const parsed = parseKnownFields(document);
    expect(parsed).toMatchObject({ ok: true, value: { resource: { metadata: { name: 'chat' }, spec: { workloads: ['a'] } } } });
    if (!parsed.ok) return;
    expect(parsed.value.warnings.map(({ path }) => path).toSorted()).toEqual(paths);
    for (const warning of parsed.value.warnings) expect(warning).toMatchObject({ severity: 'warning', resource: 'AIRoute shop/chat' });
    // `priority` is a known name elsewhere, so each is looked for at its own place.
    for (const path of paths) expect(valueAt(parsed.value.resource, path)).toBeUndefined();
  });

  it.each([
    ['wrong besides', route({ workloads: [], rules: [RULE], priority: 5 }), ['spec.workloads']],
    ['wrong', route({ workloads: ['a'] }), ['spec.rules']],
    ['of another version', { ...route({ workloads: ['a'], rules: [RULE] }), apiVersion: 'airmesh.dev/v2' }, ['apiVersion']],
    ['of no kind', { ...route({}), kind: 'constructor' }, ['kind']],
    ['no object', null, ['']],
  ])('is refused where it is %s', (_name, document, paths) => {
    const parsed = parseKnownFields(document);
    expect(parsed.ok ? [] : parsed.error.map(({ severity, path }) => [severity, path])).toEqual(paths.map((path) => ['error', path]));
  });

  it('is not changed by being read', () => {
    const document = route({ workloads: ['a'], rules: [RULE], priority: 5 });
    const before = JSON.stringify(document);
    parseKnownFields(document);
    expect(JSON.stringify(document)).toBe(before);
  });
});
