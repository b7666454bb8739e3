import { describe, expect, it } from 'vitest';
import { matchesPattern } from './pattern.ts';

describe('matchesPattern', () => {
  it.each([
    ['gpt-4.1', 'gpt-4.1', true],
    ['gpt-4.1', 'gpt-4.1-mini', false],
    ['gpt-*', 'gpt-4.1', true],
    ['*', 'anything', true],
    ['*-mini', 'gpt-4.1-mini', true],
    ['gpt-*-mini', 'gpt-mini', false],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'acb', false],
    ['ab*bc', 'abc', false],
  ])('%s against %s: %s', (pattern, name, expected) => {
    expect(matchesPattern(pattern, name)).toBe(expected);
  });
});
