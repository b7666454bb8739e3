import { describe } from 'vitest';
import { limit, minute, rate, table, team } from './tables.test-support.ts';

describe('holding and settling', () => {
  table(
    'what is not used comes back, once',
    [team],
    [
      [0, 'a 60 of team', 'granted 60'],
      [0, 'view team', '0 60 40'],
      [1, 'settle a 25', 'posted 25'],
      [1, 'view team', '25 0 75'],
      [1, 'settle a 25', 'nothing'],
      [1, 'void a', 'nothing'],
      [1, 'settle unheard-of 5', 'nothing'],
      [1, 'view team', '25 0 75'],
    ],
  );
  table(
    'void posts nothing; estimated posts the whole hold where it is strict',
    [team, limit('bounded', { mode: 'Bounded' }), limit('calls', { unit: 'requests' })],
    [
      [0, 'a 40 of team,bounded,calls', 'granted 40'],
      [0, 'void a', 'posted 0+0+0'],
      [0, 'b 40 of team,bounded,calls', 'granted 40'],
      [0, 'estimate b 7', 'posted 40+7+1'],
      [0, 'view calls', '1 0 99'],
    ],
  );
  table(
    'a provider that bills more than the bound is posted in full, and told of',
    [team],
    [
      [0, 'a 90 of team', 'granted 90'],
      [0, 'settle a 130', 'posted 130, 40 over'],
      [0, 'view team', '130 0 -30'],
      [0, 'b 10 of team', 'exhausted in team'],
    ],
  );
  table(
    'all accounts or none, each subject its own',
    [team, limit('each', { limit: 50n })],
    [
      [0, 'a 50 of team,each/x', 'granted 50'],
      [0, 'settle a 50', 'posted 50+50'],
      [0, 'b 50 of team,each/x', 'exhausted in each'],
      [0, 'view team', '50 0 50'],
      [0, 'c 50 of team,each/y', 'granted 50'],
    ],
  );
  table(
    'Observe counts, never refuses, and says what it would have refused',
    [limit('team', { mode: 'Observe', limit: 50n })],
    [
      [0, 'a 40 of team', 'granted 40'],
      [0, 'b 40 of team', 'granted 40, over team'],
      [0, 'settle a 40', 'posted 40'],
      [0, 'settle b 30', 'posted 30'],
      [0, 'view team', '70 0 -20'],
      [0, 'c 900 of team', 'granted 900, over team'],
    ],
  );
});

describe('waiting', () => {
  table(
    'only for others’ holds; first come, first served',
    [team],
    [
      [0, 'a 80 of team', 'granted 80'],
      [1, 'b 50 of team', 'waits'],
      [2, 'c 30 of team', 'waits'],
      [3, 'd 10 of team', 'waits'],
      [4, 'next', '31'],
      [4, 'settle a 20', 'posted 20; b granted 50; c granted 30'],
      [5, 'cancel d', 'left'],
      [5, 'cancel d', 'nothing'],
      [5, 'cancel b', 'nothing'],
      [5, 'view team', '20 80 0'],
      [5, 'next', 'NaN'],
    ],
  );
  table(
    'no longer than allowed',
    [team],
    [
      [0, 'a 80 of team', 'granted 80'],
      [1, 'b 50 of team', 'waits'],
      [2, 'c 60 of team', 'waits'],
      [30.999, 'advance', ''],
      [31, 'advance', 'b wait_timeout in team, retry at 36'],
      [32, 'advance', 'c wait_timeout in team, retry at 37'],
    ],
  );
  table(
    'not where it is of no use',
    [team],
    [
      [0, 'a 60 of team', 'granted 60'],
      [0, 'settle a 60', 'posted 60'],
      [0, 'b 30 of team', 'granted 30'],
      [0, 'c 41 of team', 'exhausted in team'],
      [0, 'd 101 of team', 'too_small_for_call in team'],
      [0, 'e 40 of team', 'waits'],
      [1, 'estimate b 1', 'posted 30; e exhausted in team'],
    ],
  );
  table(
    'not where the budget refuses at once',
    [limit('team', { waitMs: 0 })],
    [
      [0, 'a 60 of team', 'granted 60'],
      [0, 'b 60 of team', 'exhausted in team, retry at 5'],
    ],
  );
  table(
    'in the way of nobody who has other accounts, nor where there is enough for both',
    [team, limit('x', { limit: 50n }), limit('y', { limit: 50n })],
    [
      [0, 'a 50 of team,x', 'granted 50'],
      [0, 'b 30 of team,x', 'waits'],
      [0, 'c 50 of y', 'granted 50'],
      [0, 'd 20 of team', 'granted 20'],
      // The 30 that are left are what b needs as soon as x has room for it.
      [0, 'e 10 of team', 'waits'],
      [1, 'settle a 20', 'posted 20+20; b granted 30; e granted 10'],
    ],
  );
  table(
    'when the first leaves, those behind move up',
    [team],
    [
      [0, 'a 80 of team', 'granted 80'],
      [0, 'b 90 of team', 'waits'],
      [0, 'c 20 of team', 'waits'],
      [1, 'cancel b', 'left; c granted 20'],
    ],
  );
  table(
    'a change of the limit is felt at once, up and down',
    [team, limit('other')],
    [
      [0, 'a 80 of team', 'granted 80'],
      [0, 'b 50 of team', 'waits'],
      [0, 'c 20 of team', 'waits'],
      [1, 'limit team 150', 'b granted 50; c granted 20'],
      [1, 'limit team 60', ''],
      [1, 'view team', '0 150 -90'],
      [1, 'd 61 of team', 'too_small_for_call in team'],
      [2, 'e 50 of team', 'waits'],
      [2, 'limit team 40', 'e too_small_for_call in team'],
      [3, 'settle b 5', 'posted 5'],
      // Taken away: who waited for it alone has nothing to wait for; and it remembers.
      [3, 'f 30 of team', 'waits'],
      [4, 'limit team 0', 'f granted 30'],
      [4, 'settle a 7', 'posted 7'],
      [4, 'limit team 100', ''],
      [4, 'view team', '12 20 68'],
    ],
  );
});

