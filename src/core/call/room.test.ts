import { describe, expect, it } from 'vitest';
import { Room, WEIGHTS } from './room.ts';

const MIB = 1_048_576;

/** A room for two bodies of a megabyte that are judged, in which two others may wait; and what each was told. */
function open(limits: { readonly memoryBytes?: number; readonly waiting?: number } = {}) {
  const timers: (() => void)[] = [];
  const told: string[] = [];
  const room = new Room(
    { memoryBytes: 2 * WEIGHTS.judged * MIB, smallerBytes: MIB, waiting: 2, waitMs: 30_000, ...limits },
    (_delayMs, run) => void timers.push(run),
  );
  const enter = (id: string, bytes = MIB): void => room.enter(id, bytes, (isLetIn) => told.push(`${id} ${isLetIn ? 'in' : 'refused'}`));
  return { room, enter, told, time: () => timers.splice(0).forEach((run) => run()) };
}

describe('a room', () => {
  it('lets in as many as there is memory for, and others in their order as that is given back', () => {
    const { room, enter, told } = open();
    for (const id of ['a', 'b', 'c', 'd']) enter(id);
    expect(told).toEqual(['a in', 'b in']);
    room.leave('b');
    expect(told).toEqual(['a in', 'b in', 'c in']);
    room.leave('a');
    expect(told.at(-1)).toBe('d in');
  });

  it('has more of it again when a verdict is on its way, and all when the call has ended', () => {
    const { room, enter, told } = open();
    for (const id of ['a', 'b', 'c', 'd']) enter(id);
    room.sent('a');
    expect(told).toHaveLength(2);
    room.sent('b');
    expect(told).toEqual(['a in', 'b in', 'c in']);
    room.sent('b');
    room.leave('a');
    room.leave('b');
    expect(told.at(-1)).toBe('d in');
  });

  it('lets in one that is larger than all of it, by itself', () => {
    const { room, enter, told } = open();
    enter('large', 10 * MIB);
    enter('small');
    expect(told).toEqual(['large in']);
    room.leave('large');
    expect(told).toEqual(['large in', 'small in']);
  });

  it('is no way for the small past the large', () => {
    const { room, enter, told } = open();
    enter('a');
    enter('large', 2 * MIB);
    enter('b');
    expect(told).toEqual(['a in']);
    room.leave('a');
    room.leave('large');
    expect(told).toEqual(['a in', 'large in', 'b in']);
  });

  it('refuses who has waited too long, and who would wait behind too many', () => {
    const { enter, told, time } = open();
    for (const id of ['a', 'b', 'c', 'd', 'e']) enter(id);
    expect(told).toEqual(['a in', 'b in', 'e refused']);
    time();
    expect(told.slice(3)).toEqual(['c refused', 'd refused']);
    time();
    expect(told).toHaveLength(5);
  });

  it('goes on when one that waits in front is refused or gone', () => {
    const { room, enter, told, time } = open();
    enter('a');
    enter('large', 2 * MIB);
    enter('b');
    room.leave('large');
    expect(told).toEqual(['a in', 'b in']);
    time();
    expect(told).toHaveLength(2);
  });

  it('turns everybody away who would have to wait where nobody may', () => {
    const { enter, told } = open({ waiting: 0 });
    for (const id of ['a', 'b', 'c']) enter(id);
    expect(told).toEqual(['a in', 'b in', 'c refused']);
  });

  it('counts smaller bodies while they are judged; one is always taken', () => {
    const { room } = open();
    expect(room.judge(2 * MIB)).toBe(true);
    expect(room.judge(1)).toBe(false);
    room.judged(2 * MIB);
    expect(room.judge(MIB - 1)).toBe(true);
    expect(room.judge(1)).toBe(true);
    expect(room.judge(1)).toBe(false);
  });
});
