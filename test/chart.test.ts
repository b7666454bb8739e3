/** What the chart and its documents name, against what the program has. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OVERRIDES, annotationReference } from '../src/core/injection/index.ts';
import { readInjectorFile, WEBHOOK_PATHS } from '../src/shell/injector/index.ts';
import { LOG_LEVELS } from '../src/shell/telemetry/index.ts';
import { manifests } from './support/apiserver/manifests.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(fromRoot(path), 'utf8');

/** Histograms have three series of a name. */
const METRIC = /\b((?:airmesh|gen_ai)_[a-z_]+?)(?:_bucket|_sum|_count)?(?![a-z_])/g;
const NO_METRIC = new Set(['gen_ai_request_model']);
const documented = new Set([...read('docs/reference/metrics.md').matchAll(/^\| `([a-z_]+)`/gm)].map(([, name = '']) => name));

describe('metrics', () => {
  const dashboards = readdirSync(fromRoot('charts/airmesh/files/dashboards')).map((name) => `charts/airmesh/files/dashboards/${name}`);
  it.each([...dashboards, 'charts/airmesh/files/rules.yaml'])('of %s are those that there are', (path) => {
    const named = new Set([...read(path).matchAll(METRIC)].map(([, name = '']) => name).filter((name) => !NO_METRIC.has(name)));
    expect(named.size).toBeGreaterThan(4);
    expect([...named].filter((name) => !documented.has(name))).toEqual([]);
  });

  it('of dashboards are asked of the data source that is chosen, each panel by an id of its own', () => {
    for (const path of dashboards) {
      const { panels } = JSON.parse(read(path)) as { readonly panels: readonly { readonly id: number; readonly datasource?: { readonly uid: string } }[] };
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      expect(new Set(panels.flatMap(({ datasource }) => (datasource === undefined ? [] : [datasource.uid])))).toEqual(new Set(['${datasource}']));
    }
  });

  it('of rules go with a sentence for people', () => {
    const { groups } = parse(read('charts/airmesh/files/rules.yaml')) as {
      readonly groups: readonly { readonly rules: readonly { readonly annotations: object }[] }[];
    };
    expect(groups.flatMap(({ rules }) => rules).filter(({ annotations }) => !('summary' in annotations))).toEqual([]);
  });
});

describe('injection', () => {
  it('is documented, annotation by annotation', () => {
    const text = read('docs/install.md');
    expect(annotationReference().filter(({ name }) => !text.includes(`\`${name.replace('airmesh.dev/', '')}\``) && !text.includes(`\`${name}: `))).toEqual([]);
  });

  it('is told what the chart writes', () => {
    const map = manifests().find(({ metadata }) => metadata.name === 'airmesh-injector') as { readonly data?: Readonly<Record<string, string>> } | undefined;
    const file = readInjectorFile(map?.data?.['injector.yaml'] ?? '');
    expect(file).toMatchObject({ ok: true, value: { webhook: 'airmesh.airmesh-system', controllers: ['airmesh-controllers.airmesh-system.svc:15010'] } });
  });

  it('takes the log levels that there are', () => {
    const takes = (level: string): boolean => OVERRIDES['sidecar-log-level']?.takes(level) === true;
    expect([...LOG_LEVELS, 'trace', 'fatal'].filter(takes)).toEqual(LOG_LEVELS);
    const schema = JSON.parse(read('charts/airmesh/values.schema.json')) as {
      readonly definitions: { readonly logLevel: { readonly enum: readonly string[] } };
    };
    expect(schema.definitions.logLevel.enum).toEqual(LOG_LEVELS);
  });

  it('is asked by the paths that the chart registers', () => {
    const { webhooks } = manifests().find(({ kind }) => kind === 'MutatingWebhookConfiguration') as unknown as {
      readonly webhooks: readonly { readonly clientConfig: { readonly service: { readonly path: string } } }[];
    };
    expect(webhooks.map(({ clientConfig }) => clientConfig.service.path)).toEqual([...WEBHOOK_PATHS.keys()]);
  });
});