describe('windows', () => {
  table(
    'a settlement belongs to its hold’s window',
    [limit('team', { window: minute })],
    [
      [50, 'a 80 of team', 'granted 80'],
      [59, 'b 80 of team', 'waits'],
      [59, 'next', '60'],
      [60, 'advance', 'b granted 80'],
      [61, 'settle a 80', 'posted 80'],
      [61, 'view team', '0 80 20'],
      [62, 'settle b 80', 'posted 80'],
      [62, 'c 30 of team', 'exhausted in team, retry at 120'],
      [119.999, 'c 30 of team', 'exhausted in team, retry at 120'],
      [120, 'c 30 of team', 'granted 30'],
    ],
  );
  table(
    'a clock that is set back a little changes nothing; one that is set back far is followed',
    [limit('team', { window: minute })],
    [
      [7_200, 'a 80 of team', 'granted 80'],
      [7_200, 'settle a 80', 'posted 80'],
      [7_190, 'view team', '80 0 20'],
      [10, 'view team', '80 0 20'],
      [10, 'b 30 of team', 'exhausted in team, retry at 60'],
      [60, 'b 30 of team', 'granted 30'],
    ],
  );
  table(
    'rolling: whatever was admitted in the last minute counts',
    [limit('team', { window: { kind: 'rolling', durationMs: 60_000 } })],
    [
      [0.5, 'a 60 of team', 'granted 60'],
      [0.5, 'settle a 60', 'posted 60'],
      [30, 'b 40 of team', 'granted 40'],
      [30, 'settle b 40', 'posted 40'],
      [60.5, 'c 10 of team', 'exhausted in team, retry at 61'],
      [60.999, 'd 70 of team', 'exhausted in team, retry at 91'],
      [61, 'd 60 of team', 'granted 60'],
      [61, 'e 1 of team', 'waits'],
      [91, 'advance', 'e granted 1'],
    ],
  );
  table(
    'rate limits refuse at once and say when to come back',
    [limit('rate', { ...rate, unit: 'requests', limit: 2n })],
    [
      [0, 'a 5 of rate', 'granted 5'],
      [10, 'b 5 of rate', 'granted 5'],
      [20, 'c 5 of rate', 'rate_limited in rate, retry at 61'],
      // A call of long ago counts no more, though it still runs.
      [61, 'c 5 of rate', 'granted 5'],
      [61, 'settle a 5', 'posted 1'],
      [61, 'view rate', '0 2 0'],
    ],
  );
});

describe('near the limit', () => {
  const shrink = limit('team', { nearLimit: 'Shrink' });
  table(
    'Shrink lowers the cap to what is left, no further than the floor',
    [shrink],
    [
      [0, 'a 70 of team', 'granted 70'],
      [0, 'settle a 70', 'posted 70'],
      [0, 'b 80 of team', 'granted 30, shrunk'],
      [0, 'settle b 15', 'posted 15'],
      [0, 'c 80 of team', 'granted 15, shrunk'],
      [0, 'settle c 6', 'posted 6'],
      [0, 'd 80 of team', 'exhausted in team'],
      [0, 'e 9 of team', 'granted 9'],
    ],
  );
  table(
    'an answer of a length that is known waits for what it needs, not for what it asks',
    [shrink],
    [
      [0, 'a 60 of team', 'granted 60'],
      [1, 'settle a 10', 'posted 10'],
      [1, 'b 60 of team', 'granted 60'],
      [2, 'c 60 of team', 'waits'],
      [3, 'settle b 10', 'posted 10; c granted 60'],
      [3, 'd 60 of team', 'waits'],
      [4, 'settle c 10', 'posted 10; d granted 60'],
      [4, 'settle d 10', 'posted 10'],
      [5, 'e 60 of team', 'granted 60'],
      [5, 'settle e 10', 'posted 10'],
      [5, 'f 60 of team', 'granted 17, shrunk'],
      [5, 'g 60 of team', 'granted 17, shrunk'],
      [5, 'h 60 of team', 'waits'],
    ],
  );
  table(
    'without a cap and without knowledge, some run at once',
    [shrink],
    [
      [0, 'a 9000 of team default', 'granted 100, shrunk'],
      [0, 'b 9000 of team default', 'waits'],
      [1, 'settle a 10', 'posted 10; b granted 33, shrunk'],
    ],
  );
  table(
    'at the end of its wait a call takes what there is',
    [shrink],
    [
      [0, 'a 70 of team', 'granted 70'],
      [0, 'b 60 of team', 'waits'],
      [30, 'advance', 'b granted 30, shrunk'],
    ],
  );
  table(
    'with two budgets the lower cap wins; Reject takes it as it is',
    [shrink, limit('other', { limit: 50n }), limit('third', { limit: 40n, nearLimit: 'Shrink' })],
    [
      [0, 'a 60 of team,other', 'too_small_for_call in other'],
      [0, 'b 60 of team,other,third', 'granted 40, shrunk'],
      [0, 'view other', '0 40 10'],
    ],
  );
});
