/** The policy compiler: resources as files hold them → every workload's snapshot, as it was agreed upon. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/policy/index.ts';
import type { ProviderContext, Resource, Workload } from '../../../src/core/policy/index.ts';
import { readResources } from '../../../src/shell/resources/index.ts';
import { readCertificates } from '../../../src/shell/trust/index.ts';

const here = import.meta.dirname;
const cases = readdirSync(here).filter((file) => file.endsWith('.yaml'));

const WORKLOADS: readonly Workload[] = [
  { namespace: 'default', name: 'checkout' },
  { namespace: 'lab', name: 'checkout' },
  { namespace: 'shop', name: 'checkout', serviceAccount: 'till' },
  { namespace: 'shop', name: 'support' },
];

/** One model beyond the catalogue, and one of a name that the catalogue has as an alias. */
const CONTEXT: ProviderContext = {
  own: [{ host: '127.0.0.1', port: 4000 }],
  known: {
    openai: [
      { name: 'old-vendor-model', price: { input: 1n, output: 2n, source: 'known/1' } },
      { name: 'gpt-4', price: undefined },
    ],
    anthropic: [],
    google: [],
    deepseek: [],
  },
  simulatedUrl: undefined, readCertificates,
};

/** Maps as objects, amounts as digits, and what is absent left out. */
function written(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return written(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, written(part)]));
}

function compiled(resources: readonly Resource[], workloads: readonly Workload[]): string {
  const { snapshots, findings } = compile(resources, workloads, CONTEXT);
  return `${JSON.stringify(written({ snapshots, findings }), undefined, 1)}\n`;
}

describe('the snapshots', () => {
  it.each(cases)('of %s', async (name) => {
    const { resources, findings } = readResources([join(here, name)]);
    expect(findings).toEqual([]);
    const workloads = name === 'workloads.yaml' ? WORKLOADS : WORKLOADS.slice(0, 1);
    await expect(compiled(resources, workloads)).toMatchFileSnapshot(`./${name.replace('.yaml', '.json')}`);
  });

  it.each(cases)('of %s are the same in whatever order the resources come', (name) => {
    const { resources } = readResources([join(here, name)]);
    const versions = (given: readonly Resource[]): string[] => [...compile(given, WORKLOADS, CONTEXT).snapshots.values()].map(({ version }) => version);
    expect(versions(resources.toReversed())).toEqual(versions(resources));
  });
});
