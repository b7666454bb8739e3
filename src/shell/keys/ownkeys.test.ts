import { expect, it } from 'vitest';
import { OwnKeys } from './index.ts';

it('forgets a host to which no key of the application was sent for ten minutes', () => {
  let now = 0;
  const keys = new OwnKeys(() => now);
  expect(keys.hosts()).toEqual([]);
  keys.saw('b.example');
  now = 300_000;
  keys.saw('a.example');
  keys.saw('b.example');
  expect(keys.hosts()).toEqual(['a.example', 'b.example']);
  now = 899_999;
  keys.saw('a.example');
  expect(keys.hosts()).toEqual(['a.example', 'b.example']);
  now = 900_000;
  expect(keys.hosts()).toEqual(['a.example']);
  now = 1_499_999;
  expect(keys.hosts()).toEqual([]);
});
