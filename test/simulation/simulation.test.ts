import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const STEPS_PER_SEED = 10_000;
const LEAST_STEPS = 1_000_000;
/** `SIMULATION_SEED=17` replays one seed; `SIMULATION_FIRST=100000` begins there, to search where nobody has. */
const { SIMULATION_SEED: only, SIMULATION_FIRST: first = '1' } = process.env;

function run(seed: number): ReturnType<World['run']> {
  try {
    return new World(seed).run(STEPS_PER_SEED);
  } catch (error) {
    throw new Error(`seed ${seed} (replay: SIMULATION_SEED=${seed} npx vitest run --config test/vitest.config.ts --project unit test/simulation/simulation)`, {
      cause: error,
    });
  }
}

describe('processors and controllers, with messages lost, doubled, late and out of order, crashes, partitions, wrong clocks and rivals', () => {
  it('keep every limit, settle once, and hold nothing for ever, at every step', { timeout: 300_000 }, () => {
    const outcomes = new Map<string, number>();
    let steps = 0;
    for (let seed = Number(only ?? first); steps < (only === undefined ? LEAST_STEPS : 1); seed += 1) {
      const summary = run(seed);
      steps += summary.steps;
      for (const [outcome, count] of summary.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    }
    if (only !== undefined) return;
    // All that is to be tried has happened, more than once.
    for (const outcome of [
      'granted',
      'refused',
      'waiting',
      'later granted',
      'later refused',
      'out_of_reach',
      'lost',
      'found',
      'threshold',
      'deposed',
      'overdrawn',
      'grown',
      'cut',
      'store lost',
      'settled under a lost lease',
      'kept for a quiet service',
    ]) {
      expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(5);
    }
  });

  it('do the same again from the same seed', () => {
    const [one, other] = [new World(7).run(3_000), new World(7).run(3_000)];
    expect(one).toEqual(other);
  });
});
