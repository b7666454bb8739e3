import { parse } from 'yaml';
import { z } from 'zod';
import { LOG_LEVELS } from '../telemetry/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';

const quantity = z.string().regex(/^\d+(?:\.\d+)?(?:m|k|Ki|M|Mi|G|Gi)?$/, 'must be a quantity such as "100m" or "128Mi"');
const resourceList = z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() }).default({});

const schema = z.strictObject({
  /** Of the MutatingWebhookConfiguration. */
  webhook: z.string().min(1),
  image: z.string().min(1),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  imagePullSecrets: z.array(z.string()).default([]),
  controllers: z.array(z.string().regex(/^[^:\s,]+:\d+$/, 'must be host:port')).min(1),
  logLevel: z.enum(LOG_LEVELS),
  concurrency: z.int().min(1).max(128),
  resources: z.strictObject({ requests: resourceList, limits: resourceList }).prefault({}),
  baseUrls: z.boolean(),
  intercept: z.boolean(),
  /** Redirected besides 80 and 443. */
  interceptedPorts: z.union([z.literal('all'), z.array(z.int().min(1).max(65_535)).max(64)]).default([]),
  /** ConfigMap of a pod's namespace. */
  authorities: z.string().regex(/^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be the name of a ConfigMap'),
  placeholderKeys: z.boolean(),
});

/** What the chart says about injection. */
export type InjectorFile = z.output<typeof schema>;

/** The error names each field that is wrong. */
export function readInjectorFile(text: string): Result<InjectorFile, readonly string[]> {
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    return err(['it is no YAML']);
  }
  const read = schema.safeParse(document);
  return read.success ? ok(read.data) : err(read.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`));
}
