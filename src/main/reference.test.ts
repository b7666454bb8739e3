import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { customResourceDefinitions } from '../core/crds/index.ts';
import { createMetrics, describeMetrics } from '../shell/telemetry/index.ts';
import { createProgram } from './program.ts';
import { commandReference, metricReference } from './reference.ts';
import { resourceReference } from './resource-reference.ts';
import { recordingTerminal } from './terminal/recording.ts';

const document = (name: string): string => fileURLToPath(new URL(`../../docs/reference/${name}`, import.meta.url));

it('of the commands is current', async () => {
  const program = createProgram(recordingTerminal().terminal, () => undefined);
  await expect(commandReference(program)).toMatchFileSnapshot(document('cli.md'));
});

it('of the metrics is current', async () => {
  const metrics = createMetrics({ accounts: () => [], providerType: () => undefined, ready: () => true }, '0.0.0');
  await expect(metricReference(describeMetrics(metrics))).toMatchFileSnapshot(document('metrics.md'));
});

it('of the resources is current', async () => {
  await expect(resourceReference(customResourceDefinitions())).toMatchFileSnapshot(document('resources.md'));
});
