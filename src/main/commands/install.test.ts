import { describe, expect, it } from 'vitest';
import { recordingTerminal } from '../terminal/recording.ts';
import { helmArguments, install, plannedIn } from './install.ts';
import type { InstallFlags } from './install.ts';

const FLAGS: InstallFlags = { release: 'airmesh', namespace: 'mesh', values: ['own.yaml'], set: ['mesh=Istio'], chart: '/chart', dryRun: false, json: false };

describe('what Helm is told', () => {
  it('is to install, and to wait until it runs', () => {
    expect(helmArguments(FLAGS).join(' ')).toBe(
      'upgrade --install airmesh /chart --namespace mesh --values own.yaml --set mesh=Istio --create-namespace --wait',
    );
  });

  it('is to ask the API server alone, for a dry run', () => {
    const told = helmArguments({ ...FLAGS, dryRun: true, chart: undefined }).join(' ');
    expect(told).toContain('--dry-run=server --output json');
    expect(told).not.toContain('--create-namespace');
    expect(told).toMatch(/charts\/airmesh --namespace/);
  });
});

it('a manifest is read as the objects that it makes', () => {
  const manifest = '---\n# Source: a\nkind: Service\nmetadata: {name: airmesh, namespace: mesh}\n---\n---\nkind: ClusterRole\nmetadata: {name: airmesh}\n';
  expect(plannedIn(manifest)).toEqual([
    { kind: 'Service', namespace: 'mesh', name: 'airmesh' },
    { kind: 'ClusterRole', name: 'airmesh' },
  ]);
});

it('says what to do where there is no Helm', async () => {
  const { terminal } = recordingTerminal({ environment: { PATH: '/nowhere' } });
  await expect(install({ ...FLAGS, dryRun: true }, terminal)).rejects.toMatchObject({
    message: 'There is no helm on the path.',
    hint: expect.stringContaining('deploy/manifests/airmesh.yaml'),
  });
});
