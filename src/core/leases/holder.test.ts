import { describe, expect, it } from 'vitest';
import { LIFETIME_MS, MARGIN_MS, limitIdentity } from './index.ts';
import { Mesh, START, limit, used } from './mesh.test-support.ts';

describe('a call', () => {
  it('waits for one round trip where nothing is at hand, and for none afterwards', () => {
    const mesh = new Mesh([limit('life', { limit: 100_000n })], ['a']);
    expect(mesh.reserve('a', '1', ['life'], 100)).toBe('waiting');
    mesh.pass(2.5);
    expect(mesh.decided.get('1')).toMatchObject({ kind: 'granted', holds: [{ amount: 100n, lease: 1 }] });
    mesh.pass(2_000);
    mesh.reserve('a', '2', ['life'], 100);
    mesh.pass(20);
    const { messages } = mesh;
    for (let call = 3; call < 8; call += 1) {
      mesh.settle('a', String(call - 1), used(80));
      expect(mesh.reserve('a', String(call), ['life'], 100)).toBe('granted');
    }
    expect(mesh.messages - messages).toBeLessThanOrEqual(1);
  });

  it('that needs more than any slice is served from all that is unheld', () => {
    const mesh = new Mesh([limit('life')], ['a', 'b', 'c']);
    for (const name of ['a', 'b']) mesh.reserve(name, name, ['life'], 200);
    mesh.pass(5);
    for (const name of ['a', 'b']) mesh.settle(name, name, used(10));
    expect(mesh.reserve('c', 'c', ['life'], 970)).toBe('waiting');
    mesh.pass(20);
    expect(mesh.decided.get('c')).toMatchObject({ kind: 'granted', holds: [{ amount: 970n }] });
  });

  it('gets what another has at hand and has told already', () => {
    const mesh = new Mesh([limit('life')], ['a', 'b']);
    mesh.reserve('a', 'a', ['life'], 200);
    mesh.pass(5);
    mesh.settle('a', 'a', used(10));
    // Wakes it, so that all is booked.
    mesh.configure(mesh.limits);
    mesh.pass(20);
    expect(mesh.figures('life')[0]).toBe(10n);
    const { messages } = mesh;
    expect(mesh.reserve('b', 'b', ['life'], 970)).toBe('waiting');
    mesh.pass(20);
    expect(mesh.decided.get('b')).toMatchObject({ kind: 'granted', holds: [{ amount: 970n }] });
    expect(mesh.messages - messages).toBeLessThan(6);
  });

  it('that waits for what others hold does not ask again and again', () => {
    const mesh = new Mesh([limit('life')], ['a', 'b']);
    mesh.reserve('a', '1', ['life'], 900);
    mesh.pass(5);
    // Something at hand that is too little for the one that waits.
    mesh.reserve('b', '2', ['life'], 60);
    mesh.pass(5);
    mesh.settle('b', '2', used(10));
    mesh.reserve('b', '3', ['life'], 300);
    mesh.pass(50);
    const { messages } = mesh;
    mesh.pass(2_900);
    expect(mesh.messages - messages).toBeLessThan(10);
    mesh.settle('a', '1', used(100));
    mesh.pass(20);
    expect(mesh.decided.get('3')?.kind).toBe('granted');
  });

  it('is refused as soon as nothing is free anywhere, and not before', () => {
    const mesh = new Mesh([limit('life')], ['a', 'b']);
    mesh.reserve('a', '1', ['life'], 900);
    mesh.pass(5);
    mesh.reserve('b', '2', ['life'], 200);
    mesh.pass(100);
    expect(mesh.decided.has('2')).toBe(false);
    mesh.settle('a', '1', used(850));
    mesh.pass(20);
    expect(mesh.decided.get('2')).toMatchObject({ kind: 'refused', reason: 'exhausted' });
    expect(mesh.reserve('b', '3', ['life'], 200)).toBe('refused');
    expect(mesh.reserve('b', '4', ['life'], 150)).toBe('waiting');
    mesh.pass(20);
    expect(mesh.decided.get('4')?.kind).toBe('granted');
  });

  it('is shortened to what is left where nobody else has anything', () => {
    const mesh = new Mesh([limit('life', { nearLimit: 'Shrink', floorOutputTokens: 10 })], ['a', 'b']);
    mesh.reserve('a', '1', ['life'], 900);
    mesh.pass(5);
    mesh.reserve('b', '2', ['life'], 500);
    mesh.pass(50);
    expect(mesh.decided.has('2')).toBe(false);
    mesh.settle('a', '1', used(900));
    mesh.pass(20);
    expect(mesh.decided.get('2')).toMatchObject({ kind: 'granted', outputCap: 100, shrunk: true });
  });

  it('over several budgets has all or none; two that want the same in another order are both served', () => {
    const mesh = new Mesh([limit('x'), limit('y')], ['a', 'b']);
    mesh.reserve('a', 'a0', ['x'], 600);
    mesh.reserve('b', 'b0', ['y'], 600);
    mesh.pass(5);
    mesh.reserve('a', 'a1', ['x', 'y'], 900);
    mesh.reserve('b', 'b1', ['y', 'x'], 900);
    mesh.pass(5);
    mesh.settle('a', 'a0', { kind: 'void' });
    mesh.settle('b', 'b0', { kind: 'void' });
    mesh.pass(50);
    const [first, second] = mesh.decided.has('a1') ? ['a', 'b'] : ['b', 'a'];
    expect(mesh.decided.get(`${first}1`)?.kind).toBe('granted');
    expect(mesh.decided.has(`${second}1`)).toBe(false);
    mesh.settle(first, `${first}1`, used(50));
    mesh.pass(50);
    expect(mesh.decided.get(`${second}1`)).toMatchObject({ kind: 'granted' });
    mesh.settle(second, `${second}1`, used(50));
    mesh.pass(40_000);
    for (const id of ['x', 'y']) expect(mesh.figures(id)).toEqual([100n, 0n, 900n]);
  });

  it('over a rate limit is refused within two round trips, not after a wait', () => {
    const mesh = new Mesh(
      [limit('rate', { unit: 'requests', limit: 3n, kind: 'rate', waitMs: 0, window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' } })],
      ['a', 'b'],
    );
    for (const [name, id] of [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ] as const)
      mesh.reserve(name, id, ['rate'], 1);
    mesh.pass(10);
    expect(['1', '2', '3'].map((id) => mesh.decided.get(id)?.kind)).toEqual(['granted', 'granted', 'granted']);
    mesh.reserve('b', '4', ['rate'], 1);
    mesh.pass(10);
    expect(mesh.decided.get('4')).toMatchObject({ kind: 'refused', reason: 'rate_limited', retryAtMs: START + 40_000 });
    mesh.pass(41_000);
    mesh.reserve('b', '5', ['rate'], 1);
    mesh.pass(10);
    expect(mesh.decided.get('5')?.kind).toBe('granted');
  });

  it('that waits is served within a second of a top-up, and every one after it', () => {
    const mesh = new Mesh([limit('life')], ['a']);
    mesh.reserve('a', '1', ['life'], 990);
    mesh.pass(5);
    mesh.settle('a', '1', used(990));
    mesh.pass(5);
    mesh.reserve('a', '2', ['life'], 100);
    mesh.pass(5);
    expect(mesh.decided.get('2')).toMatchObject({ reason: 'exhausted' });
    mesh.cut.add('a');
    mesh.configure([limit('life', { limit: 2_000n })]);
    mesh.pass(5);
    mesh.cut.clear();
    mesh.pass(1_100);
    mesh.reserve('a', '3', ['life'], 100);
    mesh.pass(5);
    expect(mesh.decided.get('3')?.kind).toBe('granted');
  });
});

describe('a slice', () => {
  it('goes back when it is idle', () => {
    const mesh = new Mesh([limit('life')], ['a']);
    mesh.reserve('a', '1', ['life'], 300);
    mesh.pass(5);
    mesh.settle('a', '1', used(100));
    mesh.pass(25_000);
    expect(mesh.figures('life')).toEqual([100n, 0n, 900n]);
  });

  it('of a window that is over goes back; calls in flight are posted there', () => {
    const mesh = new Mesh([limit('minute', { window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' } })], ['a']);
    mesh.reserve('a', '1', ['minute'], 300);
    mesh.pass(50_000);
    mesh.settle('a', '1', used(100));
    mesh.reserve('a', '2', ['minute'], 1_000);
    mesh.pass(12_000);
    expect(mesh.decided.get('2')).toMatchObject({ kind: 'granted', holds: [{ windowStart: START + 40_000 }] });
    expect(mesh.figures('minute')).toEqual([100n, 0n, 900n]);
  });

  it('of a limit that is gone goes back', () => {
    const mesh = new Mesh([limit('life'), limit('other')], ['a']);
    mesh.reserve('a', '1', ['life'], 300);
    mesh.pass(5);
    mesh.settle('a', '1', used(100));
    mesh.configure([limit('other')]);
    mesh.pass(15_000);
    mesh.configure([limit('life'), limit('other')]);
    expect(mesh.figures('life')).toEqual([100n, 0n, 900n]);
  });
});

describe('a lease', () => {
  it('ends at the holder before it does at the authority, whatever the wall clock says', () => {
    const mesh = new Mesh([limit('life', { waitMs: 600_000 })], ['a']);
    mesh.reserve('a', '1', ['life'], 300);
    mesh.pass(5);
    mesh.settle('a', '1', { kind: 'void' });
    mesh.pass(5);
    mesh.cut.add('a');
    mesh.ahead -= 300_000;
    mesh.pass(LIFETIME_MS - 1_000);
    expect(mesh.reserve('a', '2', ['life'], 100)).toBe('granted');
    mesh.pass(1_500);
    expect(mesh.figures('life')).toEqual([0n, 300n, 700n]);
    expect(mesh.reserve('a', '3', ['life'], 100)).toBe('out_of_reach');
    mesh.pass(MARGIN_MS);
    expect(mesh.figures('life')).toEqual([300n, 0n, 700n]);
    mesh.cut.clear();
    mesh.pass(3_000);
    expect(mesh.figures('life')).toEqual([100n, 0n, 900n]);
    mesh.settle('a', '2', used(60));
    mesh.pass(3_000);
    expect(mesh.figures('life')).toEqual([60n, 0n, 940n]);
    expect(mesh.settle('a', '2', used(60))).toBe(false);
    mesh.reserve('a', '4', ['life'], 100);
    mesh.pass(5);
    expect(mesh.decided.get('4')).toMatchObject({ kind: 'granted', holds: [{ lease: 2 }] });
  });

  it.each([
    { mode: 'Strict', first: 'out_of_reach', second: 'out_of_reach' },
    { mode: 'Bounded', first: 'granted', second: 'out_of_reach' },
    { mode: 'Observe', first: 'granted', second: 'granted' },
  ] as const)('that is over, with the authority out of reach: $mode', ({ mode, first, second }) => {
    const mesh = new Mesh([limit('life', { mode, limit: 100_000n })], ['a']);
    mesh.reserve('a', '1', ['life'], 300);
    mesh.pass(5);
    mesh.cut.add('a');
    mesh.pass(LIFETIME_MS + MARGIN_MS);
    expect(mesh.reserve('a', '2', ['life'], 2_000)).toBe(first);
    expect(mesh.reserve('a', '3', ['life'], 2_000)).toBe(second);
    for (const [id, { kind }] of mesh.decided) if (kind === 'granted') mesh.settle('a', id, used(200));
    mesh.cut.clear();
    mesh.pass(60_000);
    const served = 1 + [first, second].filter((outcome) => outcome === 'granted').length;
    expect(mesh.figures('life').slice(0, 2)).toEqual([200n * BigInt(served), 0n]);
  });

  it('of a former process is settled from its journal, and what it did not spend comes back', () => {
    const mesh = new Mesh([limit('life')], ['a']);
    mesh.reserve('a', '1', ['life'], 300);
    mesh.pass(5);
    const slice = { limit: limitIdentity(limit('life')), subject: '', period: 0, windowStart: 0, isRolling: false };
    mesh.start('a', [{ lease: 1, spent: [{ ...slice, amount: 120n }] }]);
    mesh.pass(3_000);
    expect(mesh.figures('life')).toEqual([120n, 0n, 880n]);
    expect(mesh.holder('a').takeEntries()).toEqual([
      { kind: 'lease_begun', lease: 2 },
      { kind: 'lease_ended', lease: 1 },
    ]);
  });
});

describe('what a former process held for a call that goes on', () => {
  const life = { limit: limitIdentity(limit('life')), period: 0, isRolling: false };
  const batch = { id: 'batch', lease: 1, holds: [{ ...life, hold: { limit: 'life', subject: '', windowStart: 0, amount: 200n, lease: 1 } }] };
  const restarted = (): Mesh => {
    const mesh = new Mesh([limit('life')], ['a']);
    mesh.reserve('a', 'batch', ['life'], 200);
    mesh.pass(5);
    const holder = mesh.start('a', [{ lease: 1, spent: [] }]);
    expect(holder.restoreHold(batch, mesh.at, mesh.now)).toEqual({ ok: true, value: undefined });
    return mesh;
  };

  it('stays held under the old lease, for as long as it takes', () => {
    const mesh = restarted();
    mesh.pass(10 * LIFETIME_MS);
    expect(mesh.figures('life')).toEqual([0n, 200n, 800n]);
    mesh.settle('a', 'batch', used(50));
    mesh.pass(3_000);
    expect(mesh.figures('life')).toEqual([50n, 0n, 950n]);
    expect(mesh.holder('a').takeEntries()).toContainEqual({ kind: 'lease_ended', lease: 1 });
  });

  it.each([
    ['an unknown lease', { ...batch, id: 'other', lease: 7 }, 'lease 7 is not an unfinished one'],
    ['a known id', batch, 'reservation "batch" exists already'],
  ])('%s is an error', (_what, unfinished, message) => {
    const mesh = restarted();
    expect(mesh.holder('a').restoreHold(unfinished, mesh.at, mesh.now)).toEqual({ ok: false, error: message });
  });
});

describe('a limit that is counted anew', () => {
  it('is under another lease, so that under one an id means one limit', () => {
    const mesh = new Mesh([limit('life')], ['a']);
    mesh.reserve('a', '1', ['life'], 100);
    mesh.pass(5);
    mesh.configure([limit('life', { unit: 'tokens' })]);
    mesh.pass(5);
    mesh.reserve('a', '2', ['life'], 100);
    mesh.pass(5);
    const leases = [...mesh.decided.values()].map((outcome) => (outcome.kind === 'granted' ? outcome.holds[0]?.lease : undefined));
    expect(leases).toEqual([1, 2]);
  });
});

describe('an authority that does not answer', () => {
  it('leaves calls to what is at hand, and is not waited for', () => {
    const mesh = new Mesh([limit('life')], ['a']);
    mesh.reserve('a', '1', ['life'], 300);
    mesh.pass(5);
    mesh.settle('a', '1', used(100));
    mesh.cut.add('a');
    mesh.reserve('a', '2', ['life'], 500);
    mesh.pass(4_000);
    expect(mesh.reserve('a', '3', ['life'], 500)).toBe('out_of_reach');
    mesh.pass(2_000);
    expect(mesh.decided.get('2')).toMatchObject({ kind: 'refused', reason: 'wait_timeout' });
    expect(mesh.reserve('a', '4', ['life'], 150)).toBe('granted');
  });

  it('is not one whose answer a process that did not run has not read yet', () => {
    const mesh = new Mesh([limit('life', { waitMs: 60_000 })], ['a']);
    mesh.reserve('a', '1', ['life'], 300);
    mesh.stall(10_000);
    // Others come before the answer is read.
    expect(mesh.reserve('a', '2', ['life'], 300)).toBe('waiting');
    expect(mesh.holder('a').isSilent).toBe(false);
    mesh.pass(10);
    expect([mesh.decided.get('1')?.kind, mesh.decided.get('2')?.kind]).toEqual(['granted', 'granted']);
  });

  it('is given as long as ever after such a while, in which nothing was said either', () => {
    const mesh = new Mesh([limit('life', { waitMs: 60_000 })], ['a']);
    mesh.cut.add('a');
    mesh.reserve('a', '1', ['life'], 300);
    mesh.stall(10_000);
    mesh.pass(2_900);
    expect(mesh.holder('a').isSilent).toBe(false);
    mesh.pass(200);
    expect(mesh.holder('a').isSilent).toBe(true);
    expect(mesh.reserve('a', '2', ['life'], 300)).toBe('out_of_reach');
  });

  it('is judged by who looks for it at its time, not by who comes first afterwards', () => {
    const mesh = new Mesh([limit('life', { waitMs: 60_000 })], ['a']);
    mesh.cut.add('a');
    mesh.reserve('a', '1', ['life'], 300);
    mesh.pass(2_999);
    mesh.stall(2);
    expect(mesh.reserve('a', '2', ['life'], 300)).toBe('waiting');
    mesh.pass(1);
    expect(mesh.reserve('a', '3', ['life'], 300)).toBe('out_of_reach');
  });
});
