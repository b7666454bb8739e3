import { z } from 'zod';
import { judged } from './cel.ts';

/** Kubernetes' own bounds: an optional prefix (a DNS name) and a name. */
const labelKey = z
  .string()
  .regex(/^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/, 'must be the key of a label')
  .meta({ maxLength: 317 });
const labelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, 'must be the value of a label')
  .meta({ maxLength: 63 });

/** More than any selector that a person reads. */
const MAX_REQUIREMENTS = 16;
const MAX_VALUES = 64;

const requirement = judged(
  z.strictObject({
    key: labelKey.describe('Key of the label.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('How the label’s value relates to `values`. NotIn holds as well where there is no such label.'),
    values: z.array(labelValue).max(MAX_VALUES).default([]).describe('For In and NotIn; empty for the others.'),
  }),
  'needs values for In and NotIn, and takes none for Exists and DoesNotExist',
  "(self.operator in ['In', 'NotIn']) == (self.values.size() > 0)",
  ({ operator, values }) => (operator === 'In' || operator === 'NotIn') === values.length > 0,
);

/** Labels as Kubernetes selects by them (meta/v1 LabelSelector): all that is stated must hold; nothing stated selects everything. */
export const labelSelector = z.strictObject({
  matchLabels: z
    .record(labelKey, labelValue)
    .refine((labels) => Object.keys(labels).length <= MAX_REQUIREMENTS, `has more than ${MAX_REQUIREMENTS} labels`)
    .meta({ maxProperties: MAX_REQUIREMENTS })
    .default({})
    .describe('Labels with exactly these values.'),
  matchExpressions: z.array(requirement).max(MAX_REQUIREMENTS).default([]).describe('Conditions upon labels.'),
});

export type LabelSelector = z.output<typeof labelSelector>;

/** A resource says whose calls it is for by these names, and by the fields below. */
export const workloads = z.array(z.string().min(1).max(512)).max(1000);

export const selectorFields = {
  workloadSelector: labelSelector.optional().describe('By the labels of their pods; besides those that are named.'),
  namespaceSelector: labelSelector
    .optional()
    .describe(
      'Only workloads of namespaces with these labels. For resources in the controller’s own namespace; those of others select workloads of their own namespace alone.',
    ),
};
