import { API_GROUP, SCHEMAS, STATUS_SCHEMAS, VERSION } from '../policy/index.ts';
import type { Kind } from '../policy/index.ts';
import { structural } from './structural.ts';
import type { StructuralSchema } from './structural.ts';

/** apiextensions.k8s.io/v1, as far as it is used. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced';
    readonly names: Names & { readonly kind: Kind; readonly listKind: string; readonly categories: readonly string[] };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
      readonly subresources: { readonly status: Readonly<Record<string, never>> };
      readonly additionalPrinterColumns: readonly Column[];
    }[];
  };
}

interface Names {
  readonly singular: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
}

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** Above 0: with `-o wide` only. */
  readonly priority?: number;
}

/** `kubectl get airmesh` shows all of them. */
const CATEGORIES = ['airmesh'];

const condition = (name: string, type: string): Column => ({ name, type: 'string', jsonPath: `.status.conditions[?(@.type=="${type}")].status` });
const status = (name: string, path: string): Column => ({ name, type: 'string', jsonPath: `.status.${path}` });
const spec = (name: string, path: string): Column => ({ name, type: 'string', jsonPath: `.spec.${path}` });
const wide = (column: Column): Column => ({ ...column, priority: 1 });
const AGE: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

const KINDS: Readonly<Record<Kind, { readonly names: Names; readonly meaning: string; readonly columns: readonly Column[] }>> = {
  AIProvider: {
    names: { singular: 'aiprovider', plural: 'aiproviders', shortNames: ['aip'] },
    meaning: 'An API that serves models: where it is, how to get in, and what its models cost.',
    columns: [
      spec('Type', 'type'),
      condition('Accepted', 'Accepted'),
      status('Key', 'key.state'),
      { ...status('Models', 'models'), type: 'integer' },
      wide(condition('Resolved', 'ResolvedRefs')),
      wide(status('Programmed', 'sidecars.summary')),
      AGE,
    ],
  },
  AIRoute: {
    names: { singular: 'airoute', plural: 'airoutes', shortNames: ['air'] },
    meaning: 'Whose calls may go to which models, at which providers, and how.',
    columns: [condition('Accepted', 'Accepted'), wide(condition('Resolved', 'ResolvedRefs')), status('Programmed', 'sidecars.summary'), AGE],
  },
  AIBudget: {
    names: { singular: 'aibudget', plural: 'aibudgets', shortNames: ['aib'] },
    meaning: 'What may be used, by whom, in what time.',
    columns: [
      condition('Accepted', 'Accepted'),
      status('Unit', 'unit'),
      status('Limit', 'limit'),
      status('Posted', 'posted'),
      wide(status('Pending', 'pending')),
      status('Free', 'free'),
      status('Window', 'window.name'),
      wide(spec('Mode', 'mode')),
      wide({ ...status('Accounts', 'accounts.total'), type: 'integer' }),
      AGE,
    ],
  },
};

const definitionOf = (kind: Kind): CustomResourceDefinition => {
  const { names, meaning, columns } = KINDS[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${API_GROUP}`, labels: { 'app.kubernetes.io/name': 'airmesh', 'app.kubernetes.io/part-of': 'airmesh' } },
    spec: {
      group: API_GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, ...names, categories: CATEGORIES },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schemaOf(kind, meaning) },
          subresources: { status: {} },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
};

/** The API server sees to what every object has. */
const schemaOf = (kind: Kind, meaning: string): StructuralSchema => ({
  description: meaning,
  type: 'object',
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string', description: `\`${API_GROUP}/${VERSION}\`.` },
    kind: { type: 'string', description: `\`${kind}\`.` },
    metadata: { type: 'object' },
    spec: { ...structural(SCHEMAS[kind].shape.spec), description: 'What is wanted.' },
    status: { ...structural(STATUS_SCHEMAS[kind]), description: 'What has become of it; the controller’s to write.' },
  },
});

/** What `kubectl apply` gives an API server so that it takes the resources. */
export const customResourceDefinitions = (): readonly CustomResourceDefinition[] => (Object.keys(KINDS) as Kind[]).map(definitionOf);
