import type { CustomResourceDefinition, StructuralSchema } from '../core/crds/index.ts';

const PREAMBLE = [
  '<!-- Generated from the schema; `npm test -- -u` writes it again. -->',
  '',
  '# Resources',
  '',
  '`airmesh.dev/v1alpha1`, in files for `airmesh run` and in Kubernetes alike. How they meet (whose calls, which of several, whose providers) is told in [resources](../resources.md).',
  'Fields without a default that are not required may be left out; what that means is said of each. A field that is not listed is refused. What is in quotes under *bounds* is said to whoever does not keep to them.',
  '',
];

const FIELD_COLUMNS = ['| field | type | default | bounds | meaning |', '|---|---|---|---|---|'];

/** docs/reference/resources.md: every field of every resource, with its type, default, bounds and meaning. */
export function resourceReference(definitions: readonly CustomResourceDefinition[]): string {
  const [selector] = definitions.flatMap(({ spec }) => spec.versions).flatMap(({ schema }) => labelSelectorsIn(schema.openAPIV3Schema));
  return `${[...PREAMBLE, ...definitions.flatMap(describeDefinition), ...describeLabelSelectors(selector ?? {})].join('\n').trimEnd()}\n`;
}

function describeDefinition({ spec: { names, versions } }: CustomResourceDefinition): string[] {
  const { description = '', properties = {} } = versions[0]?.schema.openAPIV3Schema ?? {};
  const columns = (versions[0]?.additionalPrinterColumns ?? []).map(({ name, priority = 0 }) =>
    priority === 0 ? name.toUpperCase() : `${name.toUpperCase()} (wide)`,
  );
  const { spec = {}, status = {} } = properties;
  return [
    `## ${names.kind}`,
    '',
    description,
    '',
    `\`kubectl get ${names.plural}\`, or \`${names.shortNames.join('`, `')}\`, shows ${columns.join(', ')}.`,
    '',
    ...FIELD_COLUMNS,
    ...[{ path: 'spec', schema: spec, required: true }, ...fieldsOf(spec, 'spec')].map(rowOf),
    '',
    `### Status of ${names.kind}`,
    '',
    '| field | type | meaning |',
    '|---|---|---|',
    ...fieldsOf(status, 'status').map(({ path, schema }) => `| \`${path}\` | ${typeOf(schema)} | ${escaped(schema.description ?? '')} |`),
    '',
  ];
}

function describeLabelSelectors(selector: StructuralSchema): string[] {
  return [
    '## Label selectors',
    '',
    'As elsewhere in Kubernetes (meta/v1, LabelSelector): all that is stated must hold, and nothing stated selects everything.',
    '',
    ...FIELD_COLUMNS,
    ...fieldsOf(selector, '').map(rowOf),
    '',
  ];
}

const isLabelSelector = ({ properties }: StructuralSchema): boolean =>
  properties !== undefined && 'matchLabels' in properties && 'matchExpressions' in properties;

function labelSelectorsIn(schema: StructuralSchema): StructuralSchema[] {
  if (isLabelSelector(schema)) return [schema];
  return [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])].flatMap(labelSelectorsIn);
}

interface Field {
  readonly path: string;
  readonly schema: StructuralSchema;
  readonly required: boolean;
}

/** Those of an object and of all within, in the order in which they are declared; not those that are there to be refused. */
function fieldsOf({ properties = {}, required = [] }: StructuralSchema, at: string): Field[] {
  return Object.entries(properties).flatMap(([name, schema]): Field[] => {
    if (isRefused(schema)) return [];
    const path = at === '' ? name : `${at}.${name}`;
    if (isLabelSelector(schema)) return [{ path, schema, required: required.includes(name) }];
    const within = schema.items === undefined ? fieldsOf(schema, path) : fieldsOf(schema.items, `${path}[]`);
    return [{ path, schema, required: required.includes(name) }, ...within];
  });
}

const isRefused = ({ not }: StructuralSchema): boolean => not !== undefined && Object.keys(not).length === 0;

function rowOf({ path, schema, required }: Field): string {
  const value = schema.default === undefined || isEmptyObject(schema.default) ? '' : `\`${JSON.stringify(schema.default)}\``;
  return `| \`${path}\` | ${typeOf(schema)} | ${required ? 'required' : value} | ${escaped(boundsOf(schema).join('; '))} | ${escaped(schema.description ?? '')} |`;
}

const isEmptyObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

function typeOf(schema: StructuralSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${String(word)}\``).join(' ');
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map to ${typeOf(schema.additionalProperties)}`;
  if (isLabelSelector(schema)) return '[label selector](#label-selectors)';
  return schema.type ?? severalTypes(schema).join(' or ');
}

/** Of a value of several types, those that some value can be: the others have bounds that none keeps. */
function severalTypes({ minItems = 0, maxItems = 1, minProperties = 0, maxProperties = 1, minimum = 0, maximum = 1 }: StructuralSchema): string[] {
  const possible = { string: true, number: minimum <= maximum, list: minItems <= maxItems, object: minProperties <= maxProperties };
  return Object.entries(possible).flatMap(([type, is]) => (is ? [type] : []));
}

function boundsOf(schema: StructuralSchema): string[] {
  const { minLength, maxLength, minItems, maxItems, maxProperties, minimum, maximum, items, pattern } = schema;
  const several = schema.type === undefined ? severalTypes(schema) : [];
  const numbers = schema.type === 'integer' || several.includes('number');
  return [
    ...range(minItems, items === undefined ? undefined : maxItems, 'items'),
    ...range(undefined, schema.additionalProperties === undefined ? undefined : maxProperties, 'fields'),
    ...(items === undefined || items.properties !== undefined ? [] : boundsOf(items).map((bound) => `each: ${bound}`)),
    ...(numbers ? range(minimum, maximum, '') : []),
    ...(schema.enum === undefined ? range(minLength, maxLength, 'characters') : []),
    ...(pattern === undefined ? [] : [`\`${pattern}\``]),
    ...(schema['x-kubernetes-validations'] ?? []).map(({ message }) => `“${message}”`),
  ];
}

function range(least: number | undefined, most: number | undefined, unit: string): string[] {
  const shown = (bound: number): string => bound.toLocaleString('en');
  if (most === undefined) return [];
  return [`${least === undefined ? `up to ${shown(most)}` : `${shown(least)} to ${shown(most)}`} ${unit}`.trimEnd()];
}

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
