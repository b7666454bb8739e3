import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Against the cluster that KUBECONFIG names, which gets Airmesh installed and uninstalled. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'cluster',
    include: ['test/cluster/**/*.test.ts'],
    globalSetup: ['test/cluster/setup.ts'],
    fileParallelism: false,
    // A file tells one story: what comes later needs what came before.
    bail: 1,
    testTimeout: 240_000,
    hookTimeout: 600_000,
  },
});
