import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, LEAST_NANO_USD, LIMIT_NANO_USD, caseResources, runCase } from './fourcases.ts';
import { startService } from './service.ts';
import type { Service } from './service.ts';

const NUMBERS = [1, 8];
const TIMEOUT_MS = 600_000;

describe('50 clients at each processor, on a budget worth 100 calls', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-cases-'));
  let service: Service;

  beforeAll(async () => {
    const store = `sqlite:${join(folder, 'ledger.db')}`;
    service = await startService({ store, controllers: 1, processors: Math.max(...NUMBERS), resources: (url) => caseResources(url, NUMBERS) });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  }, TIMEOUT_MS);

  describe.each(NUMBERS)('on %i', (processors) => {
    let withoutBudget = 0;
    beforeAll(async () => {
      ({ seconds: withoutBudget } = await runCase(service, processors, undefined));
    }, TIMEOUT_MS);

    it.each(CASES.map((one, index) => ({ ...one, index })))(
      '$name: all of it is served, and nobody is refused before',
      async ({ index, longest, name }) => {
        const { served, cut, refused, retried, billedNanoUsd, seconds } = await runCase(service, processors, index);
        console.info(JSON.stringify({ processors, name, served, cut, refused: Object.fromEntries(refused), retried, seconds, withoutBudget }));
        expect(served).toBeGreaterThanOrEqual(97);
        expect(served).toBeLessThanOrEqual(100);
        expect(billedNanoUsd).toBeLessThanOrEqual(LIMIT_NANO_USD);
        // Whoever is refused is refused as the money is spent: what is left pays for no answer even of the floor's length.
        expect([...refused.keys()]).toEqual(['budget_exhausted']);
        expect(LIMIT_NANO_USD - billedNanoUsd).toBeLessThan(LEAST_NANO_USD);
        expect(seconds).toBeLessThanOrEqual(longest * withoutBudget);
      },
      TIMEOUT_MS,
    );
  });
});
