import { describe, expect, it } from 'vitest';
import { bar, printable, table } from './table.ts';
import { painter, wantsColour } from './terminal.ts';

it.each([
  [{}, [], true, true],
  [{}, [], false, false],
  [{ NO_COLOR: '1' }, [], true, false],
  [{ NO_COLOR: '' }, [], true, true],
  [{ FORCE_COLOR: '1' }, [], false, true],
  [{ FORCE_COLOR: '0' }, [], true, false],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, [], true, false],
  [{ FORCE_COLOR: '1' }, ['spend', '--no-color'], true, false],
  [{ TERM: 'dumb' }, [], true, false],
])('wantsColour(%j, %j, terminal: %s): %s', (environment, argv, isTerminal, expected) => {
  expect(wantsColour(environment, argv, isTerminal)).toBe(expected);
});

describe('table', () => {
  it('lines up, coloured or not', () => {
    const rows = (colour: boolean): string[][] => [
      ['a', painter(colour)('red', '1')],
      ['long', '200'],
    ];
    const columns = [{ title: 'name' }, { title: 'n', align: 'right' }] as const;
    expect(table(columns, rows(false))).toBe('name    n\na       1\nlong  200');
    expect(table(columns, rows(true))).toBe('name    n\na       \u001B[31m1\u001B[39m\nlong  200');
  });
});

it.each([
  [0, 0, '░░░░░░░░░░'],
  [0.5, 0.2, '█████▒▒░░░'],
  [0.9, 0.9, '█████████▒'],
  [3, 1, '██████████'],
  [-1, Number.NaN, '░░░░░░░░░░'],
])('bar(%d, %d)', (used, held, expected) => expect(bar(used, held, 10)).toBe(expected));

it('printable takes the terminal away from names of others', () => {
  expect(printable('a\u001B[31mb\u0007c\u202Ed\n')).toBe('abc�d�'.replace('bc', 'b�c'));
  expect(printable('x'.repeat(100), 10)).toBe(`${'x'.repeat(9)}…`);
});
