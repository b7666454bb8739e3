import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { customResourceDefinitions } from './index.ts';
import type { CustomResourceDefinition, StructuralSchema } from './index.ts';

const ORIGIN = '# Generated from src/core/policy/schema; `npx vitest run --config test/vitest.config.ts src/core/crds -u` writes it again.\n';
const definitions = customResourceDefinitions();
const schemaOf = ({ spec }: CustomResourceDefinition): StructuralSchema => spec.versions[0]?.schema.openAPIV3Schema ?? {};

/** Every schema within one, by its path. */
function schemasIn(schema: StructuralSchema, path: string): [path: string, schema: StructuralSchema][] {
  return [
    [path, schema],
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) => schemasIn(property, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : schemasIn(schema.items, `${path}[]`)),
    ...(schema.additionalProperties === undefined ? [] : schemasIn(schema.additionalProperties, `${path}{}`)),
  ];
}

const everySchema = definitions.flatMap((definition) => schemasIn(schemaOf(definition), definition.spec.names.kind));

describe.each(definitions)('the definition of $spec.names.kind', (definition) => {
  it('is current', async () => {
    const file = new URL(`../../../charts/airmesh/files/crds/${definition.spec.group}_${definition.spec.names.plural}.yaml`, import.meta.url);
    await expect(ORIGIN + stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })).toMatchFileSnapshot(fileURLToPath(file));
  });
});

describe('every schema', () => {
  const told = everySchema.filter(([path]) => /\.(?:spec|status)\b/.test(path));

  it('of a field says what it means', () => {
    expect(told.filter(([path, { description }]) => !/[\]}]$/.test(path) && !(description ?? '').endsWith('.')).map(([path]) => path)).toEqual([]);
  });

  it('has a type, or is of several', () => {
    expect(
      everySchema.filter(([, schema]) => schema.type === undefined && schema['x-kubernetes-preserve-unknown-fields'] !== true).map(([path]) => path),
    ).toEqual([]);
  });

  it('has bounds, so that what rules cost has some', () => {
    const boundless = told.filter(([, { type, maxLength, maxItems, maximum, maxProperties, additionalProperties, enum: words }]) => {
      switch (type) {
        case 'string':
          return maxLength === undefined && words === undefined;
        case 'array':
          return maxItems === undefined;
        case 'integer':
          return maximum === undefined;
        case 'object':
          return additionalProperties !== undefined && maxProperties === undefined;
        default:
          return false;
      }
    });
    expect(boundless.map(([path]) => path)).toEqual(
      [...definitions].flatMap(({ spec: { names } }) => [`${names.kind}.status.observedGeneration`, `${names.kind}.status.conditions[].observedGeneration`]),
    );
  });

  it('holds no keyword that structural schemas do not know', () => {
    const known = new Set([
      'description',
      'type',
      'format',
      'default',
      'enum',
      'pattern',
      'minLength',
      'maxLength',
      'minimum',
      'maximum',
      'exclusiveMinimum',
      'exclusiveMaximum',
      'minItems',
      'maxItems',
      'minProperties',
      'maxProperties',
      'required',
      'properties',
      'additionalProperties',
      'items',
      'allOf',
      'not',
      'x-kubernetes-preserve-unknown-fields',
      'x-kubernetes-list-type',
      'x-kubernetes-list-map-keys',
      'x-kubernetes-validations',
    ]);
    expect(
      everySchema.flatMap(([path, schema]) =>
        Object.keys(schema)
          .filter((keyword) => !known.has(keyword))
          .map((keyword) => `${path}: ${keyword}`),
      ),
    ).toEqual([]);
  });
});
