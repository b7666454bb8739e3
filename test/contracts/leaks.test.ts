import { expect, it } from 'vitest';
import { leaksIn } from '../support/leaks.ts';

const SECRET = 'sk-planted "0123456789"';

it.each([
  ['as it is', SECRET],
  ['in JSON', JSON.stringify({ key: SECRET })],
  ['in a query', `?key=${encodeURIComponent(SECRET)}`],
  ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
  ...['', 'a', 'ab', 'abc'].map((before) => [`in base64, behind ${JSON.stringify(before)}`, Buffer.from(`${before}${SECRET} and more`).toString('base64')]),
])('a secret that is planted is found %s', (_how, text) => {
  expect(leaksIn({ quiet: 'nothing', loud: `before ${text} behind` }, ['another', SECRET])).toEqual(['loud']);
  expect(leaksIn({ quiet: 'nothing', loud: text.slice(1, 9) }, [SECRET])).toEqual([]);
});
