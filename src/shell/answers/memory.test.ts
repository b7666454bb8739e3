import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { AnswerSlot, KeptAnswer, Lookup, Question } from '../../core/call/index.ts';
import { AnswerMemory, MAX_WAITING } from './memory.ts';

const question = (text: string, ...parts: string[]): Question => ({ parts: ['shop', 'checkout', ...parts], body: Buffer.from(text) });
const answer = (text: string): KeptAnswer => ({ contentType: 'application/json', body: Buffer.from(text), at: 0, costNanoUsd: 5n });
const TTL = { ttlMs: 1_000, coalesce: true };

function slotOf(found: Lookup): AnswerSlot {
  if (found.kind !== 'unknown') throw new Error(`is ${found.kind}`);
  return found.slot;
}

describe('an answer', () => {
  it('is given again until its time is over, and to the same question only', () => {
    let now = 0;
    const memory = new AnswerMemory(() => now);
    slotOf(memory.look(question('q'), TTL, true)).end(answer('a'));
    now = 999;
    expect(memory.look(question('q'), TTL, true)).toEqual({ kind: 'kept', answer: answer('a') });
    expect(memory.look(question('other'), TTL, true).kind).toBe('unknown');
    expect(memory.look(question('q', 'more'), TTL, true).kind).toBe('unknown');
    now = 1_000;
    expect(memory.look(question('q'), TTL, true).kind).toBe('unknown');
    expect(memory.bytes).toBe(0);
  });

  it('of parts that only look alike when they are joined is not mixed up', () => {
    const memory = new AnswerMemory(() => 0);
    slotOf(memory.look(question('c', 'a', 'b'), TTL, true)).end(answer('a'));
    for (const other of [question('c', 'ab'), question('c', 'ab', ''), question('bc', 'a'), question('c', 'b', 'a')])
      expect(memory.look(other, TTL, true).kind).toBe('unknown');
  });

  it('on its way is waited for by all who ask the same, and kept for nobody where the time to keep it is nothing', async () => {
    const memory = new AnswerMemory(() => 0);
    const policy = { ttlMs: 0, coalesce: true };
    const slot = slotOf(memory.look(question('q'), policy, true));
    const waiting = [memory.look(question('q'), policy, true), memory.look(question('q'), policy, true)];
    slot.end(answer('a'));
    slot.end(answer('b'));
    for (const found of waiting) expect(found.kind === 'coming' ? await found.answer : found.kind).toEqual(answer('a'));
    expect(memory.look(question('q'), policy, true).kind).toBe('unknown');
  });

  it('that did not come makes one of those who wait ask, and the others wait for that one', async () => {
    const memory = new AnswerMemory(() => 0);
    const first = slotOf(memory.look(question('q'), TTL, true));
    const waiting = memory.look(question('q'), TTL, true);
    first.end(undefined);
    expect(waiting.kind === 'coming' ? await waiting.answer : waiting.kind).toBeUndefined();
    expect(memory.look(question('q'), TTL, true).kind).toBe('unknown');
    expect(memory.look(question('q'), TTL, true).kind).toBe('coming');
  });

  it('is not waited for by streams, by callers who may not, or by more than a bound', () => {
    const memory = new AnswerMemory(() => 0);
    memory.look(question('q'), TTL, true);
    expect(memory.look(question('q'), TTL, false).kind).toBe('unknown');
    memory.look(question('alone'), { ttlMs: 1_000, coalesce: false }, false);
    expect(memory.look(question('alone'), TTL, true).kind).toBe('unknown');
    const kinds = Array.from({ length: MAX_WAITING + 1 }, () => memory.look(question('q'), TTL, true).kind);
    expect(kinds.filter((kind) => kind === 'coming')).toHaveLength(MAX_WAITING);
    expect(kinds.at(-1)).toBe('unknown');
  });
});

it('forgets what nobody has asked for longest when its room is used up, and counts each byte once', () => {
  const memory = new AnswerMemory(() => 0, 3 * (1_000 + 512));
  for (const name of ['a', 'b', 'c']) slotOf(memory.look(question(name), TTL, true)).end(answer('x'.repeat(1_000)));
  memory.look(question('a'), TTL, true);
  slotOf(memory.look(question('d'), TTL, true)).end(answer('x'.repeat(1_000)));
  expect(['a', 'b', 'c', 'd'].map((name) => memory.look(question(name), TTL, true).kind)).toEqual(['kept', 'unknown', 'kept', 'kept']);
  expect(memory.bytes).toBe(3 * 1_512);
});

it('shows nothing of what it holds', () => {
  const memory = new AnswerMemory(() => 0);
  slotOf(memory.look(question('secret question'), TTL, true)).end(answer('secret answer'));
  for (const shown of [JSON.stringify(memory), inspect(memory, { depth: 10 })]) expect(shown).not.toMatch(/secret|c2VjcmV0|73 65/);
});
