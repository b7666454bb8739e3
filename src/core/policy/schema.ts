import { z } from 'zod';
import { budgetSpec } from './schema/budget.ts';
import { providerSpec } from './schema/provider.ts';
import { routeSpec } from './schema/route.ts';
import { name } from './schema/scalars.ts';
import { budgetStatus, providerStatus, routeStatus } from './schema/status.ts';

export const API_GROUP = 'airmesh.dev';
export const VERSION = 'v1alpha1';
/** API group and version of the custom resources. */
export const API_VERSION = `${API_GROUP}/${VERSION}` as const;

const metadata = z.looseObject({
  name: name.describe('Name of the resource, unique in its namespace.'),
  namespace: name.default('default').describe('Namespace of the resource; `default` where files name none.'),
  creationTimestamp: z.string().max(64).optional().describe('When an API server first took it (RFC 3339, UTC); files have none.'),
});

/** A status that another version wrote, in a file that was exported, is no reason to refuse its spec. */
const resource = <Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec) =>
  z.strictObject({ apiVersion: z.literal(API_VERSION), kind: z.literal(kind), metadata, spec, status: z.unknown().optional() });

export const SCHEMAS = {
  AIProvider: resource('AIProvider', providerSpec),
  AIRoute: resource('AIRoute', routeSpec),
  AIBudget: resource('AIBudget', budgetSpec),
} as const;

/** What the controller writes, and nobody else. */
export const STATUS_SCHEMAS = { AIProvider: providerStatus, AIRoute: routeStatus, AIBudget: budgetStatus } as const;

export type Kind = keyof typeof SCHEMAS;
export type AIProvider = z.output<(typeof SCHEMAS)['AIProvider']>;
export type AIRoute = z.output<(typeof SCHEMAS)['AIRoute']>;
export type AIBudget = z.output<(typeof SCHEMAS)['AIBudget']>;
export type Resource = AIProvider | AIRoute | AIBudget;
export type KeySourceSpec = NonNullable<AIProvider['spec']['auth']>['apiKey'];
export type AIProviderStatus = z.output<typeof providerStatus>;
export type AIRouteStatus = z.output<typeof routeStatus>;
export type AIBudgetStatus = z.output<typeof budgetStatus>;
