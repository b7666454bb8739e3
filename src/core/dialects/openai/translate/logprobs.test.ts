import { describe, expect, it } from 'vitest';
import { readLogprobs, writeLogprobs } from './logprobs.ts';

const WRITTEN = [{ token: 'é', logprob: -0.5, bytes: [0xc3, 0xa9], top_logprobs: [{ token: 'e', logprob: -1, bytes: [0x65] }] }];
const NEUTRAL = [{ token: 'é', logprob: -0.5, top: [{ token: 'e', logprob: -1 }] }];

describe('log probabilities', () => {
  it('are written with the bytes of their tokens', () => {
    expect(writeLogprobs(NEUTRAL)).toEqual(WRITTEN);
  });

  it('are read, and what is none of them is passed over', () => {
    expect(readLogprobs({ content: [...WRITTEN, { token: 'x' }, { logprob: 1 }, 'x', null] }, 'content')).toEqual(NEUTRAL);
    expect(readLogprobs({ content: null }, 'content')).toEqual([]);
    expect(readLogprobs(undefined, 'content')).toEqual([]);
  });
});
