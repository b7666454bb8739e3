import { describe, expect, it } from 'vitest';
import type { NeutralFinish } from '../../../neutral.ts';
import { readFinish, writeFinish } from './finish.ts';
import type { ChatFinish, Said } from './finish.ts';

const NOTHING: Said = { calls: false, refused: false };
const CALLS: Said = { calls: true, refused: false };
const REFUSED: Said = { calls: false, refused: true };

describe('readFinish', () => {
  it.each<[string, Said, NeutralFinish]>([
    ['stop', NOTHING, 'stop'],
    ['stop', CALLS, 'tool_calls'],
    ['stop', REFUSED, 'refusal'],
    ['length', CALLS, 'length'],
    ['content_filter', REFUSED, 'content_filter'],
    ['tool_calls', CALLS, 'tool_calls'],
    ['function_call', CALLS, 'tool_calls'],
    ['anything', NOTHING, 'stop'],
  ])('reads %s after %j', (reason, said, finish) => {
    expect(readFinish(reason, said)).toBe(finish);
  });
});

describe('writeFinish', () => {
  it.each<[NeutralFinish | undefined, Said, ChatFinish]>([
    ['stop', NOTHING, 'stop'],
    ['stop_sequence', NOTHING, 'stop'],
    ['pause', NOTHING, 'stop'],
    ['length', NOTHING, 'length'],
    ['tool_calls', CALLS, 'tool_calls'],
    ['content_filter', NOTHING, 'content_filter'],
    ['refusal', REFUSED, 'stop'],
    ['refusal', NOTHING, 'content_filter'],
    [undefined, NOTHING, 'stop'],
    [undefined, CALLS, 'tool_calls'],
  ])('writes %s after %j', (finish, said, reason) => {
    expect(writeFinish(finish, said)).toBe(reason);
  });
});
